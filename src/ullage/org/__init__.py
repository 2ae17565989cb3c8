"""Read an organisation's documented usage and cost reports; none of it says anything about a plan's windows.

reports: the table of reports · days: the range of days · keys: the key to ask with · client: pages, retries, the
deadline · rows: answers decoded · store: finished days on disk · fetch: all of it in order · totals: rows added up ·
output: JSON, CSV, OpenMetrics and the table.
"""
