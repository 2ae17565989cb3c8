"""How long a prompt takes here: the programs and the shells' hooks, timed against a cache of their own.

Nothing of the user's is read or touched, and no refresh is started: the timeline that is read is not due for a year.
"""

from __future__ import annotations

import contextlib
import os
import re
import statistics
import sys
import tempfile
import time

from ullage.prompt.publish import read_boot_clock
from ullage.setup import started
from ullage.system.programs import ask_program, find_program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_RUNS = 7
_HOOKS = 500
_SECONDS = 20
_ULLAGE = [sys.executable, "-P", "-m", "ullage"]

# Each runs what the shell would run before a prompt, as often as its first argument says.
_LOOPS = {
    "bash": (
        ["--norc", "--noprofile", "-i", "-c"],
        '. "$1"; n=$2; while [ "$n" -gt 0 ]; do for c in "${PROMPT_COMMAND[@]}"; do eval "$c"; done; n=$((n-1)); done',
    ),
    "zsh": (
        ["-f", "-i", "-c"],
        '. "$1"; n=$2; while (( n > 0 )); do for f in $precmd_functions; do $f; done; n=$((n-1)); done',
    ),
    "fish": (
        ["--no-config", "-i", "-c"],
        "source $argv[1]; if test $argv[2] -gt 0; for n in (seq $argv[2]); emit fish_prompt; end; end",
    ),
}


# These take so long to start that they look at the clock themselves, and print the microseconds of a prompt.
CLOCKED_OPTIONS = {
    "elvish": ["-norc", "-c"],
    "nushell": ["--no-config-file", "--interactive", "--commands"],
    "xonsh": ["--no-rc", "-i", "-c"],
}
_CLOCKED = {
    "elvish": """\
CODE
var spent = 0
time &on-end={|seconds| set spent = $seconds} { for n [(range COUNT)] { $edit-prompt | nop (all) } }
print (* 1e6 (/ $spent COUNT))
""",
    "nushell": """\
CODE
__ullage_update; __ullage_put
let spent = timeit { for n in 1..COUNT { __ullage_update; do $env.PROMPT_COMMAND } }
print --no-newline ($spent / 1us / COUNT)
""",
    "xonsh": """\
CODE
from time import perf_counter as clock
segment = $PROMPT_FIELDS['ullage_segment']
started = clock()
for n in range(COUNT): shown = segment()

print((clock() - started) * 1e6 / COUNT, end='')
""",
}
_CLOCKED_HOOKS = 100
_ELVISH_EDITOR = "var edit-prompt edit-rprompt = { } { }; fn edit-add-var {|name value| }\n"

SHELLS = (*_LOOPS, *_CLOCKED)


@contextlib.contextmanager
def cache(environ: Mapping[str, str], now: int) -> Iterator[dict[str, str]]:
    """Make a cache for a moment and yield the environment in which prompts read it."""
    with tempfile.TemporaryDirectory(prefix="ullage-doctor-", ignore_cleanup_errors=True) as home:
        kept = {name: environ[name] for name in ("PATH", "LANG", "LC_ALL", "LC_CTYPE") if name in environ}
        inside = {**kept, "HOME": home, "TERM": "xterm", "ULLAGE_CACHE_DIR": os.path.join(home, "cache")}
        started.fill(inside["ULLAGE_CACHE_DIR"], "5h 42%", now, {}, read_boot_clock())
        yield inside


def programs(environ: Mapping[str, str]) -> dict[str, float | None]:
    """Return the milliseconds of `ullage-prompt` and `ullage prompt`; None for what does not run here."""
    reader = find_program("ullage-prompt", environ)
    return {
        "ullage-prompt": _milliseconds([reader, "plain"], environ) if reader else None,
        "ullage prompt": _milliseconds([*_ULLAGE, "prompt"], environ),
    }


def _milliseconds(command: Sequence[str], environ: Mapping[str, str]) -> float | None:
    taken = [_seconds(command, environ) for _ in range(_RUNS)]
    known = [seconds for seconds in taken if seconds is not None]
    return round(statistics.median(known) * 1000, 1) if known else None


def hook(shell: str, program: str, environ: Mapping[str, str]) -> float | None:
    """Return the microseconds that the hook of a shell takes at each prompt; None where it has none that runs."""
    code = _output([*_ULLAGE, "init", shell], environ)
    if not code:
        return None
    if shell in _CLOCKED:
        return _clocked(shell, program, code, environ)
    path = os.path.join(environ["HOME"], f"hook.{shell}")
    with open(path, "wb") as file:
        file.write(code)
    options, loop = _LOOPS[shell]
    name = [] if shell == "fish" else [shell]
    none, many = (
        [_seconds([program, *options, loop, *name, path, str(count)], environ) for _ in range(3)]
        for count in (0, _HOOKS)
    )
    if None in none or None in many:
        return None
    return round(max(0.0, min(filter(None, many)) - min(filter(None, none))) / _HOOKS * 1e6, 1)


def _clocked(shell: str, program: str, code: bytes, environ: Mapping[str, str]) -> float | None:
    script = _CLOCKED[shell].replace("COUNT", str(_CLOCKED_HOOKS)).replace("CODE", in_a_script(shell, code))
    told = _output([program, *CLOCKED_OPTIONS[shell], script], environ)
    try:
        # A terminal's title, or what else a shell says at its start, comes before.
        return round(float(re.split(rb"[^0-9.e+-]", told or b"")[-1]), 1)
    except ValueError:
        return None


def in_a_script(shell: str, code: bytes) -> str:
    """Return the code of a shell's start as a script can load it: elvish has its editor on a terminal only."""
    text = code.decode()
    return _ELVISH_EDITOR + text.replace("edit:", "edit-") if shell == "elvish" else text


def _output(command: Sequence[str], environ: Mapping[str, str]) -> bytes | None:
    done = ask_program(command, environ, seconds=_SECONDS)
    return done.output if done and done.status == 0 else None


def _seconds(command: Sequence[str], environ: Mapping[str, str]) -> float | None:
    started = time.perf_counter()
    return None if _output(command, environ) is None else time.perf_counter() - started
