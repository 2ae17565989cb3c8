"""The page in a real Chromium: what it shows, that it stays true, and that everybody can use it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from bench.monitoring import free_port
from tests.support.browser import axe, chromium, patient
from tests.support.serving import Served, serving
from tests.support.tools import ullage
from ullage.serve import page as the_page
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
    for window in windows:
        meter = page.get_by_role("meter", name=f"{window['label']} used", exact=True)
        assert meter.get_attribute("aria-valuetext") == f"{int(window['used_percent'])}% used"
    assert page.get_by_role("article").count() == len(windows) + 1
    assert "Read " in page.inner_text("#source")
    assert "from oauth" in page.inner_text("#source")
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
    page.get_by_text("104% ×").wait_for()
    assert page.locator(".card.exhausted").count() == 2
    assert page.get_by_role("meter").first.get_attribute("aria-valuenow") == "100"


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
    with serving(known, "--port", port):
        page.get_by_text("The session has ended").wait_for(timeout=180_000)
        assert page.locator("#known").is_hidden()


def test_a_revoked_browser_is_shown_out(served: Served, visit: Callable[..., Page]) -> None:
    page = shown(visit(served))
    (line,) = ullage("serve", "token", "list", environ=served.environ).stdout.splitlines()
    assert ullage("serve", "token", "revoke", line.split()[0], environ=served.environ).returncode == 0
    page.get_by_text("The session has ended").wait_for()
    assert page.locator("#windows").is_hidden()


def test_nothing_known_and_a_problem_are_said(environ: dict[str, str], visit: Callable[..., Page]) -> None:
    ullage("refresh", environ=environ)
    with serving(environ) as served:
        page = visit(served)
        page.get_by_text("Nothing is known yet.").wait_for()
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
    assert re.search(r'img ".*: \d+% used\. ', tree)


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
