"""`ullage setup`."""

from __future__ import annotations

import os
import sys

import click

from ullage.base.errors import UsageError
from ullage.guard.limits import assign_limits, list_uncertain, parse_limit
from ullage.setup import claude_code, plans, service, userfile
from ullage.setup import claude_code as claude_setup
from ullage.store.cache import ProfileCache

_HOSTS = (*plans.HOSTS, claude_setup.NAME, service.NAME)


@click.command(name="setup")
@click.argument("host", type=click.Choice(_HOSTS), metavar="WHAT")
@click.option("--undo", is_flag=True, help="Take out what this command has added, to the last byte.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--starship", is_flag=True, help="bash, zsh, fish, nushell: export the segment for starship instead of placing it."
)
@click.option(
    "--without-process",
    is_flag=True,
    help="starship: show what the shell's hook exports. tmux: show what the refresh has set.",
)
@click.option("--guard", is_flag=True, help="claude-code: hooks that warn and block near a limit (`ullage hook`).")
@click.option("--warn", multiple=True, metavar="[WINDOW=]PERCENT", help="With --guard: warn from here on. Default: 90.")
@click.option("--block", multiple=True, metavar="[WINDOW=]PERCENT", help="With --guard: block from here on.")
def command(
    host: str,
    undo: bool,
    yes: bool,
    starship: bool,
    without_process: bool,
    guard: bool,
    warn: tuple[str, ...],
    block: tuple[str, ...],
) -> int:
    """Add the segment to a shell's, starship's, tmux's or Claude Code's own file, once; `service` runs `ullage serve`.

    WHAT is bash, zsh, fish, elvish, nushell, xonsh, starship, tmux, claude-code or service.

    Shows the change and asks before it writes; keeps a copy of the file as it was. A link into a dotfile repository is
    followed, and stays.
    """
    _refuse_what_means_nothing(host, starship, without_process)
    _refuse_root_at_home_of_another()
    if (guard and host != claude_setup.NAME) or ((warn or block) and not guard):
        raise click.UsageError("--guard is for claude-code, --warn and --block are for --guard.")
    if guard:
        path = claude_setup.path(os.environ)
        plan = claude_code.plan_hooks_undo(os.environ) if undo else _planned_hooks(warn, block)
    else:
        path, plan = _planned(host, undo=undo, starship=starship, without_process=without_process)
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
    click.echo(f"\nWrote {path}." if plan.change.after is not None else f"\nRemoved {path}.")
    if backup:
        click.echo(f"What was there before is in {backup}.")
    click.echo(plan.words)
    if not undo:
        click.echo(f"`ullage setup {host}{' --guard' if guard else ''} --undo` takes it out again.")
    return 0


def _planned(host: str, *, undo: bool, starship: bool, without_process: bool) -> tuple[str, plans.Plan]:
    """Return which file is to change, and how."""
    if host == service.NAME:
        manager = service.manager()
        plan = service.plan_undo(os.environ, manager) if undo else service.plan(os.environ, manager)
        return service.path(os.environ, manager), plan
    if host == claude_setup.NAME:
        plan = claude_setup.plan_undo(os.environ) if undo else claude_setup.plan(os.environ)
        return claude_setup.path(os.environ), plan
    chosen = plans.host(host, os.environ, starship=starship, without_process=without_process)
    return chosen.path, plans.plan_undo(chosen) if undo else plans.plan(chosen)


def _planned_hooks(warn: tuple[str, ...], block: tuple[str, ...]) -> plans.Plan:
    """Return what the hooks change; raise UsageError for a limit that `ullage guard` would refuse now."""
    limits = tuple(map(parse_limit, (*warn, *block)))
    reading = ProfileCache(os.environ).reading()
    if reading is not None:
        assign_limits(limits, reading.windows)
    arguments = [*(f"--warn={limit}" for limit in warn), *(f"--block={limit}" for limit in block)]
    plan = claude_code.plan_hooks(os.environ, arguments)
    names = list_uncertain(limits) if reading is None else ()
    if not names:
        return plan
    note = (
        f"No reading is there yet that names the windows, so {', '.join(map(repr, names))} could not be checked: "
        "`ullage refresh` asks for one, `ullage usage --json` then lists their ids."
    )
    return plan.replace(note=note)


def _refuse_root_at_home_of_another() -> None:
    """Root writes through links that the owner of a home can turn anywhere; the owner can do this without root."""
    home = os.environ.get("HOME", "")
    if hasattr(os, "geteuid") and os.geteuid() == 0 and os.path.isdir(home) and os.stat(home).st_uid != 0:
        raise UsageError(f"{home} belongs to another user. Run this as that user, without sudo.")


def _refuse_what_means_nothing(host: str, starship: bool, without_process: bool) -> None:
    if starship and host not in plans.FEEDS_STARSHIP:
        raise click.UsageError(f"--starship is for {', '.join(plans.FEEDS_STARSHIP)}; {host} exports nothing for it.")
    if without_process and host not in ("starship", "tmux"):
        raise click.UsageError(f"--without-process is for starship and tmux; {host}'s hook runs none as it is.")
