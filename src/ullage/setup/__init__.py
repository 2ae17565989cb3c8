"""Other people's files, changed and undone to the byte."""
