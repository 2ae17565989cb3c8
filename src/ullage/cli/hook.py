"""`ullage hook`."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime

import click

from ullage import prompt
from ullage.cache import ProfileCache
from ullage.cli import options
from ullage.cli.known import Known
from ullage.cli.parameters import parsed
from ullage.errors import CacheError, UllageError
from ullage.files import read_regular, write_atomically
from ullage.guard import Question, hooks
from ullage.guard.limits import Limit, parse_limit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ullage.guard import Finding
    from ullage.guard.hooks import Event

# Claude Code reads 2 as "block this", and shows the words of any other failure without stopping.
_HARMLESS = 1
_LARGEST_INPUT = 64 << 20
_MOST_MARKS = 100


class _HarmlessError(click.ClickException):
    exit_code = _HARMLESS


class _HarmlessCommand(click.Command):
    """A command whose own failures never end with the exit code that blocks."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        try:
            return super().make_context(*args, **kwargs)
        except click.UsageError as error:
            raise _HarmlessError(f"ullage hook: {error.format_message()}") from error

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except UllageError as error:
            raise _HarmlessError(f"ullage hook: {error}") from error


@click.command(name="hook", cls=_HarmlessCommand)
@click.option(
    "--warn",
    callback=parsed(parse_limit),
    multiple=True,
    metavar="[WINDOW=]PERCENT",
    help="Tell the person and the model from this percentage on, once a session. Default: 90.",
)
@click.option(
    "--block",
    callback=parsed(parse_limit),
    multiple=True,
    metavar="[WINDOW=]PERCENT",
    help="Let no prompt and no tool through from this percentage on.",
)
@click.option("--fail-closed", is_flag=True, help="Block, too, while the usage is not known.")
@options.profile
def command(warn: tuple[Limit, ...], block: tuple[Limit, ...], fail_closed: bool) -> int:
    """Answer a hook of Claude Code: UserPromptSubmit, PreToolUse or Stop, as JSON on stdin.

    Reads the cache, asks nobody, and starts a refresh in the background when one is due. What goes wrong here never
    stops Claude Code, unless --fail-closed says so.
    """
    event = _event()
    if event is None:
        return 0
    prompt.start_refresh_if_due(os.environ)
    answer = _answer(event, warn or (Limit(window=None, percent=90.0),), block, fail_closed=fail_closed)
    if answer is not None:
        click.echo(json.dumps(answer, ensure_ascii=False))
    return 0


def _event() -> Event | None:
    data = sys.stdin.buffer.read(_LARGEST_INPUT)
    try:
        return hooks.read_event(json.loads(data))
    except (ValueError, RecursionError) as error:
        raise _HarmlessError("ullage hook reads what Claude Code gives a hook: a JSON object on stdin.") from error


def _answer(
    event: Event, warn: tuple[Limit, ...], block: tuple[Limit, ...], *, fail_closed: bool
) -> dict[str, Any] | None:
    try:
        known, now = Known(), datetime.now(UTC)
        refused = known.judge(Question(most=block), now) if block or fail_closed else None
        warned = known.judge(Question(most=warn), now)
    except UllageError as error:
        if fail_closed:
            return hooks.blocking(event, str(error))
        return hooks.notice(str(error)) if event.name == "UserPromptSubmit" else None
    if refused and (refused.outcome == "over" and block):
        return hooks.blocking(event, refused.message)
    if refused and refused.outcome == "unknown" and fail_closed:
        return hooks.blocking(event, refused.message)
    new = _not_told_yet(event, hooks.findings_over(warned))
    return hooks.warning(event, [finding.why for finding in new]) if new else None


def _not_told_yet(event: Event, findings: tuple[Finding, ...]) -> list[Finding]:
    """Return what this session has not been told, and keep in mind that it is being told now."""
    if not findings or event.repeated:
        return []
    path = os.path.join(ProfileCache(os.environ).directory, "hook.told")
    told = (read_regular(path) or b"").decode(errors="replace").splitlines()
    new = [finding for finding in findings if not hooks.is_told(event, finding, told)]
    if new:
        marks = [*told, *(hooks.mark(event, finding) for finding in new)][-_MOST_MARKS:]
        try:
            write_atomically(path, "".join(f"{mark}\n" for mark in marks).encode())
        except CacheError:
            # A cache that cannot be written makes a session hear a warning again, which is the lesser evil.
            return new
    return new
