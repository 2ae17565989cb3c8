"""A prompt inside bash, zsh and fish: our hook beside an empty function, `$(cat FILE)` and `$(ullage-prompt)`."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sysconfig
import tempfile
import time
from datetime import UTC, datetime, timedelta

from ullage import config
from ullage.cache import ProfileCache
from ullage.model import Account, Reading, Window
from ullage.places import timeline_path
from ullage.publish import publish
from ullage.schedule import Schedule, begun, succeeded

TITLE = "A prompt inside the shell"
_SCRIPTS = sysconfig.get_path("scripts")
_BLOCKS = 25
_ROUNDS = 40

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
_HOOK = {"bash": "__ullage_hook", "zsh": "__ullage_precmd", "fish": "__ullage_hook"}


def measure() -> list[tuple[str, float, float]]:
    """Return name, median and interquartile range in milliseconds a prompt."""
    with tempfile.TemporaryDirectory(prefix="ullage-bench-", ignore_cleanup_errors=True) as home:
        environ = {
            "PATH": os.pathsep.join([_SCRIPTS, os.defpath]),
            "HOME": home,
            "LC_ALL": "C.UTF-8",
            "TERM": "xterm-256color",
        }
        _publish(environ)
        return [row for shell in _SHELLS if shutil.which(shell) for row in _rows(shell, environ)]


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
    publish(cache, settings, reading, succeeded(begun(Schedule(), now), now, changed=True), now)


def _rows(shell: str, environ: dict[str, str]) -> list[tuple[str, float, float]]:
    variants = {
        "our hook": _HOOK[shell],
        "an empty function": "nothing",
        "$(cat FILE)": _assigned(shell, f"cat {timeline_path(environ, shell)}"),
        "$(ullage-prompt)": _assigned(shell, f"ullage-prompt {shell}"),
    }
    output = subprocess.run(
        [*_SHELLS[shell], _script(shell, list(variants.values()))],
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
        timeout=300,
    ).stdout
    blocks = [list(map(float, line.split())) for line in output.splitlines()]
    assert len(blocks) == _BLOCKS
    rows = []
    for what, times in zip(variants, zip(*blocks, strict=True), strict=True):
        lower, median, upper = statistics.quantiles([1000 * time / _ROUNDS for time in times], n=4)
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


if __name__ == "__main__":
    started = time.monotonic()
    for what, median, spread in measure():
        print(f"{what:28} {1000 * median:8.1f} µs  ± {1000 * spread:.1f}")
    print(f"{time.monotonic() - started:.0f} s")
