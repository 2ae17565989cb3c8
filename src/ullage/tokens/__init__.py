"""What filled the quota, as far as this machine knows: tokens in Claude Code's transcripts, never a percentage.

The flow: `transcripts` finds the files, `lines` reads what of a line counts, `scan` reads what is new of all files,
`index` keeps it and counts every response once, `report` groups, `prices` and `cost` say what an API would have billed.
"""
