"""What is counted of a response, and what changes the price of a whole one."""

from __future__ import annotations

# Thinking is part of the output, and no token of its own.
COUNTS = ("input", "output", "cache_write_5m", "cache_write_1h", "cache_read", "thinking", "web_searches")
