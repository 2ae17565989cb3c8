"""Changes to files of others: shown, asked about, written."""

from __future__ import annotations

import sys

import click

from ullage.cli.say import say
from ullage.setup import userfile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ullage.setup.plans import Plan


def apply(plan: Plan, *, yes: bool) -> int | None:
    """Show the changes, ask, and write them; return an exit code where nothing was written, else None."""
    assert plan.change is not None
    changes = [plan.change, *plan.more]
    click.echo("\n".join(map(userfile.diff, changes)))
    if plan.note:
        say(f"\n{plan.note}")
    refused = None if yes else ask("Write this?", "written")
    if refused is not None:
        return refused
    say("")
    for change in changes:
        _write(change, keep=not plan.takes_back)
    say(plan.words)
    return None


def ask(question: str, done: str) -> int | None:
    """Ask whether to go on; return an exit code where the answer is no, else None."""
    if sys.stdin is None or not sys.stdin.isatty():
        say(f"Nothing was {done}: there is no terminal to ask on. --yes goes on without asking.", err=True)
        return 2
    if not click.confirm(f"\n{question}", default=False):
        say(f"Nothing was {done}.")
        return 0
    return None


def _write(change: userfile.Change, *, keep: bool) -> None:
    backup = userfile.apply(change, keep=keep)
    say(f"{'Removed' if change.after is None else 'Wrote'} {change.file.path}.")
    if backup:
        say(f"What was there before is in {backup}.")
