"""One table of states: what each surface says of a window agrees in number, form and words with every other."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.support.samples import NOW, reading, settings, window
from ullage import alerts, guard
from ullage.alerts import News
from ullage.base.record import Record
from ullage.config.template import PLAIN_SUBJECTS, SESSION_SUBJECTS, parse_template
from ullage.config.wishes import Wishes
from ullage.quota.schedule import Schedule
from ullage.render import burnup, chart, segment, usage, words
from ullage.render.segment import View
from ullage.store.overview import Overview

if TYPE_CHECKING:
    from ullage.quota.model import Window
    from ullage.render.surfaces import Span

MINUTE = timedelta(minutes=1)
IN_27_MINUTES = NOW + 27 * MINUTE


class State(Record):
    """A window in a state, the number that every surface shows for it, and the words that go with it."""

    used: float | None
    number: str
    sentence: str = ""
    resets_at: object = IN_27_MINUTES
    age: timedelta = timedelta()

    @property
    def in_a_list(self) -> str:
        """The number with all its forms behind the digits, which stand under each other."""
        percent, sign, form = self.number.removeprefix("~").partition("%")
        return f"{percent}{sign}{'~' if self.number.startswith('~') else ''}{form}"

    @property
    def window(self) -> Window:
        return window(used=self.used, label="Session (5h)", resets_at=self.resets_at, as_of=NOW - self.age)


BACK = f"used up; {words.format_return(IN_27_MINUTES, NOW)}"
STATES = {
    "normal": State(used=37.0, number="37%"),
    "warning": State(used=82.9, number="82%!"),
    "critical": State(used=93.0, number="93%!!"),
    "used up": State(used=100.0, number="100%×", sentence=BACK),
    "beyond": State(used=104.0, number="100%×", sentence=BACK),
    "reset": State(used=82.0, number="↺", sentence=words.HAS_RESET, resets_at=NOW - MINUTE),
    "stale": State(used=82.0, number="~82%!", age=20 * MINUTE),
}
each = pytest.mark.parametrize("state", STATES.values(), ids=STATES)


def text(spans: list[Span]) -> str:
    return "".join(span.text for span in spans)


def overview_of(state: State) -> Overview:
    return Overview(reading=reading(state.window, as_of=NOW - state.age), schedule=Schedule(), samples={}, forecasts={})


def view_of(state: State, session: dict[str, str] | None = None) -> View:
    return View(
        reading=reading(state.window, as_of=NOW - state.age), now=NOW, thresholds=settings().thresholds, session=session
    )


@each
def test_the_prompt_the_status_line_and_the_list_show_one_number(state: State) -> None:
    assert text(segment.fill(parse_template("{5h}"), view_of(state))) == state.number
    template = parse_template(settings().status_line_template, PLAIN_SUBJECTS + SESSION_SUBJECTS)
    assert f"5h {state.number}" in text(segment.fill(template, view_of(state, {"model": ""})))
    for width in (40, 60, 100):
        lines = [text(line) for line in usage.lay_out_page(overview_of(state), settings(), NOW, width)]
        row = next(line for line in lines if "Session" in line)
        assert state.in_a_list in row


@each
def test_the_list_and_the_chart_say_the_same_sentence(state: State) -> None:
    shown = "\n".join(text(line) for line in usage.lay_out_page(overview_of(state), settings(), NOW, 100))
    assert state.sentence in shown
    drawn = burnup.plot_burnup(state.window, (), None, NOW, settings().thresholds)
    assert drawn is not None
    above = text(chart.lay_out_heading(drawn, 200, settings().thresholds, ascii_only=False)[0])
    assert state.sentence in above
    assert state.number in above


@each
def test_a_guard_and_an_alert_say_it_too(state: State) -> None:
    known = reading(state.window, as_of=NOW - state.age)
    judged = guard.judge(guard.Question(), known, None, {}, settings().thresholds, NOW)
    news = News(reading=known, schedule=Schedule(), forecasts={}, thresholds=settings().thresholds, now=NOW)
    told, _ = alerts.find_due(news, (), Wishes())
    if state.sentence == BACK:
        assert judged.message == f"No room: Session (5h) is {BACK}."
        assert [(alert.title, alert.message) for alert in told] == [
            ("Session (5h) is used up", f"It is {BACK.partition('; ')[2]}.")
        ]
    elif state.number == "↺":
        assert "has reset" in judged.message
        assert told == ()
    else:
        number = state.number.strip("~!")
        assert f"Session (5h) is at {number}, limit 100%, {words.format_reset(IN_27_MINUTES, NOW)}" in judged.message
        assert ("read 20m ago (stale)" in judged.message) == state.number.startswith("~")
        assert [alert.title for alert in told] == ([f"Session (5h): {number} used"] if "!" in state.number else [])


@pytest.mark.parametrize("used", [100.0, 104.0, 1000.0])
def test_nothing_shows_more_than_everything(used: float) -> None:
    state = State(used=used, number="100%×", sentence=BACK)
    shown = "\n".join(text(line) for line in usage.lay_out_page(overview_of(state), settings(), NOW, 80))
    assert "100%×" in shown
    assert "104" not in shown
    assert "1000" not in shown
