"""`ullage serve`: what is known, over HTTP, on a loopback address or a Unix socket."""

from __future__ import annotations

from ullage.base.errors import UllageError


class ServeError(UllageError):
    """What is known cannot be served."""
