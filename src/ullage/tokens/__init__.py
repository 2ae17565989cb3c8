"""Count the tokens in Claude Code's transcripts on this machine: what filled the quota, never a percentage of it.

The flow: `transcripts` finds the files, `scan` reads what is new of all of them, `reading` one file, `lines` one line;
`index` keeps the rows and counts each response once, `report` groups them, `prices` and `cost` price them at the API's
list prices, and `tally` runs all of this for one query.
"""
