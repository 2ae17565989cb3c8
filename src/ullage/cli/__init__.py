"""The command line: each command is a module of this package, imported when it is used."""

from __future__ import annotations

import os
import sys

from ullage.base.errors import UllageError
from ullage.cli import quick
from ullage.cli.say import remark
from ullage.system import streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# These commands answer by their exit code: 0 lets a job run, so no failure may exit with 0.
_VERDICTS = ("guard", "wait")
# Words of other programs that people type from habit, and the command that is meant.
_HABITS = {"status": "usage"}


def run(arguments: Sequence[str]) -> int:
    """Run the command line and return its exit code; errors are printed on stderr, without a traceback."""
    streams.keep_to_locale(os.environ)
    try:
        meant = _spell_out(arguments)
        status = quick.run(meant)
        if status is None:
            # Imported late: click takes longer to import than Python to start, three times over.
            from ullage.cli import group

            status = group.run(meant)
        streams.flush()
    except UllageError as error:
        remark(str(error), "critical")
        return error.exit_code
    except KeyboardInterrupt:
        # What the shell prints next begins on a line of its own.
        print(file=sys.stderr)
        return 130
    except (OSError, SystemExit) as error:
        # click and rich raise SystemExit(1) when the reader of stdout has gone; nothing else raises it here.
        status = streams.explain_failure(error if isinstance(error, OSError) else BrokenPipeError())
        return UllageError.exit_code if arguments and arguments[0] in _VERDICTS else status
    return status


def _spell_out(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with `help COMMAND` and the words in _HABITS replaced by our own."""
    first, *rest = arguments or [""]
    if first == "help":
        return [*rest, "--help"]
    return [_HABITS[first], *rest] if first in _HABITS else list(arguments)
