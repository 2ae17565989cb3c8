"""The burn-up: what it draws in a terminal, in an SVG and in a PNG, and what it says in words."""

from __future__ import annotations

import io
import re
import subprocess
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.support.samples import NOW, window
from tests.support.tools import need
from ullage.config.palette import COLOURS
from ullage.quota import pace
from ullage.quota.model import Money, Thresholds, Window, find_length
from ullage.quota.pace import Sample
from ullage.render import burnup, chart, picture, svg
from ullage.render.burnup import Burnup, draw_sparkline

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SVG = "{http://www.w3.org/2000/svg}"


def plotted(
    used: float = 60.0, *, elapsed: timedelta = 2.5 * HOUR, label: str = "Session (5h)", steps: int = 25
) -> Burnup:
    """A session that was used evenly, read at equal intervals."""
    begins = NOW - elapsed
    stated = window("five_hour", used, label=label, resets_at=begins + 5 * HOUR)
    samples = [
        Sample(at=begins + elapsed * n / steps, used_percent=used * n / steps, resets_at=stated.resets_at)
        for n in range(1, steps + 1)
    ]
    assert stated.resets_at is not None
    return Burnup(
        window=stated,
        begins=begins,
        ends=stated.resets_at,
        now=NOW,
        used=tuple(samples),
        ahead=pace.project_trajectory(stated, samples, NOW),
        forecast=pace.forecast(stated, samples, NOW),
        timezone=UTC,
    )


def page(drawn: Burnup, width: int = 100, height: int = 11, *, ascii_only: bool = False, **form: Any) -> list[str]:
    made = chart.lay_out_page(
        drawn,
        chart.ChartForm(width=width, height=height, thresholds=Thresholds(), ascii_only=ascii_only, **form),
    )
    return ["".join(span.text for span in line).rstrip() for line in made]


def levels(drawn: Burnup, signs: str) -> set[object]:
    """The levels of the cells of a plot that hold one of these signs."""
    made = chart.draw(drawn, 60, 12, thresholds=Thresholds(), ascii_only=False)
    return {span.level for line in made for span in line[1:] if set(span.text) & set(signs)}


FILLS = "▂▃▄▅▆▇█"


def test_a_chart_rises_to_what_is_used_and_goes_on_to_what_is_expected() -> None:
    lines = page(plotted(80.0), 100, 16)
    assert lines[0].startswith("Session (5h)  80%!  runs out 11:16, 1h53 before the reset; resets at 13:08, in 2h30")
    plot = lines[1:17]
    # The line that just lasts goes through what is used.
    heights = [sum(row[at : at + 1] in ("█", "·") for row in plot) for at in range(8, 50)]
    assert heights == sorted(heights)
    assert heights[-1] > heights[0]
    assert [row.index("•") for row in plot if "•" in row] == sorted(
        (row.index("•") for row in plot if "•" in row), reverse=True
    )
    limit = next(row for row in plot if row.startswith("100%"))
    assert limit[5:25] == "▁" * 20
    assert any("░" in row for row in plot)


def test_a_chart_has_the_colour_of_its_level() -> None:
    assert levels(plotted(40.0), FILLS) == {"normal"}
    assert levels(plotted(80.0), FILLS) == {"warning"}


def test_what_was_used_up_is_told_from_what_was_used_before() -> None:
    used_up = plotted(125.0).replace(ahead=(), forecast=None)
    assert levels(used_up, FILLS) == {"normal", "warning", "critical", "exhausted"}
    lines = page(used_up)
    assert lines[0] == "Session (5h)  100%×  used up; back at 13:08, in 2h30"
    assert "█ used  █ used up" in lines[-1]
    assert "expected" not in lines[-1]


def test_what_has_reset_shows_its_course_and_no_number() -> None:
    drawn = plotted(80.0)
    lines = page(drawn.replace(now=drawn.ends, ahead=(), forecast=None))
    assert lines[0] == "Session (5h)  ↺  has reset; a new reading is due"
    assert levels(drawn.replace(now=drawn.ends, ahead=()), FILLS) == {"stale"}


def aged(age: timedelta) -> Burnup:
    drawn = burnup.plot_burnup(
        window("five_hour", 82.0, resets_at=NOW + 3 * HOUR, as_of=NOW - age), (), None, NOW, Thresholds()
    )
    assert drawn is not None
    return drawn.replace(timezone=UTC)


def test_an_old_number_is_marked_and_says_when_it_was_read() -> None:
    drawn = aged(40 * MINUTE)
    assert page(drawn)[0].endswith("  ~82%!  resets at 13:38, in 3h00; read 40m ago (stale)")
    assert levels(drawn, FILLS + "▒") == {"stale"}
    assert "~82% used" in burnup.format_title(drawn)
    assert "ago" not in page(aged(5 * MINUTE))[0]


def test_a_number_that_is_too_old_to_show_is_not_shown() -> None:
    drawn = aged(7 * HOUR)
    assert page(drawn)[0].endswith("  ?  read 7h ago (too old to show)")
    assert burnup.format_title(drawn).endswith(": unknown")


def test_a_number_says_that_it_is_of_what_is_used_where_others_are_of_what_is_left() -> None:
    assert page(plotted(40.0), show_left=True)[0].startswith("Session (5h)  40% used  lasts, about 80% at the reset;")
    assert page(plotted(40.0))[0].startswith("Session (5h)  40%  lasts")


def test_a_file_has_the_date_of_its_number() -> None:
    assert "22 Nov 2026, 10:38" in draw_svg(plotted(), "light")
    undated = plotted().window.replace(is_dated=False)
    assert "2026" not in draw_svg(plotted().replace(window=undated), "light")


def test_the_line_that_just_lasts_is_seen_on_what_is_used() -> None:
    made = chart.draw(plotted(95.0), 60, 12, thresholds=Thresholds(), ascii_only=False)
    assert {span.text.strip("·") for line in made for span in line if span.style == "reverse"} == {""}
    assert any(span.style == "reverse" for line in made for span in line)


def test_the_axis_names_the_hours() -> None:
    assert page(plotted())[12].split() == ["09:00", "10:00", "11:00", "12:00"]


def test_the_axis_of_a_week_names_the_days() -> None:
    stated = window("seven_day", 50.0, resets_at=NOW + timedelta(days=3))
    drawn = plotted().replace(window=stated, begins=NOW - timedelta(days=4), ends=NOW + timedelta(days=3))
    assert page(drawn, 80)[13].split() == ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]


def test_the_words_say_when_it_runs_out() -> None:
    lines = page(plotted(80.0))
    assert any(line.startswith("In four cases of five it runs out between ") for line in lines)
    assert not any("In four cases" in line for line in page(plotted(80.0), brief=True))


def test_a_heading_takes_two_lines_where_one_is_too_short() -> None:
    assert page(plotted(80.0), 60)[:3] == [
        "Session (5h)  80%!",
        "runs out 11:16, 1h53 before the reset",
        "resets at 13:08, in 2h30",
    ]
    assert page(plotted(40.0), stacked=True)[0] == "Session (5h)  40%"


def test_charts_side_by_side_are_level() -> None:
    short, long = page(plotted(40.0), stacked=True, heading_lines=3), page(plotted(80.0), 60, heading_lines=3)
    assert [next(n for n, line in enumerate(lines) if line.startswith("  0%")) for lines in (short, long)] == [13, 13]


def test_what_nobody_saw_is_drawn_as_such() -> None:
    seen = "\n".join(page(plotted()))
    guessed = "\n".join(page(plotted(steps=1)))
    assert ("▒" in seen, "▒" in guessed) == (False, True)
    assert "unseen" in guessed
    dashes = [[line.get("stroke-dasharray") for line in lines_of(plotted(steps=steps), "s-used")] for steps in (25, 1)]
    assert dashes == [[None, None], ["5 4", None, "5 4"]]


def draw_svg(drawn: Burnup, theme: str) -> str:
    return svg.write_svg(svg.draw_scene(drawn), (svg.WIDTH, svg.HEIGHT), svg.describe_chart(drawn), theme)


def lines_of(drawn: Burnup, role: str) -> list[ET.Element]:
    """The polylines of a role: the chart's first, then the legend's."""
    root = ET.fromstring(draw_svg(drawn, "light"))
    return [line for line in root.iter(f"{SVG}polyline") if line.get("class") == role]


@given(
    st.floats(0, 150),
    st.floats(0.1, 4.9),
    st.integers(20, 200),
    st.integers(3, 40),
    st.booleans(),
    st.integers(1, 40),
)
def test_a_chart_fits_into_its_width(
    used: float, hours: float, width: int, height: int, ascii_only: bool, steps: int
) -> None:
    drawn = plotted(used, elapsed=hours * HOUR, steps=steps)
    made = chart.draw(drawn, width, height, thresholds=Thresholds(), ascii_only=ascii_only)
    lines = ["".join(span.text for span in line) for line in made]
    assert len(lines) == height + 1
    assert all(len(line) < width for line in lines)
    assert not ascii_only or "".join(lines).isascii()


def test_plain_characters_are_all_of_a_page() -> None:
    assert "\n".join(page(plotted(80.0, steps=1), ascii_only=True)).isascii()


def dollars(cents: int) -> Money:
    return Money(amount_minor=cents, currency="USD", exponent=2)


def budget(cents: int, **changes: Any) -> Window:
    """A budget of 500 dollars, stated now."""
    stated = window("credits", cents / 500, label="Credits", resets_at=None)
    return stated.replace(**{"used": dollars(cents), "limit": dollars(50000), **changes})


def spent(*of_days: float) -> list[Sample]:
    """What a budget stood at on each of the last days until yesterday."""
    return [Sample(at=NOW - (len(of_days) - n) * DAY, used_percent=used) for n, used in enumerate(of_days)]


def history(stated: Window, *of_days: float) -> Burnup:
    drawn = burnup.plot_burnup(stated, spent(*of_days), None, NOW, Thresholds())
    assert drawn is not None
    return drawn.replace(timezone=UTC)


def test_a_budget_whose_reset_is_not_known_is_drawn_by_its_history() -> None:
    drawn = history(budget(4631), 2.0, 3.0, 4.0, 5.5, 6.0, 8.0)
    assert (drawn.begins, drawn.ends, drawn.forecast, drawn.ahead) == (NOW - 6 * DAY, NOW, None, ())
    lines = page(drawn)
    assert lines[0] == "Credits  9%  $46.31 of $500.00  no reset time known"
    assert lines[-2].split() == ["Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    # Neither a line that would just last, which needs a reset, nor anything expected.
    assert lines[-1] == "█ used"
    assert (burnup.format_title(drawn), svg.format_caption(drawn)) == (
        "Credits: 9% used, $46.31 of $500.00",
        "no reset time known",
    )
    assert [line.get("stroke-dasharray") for line in lines_of(drawn, "s-faint")] == []
    (line, _) = lines_of(drawn, "s-used")
    # 8 % yesterday and 9.262 % now of a chart up to 110 %, whose floor is at 340 and whose top at 76.
    assert line.get("points", "").split()[-2:] == ["622.7,320.8", "736.0,317.8"]


def test_a_history_is_of_a_month_at_most_and_a_line_breaks_where_the_count_was_restarted() -> None:
    drawn = history(budget(1000), *(float(n * 2) for n in range(40)), 1.0)
    assert drawn.begins == NOW - timedelta(days=30)
    assert drawn.used[0].at == NOW - timedelta(days=30)
    line, after, *legend = lines_of(drawn, "s-used")
    assert len(legend) == 1
    assert (len(line.get("points", "").split()), len(after.get("points", "").split())) == (29, 2)
    assert [stretch.how for stretch in burnup.list_stretches(drawn)][-3:] == ["seen", "restarted", "seen"]
    # The stretch over which nobody saw the restart is left empty, the level before and after it is not.
    assert "78" not in page(drawn)[0]
    row = next(row for row in page(drawn, 100, 11) if row.startswith("  0% "))
    assert re.search(r"█ +[▁▂]", row[5:])
    names = [row for row in page(drawn, 100, 11) if "Nov" in row]
    assert names[0].split()[:4] == ["26", "Oct", "29", "Oct"]


def test_a_budget_that_is_used_up_says_so() -> None:
    drawn = history(budget(50100), 40.0, 80.0, 99.0)
    assert page(drawn)[0] == "Credits  100%×  $501.00 of $500.00  used up"
    assert svg.format_caption(drawn) == "used up"
    assert levels(drawn, FILLS) == {"normal", "warning", "critical", "exhausted"}


@pytest.mark.parametrize(
    ("period", "begins"),
    [
        ("daily", datetime(2026, 11, 30, tzinfo=UTC)),
        ("weekly", datetime(2026, 11, 24, tzinfo=UTC)),
        ("monthly", datetime(2026, 11, 1, tzinfo=UTC)),
    ],
)
def test_a_spend_limit_with_its_period_and_reset_runs_from_its_start(period: Any, begins: datetime) -> None:
    resets_at = datetime(2026, 12, 1, tzinfo=UTC)
    now = resets_at - timedelta(hours=6)
    stated = budget(23450, id="spend_limit", label=f"Spend limit ({period})", period=period, resets_at=resets_at)
    stated = stated.replace(as_of=now)
    earlier = [Sample(at=begins + (now - begins) / 2, used_percent=20.0, resets_at=resets_at)]
    forecast = pace.forecast(stated, earlier, now)
    drawn = burnup.plot_burnup(stated, earlier, forecast, now, Thresholds())
    assert drawn is not None
    drawn = drawn.replace(timezone=UTC)
    assert (drawn.begins, drawn.ends, drawn.is_history) == (begins, resets_at, False)
    # What was measured of sessions and weeks says nothing of a day or a month.
    assert bool(drawn.ahead) == (period == "weekly")
    lines = page(drawn, 140)
    assert lines[0].startswith(f"Spend limit ({period})  46%  $234.50 of $500.00  ")
    assert lines[0].endswith("resets Tue 00:00, in 6h00")
    assert "just lasts" in lines[-1]


@pytest.mark.parametrize(
    ("resets_at", "days"),
    [("2026-03-31", 31), ("2026-03-01", 28), ("2028-03-30", 30), ("2026-01-15", 31), ("2026-05-01", 30)],
)
def test_a_month_is_the_one_that_ends_with_the_reset(resets_at: str, days: int) -> None:
    stated = budget(1, period="monthly", resets_at=datetime.fromisoformat(f"{resets_at}T00:00+00:00"))
    assert find_length(stated) == timedelta(days=days)


def test_a_period_without_a_reset_is_as_far_as_its_history_goes_back() -> None:
    drawn = history(budget(4631, period="weekly"), *(float(n) for n in range(9)))
    assert (drawn.begins, drawn.used[0].at, drawn.is_history) == (NOW - 7 * DAY, NOW - 7 * DAY, True)


def test_a_budget_without_a_history_says_when_there_will_be_one() -> None:
    assert burnup.plot_burnup(budget(4631), [], None, NOW, Thresholds()) is None
    assert burnup.explain_missing_chart(budget(4631)) == (
        "Credits: 9% used, $46.31 of $500.00. It is the first reading of it that is kept; from the next on there is a "
        "course to draw."
    )


@pytest.mark.parametrize(
    ("levels", "shown"),
    [
        ([25.0, 50.0, 75.0, 100.0], "▂▄▆█    "),
        ([25.0, 25.0, 99.9, 100.0, 100.0, 120.0, 130.0, 140.0], "▂▂▇█████"),
        ([0.0, 0.0], "▁▁      "),
        ([0.0, 13.9, 14.3], "▁▁▂     "),
    ],
)
def test_a_sparkline_shows_the_level_by_the_end_of_each_part(levels: list[float], shown: str) -> None:
    samples = []
    for number, level in enumerate(levels):
        # Ten readings a part, so that none of them is unseen.
        before = levels[number - 1] if number else 0.0
        samples += [
            Sample(at=NOW + (number + part / 10) * HOUR, used_percent=before + (level - before) * part / 10)
            for part in range(1, 11)
        ]
    assert draw_sparkline(samples, NOW, NOW + 8 * HOUR, 8, ascii_only=False) == shown


def test_a_sparkline_is_empty_where_nobody_knows_when_use_grew() -> None:
    at = [(0.2, 5.0), (0.4, 5.0), (3.6, 60.0), (3.8, 60.0), (6.2, 60.0)]
    samples = [Sample(at=NOW + hours * HOUR, used_percent=used) for hours, used in at]
    shown = [draw_sparkline(samples, NOW, NOW + 8 * HOUR, 8, ascii_only=ascii_only) for ascii_only in (False, True)]
    assert shown == ["   ▅▅▅▅ ", "   ==== "]


@pytest.mark.parametrize("theme", ["light", "dark", "auto"])
def test_an_svg_is_well_formed_and_of_its_theme(theme: str) -> None:
    text = draw_svg(plotted(80.0), theme)
    root = ET.fromstring(text)
    assert root.find(f"{SVG}title").text == "Session (5h): 80% used; runs out 11:16, 1h53 before the reset"  # type: ignore[union-attr]
    background = next(root.iter(f"{SVG}polygon"))
    assert background.get("fill") == COLOURS["dark" if theme == "dark" else "light"]["background"]
    assert ("prefers-color-scheme:dark" in text) == (theme == "auto")


def test_what_a_source_calls_a_window_is_text_in_an_svg() -> None:
    hostile = "<script>alert(1)</script>&\"'\x1b]0;t\x07"
    root = ET.fromstring(draw_svg(plotted(label=hostile), "auto"))
    assert [element for element in root.iter() if element.tag.endswith("script")] == []
    assert any("<script>" in (element.text or "") for element in root.iter(f"{SVG}text"))


@given(st.floats(0, 150), st.floats(0.1, 4.9), st.integers(1, 30))
def test_everything_lies_on_the_sheet(used: float, hours: float, steps: int) -> None:
    for shape in svg.draw_scene(plotted(used, elapsed=hours * HOUR, steps=steps)):
        assert all(-0.01 <= x <= svg.WIDTH + 0.01 and -0.01 <= y <= svg.HEIGHT + 0.01 for x, y in shape.points)


def colours(image: Image.Image) -> set[str]:
    counted = image.convert("RGB").getcolors(1 << 24)
    assert counted is not None
    return {"#{:02x}{:02x}{:02x}".format(*colour) for _, colour in counted}  # type: ignore[misc]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_png_shows_every_part_in_its_colour(theme: Literal["light", "dark"]) -> None:
    image = Image.open(io.BytesIO(picture.draw_png(svg.draw_scene(plotted(80.0)), theme)))
    assert image.size == (svg.WIDTH * 2, svg.HEIGHT * 2)
    parts = {COLOURS[theme][role] for role in ("background", "used", "filled", "band", "expected", "limit")}
    assert parts <= colours(image)


def test_another_program_draws_the_svg_as_the_png() -> None:
    written = draw_svg(plotted(80.0), "auto").encode()
    rendered = subprocess.run(
        [need("rsvg-convert"), "--zoom", "2"], input=written, capture_output=True, check=True, timeout=180
    )
    theirs = Image.open(io.BytesIO(rendered.stdout)).convert("RGB")
    ours = Image.open(io.BytesIO(picture.draw_png(svg.draw_scene(plotted(80.0)), "light")))
    assert theirs.size == ours.size
    for role in ("used", "filled", "band", "limit"):
        colour = COLOURS["light"][role]
        assert colour in colours(theirs), role
