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
        # click raises SystemExit(1) when the reader of stdout has gone; nothing else raises it here.
        failure = error if isinstance(error, OSError) else BrokenPipeError()
        if isinstance(error, SystemExit) or streams.is_broken(failure):
            status = streams.explain_failure(failure)
        else:
            remark(word_unforeseen(failure), "critical")
            status = UllageError.exit_code
        return UllageError.exit_code if arguments and arguments[0] in _VERDICTS else status
    return status


def word_unforeseen(error: OSError) -> str:
    """Word an unforeseen error of the system: the file that it is about, and what was being done."""
    doing = "it began"
    place = error.__traceback__
    while place is not None:
        module = place.tb_frame.f_globals.get("__name__", "")
        if module.startswith("ullage.") and module != __name__:
            doing = f"{place.tb_frame.f_code.co_qualname} of {module} ran"
        place = place.tb_next
    named = "" if error.filename is None else f"{error.filename}: "
    return f"{named}{error.strerror or error}, while {doing}. Mend that, or report it with this line."


def _spell_out(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with `help COMMAND` and the words in _HABITS replaced by our own."""
    first, *rest = arguments or [""]
    if first == "help":
        return [*rest, "--help"]
    return [_HABITS[first], *rest] if first in _HABITS else list(arguments)
