"""What an organisation used and pays, from its documented reports: nothing here says anything about a plan's windows.

reports: what can be asked · days: for when · keys: with which key · client: pages, retries, the deadline · rows: what
the answers say · store: finished days, kept · fetch: all of it in order · totals: rows added up as a person wants them.
"""
