"""`ullage setup remote`: name another machine's ullage, and try it."""

from __future__ import annotations

import os

import click

from ullage.base.errors import UsageError
from ullage.cli import setup_changes
from ullage.cli.asking import refresh_or_wait
from ullage.cli.say import say
from ullage.config.remotes import check_name
from ullage.setup import remote
from ullage.store.remotes import RemoteStore
from ullage.system.http import check_address


def _explain_missing_name() -> str:
    names = remote.list_names(os.environ)
    there = f"There are {', '.join(names)}" if names else "None is set up by this command yet"
    return f"Name a machine, as in `ullage setup remote laptop --ssh laptop`. {there}."


@click.command(name="remote")
@click.argument("name", required=False)
@click.argument("words", nargs=-1, metavar="[-- COMMAND...]")
@click.option("--ssh", metavar="HOST", help="Ask by `ssh HOST ullage usage`, which must need no password.")
@click.option("--socket", metavar="PATH", help="Ask the Unix socket of an `ullage serve`, forwarded or mounted.")
@click.option("--url", metavar="ADDRESS", help="Ask an `ullage serve` at https:// or a loopback address.")
@click.option("--token-variable", metavar="NAME", help="With --url: the variable that holds its access token.")
@click.option("--token-command", metavar="COMMAND", help="With --url: the command that prints it.")
@click.option("--token-keyring", nargs=2, metavar="SERVICE USER", help="With --url: its place in the keyring.")
@click.option("--undo", is_flag=True, help="Take out what this command has added, to the last byte.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def command(
    name: str | None,
    words: tuple[str, ...],
    ssh: str | None,
    undo: bool,
    yes: bool,
    **ways: str | tuple[str, ...] | None,
) -> int:
    """Let another machine's ullage tell its numbers here: NAME is what they are tagged with, as in remote:NAME.

    \b
    ullage setup remote laptop --ssh laptop
    ullage setup remote host --socket /run/ullage/serve.sock
    ullage setup remote team --url https://box.example --token-command 'pass team'
    ullage setup remote wsl -- wsl.exe ullage usage --all --json --no-refresh

    Shows the change to config.toml, asks before it writes, and then asks that machine once. Only percentages travel:
    the machine is asked at most once a minute, and its provider never because of it.
    """  # noqa: D301  # click takes the character itself for "keep these lines"
    if name is None:
        raise UsageError(_explain_missing_name())
    wrong = check_name(name)
    if wrong:
        raise click.UsageError(f"The machine {wrong}.")
    if undo:
        plan = remote.plan_undo(name, os.environ)
    else:
        asks = remote.ask_by_ssh(ssh) if ssh else list(words)
        if bool(ssh and words) + sum(bool(each) for each in (asks, ways["socket"], ways["url"])) != 1:
            raise click.UsageError("Say one way to ask: --ssh, --socket, --url, or a command after --.")
        if isinstance(ways["url"], str):
            # Not a file later that every command finds fault with.
            check_address(ways["url"])
        way = {field: list(value) if isinstance(value, tuple) else value for field, value in ways.items()}
        plan = remote.plan(name, remote.build_entry(name, {"command": asks, **way}), os.environ)
    if plan.change is None:
        say(plan.words)
    else:
        setup_changes.show(plan)
        refused = None if yes else setup_changes.ask("Write this?", "written")
        if refused is not None:
            return refused
        say("")
        setup_changes.write(plan)
    if undo:
        RemoteStore(os.environ).forget(name)
        # The refresh drops its readings now; otherwise the next one that is due would.
        refresh_or_wait(os.environ, force=True)
        return 0
    return _try_out(name)


def _try_out(name: str) -> int:
    """Refresh, which asks the machine unless it was asked within the minute, and print what came of it."""
    refresh_or_wait(os.environ, force=True)
    answer = RemoteStore(os.environ).load(name)
    if answer.problem is not None:
        say(f"\nIt was tried: {answer.problem.message}")
    if answer.failures:
        return 5
    for reading in answer.readings:
        numbers = ", ".join(
            f"{window.label} {window.used_percent:.0f}%"
            for window in reading.windows
            if window.is_listed and window.used_percent is not None
        )
        say(f"It was tried, and says: {numbers or 'no percentage'}, as of {reading.as_of.astimezone():%H:%M}.")
    return 0
