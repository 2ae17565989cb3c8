"""The sources, a module each: `read` returns a Reading of the windows or raises SourceError."""
