"""`ullage config`: show the file and the values in force, write a default, check a file, list presets, apply it."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import click

from ullage import config
from ullage.alerts.channels import explain_missing
from ullage.base.errors import CacheError, UsageError
from ullage.base.text import find_near
from ullage.cli import options
from ullage.cli.asking import LONGEST_REFRESH_SECONDS
from ullage.cli.parameters import OneOf, Subcommands
from ullage.cli.say import remark, say, say_lines
from ullage.cli.settings import load_settings, load_terminal_settings, print_issues
from ullage.config.default_file import write_default, write_value
from ullage.config.presets import PRESETS
from ullage.config.settings import DEFAULTS, build_settings
from ullage.config.template import PLAIN_SUBJECTS, SESSION_SUBJECTS, list_unknown_windows, parse_template
from ullage.prompt.publish import publish_anew
from ullage.render.segment import shorten_name
from ullage.render.surfaces import Span
from ullage.store import overview
from ullage.store.cache import ProfileCache
from ullage.system import directories
from ullage.system.files import remove_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any


@click.group(name="config", cls=Subcommands, invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """Show the configuration file and the values in force; subcommands write, check, preview and apply it."""
    if context.invoked_subcommand is None:
        path = config.locate_config(os.environ)
        values, issues = config.read(path)
        heads = [f"# {path}{'' if os.path.exists(path) else ' (not there; these are the defaults)'}"]
        if os.environ.get("ULLAGE_SOURCE"):
            heads.append(f"# ULLAGE_SOURCE={os.environ['ULLAGE_SOURCE']} goes before the file's source")
        settings = load_terminal_settings(build_settings(values, os.environ))
        lines = [[Span(text=head, level="faint")] for head in heads]
        say_lines([*lines, *(_show_value(key, value) for key, value in values.items())], settings.palette)
        print_issues(issues, path)


def _show_value(key: str, value: object) -> list[Span]:
    """Return an option as a line of TOML: in bold where it is not the default, its name in the colour of names."""
    style = "" if value == DEFAULTS[key] else "bold"
    return [Span(text=key, level="accent"), Span(text=" = "), Span(text=write_value(value), style=style)]


@command.command()
def write() -> int:
    """Write a config.toml that explains every option and changes none. Never overwrites."""
    path = config.locate_config(os.environ)
    try:
        directories.make_missing(os.path.dirname(path))
        with open(path, "x", encoding="utf-8", opener=_private) as file:
            try:
                file.write(write_default())
                file.flush()
            except OSError:
                remove_file(path)
                raise
    except OSError as error:
        if os.path.lexists(path):
            words = f"{path} is there already, and stays as it is. `ullage config check` reads it."
            raise UsageError(words) from error
        raise CacheError(f"Cannot write {path}: {error.strerror}. Name another file in ULLAGE_CONFIG.") from error
    say(f"Wrote {path}")
    return 0


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


@command.command(short_help="Say what is wrong with FILE, or with the file in force.")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False))
def check(file: str | None) -> int:
    """Say what is wrong with FILE (else with the file in force), line by line."""
    path = file or config.locate_config(os.environ)
    if not os.path.lexists(path):
        say(f"{path} is not there; the defaults are in force. `ullage config write` makes one.")
        return 0
    values, issues = config.read(path)
    print_issues(issues, path)
    doubts = [*_unknown_windows(values), *_dead_channels(values)]
    for doubt in doubts:
        remark(f"{path}: {doubt}")
    if not issues and not doubts:
        say(f"{path} is fine.")
    return 2 if issues or doubts else 0


def _unknown_windows(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield a doubt for each field of a template whose window is unknown here, but similar to a known name."""
    reading = ProfileCache(os.environ).load_reading()
    if reading is None:
        return
    # An empty template of a surface stands for the general one, which is checked itself.
    for key in filter(lambda key: ".template" in key and values[key], values):
        plain = SESSION_SUBJECTS if key.startswith("statusline.") else ()
        known = (*PLAIN_SUBJECTS, *plain)
        for name in list_unknown_windows(parse_template(values[key], known), reading.windows, known):
            near = find_near(name, map(shorten_name, reading.windows))
            if near:
                yield f"{key} asks for {{{name}}}, which no window here is called; did you mean {near}?"


def _dead_channels(values: Mapping[str, Any]) -> Iterator[str]:
    wishes = build_settings(values, os.environ).alerts
    for channel in wishes.via:
        wrong = explain_missing(channel, wishes)
        if wrong:
            yield f"alerts.via names {channel}, which {wrong}."


@command.command(short_help="Show the ready-made segments, or one of them at every level.")
@click.argument("name", required=False, type=OneOf([*PRESETS]))
@options.add_profile_option
def preset(name: str | None) -> int:
    """Show the ready-made segments with your own numbers, or NAME alone at every level with made-up ones.

    `preset = "NAME"` under [segment] in config.toml chooses one, and `glyphs = "nerd"` draws it with a Nerd Font.
    """
    from ullage.cli import previews

    settings, issues = load_settings()
    settings, now = load_terminal_settings(settings), datetime.now(UTC)
    if name is None:
        known = overview.load(ProfileCache(os.environ), settings.thresholds, now)
        own = previews.load_own_view(known, settings, now)
        view = own or previews.build_demo_view("warning", settings, now)
        shown = [(each, previews.preview(found, view, settings)) for each, found in PRESETS.items()]
        numbers = "Your own numbers." if own else "Made-up numbers: nothing is known of yours yet."
    else:
        stages = {stage: previews.build_demo_view(stage, settings, now) for stage in previews.STAGES}
        shown = [(stage, previews.preview(PRESETS[name], view, settings)) for stage, view in stages.items()]
        numbers = f"{name}: {PRESETS[name].words}."
    values, _ = config.read(config.locate_config(os.environ))
    chosen = values["segment.preset"] if name is None else ""
    lines = [[*line, previews.PROMPT] for line in previews.list_lines(shown, chosen)]
    say_lines(lines, settings.palette, folded=True)
    path = config.locate_config(os.environ)
    say(f"\n{numbers}\nTo choose one: `ullage setup`, or `ullage config apply` after these lines in {path}:")
    say(f'\n    [segment]\n    preset = "{name or "spark"}"')
    print_issues(issues)
    return 0


@command.command()
@options.add_profile_option
def apply() -> int:
    """Render the prompt's text anew from the last reading; asks nobody."""
    settings, issues = load_settings()
    cache = ProfileCache(os.environ)
    cache.make_private()
    with cache.lock(wait_seconds=LONGEST_REFRESH_SECONDS) as held:
        if not held:
            raise CacheError("A refresh has been running for long. Try again in a moment.")
        publish_anew(cache, settings)
    print_issues(issues)
    say("Applied, but for what is wrong in the file." if issues else "Applied.")
    return 2 if issues else 0
