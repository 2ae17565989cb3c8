"""Every format, for what is known, for what is not, and with text that would like to be more than text."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.bars import DOCS, HOSTILE
from tests.support.samples import HOUR, NOW, reading, readings, settings, window
from tests.support.tools import REPOSITORY
from ullage import panel
from ullage.config.palette import Colouring
from ullage.panel import Panel, Wanted, markup
from ullage.panel.colours import paint
from ullage.panel.formats import FORMATS
from ullage.panel.lines import align_rows
from ullage.quota import changes
from ullage.quota.model import Problem
from ullage.quota.schedule import Schedule
from ullage.render.cells import measure_width
from ullage.render.surfaces import Span
from ullage.store.overview import Overview

if TYPE_CHECKING:
    from collections.abc import Callable

REFRESH = ("/usr/bin/ullage", "refresh", "--detach", "--early", "--profile", "default")
PALETTE = Colouring().in_terminal()


def known(*windows: Any, **changes: Any) -> Overview:
    stated = reading(*windows) if windows else None
    return Overview(reading=stated, schedule=Schedule(), samples={}, forecasts={}).replace(**changes)


def look(*windows: Any, wanted: Wanted = Wanted(), now: Any = NOW, **changes: Any) -> Panel:  # noqa: B008  # frozen
    return panel.look_at(known(*windows), settings(**changes), wanted, now)


def shown(format: str, *windows: Any, **changes: Any) -> str:
    return FORMATS[format].render(look(*windows, **changes), REFRESH)


CRITICAL = window("five_hour", 93.4, label="Session (5h)")
WEEK = window("seven_day", 30.0, label="Week")
# Each part in its level's colour, on a ground of its own; what follows is as wide as the first line.
TOOLTIP = (
    "<tt><span background='#0d1117' foreground='#e6edf3'>"
    f" Session (5h)  <span foreground='#ff8a7d' weight='bold'>{'▰' * 11}▱</span>"
    "<span foreground='#ff8a7d' weight='bold'>  93%!!  </span>"
    "<span foreground='#a3abb6'>resets at 12:51, in 2h13</span> \n"
    f" Week          <span foreground='#6ccf9c'>{'▰' * 4}{'▱' * 8}</span>"
    "<span foreground='#6ccf9c'>  30%    </span>"
    "<span foreground='#a3abb6'>resets at 12:51, in 2h13</span> \n"
    f" <span foreground='#a3abb6'>Max 20x plan, read just now, from oauth</span>{' ' * 20} </span></tt>"
)


@pytest.mark.parametrize(
    ("format", "text"),
    [
        ("polybar", "5h %{F#e5484d}93%!!%{F-}"),
        ("lemonbar", "5h %{F#e5484d}93%%!!%{F-}"),
        ("xmobar", "5h <fc=#e5484d>93%!!</fc>"),
        ("conky", "5h ${color #e5484d}93%!!${color}"),
        ("i3blocks", "5h 93%!!\n93%!!\n#e5484d"),
        ("py3status", "5h 93%!!\n#e5484d"),
        ("plain", "5h 93%!!"),
        ("sketchybar", "drawing=on\nlabel=5h 93%!!\nlabel.color=0xffe5484d"),
    ],
)
def test_lines(format: str, text: str) -> None:
    assert shown(format, CRITICAL, WEEK) == text


def test_waybar() -> None:
    assert json.loads(shown("waybar", CRITICAL, WEEK)) == {
        "text": "5h <span foreground='#e5484d' weight='bold'>93%!!</span>",
        "tooltip": TOOLTIP,
        "alt": "critical",
        "class": ["critical", "fresh"],
        "percentage": 93,
    }


def test_i3status_rust() -> None:
    assert json.loads(shown("i3status-rust", CRITICAL)) == {
        "icon": "", "state": "Critical", "text": "5h 93%!!", "short_text": "93%!!",
    }  # fmt: skip


def test_json_has_all_that_a_widget_shows() -> None:
    told = json.loads(shown("json", CRITICAL, WEEK))
    rows = told.pop("rows")
    assert told.pop("revision")
    assert told == {
        "schema": 1,
        "text": "5h 93%!!",
        "short_text": "93%!!",
        "spans": [
            {"text": "5h ", "level": None, "colour": None, "bold": False},
            {"text": "93%!!", "level": "critical", "colour": "#e5484d", "bold": True},
        ],
        "level": "critical",
        "colour": "#e5484d",
        "severity": "critical",
        "state": "fresh",
        "used_percent": 93.4,
        "counts": "used",
        "tooltip": "Session (5h): 93%!!, resets at 12:51, in 2h13\nWeek: 30%, resets at 12:51, in 2h13\n"
        "Max 20x plan, read just now, from oauth",
        "origin": "Max 20x plan, read just now, from oauth",
        "problem": None,
        "page": "https://claude.ai/settings/usage",
        "refresh": list(REFRESH),
    }
    assert [row["label"] for row in rows] == ["Session (5h)", "Week"]
    assert rows[0] == {
        "window": "five_hour",
        "label": "Session (5h)",
        "text": "93%!!",
        "level": "critical",
        "colour": "#e5484d",
        "used_percent": 93.4,
        "elapsed_percent": 55.7,
        "course": "",
        "outlook": "resets at 12:51, in 2h13",
        "stated": "read just now, from oauth",
    }


def test_json_has_the_time_that_has_passed_whatever_is_counted() -> None:
    def elapsed(**changes: Any) -> list[float | None]:
        return [row["elapsed_percent"] for row in json.loads(shown("json", CRITICAL, WEEK, **changes))["rows"]]

    assert elapsed() == elapsed(show_left=True) == [55.7, 98.7]


def test_a_revision_is_the_same_while_only_minutes_pass() -> None:
    def revision(used: float, minutes: int) -> str:
        return str(json.loads(shown("json", window(used=used), now=NOW + timedelta(minutes=minutes)))["revision"])

    assert revision(93.0, 0) == revision(93.0, 5)
    assert revision(93.0, 0) != revision(94.0, 0)
    assert revision(93.0, 0) != revision(93.0, 20)


def test_the_i3bar_stream_is_an_array_that_goes_on() -> None:
    stream = FORMATS["i3bar"]
    assert stream.update is not None
    one, other = (stream.update(look(window(used=used)), REFRESH) for used in (93.0, 100.0))
    header, array = f"{stream.prelude}\n{one}\n{other}\n]".split("\n", 1)
    assert json.loads(header) == {"version": 1, "click_events": True}
    empty, first, second = json.loads(array)
    assert empty == []
    assert [first[0]["urgent"], second[0]["urgent"]] == [False, True]


def test_genmon_is_what_its_parser_looks_for() -> None:
    tree = ET.fromstring(f"<all>{shown('genmon', CRITICAL)}</all>")
    assert [element.tag for element in tree] == ["txt", "txtclick", "tool", "bar"]
    assert "".join(tree[0].itertext()) == "5h 93%!!"
    assert tree[3].text == "93"


def test_a_menu_has_every_window_and_two_actions() -> None:
    lines = shown("argos", CRITICAL, WEEK).splitlines()
    assert lines[0] == "5h 93%!! | color=#e5484d emojize=false"
    assert lines[1] == "---"
    assert lines[2] == f"Session (5h)  {'▰' * 11}▱  93%!! | color=#e5484d font=monospace emojize=false"
    assert lines[5] == f"Week          {'▰' * 4}{'▱' * 8}  30% | color=#3d9a50 font=monospace emojize=false"
    assert "--read just now, from oauth | emojize=false" in lines
    assert lines[-2].startswith('Refresh now | bash="/usr/bin/ullage refresh --detach --early --profile default" ')
    assert lines[-1].startswith("Open usage page | href=https://claude.ai/settings/usage ")


@pytest.mark.parametrize("word", ['/tmp/a"b', "/tmp/a|b", "/tmp/$(x)", "/tmp/a'b", "/tmp/a\nb"])
@pytest.mark.parametrize("format", ["argos", "xbar", "swiftbar"])
def test_a_menu_has_no_action_that_it_cannot_quote(format: str, word: str) -> None:
    menu = FORMATS[format].render(look(CRITICAL), (*REFRESH[:-1], word))
    assert "Refresh now" not in menu
    assert word not in menu


NOTHING: dict[str, Callable[[str], bool]] = {
    "waybar": lambda text: json.loads(text)["text"] == "" and "percentage" not in json.loads(text),
    "i3bar": lambda text: json.loads(text) == [],
    "i3status-rust": lambda text: json.loads(text)["text"] == "",
    "sketchybar": lambda text: text == "drawing=off",
    "json": lambda text: json.loads(text)["text"] == "" and json.loads(text)["used_percent"] is None,
    "genmon": lambda text: text.startswith("<txt></txt>") and "<bar>" not in text,
    "argos": lambda text: text.startswith("? |") and "Nothing is known yet." in text,
    "xbar": lambda text: text.startswith("? |"),
    "swiftbar": lambda text: text.startswith("? |"),
}


@pytest.mark.parametrize("format", FORMATS)
def test_nothing_known_hides_the_module(format: str) -> None:
    hidden, text = NOTHING.get(format), shown(format)
    assert hidden(text) if hidden is not None else not text


@pytest.mark.parametrize("format", FORMATS)
def test_a_window_that_there_is_none_of_is_nothing(format: str) -> None:
    text = shown(format, CRITICAL, wanted=Wanted(window="fable"))
    assert "93" not in text.split("\n", maxsplit=1)[0].split('"tooltip"')[0]


@pytest.mark.parametrize("format", FORMATS)
def test_a_reset_leaves_no_number(format: str) -> None:
    text = shown(format, window(used=93.0), now=NOW + 3 * HOUR, wanted=Wanted(template="{5h}"))
    assert "93" not in text
    assert "↺" in text


@pytest.mark.parametrize("format", FORMATS)
def test_what_is_old_is_marked(format: str) -> None:
    text = shown(format, window(used=93.0), now=NOW + timedelta(minutes=20))
    assert "~93%" in text
    assert "#e5484d" not in text


@pytest.mark.parametrize("format", FORMATS)
def test_what_is_too_old_is_no_number(format: str) -> None:
    stated = window(used=93.0, resets_at=NOW + timedelta(days=3))
    assert "93%" not in shown(format, stated, now=NOW + timedelta(hours=7))


@pytest.mark.parametrize("format", FORMATS)
def test_no_colours_where_none_are_wanted(format: str) -> None:
    text = shown(format, CRITICAL, palette={})
    assert re.search(r"#[0-9a-f]{6}|0xff|foreground|<fc|color", text) is None


@pytest.mark.parametrize("format", FORMATS)
def test_ascii(format: str) -> None:
    stated = window(used=100.0, label="Sitzung für 5h")
    assert shown(format, stated, ascii_only=True).isascii()


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_is_documented(format: str) -> None:
    assert re.search(rf"^\| `{format}` \|.*\| {'no' if FORMATS[format].update is None else '[^n]'}", DOCS, re.MULTILINE)


def test_what_is_said_to_run_in_the_tests_does() -> None:
    tests = (REPOSITORY / "tests" / "panel" / "test_bars.py").read_text("utf-8")
    named = re.findall(r"^### (.+) ✓$", DOCS, re.MULTILINE)
    # GNOME's is a command, which its own tests run.
    named.remove("GNOME Shell")
    assert named == [heading for heading in named if f'recipe("{heading}")' in tests]
    assert {"waybar", "polybar", "i3bar"} <= {*named}


def test_a_window_stands_for_top_in_a_template() -> None:
    wanted = Wanted(window="7d", template="{top.name} {top}[ {top.blocked_for}] {5h}")
    assert shown("plain", CRITICAL, WEEK, wanted=wanted) == "7d 30% 93%!!"
    assert shown("plain", CRITICAL, WEEK, wanted=Wanted(window="7d")) == "7d 30%"
    assert json.loads(shown("waybar", CRITICAL, WEEK, wanted=Wanted(window="7d")))["percentage"] == 30


def test_a_problem_is_told() -> None:
    schedule = Schedule(problem=Problem(code="x", message="Sign in | bash=x\nthen"))
    told = panel.look_at(known(CRITICAL, schedule=schedule), settings(), Wanted(), NOW)
    assert told.problem == "Sign in | bash=x then"
    assert "Sign in ¦ bash=x then |" in FORMATS["xbar"].render(told, REFRESH)


@pytest.mark.parametrize(
    ("style", "colour", "bold"),
    [
        ("green", "#3d9a50", False),
        ("bold reverse red", "#e5484d", True),
        ("bright_blue", "#3b82f6", False),
        ("bold #D55E00", "#d55e00", True),
        ("dim", "#888888", False),
        ("dim red", "#e5484d", False),
        ("bold", None, True),
        ("", None, False),
    ],
)
def test_styles_become_colours(style: str, colour: str | None, bold: bool) -> None:
    look = paint({"normal": style}, "normal")
    assert (look.colour, look.bold) == (colour, bold)


anything = st.text(st.characters(exclude_categories=["C"]), max_size=30) | st.sampled_from(HOSTILE[:-1])
spans = st.lists(st.builds(Span, text=anything, level=st.sampled_from([None, "normal", "exhausted"])), max_size=4)


@given(spans)
def test_pango_is_well_formed_and_says_the_text(spans: list[Span]) -> None:
    tree = ET.fromstring(f"<markup>{markup.pango(spans, PALETTE)}</markup>")
    assert "".join(tree.itertext()) == "".join(span.text for span in spans)
    assert {element.tag for element in tree.iter()} <= {"markup", "span"}
    assert '"' not in markup.pango(spans, PALETTE)


@given(spans)
def test_polybar_reads_no_tag_but_ours(spans: list[Span]) -> None:
    text = markup.polybar(spans, PALETTE)
    assert {tag[0] for tag in re.findall(r"%\{([^}]*)", text)} <= {"F", "O"}
    assert re.sub(r"%\{(?:O0|F#[0-9a-f]{6}|F-)\}", "", text) == "".join(span.text for span in spans)


@given(spans)
def test_lemonbar_reads_no_block_but_ours(spans: list[Span]) -> None:
    text = markup.lemonbar(spans, PALETTE)
    said = re.sub(r"%%|%\{(?:F#[0-9a-f]{6}|F-)\}", lambda found: "%" if found[0] == "%%" else "", text)
    assert said == "".join(span.text for span in spans)


@given(spans)
def test_conky_expands_nothing_but_colours(spans: list[Span]) -> None:
    text = markup.conky(spans, PALETTE)
    said = re.sub(
        r"\$\$|\\#|\$\{color(?: #[0-9a-f]{6})?\}", lambda found: found[0][1] if found[0] in ("$$", "\\#") else "", text
    )
    assert said == "".join(span.text for span in spans)


@given(anything)
def test_a_label_is_one_entry_of_a_menu(label: str) -> None:
    stated = look(window(label="x")).rows[0].replace(label=label)
    for format in ("argos", "xbar", "swiftbar"):
        lines = FORMATS[format].render(look(CRITICAL).replace(rows=(stated,)), REFRESH).split("\n")
        harmless = FORMATS[format].render(look(CRITICAL), REFRESH).split("\n")
        assert len(lines) == len(harmless)
        assert [line.count(" | ") for line in lines] == [line.count(" | ") for line in harmless]
        assert [line[:2] == "--" for line in lines] == [line[:2] == "--" for line in harmless]


@given(readings(), st.integers(0, 8 * 3600))
def test_the_next_change_is_never_late(stated: Any, seconds: int) -> None:
    now = NOW + timedelta(seconds=seconds)
    all_known = Overview(reading=stated, schedule=Schedule(), samples={}, forecasts={})
    following = changes.find_next_change(stated, {}, settings().thresholds, now)
    assert now < following <= now + changes.LONGEST_WAIT
    just_before = following - timedelta(microseconds=1)
    for format in ("waybar", "argos"):
        first, second = (
            FORMATS[format].render(panel.look_at(all_known, settings(), Wanted(), moment), REFRESH)
            for moment in (now, just_before)
        )
        assert first == second


def test_a_refresh_that_is_due_is_a_moment_to_look() -> None:
    due = NOW + timedelta(seconds=7)
    stated = known().reading
    assert changes.find_next_change(stated, {}, settings().thresholds, NOW, due) == due
    assert changes.find_next_change(stated, {}, settings().thresholds, NOW, NOW) == NOW + changes.LONGEST_WAIT


def test_polybar_reads_no_tag_across_two_texts() -> None:
    spans = [Span(text="50%"), Span(text="{A1:touch /tmp/x:}")]
    assert markup.polybar(spans, {}) == "50%%{O0}{A1:touch /tmp/x:}"


@given(data=st.data())
def test_columns_of_a_tooltip_stand_below_each_other(data: st.DataObject) -> None:
    shown = look(*data.draw(readings()).windows)
    columns = align_rows(shown)
    assert (
        len({(measure_width(each.label), measure_width(each.bar), measure_width(each.share)) for each in columns}) <= 1
    )
    assert len({each.share.index("%") for each in columns if "%" in each.share}) <= 1


@pytest.mark.parametrize("format", ["argos", "xbar", "swiftbar"])
def test_a_menu_has_no_empty_entry(format: str) -> None:
    no_reset = window("seven_day", None, label="Week", resets_at=None, as_of=NOW - 3 * HOUR)
    lines = [line for line in shown(format, CRITICAL, no_reset).splitlines() if line != "---"]
    assert [line for line in lines if not line.partition(" |")[0].strip(" -")] == []


@pytest.mark.parametrize("background", ["dark", "light"])
def test_what_is_urgent_has_no_colour_that_the_bars_red_would_hide(background: Any) -> None:
    palette = Colouring(background=background).in_bar()
    [block] = json.loads(shown("i3bar", window(used=100.0, label="Session (5h)"), palette=palette))
    assert block["urgent"]
    assert "foreground" not in block["full_text"] + block["short_text"]
