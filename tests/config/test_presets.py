"""Presets: each can be read, chosen, and gives way to a template of the person's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.samples import NOW, reading, window
from tests.support.tools import ullage
from ullage import config
from ullage.config.presets import PRESETS
from ullage.config.settings import DEFAULTS
from ullage.config.template import check_template
from ullage.prompt import frames

if TYPE_CHECKING:
    from pathlib import Path

    from ullage.quota.model import Window
    from ullage.quota.timeline import Frame


def chosen(tmp_path: Path, text: str) -> config.Settings:
    path = tmp_path / "config.toml"
    path.write_text(f"[segment]\n{text}\n")
    settings, issues = config.load({"ULLAGE_CONFIG": str(path)})
    assert issues == ()
    return settings


def built(settings: config.Settings, *windows: Window) -> dict[str, Frame]:
    """The first frame of each timeline."""
    found = frames.build(reading(*windows), settings, NOW)
    return {name: each[0] for names, each in found.items() for name in names}


@pytest.mark.parametrize("name", PRESETS)
def test_each_is_a_template_that_shows_something(tmp_path: Path, name: str) -> None:
    preset = PRESETS[name]
    assert check_template(preset.template) is None
    assert preset.shape in ("", "pill", "powerline")
    settings = chosen(tmp_path, f'preset = "{name}"')
    assert {*settings.templates.values()} == {preset.template}
    shown = built(settings, window("five_hour", 64.0), window("seven_day", 78.0), window("seven_day_fable", 81.0))
    assert any(sign in shown["plain"].text for sign in ("81%", "78%", "●"))
    assert "\033" not in shown["bash-plain"].text


@pytest.mark.parametrize("name", PRESETS)
def test_plain_characters_are_all_that_is_shown_where_no_others_are_wanted(tmp_path: Path, name: str) -> None:
    settings = chosen(tmp_path, f'preset = "{name}"\nglyphs = "ascii"')
    shown = built(settings, window("five_hour", 64.0), window("seven_day", 78.0), window("seven_day_fable", 100.0))
    assert all(frame.text.isascii() for frame in shown.values())


def test_the_default_is_the_plain_one() -> None:
    assert PRESETS[DEFAULTS["segment.preset"]].template == DEFAULTS["segment.template"]


def test_a_template_of_ones_own_goes_before_and_keeps_the_shape(tmp_path: Path) -> None:
    settings = chosen(tmp_path, 'preset = "pill"\ntemplate = "{7d}"')
    assert (settings.templates["bash"], settings.shape) == ("{7d}", "pill")


def test_a_shape_is_a_background_of_each_surface(tmp_path: Path) -> None:
    settings = chosen(tmp_path, 'preset = "pill"')
    shown = built(settings, window("five_hour", 80.0))
    assert shown["ansi"].text == "\033[38;5;16;48;5;214m 5h 80%! \033[39;49m"
    assert (
        shown["tmux"].text
        == "#[push-default]#[fg=colour16,bg=colour214] 5h 80%! #[fg=default,bg=default]#[pop-default]"
    )
    assert {name: shown[name].level for name in ("ansi", "tmux")} == {"ansi": "warning", "tmux": "warning"}


def test_they_are_previewed(environ: dict[str, str]) -> None:
    shown = ullage("config", "preset", environ=environ)
    assert (shown.returncode, shown.stderr) == (0, "")
    lines = shown.stdout.splitlines()
    assert [line[2:].split()[0] for line in lines[: len(PRESETS)]] == [*PRESETS]
    assert lines[0].startswith("* plain")
    assert "Made-up numbers" in shown.stdout
    stages = ullage("config", "preset", "dots", environ=environ).stdout.splitlines()
    assert [line[2:10].strip() for line in stages[:4]] == ["normal", "warning", "critical", "used up"]
    assert 'preset = "dots"' in stages[-1]


def test_one_that_there_is_not_is_said_with_those_there_are(environ: dict[str, str]) -> None:
    said = ullage("config", "preset", "pil", environ=environ)
    assert said.returncode == 2
    assert "did you mean pill?" in said.stderr
