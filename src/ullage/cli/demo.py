"""`ullage demo`: show what ullage does on a machine without an account."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time

import click

from ullage.base.errors import UllageError
from ullage.quota import timeline
from ullage.quota.timeline import SURFACES
from ullage.simulate import SCENARIOS, Simulator, write_account
from ullage.store.cache import ProfileCache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_ULLAGE = [sys.executable, "-P", "-m", "ullage"]
_PATIENCE_SECONDS = 60.0

# The command by which each shell prints a prompt with the segment, as its interactive shell would.
_SHELLS = {
    "bash": ["bash", "--noprofile", "--norc", "-c", "PS1='$segment '; printf '%s' \"${PS1@P}\" | tr -d '\\001\\002'"],
    "zsh": ["zsh", "-f", "-c", "setopt prompt_subst; print -nP '$segment '"],
    "fish": ["fish", "--no-config", "-c", "printf '%s ' $segment"],
}


@click.command(name="demo")
@click.option("--scenario", type=click.Choice(list(SCENARIOS)), default="models", show_default=True)
def command(scenario: str) -> None:
    """Show the main job with a simulated account: server, refresh in the background, the prompt in every surface."""
    with (
        tempfile.TemporaryDirectory(prefix="ullage-demo-", ignore_cleanup_errors=True) as home,
        Simulator(scenario).running() as simulator,
    ):
        environ = _environment(home, simulator.address)
        write_account(environ["CLAUDE_CONFIG_DIR"])
        click.echo(f"The account is simulated: {simulator.address} plays the provider, scenario {scenario}.\n")
        click.echo("The first prompt knows nothing, prints nothing and starts a refresh in the background:")
        started = time.monotonic()
        first = _run([*_ULLAGE, "prompt"], environ)
        click.echo(f"  {first.strip() or '(nothing)'}    after {1000 * (time.monotonic() - started):.0f} ms")
        _wait_for_reading(environ)
        click.echo(f"  a reading is there after {1000 * (time.monotonic() - started):.0f} ms\n")
        click.echo(_run([*_ULLAGE, "usage", "--no-refresh"], environ))
        _show_surfaces(environ)
        _show_shells(environ)
        click.echo(f"\nRequests that the server has seen: {simulator.requests}")


def _environment(home: str, address: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TERM", "SYSTEMROOT") if name in os.environ}
    return {
        **kept,
        "HOME": home,
        "LC_CTYPE": "C.UTF-8",
        "CLAUDE_CONFIG_DIR": os.path.join(home, "claude"),
        "ULLAGE_CACHE_DIR": os.path.join(home, "cache"),
        "ULLAGE_STATE_DIR": os.path.join(home, "state"),
        "ULLAGE_CONFIG": os.path.join(home, "config.toml"),
        "ULLAGE_SOURCE": "oauth",
        "ULLAGE_API_BASE": address,
    }


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
    click.echo("The prompt in every surface, as bytes (`ullage prompt`, and the same from ullage-prompt):")
    script = os.path.join(sysconfig.get_path("scripts"), "ullage-prompt")
    for surface in SURFACES:
        shown = _run([*_ULLAGE, "prompt", "--surface", surface], environ)
        same = not os.path.exists(script) or _run(["sh", script, surface], environ) == shown
        click.echo(f"  {surface:9} {shown.rstrip(chr(10))!r}{'' if same else '  ullage-prompt differs!'}")


def _show_shells(environ: Mapping[str, str]) -> None:
    click.echo("\nIn the shells of this machine:")
    for shell, command in _SHELLS.items():
        if shutil.which(shell):
            segment = _run([*_ULLAGE, "prompt", "--surface", shell], environ).rstrip("\n")
            click.echo(f"  {shell:5} {_run(command, {**environ, 'segment': segment})}$ ")
