"""Inside Claude Code: its status line and its hooks."""
