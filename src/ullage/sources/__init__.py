"""One module a source: each answers what the windows stand at, or raises a SourceError."""
