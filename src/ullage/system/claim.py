"""Claim the next refresh, so that of a hundred prompts that find one due a single one starts it.

The claim is a file without content. Its modification time is the second until which it holds, so that a shell can
compare it with its own process by `-nt`. A refresh that runs holds it for as long as the schedule keeps others from
asking, and gives it up when every reader sees the new schedule. One that died leaves a claim that runs out by itself.
"""

from __future__ import annotations

import os
import stat

_NAME = "claim.lock"
# The same for handing a reading on to other machines.
PUSH = "push.claim"
# How long a process takes at most from its start to holding the claim itself, on a busy machine.
_START_SECONDS = 30
# No refresh holds a claim for longer: one from further ahead was dated by a clock that has since been set back.
LONGEST_SECONDS = 300
# A file that has just been made is dated to now until it is dated to its end.
_MAKING_SECONDS = 1


def take(directory: str, now: float, name: str = _NAME) -> bool:
    """Claim the next refresh of a profile for this process; return False while another has it, or one runs."""
    path = os.path.join(directory, name)
    if _is_held(path, now):
        return False
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600))
        os.utime(path, (now + _START_SECONDS, now + _START_SECONDS))
    except FileExistsError:
        # One has run out, or another process was faster by a moment.
        if _is_held(path, now):
            return False
        hold(directory, now + _START_SECONDS, name)
    except OSError:
        # There is no directory yet, or no room: the refresh makes it, or says so.
        return True
    return True


def hold(directory: str, until: float, name: str = _NAME) -> None:
    """Hold the claim until a second of the epoch, also when another process had it."""
    path = os.path.join(directory, name)
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600))
        os.utime(path, (until, until))
    except OSError:
        # Without a claim the lock alone keeps refreshes apart.
        return


def release(directory: str, name: str = _NAME) -> None:
    """Release the claim: from now on the timelines say when a refresh is due."""
    try:
        os.unlink(os.path.join(directory, name))
    except OSError:
        return


def _is_held(path: str, now: float) -> bool:
    try:
        status = os.lstat(path)
    except OSError:
        return False
    is_in_force = now - _MAKING_SECONDS < status.st_mtime <= now + LONGEST_SECONDS
    return stat.S_ISREG(status.st_mode) and is_in_force
