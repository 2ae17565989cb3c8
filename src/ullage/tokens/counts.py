"""Name the counts of a response, in the order in which every table and tuple of counts holds them."""

from __future__ import annotations

# Thinking is part of the output, and no token of its own.
COUNTS = ("input", "output", "cache_write_5m", "cache_write_1h", "cache_read", "thinking", "web_searches")
