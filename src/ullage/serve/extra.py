"""Whether the libraries of the extra `serve` are here."""

from __future__ import annotations

from ullage.base.errors import MissingExtraError


def check_extra() -> None:
    """Raise MissingExtraError where the libraries that serve are not installed."""
    try:
        # Imported late: they take longer than all of setup.
        from ullage.serve import app, server  # noqa: F401  # to see whether they can be imported
    except ImportError as error:
        raise MissingExtraError("ullage serve", "serve", "h11 starlette uvicorn") from error
