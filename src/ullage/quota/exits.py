"""Exit codes: what the contract says for what is known. Pure."""

from __future__ import annotations

from ullage.quota.model import judge_age

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

    from ullage.quota.model import Problem, Reading, Thresholds


UNDER, OVER, NOTHING_KNOWN, TOO_OLD, SOURCE_FAILED = 0, 1, 3, 4, 5

# Problems that mean there is no account to read, rather than a source that failed.
NO_ACCOUNT = (
    "token_missing",
    "token_alone",
    "signed_out",
    "claude_missing",
    "nothing_cached",
    "no_status_line",
    "no_remote",
)


def choose_exit_code(reading: Reading | None, problem: Problem | None, thresholds: Thresholds, now: datetime) -> int:
    """Choose the exit code that the contract defines for a reading's state and for the last refresh's problem."""
    if reading is None:
        return SOURCE_FAILED if problem and not is_without_account(problem) else NOTHING_KNOWN
    return TOO_OLD if judge_age(reading.as_of, now, thresholds) == "expired" else UNDER


def is_without_account(problem: Problem | None) -> bool:
    """Say whether there is no account that a refresh could ask about."""
    return problem is not None and problem.code in NO_ACCOUNT
