"""Exit codes: what the contract says for what is known. Pure."""

from __future__ import annotations

from ullage.quota.model import judge_age

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Final, Literal

    from ullage.quota.model import Problem, Reading, Thresholds

    ExitCode = Literal[0, 1, 3, 4, 5]

UNDER: Final = 0
OVER: Final = 1
NOTHING_KNOWN: Final = 3
TOO_OLD: Final = 4
SOURCE_FAILED: Final = 5

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
# Those that leave nothing known, though no source failed: after the last one a refresh asks about the new account.
_NOTHING_YET = (*NO_ACCOUNT, "other_sign_in")


def choose_exit_code(
    reading: Reading | None, problem: Problem | None, thresholds: Thresholds, now: datetime
) -> ExitCode:
    """Choose the exit code that the contract defines for a reading's state and for the last refresh's problem."""
    if reading is None:
        return NOTHING_KNOWN if problem is None or problem.code in _NOTHING_YET else SOURCE_FAILED
    return TOO_OLD if judge_age(reading.as_of, now, thresholds) == "expired" else UNDER


def is_without_account(problem: Problem | None) -> bool:
    """Say whether there is no account that a refresh could ask about."""
    return problem is not None and problem.code in NO_ACCOUNT
