"""Say the verdict of `ullage guard` and run its command; `cli/guard.py` and `cli/quick.py` parse its options."""

from __future__ import annotations

import os
import sys

from ullage import guard
from ullage.base import jsontext
from ullage.base.dates import UTC, datetime
from ullage.base.record import Record
from ullage.base.text import clean
from ullage.cli.known import Known
from ullage.cli.say import remark
from ullage.quota.exits import OVER, UNDER
from ullage.system import streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from ullage.guard import Outcome, Question, Verdict
    from ullage.guard.waiting import WaitState
    from ullage.quota.timeline import Level

_NOT_EXECUTABLE, _NOT_FOUND = 126, 127
_LONGEST_NAME = 200
_LEVELS: dict[Outcome, Level] = {"under": "normal", "over": "critical", "unknown": "warning"}


class GuardCall(Record):
    """The question to a guard and what follows from its verdict; `fail_open` is None without --fail-open or -closed."""

    question: Question
    refresh: bool = False
    fail_open: bool | None = None
    may_wait: bool = False
    timeout: timedelta | None = None
    as_json: bool = False
    quiet: bool = False
    command: Sequence[str] = ()


def find_wrong(call: GuardCall) -> str | None:
    """Return in words which options do not go together, or None."""
    if call.as_json and call.command:
        return "--json answers on the output that COMMAND would write to; use one of them."
    if call.timeout is not None and not call.may_wait:
        return "--timeout is for --wait."
    if call.command and not call.command[0].strip():
        return "The command after -- is empty. Name a program."
    return None


def answer(call: GuardCall) -> int:
    """Judge the reading, print the verdict, become the command where there is room; return the exit code."""
    question = call.question
    known = Known()
    known.print_issues()
    if call.refresh or call.may_wait:
        known.refresh(question.max_age)
    verdict = known.judge(question, datetime.now(UTC))
    if call.may_wait and not _allowed(verdict, call.fail_open):
        verdict = _wait(known, question, verdict, call.timeout)
    allowed = _allowed(verdict, call.fail_open)
    if not (call.quiet and verdict.allowed):
        text = f"{verdict.message}{_addition(verdict, call.fail_open)}"
        remark(text, _LEVELS[verdict.outcome], known.settings.palette)
    if call.as_json:
        # The verdict is the exit code, whether or not its document arrives.
        streams.put(jsontext.indented(guard.describe_verdict(verdict, allowed=allowed)))
    if allowed:
        return become(call.command) if call.command else UNDER
    return OVER if verdict.outcome == "over" or call.fail_open is False else verdict.exit_code


def _allowed(verdict: Verdict, fail_open: bool | None) -> bool:
    return verdict.allowed or (verdict.outcome == "unknown" and fail_open is True)


def _addition(verdict: Verdict, fail_open: bool | None) -> str:
    if verdict.outcome != "unknown" or fail_open is None:
        return ""
    return " Going on, as --fail-open says." if fail_open else " Counted as no room, as --fail-closed says."


def _wait(known: Known, question: Question, verdict: Verdict, timeout: timedelta | None) -> Verdict:
    # Imported late: few wait.
    from ullage.cli import countdown
    from ullage.guard.waiting import WaitState

    seen = verdict

    def look(_now: datetime) -> WaitState:
        nonlocal seen
        known.refresh(attended=False)
        seen = known.judge(question, datetime.now(UTC))
        over = seen.allowed or known.is_hopeless(seen)
        return WaitState(over=over, words=seen.message, until=seen.room_at or known.find_next_refresh())

    countdown.wait(look, timeout, known.settings.palette)
    return seen


def become(command: Sequence[str]) -> int:
    """Replace this process by a command; return an exit code only where that fails."""
    # Imported late, as most verdicts end here.
    import signal

    sys.stderr.flush()
    try:
        if sys.platform == "win32":
            import subprocess

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
        remark(f"{_name(command)}: there is no such command.", "critical")
        return _NOT_FOUND
    why = f"{error.strerror}." if isinstance(error, OSError) else str(error)
    remark(f"{_name(command)} cannot be run: {why}", "critical")
    return _NOT_EXECUTABLE


def _name(command: Sequence[str]) -> str:
    return clean(command[0], _LONGEST_NAME)
