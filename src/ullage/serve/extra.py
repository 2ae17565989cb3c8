"""The libraries that serve, which an installation may lack."""

from __future__ import annotations

from ullage.base.errors import MissingExtraError


def check_installed() -> None:
    """Raise MissingExtraError where the libraries that serve are not installed."""
    try:
        from ullage.serve import app, server  # noqa: F401  # to see whether they can be imported
    except ImportError as error:
        raise MissingExtraError("ullage serve", "serve", "h11 starlette uvicorn") from error
