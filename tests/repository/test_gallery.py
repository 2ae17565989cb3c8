"""The pictures show what the programs show now."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING

import pytest

from gallery import photos, scenes
from gallery.__main__ import FOLDER, MADE_FROM
from tests.support.tools import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="the clock is made to stand still by a library for Linux")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[scenes.Stage]:
    with scenes.Stage(tmp_path / "home") as stage:
        yield stage


@pytest.mark.process
@on_linux
@pytest.mark.parametrize("name", scenes.SCENES)
def test_a_terminal_shows_what_its_picture_does(stage: scenes.Stage, name: str) -> None:
    shown = scenes.SCENES[name](stage)
    assert shown == (FOLDER / f"{name}.svg").read_text("utf-8"), f"python -m gallery {name}"


@pytest.mark.process
@on_linux
@pytest.mark.parametrize("name", photos.PHOTOS)
def test_a_photo_is_of_what_would_be_photographed_now(stage: scenes.Stage, name: str) -> None:
    assert photos.PHOTOS[name].read(stage) == json.loads(MADE_FROM.read_text())[name], f"python -m gallery {name}"


def test_every_picture_is_shown_and_every_shown_one_is_there() -> None:
    shown = set()
    for page in ("README.md", "docs/gallery.md"):
        shown |= set(re.findall(r"gallery/([\w-]+\.(?:svg|png))", (REPOSITORY / page).read_text("utf-8")))
    assert shown == {path.name for path in FOLDER.iterdir()} - {MADE_FROM.name}


def test_a_film_shows_its_last_screen_where_nothing_moves() -> None:
    drawn = (FOLDER / "day.svg").read_text("utf-8")
    still = re.sub(r"@(?:media|keyframes)[^{]*\{(?:[^{}]*\{[^{}]*\})*\}", "", drawn)
    assert re.findall(r"\.(\w+)\{visibility:visible\}", still) == [re.findall(r'class="s (f\d+)"', drawn)[-1]]


def test_the_pictures_are_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 1_500_000
