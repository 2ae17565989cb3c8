"""The pictures of docs/gallery.md, made from the real programs over an invented account, at a moment that stands still.

`make picture` draws them all, `python -m gallery usage page` these. docs/gallery/made-from.json holds a digest of what
each was drawn from, which a test takes again: a picture that shows what is no more fails it.
"""
