"""`ullage setup`."""

from __future__ import annotations

import os
import sys

import click

from ullage import setup, userfile


@click.command(name="setup")
@click.argument("host", type=click.Choice(setup.HOSTS), metavar=f"[{'|'.join(setup.HOSTS)}]")
@click.option("--undo", is_flag=True, help="Take out what this command has added, to the last byte.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--starship", is_flag=True, help="bash, zsh, fish: export the segment for starship instead of placing it."
)
@click.option(
    "--without-process",
    is_flag=True,
    help="starship: show what the shell's hook exports. tmux: show what the refresh has set.",
)
def command(host: str, undo: bool, yes: bool, starship: bool, without_process: bool) -> int:
    """Add the segment to a shell's, starship's or tmux's own file: a few marked lines, once.

    Shows the change and asks before it writes; keeps a copy of the file as it was. A link into a dotfile repository is
    followed, and stays.
    """
    _refuse_what_means_nothing(host, starship, without_process)
    chosen = setup.host(host, os.environ, starship=starship, without_process=without_process)
    plan = setup.plan_undo(chosen) if undo else setup.plan(chosen)
    if plan.change is None:
        click.echo(plan.words)
        return 0
    click.echo(userfile.diff(plan.change))
    if plan.note:
        click.echo(f"\n{plan.note}")
    if not yes:
        if sys.stdin is None or not sys.stdin.isatty():
            click.echo("Nothing was written: there is no terminal to ask on. --yes writes without asking.", err=True)
            return 2
        if not click.confirm("\nWrite this?", default=False):
            click.echo("Nothing was written.")
            return 0
    backup = userfile.apply(plan.change, keep=not plan.takes_back)
    click.echo(f"\nWrote {chosen.path}." if plan.change.after is not None else f"\nRemoved {chosen.path}.")
    if backup:
        click.echo(f"What was there before is in {backup}.")
    click.echo(plan.words)
    return 0


def _refuse_what_means_nothing(host: str, starship: bool, without_process: bool) -> None:
    if starship and host not in ("bash", "zsh", "fish"):
        raise click.UsageError(f"--starship is for shells; {host} has no hook of its own.")
    if without_process and host not in ("starship", "tmux"):
        raise click.UsageError(f"--without-process is for starship and tmux; {host}'s hook runs none as it is.")
