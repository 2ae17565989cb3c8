"""Readings as text: the segment for prompts, the escapes of each surface, tables, the JSON contract."""
