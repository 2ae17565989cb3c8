"""Date an answer of `claude`, which repeats an old one without saying so when the endpoint refuses.

Seen with 2.1.330 and 2.1.332: on a refusal, an error or a hang, `get_usage` succeeds with what `.claude.json` keeps, up
to an hour old and without `limits`. After an answer of the server's the file's `fetchedAtMs` is that answer's, or at
most a minute old, since the file is rewritten no oftener; versions up to 2.1.259 waited five minutes.
"""

from __future__ import annotations

from datetime import timedelta

from ullage.base.errors import SourceError
from ullage.quota.model import leave_undated
from ullage.sources import claude_cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ullage.quota.model import Reading

CODE = "served_from_snapshot"

# A minute, and what the clocks of two processes may differ.
_REWRITTEN_WITHIN = timedelta(seconds=75)
_REWRITTEN_ONCE_WITHIN = timedelta(minutes=5, seconds=15)


def date(reading: Reading, environ: Mapping[str, str], asked_at: datetime, *, is_whole: bool) -> Reading:
    """Date the answer of `claude` to a request of `asked_at`; raise SourceError where it repeated an old answer.

    `is_whole` says that the answer has the list of limits, which a repeated one lacks. Where nothing dates the answer,
    its age is unknown, and it counts as no listing.
    """
    fetched_at = claude_cache.read_fetched_at(environ, reading.account)
    if fetched_at is None or claude_cache.is_from_future(fetched_at, asked_at):
        return reading if is_whole else leave_undated(reading, asked_at).replace(is_listing=False)
    as_of = min(fetched_at, asked_at)
    if as_of >= asked_at - (_REWRITTEN_ONCE_WITHIN if is_whole else _REWRITTEN_WITHIN):
        windows = tuple(window.replace(as_of=as_of) for window in reading.windows)
        return reading.replace(as_of=as_of, windows=windows)
    raise SourceError(
        CODE,
        f"Claude Code could not reach the usage endpoint and repeated what it knew at {as_of.astimezone():%H:%M}. "
        "ullage asks again by itself; /usage in Claude Code may say why.",
        reached_server=True,
    )
