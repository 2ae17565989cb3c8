"""Set ullage up in other programs' files, and undo that to the byte."""
