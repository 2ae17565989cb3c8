"""A reading as text: the segment of a prompt, tables, charts, colours."""
