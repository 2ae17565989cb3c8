"""The card: what it shows of whom, and that it fits its sheet."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.support.contrast import READABLE, contrast
from tests.support.samples import NOW, reading, readings, settings, window
from ullage.config.palette import COLOURS
from ullage.quota import pace
from ullage.quota.model import Account, Credits, Money, Reading
from ullage.quota.pace import Sample
from ullage.quota.schedule import Schedule
from ullage.render import card, picture, svg
from ullage.store.overview import Overview

if TYPE_CHECKING:
    from ullage.render.svg import Shape

DAY = timedelta(days=1)
WEEK = window("seven_day", 78.0, label="Week (all models)", resets_at=NOW + 3 * DAY)
FABLE = window("seven_day_fable", 81.0, label="Week (Fable)", resets_at=NOW + 3 * DAY)
SESSION = window("five_hour", 100.0, label="Session (5h)")
CREDITS = Credits(
    enabled=True,
    used=Money(amount_minor=1234, currency="USD", exponent=2),
    limit=Money(amount_minor=5000, currency="USD", exponent=2),
    used_percent=24.68,
)


def draw(stated: Reading, *, names_account: bool = False) -> list[Shape]:
    samples = {
        each.id: [
            Sample(at=NOW - n * DAY, used_percent=each.used_percent * (4 - n) / 4, resets_at=each.resets_at)
            for n in (3, 2, 1)
        ]
        for each in stated.windows
        if each.used_percent is not None
    }
    forecasts = {
        each.id: known
        for each in stated.windows
        if (known := pace.forecast(each, samples.get(each.id, ()), NOW)) is not None
    }
    overview = Overview(reading=stated, schedule=Schedule(), samples=samples, forecasts=forecasts)
    return card.draw_card(overview, settings(), NOW, names_account=names_account, timezone=UTC)


def texts(shapes: list[Shape]) -> list[str]:
    return [shape.text for shape in shapes if shape.text]


def test_it_has_the_plan_every_window_and_the_fullest_week() -> None:
    shown = texts(draw(reading(SESSION, WEEK, FABLE, credits=CREDITS)))
    for text in ("Max 20x", "Session (5h)", "Week (all models)", "Week (Fable)", "Credits", "78%!", "81%!", "24%"):
        assert text in shown
    assert "Week (Fable): 81% used" in shown
    assert "used up; back at 12:51, in 2h13" in shown
    assert "$12.34 of $50.00" in shown
    assert "22 Nov 2026, 10:38" in shown


def test_it_names_nobody_unless_asked() -> None:
    account = Account(id="a1b2-c3d4", plan="team", organization_id="0f9e", organization="Example Ltd")
    stated = reading(WEEK, account=account)
    anonymous, named = texts(draw(stated)), texts(draw(stated, names_account=True))
    assert not any(secret in text for text in anonymous for secret in ("a1b2", "Example", "0f9e"))
    assert set(named) - set(anonymous) == {"Example Ltd"}
    assert "a1b2-c3d4" in texts(draw(stated.replace(account=account.replace(organization=None)), names_account=True))


def test_a_bar_is_as_long_as_its_share() -> None:
    bars = [shape for shape in draw(reading(WEEK)) if shape.rounded]
    (track, fill) = ([x for x, _ in shape.points] for shape in bars)
    assert (fill[1] - fill[0]) / (track[1] - track[0]) == pytest.approx(0.78)
    assert bars[1].role == "warning"


@pytest.mark.parametrize("count", [1, 3, 6, 10, 16, 20])
def test_rows_keep_apart_whatever_their_number(count: int) -> None:
    windows = [FABLE.replace(id=f"seven_day_model_{n}", label=f"Week (Model {n})") for n in range(count)]
    shapes = draw(reading(*windows))
    tops = [shape.points[0][1] for shape in shapes if shape.text.startswith("Week (Model") and "used" not in shape.text]
    assert len(tops) == min(count, 16)
    bars = sorted({shape.points[0][1] for shape in shapes if shape.rounded})
    assert all(top < bar - 4 < below for top, bar, below in zip(tops, bars, [*tops[1:], 630], strict=True))
    assert ("and 4 more" in texts(shapes)) == (count == 20)


@given(readings(), st.booleans())
def test_everything_lies_on_the_card(stated: Reading, names_account: bool) -> None:
    width, height = card.CARD_SIZE
    for shape in draw(stated, names_account=names_account):
        assert all(-0.01 <= x <= width + 0.01 and -0.01 <= y <= height + 0.01 for x, y in shape.points)
        assert shape.role in COLOURS["light"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_picture_of_it_has_its_size_and_can_be_read(theme: Literal["light", "dark"]) -> None:
    scene = draw(reading(SESSION, WEEK, FABLE, credits=CREDITS))
    image = Image.open(io.BytesIO(picture.draw_png(scene, theme, card.CARD_SIZE)))
    assert image.size == (2400, 1260)
    colours = COLOURS[theme]
    assert all(contrast(colours[shape.role], colours["background"]) >= READABLE for shape in scene if shape.text)
    root = ET.fromstring(svg.write_svg(scene, card.CARD_SIZE, "x < y", theme))
    assert root.get("viewBox") == "0 0 1200 630"
