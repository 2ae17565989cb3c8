"""The page in a real Chromium: what it shows, that it stays true, and that everybody can use it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
from playwright.sync_api import expect

from bench.monitoring import free_port
from tests.support.browser import axe, chromium, patient
from tests.support.samples import reading, window
from tests.support.serving import Served, serving
from tests.support.tools import ullage
from ullage.config.palette import COLOURS
from ullage.quota import contract, pace
from ullage.quota.model import Money, Thresholds
from ullage.quota.schedule import Schedule
from ullage.render import words
from ullage.serve import page as the_page
from ullage.store import history, overview
from ullage.store.cache import ProfileCache

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

    from ullage.simulate import Simulator


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open a page that must say nothing to the console."""
    contexts, said = [], []

    def visit(served: Served, hash: str | None = None, **options: Any) -> Page:
        context = patient(browser.new_context(**{"viewport": {"width": 1200, "height": 900}, **options}))
        contexts.append(context)
        page = context.new_page()
        # What the browser itself says of a refusal that the page handles is no fault of the page.
        page.on("console", lambda message: said.append(message.text) if "Failed to load" not in message.text else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(f"{served.base}/" + (f"#link={served.token(link=True)}" if hash is None else hash))
        return page

    yield visit
    for context in contexts:
        context.close()
    assert said == []


def shown(page: Page) -> Page:
    page.wait_for_selector("#chart svg, #chart p")
    return page


def test_it_is_one_answer_that_needs_nothing_else(shared: Served) -> None:
    text, policy = the_page.assemble_page()
    assert shared.ask("/").body == text
    assert re.findall(rb"(?:src|href|url|import)\s*[=(]\s*[\"']?(?!#|data:)([^\s\"'>)]+)", text) == []
    assert b"innerHTML" not in text
    assert "unsafe" not in policy
    assert b"/*style*/" not in text
    assert b"/*script*/" not in text


def test_a_link_shows_every_window(shared: Served, visit: Callable[..., Page]) -> None:
    page = shown(visit(shared))
    assert page.url == f"{shared.base}/"
    windows = shared.ask("/v1/usage", shared.token()).json["windows"]
    for each in windows:
        meter = page.get_by_role("meter", name=f"{each['label']} used", exact=True)
        assert meter.get_attribute("aria-valuetext") == f"{int(each['used_percent'])}% used"
    assert page.get_by_role("article").count() == len(windows) + 1
    assert re.match(r"read .* · oauth · next reading", page.inner_text("#source"))
    assert page.inner_text("#account") == "Max 20x"
    expect(page.locator("#connection")).to_have_text("Live")
    assert page.locator("#chart svg .band").count() == 1
    assert page.get_by_role("img", name=re.compile("seven days: at most")).count() == len(windows)
    assert "%" in page.title()


def test_a_link_works_once_and_the_page_stays_open(shared: Served, visit: Callable[..., Page]) -> None:
    link = f"#link={shared.token(link=True)}"
    page = shown(visit(shared, link))
    page.reload()
    shown(page)
    other = visit(shared, link)
    other.wait_for_selector("#entrance:visible")
    assert "may have been used" in other.inner_text("#refusal")


def test_a_token_lets_in_by_hand_and_is_not_kept(shared: Served, visit: Callable[..., Page]) -> None:
    page = visit(shared, "")
    page.wait_for_selector("#entrance:visible")
    page.get_by_label("Token").fill("ullage_wrong")
    page.keyboard.press("Enter")
    expect(page.locator("#refusal")).not_to_be_empty()
    token = shared.token()
    page.get_by_label("Token").fill(token)
    page.keyboard.press("Enter")
    shown(page)
    kept = page.evaluate("JSON.stringify([sessionStorage, localStorage, document.cookie])")
    assert token not in kept
    assert "ullage_" in kept


def test_it_changes_when_the_numbers_do(
    served: Served, visit: Callable[..., Page], simulate: Callable[..., Simulator]
) -> None:
    page = shown(visit(served))
    elsewhere = simulate("over-limit").address
    assert ullage("refresh", "--force", environ={**served.environ, "ULLAGE_API_BASE": elsewhere}).returncode == 0
    # More than 100 is in the JSON alone.
    page.locator(".row .used", has_text="100%×").first.wait_for()
    assert page.locator(".row.exhausted").count() == 2
    assert re.match(r"used up; back .+, in \d", page.locator(".row.exhausted .said").first.inner_text())
    assert page.locator(".row.exhausted .pace").first.inner_text() == ""
    assert page.get_by_role("meter").first.get_attribute("aria-valuenow") == "100"


def test_an_old_number_is_marked_wherever_it_stands(known: dict[str, str], visit: Callable[..., Page]) -> None:
    cache = ProfileCache(known)
    reading = cache.load_reading()
    assert reading is not None
    then = reading.as_of - timedelta(minutes=40)
    windows = tuple(window.replace(as_of=then) for window in reading.windows)
    cache.save_reading(reading.replace(as_of=then, windows=windows))
    with serving(known) as served:
        page = shown(visit(served))
        assert page.locator(".row.warning .used").inner_text() == "~82%!"
        assert "Week (Fable): ~82% used" in page.inner_text("#outlook")
        bar = page.locator(".row.warning .gauge > div")
        assert bar.evaluate("bar => getComputedStyle(bar).backgroundColor") == page.locator(
            ".row.warning .used"
        ).evaluate("number => getComputedStyle(number).color")


def test_a_hostile_name_is_text(known: dict[str, str], visit: Callable[..., Page]) -> None:
    hostile = "</script><img src=x onerror=alert(1)><b>"
    cache = ProfileCache(known)
    reading = cache.load_reading()
    assert reading is not None
    cache.save_reading(reading.replace(windows=tuple(window.replace(label=hostile) for window in reading.windows)))
    with serving(known) as served:
        page = shown(visit(served))
        assert page.locator("#windows h3").first.inner_text() == hostile
        assert page.locator("img, b").count() == 0
        assert hostile in page.title()


def test_it_says_when_it_is_cut_off_and_comes_back(known: dict[str, str], visit: Callable[..., Page]) -> None:
    port = str(free_port())
    with serving(known, "--port", port) as served:
        page = shown(visit(served))
        served.stop()
        page.get_by_text("Disconnected; what is shown may be old").wait_for()
        assert page.get_by_role("meter").count() > 0
        # What was drawn stays and can be drawn anew; what was never looked at is not known.
        page.set_viewport_size({"width": 700, "height": 900})
        drawn = page.locator("#chart svg[role=img]")
        expect(drawn).to_be_visible()
        chosen = page.locator("#choice label:has(:checked)").inner_text()
        page.locator("#choice label:not(:has(:checked))").first.click()
        page.get_by_text("It was not looked at before the connection was lost.").wait_for()
        page.get_by_role("radio", name=chosen, exact=True).check(force=True)
        expect(drawn).to_have_attribute("aria-label", re.compile(re.escape(chosen)))
    with serving(known, "--port", port):
        page.get_by_text("The session has ended").wait_for(timeout=180_000)
        assert page.locator("#known").is_hidden()


def test_a_revoked_browser_is_shown_out(served: Served, visit: Callable[..., Page]) -> None:
    page = shown(visit(served))
    _heads, line = ullage("serve", "token", "list", environ=served.environ).stdout.splitlines()
    assert ullage("serve", "token", "revoke", line.split()[0], environ=served.environ).returncode == 0
    page.get_by_text("The session has ended").wait_for()
    assert page.locator("#windows").is_hidden()


def test_nothing_known_and_a_problem_are_said(environ: dict[str, str], visit: Callable[..., Page]) -> None:
    ullage("refresh", environ=environ)
    with serving(environ) as served:
        page = visit(served)
        page.get_by_role("heading", name="Nothing is known yet.").wait_for()
        assert "ullage doctor" in page.inner_text("#empty")
        assert page.locator("#course, #week, #list").locator("visible=true").count() == 0
        assert len(page.get_by_role("alert").first.inner_text()) > 20


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1200])
def test_axe_finds_nothing(shared: Served, visit: Callable[..., Page], scheme: str, width: int) -> None:
    page = shown(visit(shared, color_scheme=scheme, viewport={"width": width, "height": 800}, bypass_csp=True))
    for summary in page.locator("summary").all():
        summary.click()
    page.evaluate(axe())
    found = page.evaluate("axe.run({ resultTypes: ['violations'] })")
    assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == []
    assert len(found["passes"]) > 15


@pytest.mark.parametrize("width", [320, 375, 768, 1920])
def test_nothing_sticks_out(shared: Served, visit: Callable[..., Page], width: int) -> None:
    page = shown(visit(shared, viewport={"width": width, "height": 800}))
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    smallest = page.evaluate(
        "Math.min(...[...document.querySelectorAll('#chart text')].map((text) => text.getBoundingClientRect().height))"
    )
    assert smallest > 9


def test_the_keyboard_reaches_everything(shared: Served, visit: Callable[..., Page]) -> None:
    page = shown(visit(shared))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the windows"
    page.keyboard.press("Tab")
    before = page.evaluate("document.activeElement.value")
    assert page.evaluate("getComputedStyle(document.activeElement.parentElement).outlineStyle") == "solid"
    page.keyboard.press("ArrowRight")
    after = page.evaluate("document.querySelector('#choice :checked').value")
    assert before != after
    label = page.evaluate("document.querySelector('#choice :checked').parentElement.textContent")
    expect(page.locator("#chart svg[role=img]")).to_have_attribute("aria-label", re.compile(re.escape(label)))
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.locator("#numbers table").is_visible()
    assert page.locator("#numbers th[scope=col]").count() == 3


def test_a_screen_reader_hears_what_the_eye_sees(shared: Served, visit: Callable[..., Page]) -> None:
    page = shown(visit(shared))
    expect(page.locator("#connection")).to_have_text("Live")
    tree = page.locator("body").aria_snapshot()
    for heard in ('heading "Windows"', 'meter "Session (5h) used"', 'radio "Session (5h)"', "status: Live", 'img "'):
        assert heard in tree, tree
    assert re.search(r'img ".*: \d+% used; .*resets ', tree)


def test_motion_is_reduced_on_request(shared: Served, visit: Callable[..., Page]) -> None:
    page = shown(visit(shared, reduced_motion="reduce"))
    assert page.evaluate("getComputedStyle(document.querySelector('.gauge div')).transitionDuration") == "0s"


def test_an_idle_page_asks_for_nothing(shared: Served, visit: Callable[..., Page]) -> None:
    page = shown(visit(shared))
    expect(page.locator("#connection")).to_have_text("Live")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    # What came late on a busy machine is no poll: that would be seen every time.
    for _ in range(5):
        asked.clear()
        page.wait_for_timeout(4000)
        if not asked:
            break
    assert asked == []


def test_nine_windows_are_on_one_screen_of_a_phone(known: dict[str, str], visit: Callable[..., Page]) -> None:
    cache = ProfileCache(known)
    reading = cache.load_reading()
    assert reading is not None
    week = next(window for window in reading.windows if window.id == "seven_day")
    models = [
        week.replace(id=f"seven_day_model_{number}", label=f"Week (Model {number})", kind="model")
        for number in range(9 - len(reading.windows))
    ]
    cache.save_reading(reading.replace(windows=(*reading.windows, *models)))
    with serving(known) as served:
        page = shown(visit(served, viewport={"width": 390, "height": 844}))
        rows = page.locator(".row:has([role=meter])")
        assert rows.count() >= 9
        box = rows.nth(8).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 844
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_its_words_and_colours_are_those_of_the_terminal(shared: Served, visit: Callable[..., Page]) -> None:
    page = shown(visit(shared, timezone_id="UTC"))
    now = datetime(2026, 11, 27, 15, 21, tzinfo=UTC)
    moments = [now + timedelta(minutes=minutes) for minutes in (0, 27, 600, 1500, 4000, 9000, 20000)]
    for moment in moments:
        left = moment - now
        arguments = [moment.timestamp() * 1000, now.timestamp() * 1000, left.total_seconds()]
        clocks = "([at, now]) => [clock(new Date(at), new Date(now)), forecastClock(new Date(at), new Date(now))]"
        assert page.evaluate(clocks, arguments) == [
            words.format_clock(moment, now, UTC),
            words.format_forecast_clock(moment, now, UTC),
        ]
        assert page.evaluate("([, , left]) => [countdown(left), age(left)]", arguments) == [
            words.format_countdown(left),
            words.format_ago(left),
        ]
    for used in (0.0, 36.6, 99.99, 104.0):
        assert page.evaluate("percent", used) == words.format_percent(used)
    for amount in (
        Money(amount_minor=-1234, currency="EUR", exponent=2),
        Money(amount_minor=5, currency="USD", exponent=2),
    ):
        assert page.evaluate("money", vars(amount)) == words.format_money(amount)
    for background, colours in COLOURS.items():
        page.emulate_media(color_scheme=background)
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == rgb(colours["background"])
        assert page.evaluate("getComputedStyle(document.querySelector('.row.normal .used')).color") == rgb(
            colours["normal"]
        )


def rgb(colour: str) -> str:
    return f"rgb({', '.join(str(part) for part in bytes.fromhex(colour[1:]))})"


@pytest.mark.parametrize(
    ("ahead", "forecast"),
    [
        (300, {"projected_percent": 61.2}),
        (300, {"projected_percent": 90.0, "exhausts_earliest": 200}),
        (300, {"projected_percent": 120.0, "exhausts_at": 100, "exhausts_earliest": 90, "exhausts_latest": 150}),
        (9000, {"projected_percent": 120.0, "exhausts_at": 5000, "exhausts_earliest": 4000, "exhausts_latest": 6000}),
        (300, {"projected_percent": 101.0, "exhausts_at": 299, "exhausts_earliest": 250}),
        (300, {"projected_percent": 101.0, "exhausts_at": -5, "exhausts_earliest": -5, "exhausts_latest": 1}),
        (27, None),
    ],
)
def test_a_sentence_is_the_terminals(
    shared: Served, visit: Callable[..., Page], ahead: int, forecast: dict[str, float] | None
) -> None:
    now = datetime.now(UTC).replace(microsecond=0)

    def moment(minutes: float) -> datetime:
        return now + timedelta(minutes=minutes)

    stated = window("seven_day", 100.0 if forecast is None else 60.0, as_of=now, resets_at=moment(ahead))
    expected: dict[str, Any] = {
        name: value if name == "projected_percent" else moment(value) for name, value in (forecast or {}).items()
    }
    known = pace.Forecast(ratio=1.0, **expected) if expected else None
    document = contract.build_document(
        reading(stated, as_of=now), Schedule(), Thresholds(), now, {stated.id: known} if known else {}
    )
    page = shown(visit(shared, timezone_id="UTC"))
    for brief in (True, False):
        said = page.evaluate(
            "([window, now, brief]) => { heard = performance.now(); return outlook(window, new Date(now), brief); }",
            [json.loads(contract.encode(document))["windows"][0], now.timestamp() * 1000, brief],
        )
        told = words.describe_outlook(stated, known, now, UTC, brief=brief)
        assert said == {"text": told.text, "warns": told.warns}


def test_the_icon_fills(shared: Served, visit: Callable[..., Page]) -> None:
    page = shown(visit(shared))
    binding = max(window["used_percent"] for window in shared.ask("/v1/usage", shared.token()).json["windows"])
    icon = unquote(page.locator("link[rel=icon]").get_attribute("href") or "")
    heights = [float(height) for height in re.findall(r'height="([\d.]+)"', icon)]
    assert heights[-1] == pytest.approx(48 * min(binding, 100) / 100)


def test_a_line_breaks_at_a_reset_and_a_session_is_a_strip(known: dict[str, str], visit: Callable[..., Page]) -> None:
    cache = ProfileCache(known)
    reading = cache.load_reading()
    assert reading is not None
    earlier = []
    for stated in reading.windows:
        assert stated.resets_at is not None
        whole = timedelta(hours=5) if stated.id == "five_hour" else timedelta(days=7)
        reset = stated.resets_at - whole
        earlier += [
            stated.replace(as_of=reset - timedelta(hours=hours), resets_at=reset, used_percent=90.0 - hours)
            for hours in (3, 2, 1)
        ]
    path = overview.locate_history(cache.environ)
    history.record(path, overview.name_owner(cache, reading), earlier, datetime.now(UTC))
    with serving(known) as served:
        page = shown(visit(served))
        week = page.locator("#past figure", has_text="Week (all models)")
        week.locator("svg[role=img]").wait_for()
        lines = [line.get_attribute("points") or "" for line in week.locator(".course").all()]
        # From 89 % down to what this week stands at there is no line.
        assert len(lines) == 2
        assert week.locator(".reset").count() == 1
        newest = "hours([{at: 7 * DAY + 400, used_percent: 5, resets: null}], 0, 7 * DAY, 500)"
        assert page.evaluate(f"{newest}.filter(part => part.getAttribute('class') === 'hour').length") == 1
        strip = page.locator("#past figure.strip")
        opacities = [cell.get_attribute("fill-opacity") for cell in strip.locator("rect.hour").all()]
        # As strong as it was full: 12 % where it is empty, and 89 % of the rest.
        assert len(opacities) >= 4
        assert "0.90" in opacities
        assert strip.locator(".course").count() == 0
        assert strip.locator(".peak").count() >= 7
