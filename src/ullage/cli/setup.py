"""`ullage setup`."""

from __future__ import annotations

import os
import sys

import click

from ullage.base.errors import UsageError
from ullage.base.text import quote
from ullage.cli import setup_changes, setup_guided
from ullage.cli.parameters import OneOf
from ullage.cli.say import say
from ullage.guard.limits import assign_limits, list_uncertain, parse_limit
from ullage.panel.tray import check_installed
from ullage.serve.extra import check_extra
from ullage.setup import claude_code, hosts, init, plans, remote, service, started, survey, tray, widgets
from ullage.setup import claude_code as claude_setup
from ullage.store.cache import ProfileCache
from ullage.system import files

_HOSTS = (*hosts.HOSTS, claude_setup.NAME, service.NAME, tray.NAME, *survey.WIDGETS, remote.NAME)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class SetupCommand(click.Command):
    """The command for files of others; `setup remote` is another, with arguments of its own."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        if args[:1] == [remote.NAME]:
            from ullage.cli import setup_remote

            return setup_remote.command.make_context(f"{info_name} {remote.NAME}", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)


@click.command(name="setup", cls=SetupCommand)
@click.argument("host", type=OneOf(_HOSTS), metavar="[WHAT]", required=False)
@click.option("--undo", is_flag=True, help="Take out what this command has added, to the last byte.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--starship",
    is_flag=True,
    help="bash, zsh, fish, nushell, pwsh: export the segment for starship instead of placing it.",
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
    host: str | None,
    undo: bool,
    yes: bool,
    starship: bool,
    without_process: bool,
    guard: bool,
    warn: tuple[str, ...],
    block: tuple[str, ...],
) -> int:
    """Add the segment to a shell's, starship's, tmux's or Claude Code's own file, once, or a widget to a desktop.

    WHAT is bash, zsh, fish, elvish, nushell, xonsh, pwsh, starship, tmux, claude-code, gnome, plasma, tray, which has
    `ullage tray` start at each login, service, which runs `ullage serve`, or remote, another machine whose ullage is
    asked: see `ullage setup remote --help`.

    Shows the change and asks before it writes; keeps a copy of the file as it was. A link into a dotfile repository is
    followed, and stays. Then starts the shell, and says whether its prompt shows the segment.

    Without WHAT it looks what is here, asks how the segment should look, and sets up all that is wanted after one
    question; --undo takes all of it out again. Where there is no terminal it lists what it would do.
    """
    if host is None:
        if starship or without_process or guard or warn or block:
            raise click.UsageError(
                "Name what to set up with these options, such as `ullage setup claude-code --guard`."
            )
        _refuse_root_at_home_of_another()
        return setup_guided.take_out(yes=yes) if undo else setup_guided.set_up(yes=yes)
    _refuse_what_means_nothing(host, starship, without_process)
    _refuse_root_at_home_of_another()
    if (guard and host != claude_setup.NAME) or ((warn or block) and not guard):
        raise click.UsageError("--guard is for claude-code, --warn and --block are for --guard.")
    if host in survey.WIDGETS:
        return _remove_widget(host, yes) if undo else _add_widget(host, yes)
    if guard:
        plan = claude_code.plan_hooks_undo(os.environ) if undo else _planned_hooks(warn, block)
    else:
        plan = _planned(host, undo=undo, starship=starship, without_process=without_process)
    if plan.change is None:
        say(plan.words)
        return 0
    status = _apply(plan, yes=yes)
    if status is None and not undo:
        if host in started.SHELLS and not starship:
            setup_changes.prove(hosts.find_host(host, os.environ))
        say(f"`ullage setup {host}{' --guard' if guard else ''} --undo` takes it out again.")
    return status or 0


def _apply(plan: plans.Plan, *, yes: bool) -> int | None:
    """Show the changes, ask, and write them; return an exit code where nothing was written, else None."""
    setup_changes.show(plan)
    refused = None if yes else setup_changes.ask("Write this?", "written")
    if refused is None:
        say("")
        setup_changes.write(plan)
    return refused


def _add_widget(host: str, yes: bool) -> int:
    tree = survey.WIDGETS[host].build_tree(os.environ, init.find_this_program(sys.argv[0], sys.executable))
    if widgets.is_written(tree):
        say(f"{tree.directory} is set up already.")
        return 0
    setup_changes.show_widget(host, tree)
    refused = None if yes else setup_changes.ask("Write this?", "written")
    if refused is not None:
        return refused
    say("")
    setup_changes.write_widget(host, tree)
    say(f"`ullage setup {host} --undo` takes it out again.")
    return 0


def _remove_widget(host: str, yes: bool) -> int:
    directory = survey.WIDGETS[host].locate_directory(os.environ)
    if not widgets.is_ours(directory):
        why = "is not from this command" if os.path.lexists(directory) else "is not there"
        say(f"{directory} {why}: nothing to undo.")
        return 0
    refused = None if yes else setup_changes.ask(f"Remove {directory}?", "removed")
    if refused is None:
        setup_changes.remove_widget(host, directory)
    return refused or 0


def _planned(host: str, *, undo: bool, starship: bool, without_process: bool) -> plans.Plan:
    """Return the plan of changes."""
    if host == service.NAME:
        manager = service.find_manager()
        return service.plan_undo(os.environ, manager) if undo else _planned_service(manager)
    if host == tray.NAME:
        return tray.plan_undo(os.environ) if undo else _planned_tray()
    if host == claude_setup.NAME:
        return claude_setup.plan_undo(os.environ) if undo else claude_setup.plan(os.environ)
    chosen = hosts.find_host(host, os.environ, starship=starship, without_process=without_process)
    return plans.plan_undo(chosen) if undo else plans.plan(chosen)


def _planned_service(manager: service.Manager) -> plans.Plan:
    """Return the plan of changes for the service; raise MissingExtraError where it could not start."""
    check_extra()
    return service.plan(os.environ, manager)


def _planned_tray() -> plans.Plan:
    """Return the plan of changes for the tray; raise MissingExtraError where it could not start."""
    check_installed()
    return tray.plan(os.environ, init.find_this_program(sys.argv[0], sys.executable))


def _planned_hooks(warn: tuple[str, ...], block: tuple[str, ...]) -> plans.Plan:
    """Return the plan of changes for the hooks; raise UsageError for a limit that `ullage guard` would refuse now."""
    limits = tuple(map(parse_limit, (*warn, *block)))
    reading = ProfileCache(os.environ).load_reading()
    if reading is not None:
        assign_limits(limits, reading.windows)
    arguments = [*(f"--warn={limit}" for limit in warn), *(f"--block={limit}" for limit in block)]
    plan = claude_code.plan_hooks(os.environ, arguments)
    names = list_uncertain(limits) if reading is None else ()
    if not names:
        return plan
    unchecked = (
        f"No reading is there yet that names the windows, so {', '.join(map(quote, names))} could not be checked: "
        "`ullage refresh` asks for one, `ullage usage` then lists them."
    )
    return plan.replace(note="\n".join(filter(None, (plan.note, unchecked))))


def _refuse_root_at_home_of_another() -> None:
    """Raise UsageError for root in another user's home, whose links that user could point at any file of root's."""
    if hasattr(os, "geteuid") and os.geteuid() == 0 and files.is_home_of_another(os.environ):
        raise UsageError(f"{os.environ['HOME']} belongs to another user. Run this as that user, without sudo.")


def _refuse_what_means_nothing(host: str, starship: bool, without_process: bool) -> None:
    if starship and host not in hosts.FEEDS_STARSHIP:
        raise click.UsageError(f"--starship is for {', '.join(hosts.FEEDS_STARSHIP)}; {host} exports nothing for it.")
    if without_process and host not in ("starship", "tmux"):
        raise click.UsageError(f"--without-process is for starship and tmux; {host}'s hook runs none as it is.")
