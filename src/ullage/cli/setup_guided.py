"""`ullage setup` without a host: list the hosts, choose the segment's look, write all of it after one question."""

from __future__ import annotations

import contextlib
import os
import sys
from datetime import UTC, datetime

import click

from ullage import config
from ullage.base.errors import UllageError
from ullage.base.shipped import find_page
from ullage.base.text import quote
from ullage.cli import previews, setup_changes
from ullage.cli.asking import LONGEST_REFRESH_SECONDS
from ullage.cli.say import break_lines, say, say_lines
from ullage.cli.settings import load_settings, load_terminal_settings
from ullage.config.presets import PRESETS
from ullage.panel import tray
from ullage.prompt.publish import publish_anew
from ullage.render.surfaces import Span
from ullage.setup import hosts, init, look, started
from ullage.setup.survey import find_set_up, survey_machine
from ullage.store import overview
from ullage.store.cache import ProfileCache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ullage.config import Settings
    from ullage.setup.plans import Plan
    from ullage.setup.survey import HostPlan, Survey

# Two arrows of a powerline, back to back: what a Nerd Font has and no other font.
_DIAMOND = "\ue0b2\ue0b0"
_SIGNS = "\N{BLACK DIAMOND} \N{LOWER FIVE EIGHTHS BLOCK} \N{CIRCLE WITH UPPER RIGHT QUADRANT BLACK}"


def set_up(*, yes: bool) -> int:
    """Look what is here, ask, and set it up; without a terminal print what would be done, and ask nothing."""
    settings = load_terminal_settings(load_settings()[0])
    program = init.find_this_program(sys.argv[0], sys.executable)
    found = survey_machine(os.environ, program, has_tray=tray.is_installed())
    say_lines(_listing(found.places, "What is here:"), settings.palette, folded=True)
    _say_what_else(found)
    places = [place for place in found.places if place.changes]
    if not (yes or _is_terminal()):
        say("\nNothing was asked or written, as there is no terminal. `ullage setup WHAT` sets up one, --yes all.")
        return 0
    with _nothing_written_at_an_abort():
        chosen, plan = (places, None) if yes else (_choose_places(places), _choose_look(settings))
        if plan and plan.change is None:
            say(f"\n{plan.words}")
        if not chosen and (plan is None or plan.change is None):
            say("\nThere is nothing to write. `ullage setup --undo` takes out what is set up.")
            return 0
        for place in chosen:
            _show(place)
        if plan and plan.change:
            click.echo()
            setup_changes.show(plan)
        refused = None if yes else setup_changes.ask("Write this?", "written")
    if refused is None:
        _write(chosen, plan)
        say("\n`ullage setup --undo` takes all of it out again, `ullage setup WHAT --undo` one.")
    return refused or 0


def take_out(*, yes: bool) -> int:
    """Take out all that is set up, after one question; without a terminal print what would be taken out."""
    settings = load_terminal_settings(load_settings()[0])
    places = find_set_up(os.environ)
    if not places:
        say("Nothing is set up by this command.")
        return 0
    say_lines(_listing(places, "What is set up:"), settings.palette, folded=True)
    chosen = [place for place in places if place.changes]
    if not (yes or _is_terminal()):
        say("\nNothing was asked or undone, as there is no terminal. `ullage setup WHAT --undo` undoes one, --yes all.")
        return 0
    with _nothing_written_at_an_abort("undone"):
        for place in chosen:
            _show(place)
        refused = None if yes else setup_changes.ask("Take this out?", "undone")
    if refused is not None:
        return refused
    for place in chosen:
        say(f"\n{place.name}")
        if place.plan:
            setup_changes.write(place.plan)
        else:
            setup_changes.remove_widget(place.name, place.path)
    _publish()
    return 0


@contextlib.contextmanager
def _nothing_written_at_an_abort(done: str = "written") -> Iterator[None]:
    """Say, where a question is answered by ^C or by the end of input, that nothing has changed."""
    try:
        yield
    except click.Abort:
        say(f"\nNothing was {done}.", err=True)
        raise


def _is_terminal() -> bool:
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))


def _listing(places: Sequence[HostPlan], heading: str) -> list[list[Span]]:
    """Return a line for each place: its name, its file, and the change there or the reason for none."""
    names, paths = ([getattr(place, key) for place in places] for key in ("name", "path"))
    widest = [max(map(len, cells), default=0) for cells in (names, [_short(path) for path in paths])]
    lines = [[Span(text=heading, style="bold")]]
    for place in places:
        shown = _short(place.path)
        lines.append(
            [
                Span(text=f"  {place.name.ljust(widest[0])}  "),
                Span(text=f"{shown.ljust(widest[1])}  ", level="faint"),
                Span(text=_doing(place), level="normal" if place.changes else "faint"),
            ]
        )
    return lines


def _doing(place: HostPlan) -> str:
    change = place.plan.change if place.plan else None
    if change is not None:
        before, after = ((data or b"").count(b"\n") for data in (change.file.data, change.after))
        number = abs(after - before)
        verb = "to add" if after >= before else "to take out"
        return f"{number} line{'' if number == 1 else 's'} {verb}" if number else "a line to change"
    if place.tree:
        return "the widget"
    return place.words.removeprefix(f"{place.path} ").rstrip(".")


def _short(path: str) -> str:
    home = os.environ.get("HOME", "").rstrip("/") + "/"
    return f"~/{path.removeprefix(home)}" if len(home) > 1 and path.startswith(home) else path


def _say_what_else(found: Survey) -> None:
    if found.bars:
        bars = f"Bars, whose files are left to you: {', '.join(found.bars)}. Their lines are in {find_page('panels')}"
        say(f"\n{bars}")
    if found.unused:
        unused = f"Also here, without a file of yours: {', '.join(found.unused)}."
        say(f"{unused} `ullage setup {found.unused[0]}` adds it.")


def _choose_places(places: list[HostPlan]) -> list[HostPlan]:
    """Ask which of several places are wanted; return them."""
    if len(places) < 2:
        return places

    def parse(answer: str) -> list[HostPlan]:
        wanted = answer.replace(",", " ").split()
        if wanted in (["all"], ["none"]):
            return places if wanted == ["all"] else []
        strangers = [name for name in wanted if name not in names]
        if strangers:
            raise click.UsageError(f"{quote(strangers[0])} is none of {', '.join(names)}.")
        return [place for place in places if place.name in wanted]

    names = [place.name for place in places]
    asked = break_lines(f"\nSet up which? all, none, or some of {' '.join(names)}", spare=len(" [all]: "))
    answer: list[HostPlan] = click.prompt("\n".join(asked), default="all", value_proc=parse)
    return answer


def _choose_look(settings: Settings) -> Plan | None:
    """Ask which signs can be seen and which preset is wanted; return what that changes, None where it is chosen."""
    path = config.locate_config(os.environ)
    try:
        chosen = look.read_chosen(os.environ)
    except UllageError as error:
        say(f"\nThe look stays as it is: {error}")
        return None
    if chosen.by_hand:
        say(f"\n{path} says how the segment looks, and stays. `ullage config preset` shows others.")
        return None
    glyphs = _ask_glyphs(settings, chosen.glyphs)
    settings = settings.replace(nerd=glyphs == "nerd", ascii_only=glyphs == "ascii")
    return look.plan(os.environ, _ask_preset(settings, chosen.preset), glyphs)


def _ask_glyphs(settings: Settings, present: str) -> str:
    """Ask which signs can be seen; Enter keeps those that are chosen now."""
    if settings.ascii_only:
        return "ascii"
    say("")
    # Not by `say`, which would show the sign as an escape.
    click.echo(f"    --->  {_DIAMOND}  <---")
    if setup_changes.ask_yes_or_no("Is there a diamond between the arrows?", default=present == "nerd"):
        return "nerd"
    click.echo(f"\n    --->  {_SIGNS}  <---")
    seen = setup_changes.ask_yes_or_no(
        "Are these a diamond, a bar and a ring that is a quarter full?", default=present != "ascii"
    )
    return "unicode" if seen else "ascii"


def _ask_preset(settings: Settings, present: str) -> str:
    now, names = datetime.now(UTC), list(PRESETS)
    known = overview.load(ProfileCache(os.environ), settings.thresholds, now)
    own = previews.load_own_view(known, settings, now)
    view = own or previews.build_demo_view("warning", settings, now)
    shown = [
        (f"{number:2} {name}", previews.preview(PRESETS[name], view, settings)) for number, name in enumerate(names, 1)
    ]
    click.echo()
    lines = previews.list_lines(shown, next(each for each, _ in shown if each.split()[1] == present))
    prompt = started.read_prompt(os.environ)
    if prompt.strip():
        previews.print_before(lines, prompt, settings)
    else:
        say_lines([[*line, previews.PROMPT] for line in lines], settings.palette, folded=True)
    numbers = "your own numbers" if own else "made-up numbers"

    def parse(answer: str) -> str:
        answer = answer.strip().lower()
        if answer.isascii() and answer.isdigit() and 1 <= int(answer) <= len(names):
            return names[int(answer) - 1]
        if answer not in names:
            raise click.UsageError(f"{quote(answer)} is neither a name nor a number of the list.")
        return answer

    asked = break_lines(f"\nWhich preset ({numbers})? Its name or number", spare=len(f" [{present}]: "))
    chosen: str = click.prompt("\n".join(asked), default=present, value_proc=parse)
    return chosen


def _show(place: HostPlan) -> None:
    click.echo()
    if place.plan:
        setup_changes.show(place.plan)
    elif place.tree and place.tree.files:
        setup_changes.show_widget(place.name, place.tree)
    else:
        say(f"This removes {place.path}")


def _write(places: Sequence[HostPlan], chosen_look: Plan | None) -> None:
    if chosen_look and chosen_look.change:
        say("")
        setup_changes.write(chosen_look)
        _publish()
    for place in places:
        say("")
        if place.plan:
            setup_changes.write(place.plan)
        elif place.tree:
            setup_changes.write_widget(place.name, place.tree)
        if place.name in started.SHELLS and not _exports(place):
            setup_changes.prove(hosts.find_host(place.name, os.environ))


def _exports(place: HostPlan) -> bool:
    """Say whether a shell is set up to export the segment, so that its own prompt shows none."""
    change = place.plan.change if place.plan else None
    return change is not None and b"ULLAGE_PLACE=starship" in (change.after or b"").replace(b" ", b"=")


def _publish() -> None:
    """Render the prompt's text anew, as the look may be another."""
    cache = ProfileCache(os.environ)
    if cache.load_reading() is None:
        return
    with cache.lock(wait_seconds=LONGEST_REFRESH_SECONDS) as held:
        # A refresh that has been running for long publishes by itself.
        if held:
            publish_anew(cache, load_settings()[0])
