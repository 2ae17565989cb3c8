"""`ullage guard`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime

import click

from ullage import guard
from ullage.base.text import clean
from ullage.cli import countdown, options
from ullage.cli.known import Known
from ullage.cli.parameters import parse_with
from ullage.guard import Question
from ullage.guard.limits import parse_duration, parse_limit
from ullage.guard.waiting import WaitState
from ullage.quota.exits import OVER, UNDER
from ullage.system import streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from ullage.guard import Verdict
    from ullage.guard.limits import Limit

_NOT_EXECUTABLE, _NOT_FOUND = 126, 127
_LONGEST_NAME = 200


@click.command(name="guard", context_settings={"allow_interspersed_args": False})
@click.option(
    "--max",
    "most",
    callback=parse_with(parse_limit),
    multiple=True,
    metavar="[WINDOW=]PERCENT",
    shell_complete=options.complete_limit,
    help="No room from this percentage on: of one window (five_hour=80, 5h=80%, fable=90) or of all (80). "
    "Without it: from 100 on.",
)
@click.option(
    "--need",
    callback=parse_with(parse_limit),
    multiple=True,
    metavar="[WINDOW=]PERCENT",
    shell_complete=options.complete_limit,
    help="Room that what comes will want: it must fit under the limit, beside what the pace so far lets expect.",
)
@click.option(
    "--max-age",
    callback=parse_with(parse_duration),
    metavar="AGE",
    help="How old a number may be that says there is room: 10m.",
)
@click.option(
    "--allow-credits",
    is_flag=True,
    help="A window that is used up leaves room while credits pay for what comes; limits below 100 hold all the same.",
)
@click.option("--refresh", is_flag=True, help="Ask for a new reading first, if one is due.")
@click.option(
    "--fail-open/--fail-closed",
    "fail_open",
    default=None,
    help="What it means when it cannot tell: room (0), or none (1). Otherwise the exit code says why.",
)
@click.option("--wait", "may_wait", is_flag=True, help="Wait until there is room, and refresh meanwhile.")
@click.option("--timeout", callback=parse_with(parse_duration), metavar="TIME", help="Wait no longer than this: 2h.")
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
@click.option("--quiet", "-q", is_flag=True, help="Say nothing when there is room.")
@options.add_profile_option
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND...]")
def command(
    most: tuple[Limit, ...],
    need: tuple[Limit, ...],
    max_age: timedelta | None,
    allow_credits: bool,
    refresh: bool,
    fail_open: bool | None,
    may_wait: bool,
    timeout: timedelta | None,
    as_json: bool,
    quiet: bool,
    command: tuple[str, ...],
) -> int:
    """Say by the exit code whether there is room, and run COMMAND if there is.

    Exits with 0 when there is room, 1 when a limit is reached; when it cannot tell, with 3 (nothing known), 4 (too old)
    or 5 (the source failed). One line on stderr says why. COMMAND takes this process's place, so that its exit code and
    signals are its own.
    """
    if as_json and command:
        raise click.UsageError("--json answers on the output that COMMAND would write to; use one of them.")
    if timeout is not None and not may_wait:
        raise click.UsageError("--timeout is for --wait.")
    if command and not command[0].strip():
        raise click.UsageError("The command after -- is empty. Name a program.")
    question = Question(most=most, need=need, max_age=max_age, allow_credits=allow_credits)
    known = Known()
    known.tell_issues()
    if refresh or may_wait:
        known.refresh(max_age)
    verdict = known.judge(question, datetime.now(UTC))
    if may_wait and not _allowed(verdict, fail_open):
        verdict = _wait(known, question, verdict, timeout)
    allowed = _allowed(verdict, fail_open)
    if not (quiet and verdict.allowed):
        click.echo(f"ullage: {verdict.message}{_addition(verdict, fail_open)}", err=True)
    if as_json:
        # The verdict is the exit code, whether or not its document arrives.
        streams.put(json.dumps(guard.describe_verdict(verdict, allowed=allowed), ensure_ascii=False, indent=1))
    if allowed:
        return become(command) if command else UNDER
    return OVER if verdict.outcome == "over" or fail_open is False else verdict.exit_code


def _allowed(verdict: Verdict, fail_open: bool | None) -> bool:
    return verdict.allowed or (verdict.outcome == "unknown" and fail_open is True)


def _addition(verdict: Verdict, fail_open: bool | None) -> str:
    if verdict.outcome != "unknown" or fail_open is None:
        return ""
    return " Going on, as --fail-open says." if fail_open else " Counted as no room, as --fail-closed says."


def _wait(known: Known, question: Question, verdict: Verdict, timeout: timedelta | None) -> Verdict:
    seen = verdict

    def look(_now: datetime) -> WaitState:
        nonlocal seen
        known.refresh(attended=False)
        seen = known.judge(question, datetime.now(UTC))
        over = seen.allowed or known.is_hopeless(seen)
        return WaitState(over=over, words=seen.message, until=seen.room_at or known.find_next_refresh())

    countdown.wait(look, timeout)
    return seen


def become(command: Sequence[str]) -> int:
    """Replace this process by a command; return an exit code only where that fails."""
    sys.stderr.flush()
    try:
        if sys.platform == "win32":
            return subprocess.run(list(command), check=False).returncode
        # Python ignores these signals, and an ignored signal stays ignored across exec.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        os.execvp(command[0], list(command))
    except (OSError, ValueError) as error:
        if sys.platform != "win32":
            signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        return _cannot_run(command, error)


def _cannot_run(command: Sequence[str], error: OSError | ValueError) -> int:
    if isinstance(error, FileNotFoundError):
        click.echo(f"ullage: {_name(command)}: there is no such command.", err=True)
        return _NOT_FOUND
    why = f"{error.strerror}." if isinstance(error, OSError) else str(error)
    click.echo(f"ullage: {_name(command)} cannot be run: {why}", err=True)
    return _NOT_EXECUTABLE


def _name(command: Sequence[str]) -> str:
    return clean(command[0], _LONGEST_NAME)
