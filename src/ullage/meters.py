"""Every meter there is: what it counts, how exact and fresh it is, what it needs and costs. One row each; pure.

A quota is a percentage that the server counts. Tokens, money and activity are other things: no meter of those says
anything about a percentage. docs/sources.md says the same at length; a test holds the two together.
"""

from __future__ import annotations

from ullage.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    Counted = Literal["quota", "tokens", "organisation", "not read"]


class Meter(Record):
    """One meter.

    `module` is that of `ullage.sources` which a refresh asks, where it can be named as the source. `is_partial`: it
    tells some windows only, where others list every window there is. `asks_server`: its answer costs the server a
    request, which is counted by account. `command` is what shows it, where a reading does not.
    """

    name: str
    counts: Counted
    what: str
    exact: str
    fresh: str
    needs: str
    cost: str
    module: str = ""
    command: str = ""
    in_auto: bool = False
    is_partial: bool = False
    asks_server: bool = False


METERS: tuple[Meter, ...] = (
    Meter(
        name="statusline",
        counts="quota",
        what="what Claude Code pipes into its status line command after every answer: the two main windows",
        exact="the server's own percentage, from the headers of an answer",
        fresh="at every answer of an open session; an idle one repeats what it heard",
        needs="`ullage setup claude-code`",
        cost="nothing",
        module="status_line",
        in_auto=True,
        is_partial=True,
    ),
    Meter(
        name="claude-cache",
        counts="quota",
        what="the usage report that Claude Code keeps in its .claude.json: every window and the credits",
        exact="the server's own percentage",
        fresh="when something in Claude Code last asked; minutes to days",
        needs="a Claude Code that is signed in",
        cost="one file read",
        module="claude_cache",
        in_auto=True,
    ),
    Meter(
        name="claude-cli",
        counts="quota",
        what="a control request to your own claude program: every window and the credits",
        exact="the server's own percentage",
        fresh="within a minute, at the moment of asking",
        needs="the program `claude`, signed in with a plan",
        cost="one process, no model call, at most every 5 minutes",
        module="claude_cli",
        in_auto=True,
        asks_server=True,
    ),
    Meter(
        name="claude-cli-text",
        counts="quota",
        what="the text of /usage, from a claude program too old for the control request; asked by claude-cli itself",
        exact="the server's percentage, rounded down to a whole number",
        fresh="at the moment of asking",
        needs="as claude-cli",
        cost="as claude-cli",
        is_partial=True,
    ),
    Meter(
        name="oauth",
        counts="quota",
        what="the provider's usage endpoint: every window and the credits",
        exact="the server's own percentage, with its decimals",
        fresh="at the moment of asking",
        needs="to be turned on; the token that Claude Code stored, for one request",
        cost="one request with Claude Code's token, at most every 5 minutes",
        module="oauth",
        asks_server=True,
    ),
    Meter(
        name="web",
        counts="quota",
        what="claude.ai's own usage page, asked with your session key: every window and the credits",
        exact="the server's own percentage, with its decimals",
        fresh="at the moment of asking",
        needs="to be turned on; your session key, from a command or a variable that you name, for one request",
        cost="one request with your session key, at most every 5 minutes",
        module="web",
        asks_server=True,
    ),
)

# What config.toml's `source` may name.
SOURCES = ("auto", *(meter.name for meter in METERS if meter.module))
IN_AUTO = tuple(meter.name for meter in METERS if meter.in_auto)
# Sources that tell some windows only; the others list every window there is.
PARTIAL = tuple(meter.name for meter in METERS if meter.is_partial)
# Their answers cost the server a request, which it counts by account.
ASKS_SERVER = tuple(meter.name for meter in METERS if meter.asks_server)


def of(name: str) -> Meter:
    """Return a meter by its name."""
    return next(meter for meter in METERS if meter.name == name)
