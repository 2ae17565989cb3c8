"""The sources: modules with a NAME, an `account` and a `read`, which returns a Reading or raises SourceError.

The other modules serve several of them. docs/architecture.md says how to add a source.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ullage.quota.model import Account


def read_signed_in(environ: Mapping[str, str]) -> Account:
    """Return the signed-in account, whose sessions' statements are read; raise SourceError when it is unknown."""
    # Imported late: a session that repeats itself, or stands in a pipe, needs no account.
    from ullage.sources import claude_state

    return claude_state.read_account(environ)
