"""`ullage demo`: show what ullage does on a machine without an account."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from datetime import UTC, datetime

import click

from ullage.base.errors import UllageError
from ullage.cli.parameters import OneOf
from ullage.cli.previews import made_up_course
from ullage.cli.say import has_colours, say_lines
from ullage.config.palette import find_background
from ullage.quota import timeline
from ullage.quota.timeline import SURFACES
from ullage.render.surfaces import Span
from ullage.simulate import SCENARIOS, Simulator, write_account
from ullage.store import history, overview
from ullage.store.cache import ProfileCache
from ullage.system.streams import measure_terminal
from ullage.system.terminal import ask_background

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_ULLAGE = [sys.executable, "-P", "-m", "ullage"]
_PATIENCE_SECONDS = 60.0
# The last of these are what no program of Windows goes without.
_KEPT = (
    *("PATH", "LANG", "LC_ALL", "TERM", "NO_COLOR", "COLORFGBG", "TZ"),
    *("SYSTEMROOT", "PATHEXT", "COMSPEC", "TEMP", "TMP"),
)

# The command by which each shell prints a prompt with the segment, as its interactive shell would.
_SHELLS = {
    "bash": ["bash", "--noprofile", "--norc", "-c", "PS1='$segment '; printf '%s' \"${PS1@P}\" | tr -d '\\001\\002'"],
    "zsh": ["zsh", "-f", "-c", "setopt prompt_subst; print -nP '$segment '"],
    "fish": ["fish", "--no-config", "-c", "printf '%s ' $segment"],
}


@click.command(name="demo")
@click.option(
    "--scenario",
    type=OneOf(list(SCENARIOS)),
    metavar="NAME",
    default="models",
    show_default=True,
    help="What the provider does; `ullage simulate --help` names them.",
)
@click.option("--bytes", "as_bytes", is_flag=True, help="The bytes that each surface is given, too.")
def command(scenario: str, as_bytes: bool) -> None:
    """Show what ullage does with a simulated account: the prompt, the windows, a chart, and the ready-made segments."""
    with (
        tempfile.TemporaryDirectory(prefix="ullage-demo-", ignore_cleanup_errors=True) as home,
        Simulator(scenario).running() as simulator,
    ):
        environ = _environment(home, simulator.address)
        write_account(environ["CLAUDE_CONFIG_DIR"])
        click.echo(f"The account is simulated: {simulator.address} plays the provider, scenario {scenario}.")
        _head("The first prompt knows nothing, prints nothing and starts a refresh in the background")
        started = time.monotonic()
        first = _run([*_ULLAGE, "prompt"], environ)
        click.echo(f"  {first.strip() or '(nothing)'} after {1000 * (time.monotonic() - started):.0f} ms")
        _wait_for_reading(environ)
        click.echo(f"  a reading is there after {1000 * (time.monotonic() - started):.0f} ms")
        _make_up_history(environ)
        _head("ullage usage")
        click.echo(_run([*_ULLAGE, "usage", "--no-refresh"], environ).rstrip("\n"))
        _head("ullage chart")
        click.echo(_run([*_ULLAGE, "chart"], environ).rstrip("\n"))
        _head("ullage config preset")
        click.echo(_run([*_ULLAGE, "config", "preset"], environ).partition("\n\n")[0])
        _show_shells(environ)
        if as_bytes:
            _show_surfaces({name: value for name, value in environ.items() if name != "NO_COLOR"})
        click.echo(f"\nRequests that the server has seen: {simulator.requests}")


def _head(text: str) -> None:
    say_lines([[], [Span(text=text, style="bold")]])


def _environment(home: str, address: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    if has_colours():
        # The programs started here write to a pipe, and have no terminal to ask.
        kept["CLICOLOR_FORCE"] = "1"
        if find_background(os.environ) is None and ask_background(os.environ) == "light":
            kept["COLORFGBG"] = "0;15"
    else:
        kept["NO_COLOR"] = "1"
    return {
        **kept,
        "COLUMNS": str(measure_terminal()),
        "HOME": home,
        "LC_CTYPE": "C.UTF-8",
        "CLAUDE_CONFIG_DIR": os.path.join(home, "claude"),
        "ULLAGE_CACHE_DIR": os.path.join(home, "cache"),
        "ULLAGE_STATE_DIR": os.path.join(home, "state"),
        "ULLAGE_CONFIG": os.path.join(home, "config.toml"),
        "ULLAGE_SOURCE": "oauth",
        "ULLAGE_API_BASE": address,
    }


def _make_up_history(environ: Mapping[str, str]) -> None:
    """Record a course that leads to what each window stands at, for a chart."""
    cache, now = ProfileCache(environ), datetime.now(UTC)
    reading = cache.load_reading()
    for window in reading.windows if reading else ():
        if reading is None or window.resets_at is None or not window.used_percent or window.kind == "other":
            continue
        for sample in made_up_course(window, now):
            stated = window.replace(used_percent=sample.used_percent, as_of=sample.at)
            history.record(overview.locate_history(environ), overview.name_owner(cache, reading), [stated], sample.at)


def _run(command: list[str], environ: Mapping[str, str]) -> str:
    return subprocess.run(command, env=environ, capture_output=True, check=False, timeout=60).stdout.decode()


def _wait_for_reading(environ: Mapping[str, str]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    # Timelines are written in this order: once the last one has a text, all have.
    while not timeline.find_text(ProfileCache(environ).read_timeline(SURFACES[-1]), int(time.time())):
        problem = ProfileCache(environ).load_schedule().problem
        if problem or time.monotonic() > deadline:
            raise UllageError(problem.message if problem else "The refresh in the background brought no reading.")
        time.sleep(0.02)


def _show_surfaces(environ: Mapping[str, str]) -> None:
    _head("The prompt in every surface, as bytes (`ullage prompt`, and the same from ullage-prompt)")
    script, sh = os.path.join(sysconfig.get_path("scripts"), "ullage-prompt"), shutil.which("sh")
    for surface in SURFACES:
        shown = _run([*_ULLAGE, "prompt", "--surface", surface], environ)
        same = sh is None or not os.path.exists(script) or _run([sh, script, surface], environ) == shown
        click.echo(f"  {surface:9} {shown.rstrip(chr(10))!r}{'' if same else '  ullage-prompt differs!'}")


def _show_shells(environ: Mapping[str, str]) -> None:
    if os.name != "posix":
        # The bash.exe of Windows is that of another system.
        return
    _head("In the shells of this machine")
    for shell, command in _SHELLS.items():
        if shutil.which(shell):
            segment = _run([*_ULLAGE, "prompt", "--surface", shell], environ).rstrip("\n")
            click.echo(f"  {shell:5} {_run(command, {**environ, 'segment': segment})}$")
