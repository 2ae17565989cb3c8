"""Changes of other people's files on the command line: shown, asked about, written, and tried."""

from __future__ import annotations

import os
import sys
import time

import click

from ullage.base.text import quote
from ullage.cli.progress import StatusLine
from ullage.cli.say import break_lines, say, say_lines
from ullage.quota import timeline
from ullage.render.surfaces import Span
from ullage.setup import hosts, plans, reasons, userfile, widgets
from ullage.setup.survey import WIDGETS
from ullage.store.cache import ProfileCache

if sys.platform == "win32":
    from ullage.setup import registry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ullage.render.surfaces import Role
    from ullage.setup.plans import Plan
    from ullage.setup.userfile import Change
    from ullage.setup.widgets import Tree

_YES_OR_NO = {"y": True, "yes": True, "n": False, "no": False}


def show(plan: Plan) -> None:
    """Print a plan's changes as diffs, and its note."""
    assert plan.change is not None
    say_lines(line for change in [plan.change, *plan.more] for line in _colour_diff(userfile.format_diff(change)))
    if plan.note:
        say(f"\n{plan.note}")


def _colour_diff(diff: str) -> Iterator[list[Span]]:
    """Yield the lines of a diff: what is added in green, what is taken out in red."""
    for number, line in enumerate(diff.split("\n")):
        is_name = number < len(("---", "+++"))
        signs: dict[str, Role] = {} if is_name else {"+": "normal", "-": "critical", "@": "accent"}
        yield [Span(text=line, level=signs.get(line[:1]), style="bold" if is_name else "")]


def ask(question: str, done: str) -> int | None:
    """Ask whether to go on; return an exit code where the answer is no, else None."""
    if sys.stdin is None or not sys.stdin.isatty():
        say(f"Nothing was {done}: there is no terminal to ask on. --yes goes on without asking.", err=True)
        return 2
    if not ask_yes_or_no(f"\n{question}", default=False):
        say(f"Nothing was {done}.")
        return 0
    return None


def ask_yes_or_no(question: str, *, default: bool) -> bool:
    """Ask a question until the answer is yes or no; Enter is the default, which the question says."""

    def parse(answer: str) -> bool:
        word = answer.strip().lower()
        if word not in _YES_OR_NO:
            raise click.UsageError(f"{quote(answer)} is neither y nor n.")
        return _YES_OR_NO[word]

    asked = "\n".join(break_lines(f"{question} (y or n; Enter: {'yes' if default else 'no'})", spare=len(": yes")))
    chosen: bool = click.prompt(asked, default="y" if default else "n", show_default=False, value_proc=parse)
    return chosen


def write(plan: Plan) -> None:
    """Make a plan's changes, and print each file that was written and where its backup is."""
    assert plan.change is not None
    for change in [plan.change, *plan.more]:
        backup = _apply(change, keep=not plan.takes_back)
        say(f"{'Removed' if change.after is None else 'Wrote'} {change.file.path}.")
        if backup:
            say(f"What was there before is in {backup}.")
    say(plan.words)


def _apply(change: Change, *, keep: bool) -> str | None:
    if sys.platform == "win32" and change.kind == "registry":
        registry.apply(change)
        return None
    return userfile.apply(change, keep=keep)


def prove(host: hosts.Host) -> None:
    """Start the shell, and print whether its prompt shows the segment, and the segment."""
    program = plans.find_host_program(host.name, os.environ)
    if program is None:
        say(f"{host.name} is not in PATH, so that it could not be tried.")
        return
    with StatusLine() as line:
        line.show(f"Starting {host.name} …")
        missing = reasons.prove(host, program, os.environ)
    say("\n".join(f"! {sentence}" for sentence in missing) or f"A new {host.name} was started: it shows the segment.")
    cache, now = ProfileCache(os.environ), int(time.time())
    shown = timeline.find_text(cache.read_timeline("plain"), now).decode()
    problem = cache.load_schedule().problem
    if shown:
        say(f"It says now: {shown}")
    elif problem:
        say(f"It is empty now: {problem.message}")
    else:
        say("It is empty now, as nothing is known yet. The first prompt starts a refresh; `ullage usage` waits for it.")


def show_widget(name: str, tree: Tree) -> None:
    """Print what a desktop's widget consists of."""
    say("\n".join([f"This writes into {tree.directory}", *(f"  {file}" for file in sorted(tree.files))]))
    say(f"and adds {WIDGETS[name].ADDS}.")


def write_widget(name: str, tree: Tree) -> None:
    """Write a desktop's widget and turn it on; print the steps that are left to the person."""
    widgets.write(tree)
    say(f"Wrote {tree.directory}.\n{WIDGETS[name].turn_on(os.environ)}")


def remove_widget(name: str, directory: str) -> None:
    """Turn a desktop's widget off and remove it; print the steps left to the person, and the files that stay."""
    words = WIDGETS[name].turn_off(os.environ)
    kept = widgets.remove(directory)
    say(f"Removed {directory}.\n{words}")
    if kept:
        say(f"Changed since, and kept: {', '.join(kept)}")
