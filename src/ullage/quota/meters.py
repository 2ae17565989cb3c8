"""The table of meters: what each counts, how exact and fresh it is, what it needs and costs. Pure.

A quota is a percentage that the server counts. Tokens, money and activity are other things: no meter of those says
anything about a percentage. docs/sources.md says the same at length; a test holds the two together.
"""

from __future__ import annotations

from ullage.base.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    Counted = Literal["quota", "tokens", "organisation", "not read"]


class Meter(Record):
    """One meter.

    `module` is that of `ullage.sources` which a refresh asks, where it can be named as the source. `is_partial`: it
    tells some windows only, where others list every window there is. `asks_server`: its answer costs the server a
    request, which is counted by account. `command` is what shows it, where a reading does not; `fallback_of` the source
    that turns to it by itself.
    """

    name: str
    counts: Counted
    what: str
    exact: str
    cost: str
    fresh: str = ""
    needs: str = ""
    module: str = ""
    command: str = ""
    fallback_of: str = ""
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
        module="statusline",
        in_auto=True,
        is_partial=True,
    ),
    Meter(
        name="tee",
        counts="quota",
        what="what `claude -p` says of limits in its stream-json: the two main windows and a model's week",
        exact="the server's own percentage, from the headers of an answer",
        fresh="whenever an answer moves a number",
        needs="`ullage tee` in a pipe behind `claude -p`",
        cost="nothing",
        module="tee",
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
        fallback_of="claude-cli",
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
    Meter(
        name="remote",
        counts="quota",
        what="another machine's ullage: every window and the credits that it knows, with their age there",
        exact="as it is there",
        fresh="at most a minute behind that machine",
        needs="a [[remote]] that `ullage setup remote` writes, or a machine that hands its reading to `ullage receive`",
        cost="one command or request to that machine a minute; none to the provider",
        module="remote",
    ),
    Meter(
        name="transcripts",
        counts="tokens",
        what="what Claude Code wrote down on this machine, answer by answer: by day, session, project, model",
        exact="the tokens to the last one, of this machine alone; their cost is a price list's, not what you pay",
        fresh="as they are written",
        needs="transcripts under projects/, which Claude Code keeps for 30 days",
        cost="reading what is new in them",
        command="ullage tokens",
    ),
    Meter(
        name="org-usage",
        counts="organisation",
        what="tokens of an organisation's API: by model, workspace, key, tier",
        exact="the provider's own count",
        fresh="about five minutes late",
        needs="an Admin API key of the organisation (sk-ant-admin…), from a command, a variable or the keyring",
        cost="one request a page; finished days are asked for once",
        command="ullage org usage",
    ),
    Meter(
        name="org-cost",
        counts="organisation",
        what="what an organisation's API use costs, in dollars: by workspace or by item",
        exact="the provider's own bill, to a fraction of a cent; priority tier is not in it",
        fresh="about five minutes late, by whole days",
        needs="an Admin API key of the organisation, as org-usage",
        cost="as org-usage",
        command="ullage org cost",
    ),
    Meter(
        name="org-claude-code",
        counts="organisation",
        what="what each person of an organisation did with Claude Code: sessions, lines, commits, tokens, cost",
        exact="the provider's own count; the cost is its estimate",
        fresh="up to an hour late, by whole days",
        needs="an Admin API key of the organisation, as org-usage",
        cost="one request a day and page; finished days are asked for once",
        command="ullage org claude-code",
    ),
    Meter(
        name="org-analytics",
        counts="organisation",
        what="tokens and requests of each person on a Claude Enterprise plan, over all products",
        exact="the provider's own count, of people with a seat",
        fresh="up to a day late",
        needs="an Analytics API key (scope read:analytics) of a Claude Enterprise organisation",
        cost="as org-claude-code",
        command="ullage org analytics",
    ),
    Meter(
        name="token-guesses",
        counts="not read",
        what="a percentage worked out from token counts",
        exact="a guess: how the server weighs tokens is not published, and it counts your other devices too",
        cost="the truth of every other number",
    ),
    Meter(
        name="answer-headers",
        counts="not read",
        what="the rate limit headers of an answer by the model; Claude Code passes them on to its status line",
        exact="the server's own percentage",
        fresh="at the moment of asking",
        needs="a question to the model",
        cost="tokens, and it starts a five-hour window",
    ),
    Meter(
        name="desktop-history",
        counts="not read",
        what="the percentages that Claude Desktop notes for its own chart",
        exact="the server's percentage, without the reset that would say until when it holds",
        fresh="every 5 to 15 minutes while it runs",
        needs="Claude Desktop",
        cost="one file read",
    ),
    Meter(
        name="telemetry",
        counts="not read",
        what="Claude Code's OpenTelemetry metrics: tokens, cost, sessions, and no window of a plan",
        exact="its own count",
        fresh="every minute",
        needs="a collector that you run",
        cost="a service",
    ),
)

# What config.toml's `source` may name.
SOURCES = ("auto", *(meter.name for meter in METERS if meter.module))
IN_AUTO = tuple(meter.name for meter in METERS if meter.in_auto)
# Sources that tell some windows only; the others list every window there is.
PARTIAL = tuple(meter.name for meter in METERS if meter.is_partial)
# Their answers cost the server a request, which it counts by account.
ASKS_SERVER = tuple(meter.name for meter in METERS if meter.asks_server)


def list_asked_sources(source: str) -> tuple[str, ...]:
    """Return the sources that a refresh asks, in this order, when the settings name `source`.

    For `auto` those that list every window: the status line speaks by itself.
    """
    return tuple(name for name in IN_AUTO if name not in PARTIAL) if source == "auto" else (source,)


def find_meter(name: str) -> Meter:
    """Return a meter by its name."""
    return next(meter for meter in METERS if meter.name == name)
