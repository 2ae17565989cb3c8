"""A new reading for whoever waits for it."""

from __future__ import annotations

import click

from ullage import refresh
from ullage.base.errors import CacheError
from ullage.cli.options import LONGEST_REFRESH_SECONDS
from ullage.store.cache import ProfileCache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def refresh_or_wait(environ: Mapping[str, str], *, force: bool = False) -> None:
    """Refresh, or wait for the process that is refreshing; what fails is told and left to the last reading."""
    try:
        outcome = refresh.refresh(environ, force=force)
        if outcome.result == "busy":
            # Another process is asking: its answer is ours too.
            with ProfileCache(environ).lock(wait_seconds=LONGEST_REFRESH_SECONDS):
                pass
    except CacheError as error:
        click.echo(f"ullage: {error}", err=True)
