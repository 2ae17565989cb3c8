"""A prompt inside each shell: our hook beside an empty function, `$(cat FILE)` and `$(ullage-prompt)`."""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sysconfig
import tempfile
from datetime import UTC, datetime, timedelta

from bench.peers import missing
from ullage import config
from ullage.doctor.measure import CLOCKED_OPTIONS, in_a_script
from ullage.prompt.publish import publish
from ullage.quota.model import Account, Reading, Window
from ullage.quota.schedule import Schedule
from ullage.setup import init
from ullage.store.cache import ProfileCache
from ullage.system.places import locate_timeline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bench.figures import Figure, Plain

TITLE = "A prompt inside the shell"
_SCRIPTS = sysconfig.get_path("scripts")
_BLOCKS = 25
_ROUNDS = 40
# Of a process in a shell that takes its time for one.
_FEW_ROUNDS = 4

_VARIANTS = ("our hook", "an empty function", "$(cat FILE)", "$(ullage-prompt)")

_SHELLS = {
    "bash": ["bash", "--norc", "--noprofile", "-i", "-c"],
    "zsh": ["zsh", "-f", "-i", "-c"],
    "fish": ["fish", "--no-config", "-i", "-c"],
}
_LOADED = {
    "bash": 'eval "$(ullage init bash)"',
    "zsh": 'eval "$(ullage init zsh)"',
    "fish": "ullage init fish | source",
}
_PROGRAMS = {"nushell": "nu"}
# What .ci/install-packages has from npm.
_MORE_PROGRAMS = os.path.join(os.path.dirname(__file__), os.pardir, ".programs", "bin")
_HOOK = {"bash": "__ullage_hook", "zsh": "__ullage_precmd", "fish": "__ullage_hook"}

# Shells with a language of their own: a program that prints a line for each block, in seconds a call.
_OWN = {
    "elvish": """\
@CODE@
fn timed {|rounds call|
  var spent = 0
  time &on-end={|seconds| set spent = $seconds} { for round [(range $rounds)] { $call | nop (all) } }
  print (/ $spent $rounds)' '
}
for block [(range @BLOCKS@)] { for call [$edit-prompt { } { @CAT@ } { @PROMPT@ }] { timed @FEW@ $call }; echo }
""",
    "nushell": """\
@CODE@
$env.PROMPT_COMMAND = {|| '$ ' }
__ullage_update; __ullage_put
def timed [rounds: int, call: closure] {
    print --no-newline $"((timeit { for round in 1..$rounds { do $call } }) / 1sec / $rounds) "
}
for block in 1..@BLOCKS@ {
    timed @ROUNDS@ {|| __ullage_update; do $env.PROMPT_COMMAND }
    timed @ROUNDS@ {|| }
    timed @FEW@ {|| ^@CAT@ | ignore }
    timed @FEW@ {|| ^@PROMPT@ | ignore }
    print ''
}
""",
    "xonsh": """\
@CODE@
from time import perf_counter as clock
def timed(rounds, call):
    started = clock()
    for round in range(rounds):
        call()
    print((clock() - started) / rounds, end=' ')

def cat(): return $(@CAT@)

def prompt(): return $(@PROMPT@)

for block in range(@BLOCKS@):
    for call in $PROMPT_FIELDS['ullage_segment'], lambda: None:
        timed(@ROUNDS@, call)
    for call in cat, prompt:
        timed(@FEW@, call)
    print()

""",
}


def measure() -> list[Plain | Figure]:
    """Return name, median and interquartile range in milliseconds a prompt, and a row for a shell that is not here."""
    with tempfile.TemporaryDirectory(prefix="ullage-bench-", ignore_cleanup_errors=True) as home:
        environ = {
            "PATH": os.pathsep.join([_SCRIPTS, os.defpath]),
            "HOME": home,
            "LC_ALL": "C.UTF-8",
            "TERM": "xterm-256color",
        }
        _publish(environ)
        programs = {shell: _program(shell) for shell in (*_SHELLS, *_OWN)}
        return [
            *(row for shell in _SHELLS if programs[shell] for row in _rows(shell, environ)),
            *(row for shell in _OWN if (program := programs[shell]) for row in _own_rows(shell, program, environ)),
            *missing(programs, programs),
        ]


def _program(shell: str) -> str | None:
    name = _PROGRAMS.get(shell, shell)
    return shutil.which(name) or shutil.which(name, path=_MORE_PROGRAMS)


def _publish(environ: dict[str, str]) -> None:
    """Put a reading of now into the cache, as a refresh would."""
    now = datetime.now(UTC)
    window = Window(
        id="five_hour",
        label="Session (5h)",
        kind="session",
        used_percent=42.0,
        resets_at=now + timedelta(hours=2),
        source="oauth",
        as_of=now,
    )
    reading = Reading(account=Account(), source="oauth", as_of=now, windows=(window,))
    cache = ProfileCache(environ)
    cache.make_private()
    settings, _ = config.load(environ)
    cache.save_reading(reading)
    publish(cache, settings, cache.load().replace(schedule=Schedule().begun(now).succeeded(now, changed=True)), now)


def _rows(shell: str, environ: dict[str, str]) -> list[tuple[str, float, float]]:
    variants = [
        _HOOK[shell],
        "nothing",
        _assigned(shell, f"cat {locate_timeline(environ, shell)}"),
        _assigned(shell, f"ullage-prompt {shell}"),
    ]
    return _measured(shell, [*_SHELLS[shell], _script(shell, variants)], environ, rounds=_ROUNDS)


def _own_rows(shell: str, program: str, environ: dict[str, str]) -> list[tuple[str, float, float]]:
    script = (
        _OWN[shell]
        .replace("@ROUNDS@", str(_ROUNDS))
        .replace("@FEW@", str(_FEW_ROUNDS))
        .replace("@BLOCKS@", str(_BLOCKS))
        .replace("@CAT@", f"cat {locate_timeline(environ, 'fish')}")
        .replace("@PROMPT@", "ullage-prompt fish")
        .replace("@CODE@", in_a_script(shell, init.build_code(shell, "left")))
    )
    return _measured(shell, [program, *CLOCKED_OPTIONS[shell], script], environ, rounds=1)


def _measured(
    shell: str, command: list[str], environ: dict[str, str], *, rounds: int
) -> list[tuple[str, float, float]]:
    output = subprocess.run(
        command,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
        timeout=300,
    ).stdout
    # xonsh gives the terminal a title at every command.
    lines = re.sub("\033][^\a]*\a", "", output).splitlines()
    blocks = [list(map(float, line.split())) for line in lines]
    assert len(blocks) == _BLOCKS
    rows = []
    for what, times in zip(_VARIANTS, zip(*blocks, strict=True), strict=True):
        lower, median, upper = statistics.quantiles([1000 * time / rounds for time in times], n=4)
        rows.append((f"{shell}: {what}", median, upper - lower))
    return rows


def _assigned(shell: str, command: str) -> str:
    return f"set -l x ({command})" if shell == "fish" else f"x=$({command})"


def _script(shell: str, variants: list[str]) -> str:
    """Return a program that prints a line for each block: how many seconds each variant took."""
    if shell == "fish":
        timed = [
            f"set a (date +%s.%N); for i in $rounds; {variant}; end; echo -n (math (date +%s.%N) - $a)' '"
            for variant in variants
        ]
        body = f"for block in (seq {_BLOCKS}); {'; '.join(timed)}; echo; end"
        return f"{_LOADED[shell]}; function nothing; end; set rounds (seq {_ROUNDS}); {_HOOK[shell]}; {body}"
    clock = "zmodload zsh/datetime; typeset -F a; " if shell == "zsh" else ""
    took = {
        "bash": "b=$EPOCHREALTIME; d=$((${b/./} - ${a/./})); printf '%d.%06d ' $((d / 1000000)) $((d % 1000000))",
        "zsh": "printf '%.6f ' $((EPOCHREALTIME - a))",
    }[shell]
    timed = [f"a=$EPOCHREALTIME; for ((i = 0; i < {_ROUNDS}; i++)); do {variant}; done; {took}" for variant in variants]
    body = f"for ((block = 0; block < {_BLOCKS}; block++)); do {'; '.join(timed)}; echo; done"
    return f"{clock}{_LOADED[shell]}; nothing() {{ :; }}; {_HOOK[shell]}; {body}"
