"""The figures of docs/figures.md: `python -m bench`."""
