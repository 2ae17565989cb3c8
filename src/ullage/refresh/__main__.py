"""A refresh in the background, as a process of its own."""

from __future__ import annotations

import os
import sys

from ullage.base.errors import UllageError
from ullage.refresh import refresh

# Far more than the deadlines of a refresh come to, on a machine that is busy with other things too.
_LONGEST_SECONDS = 120


def main() -> int:
    """Refresh in the background; as its output is read by no person, a failure is kept with the schedule.

    Each step has a deadline of its own. Should a step miss it, an alarm ends the process, as no person watches it.
    """
    try:
        refresh(os.environ, force="--force" in sys.argv[1:], early="--early" in sys.argv[1:], begin=_begin)
    except UllageError as error:
        return error.exit_code
    finally:
        _notify(os.environ.get("ULLAGE_NOTIFY", ""))
    return 0


def _begin() -> None:
    """Make libraries importable, and set the alarm. Most refreshes end before they get here, sooner without either."""
    if sys.flags.no_site:
        import site

        site.main()
    import signal

    if hasattr(signal, "alarm"):
        signal.alarm(_LONGEST_SECONDS)


def _notify(process: str) -> None:
    """Signal the shell that started this, which then draws its prompt again: by SIGURG, which is ignored by default."""
    if not (process.isascii() and process.isdigit() and int(process) > 1):
        return
    import signal

    if hasattr(signal, "SIGURG"):
        try:
            os.kill(int(process), signal.SIGURG)
        except (OSError, OverflowError):
            # The shell has ended meanwhile, or there never was one.
            return


if __name__ == "__main__":
    sys.exit(main())
