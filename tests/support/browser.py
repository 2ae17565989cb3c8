"""A real Chromium that a test drives, and the accessibility rules of axe-core."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from importlib import resources
from typing import TYPE_CHECKING

from playwright.sync_api import expect, sync_playwright

from tests.support.tools import need

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext

_PATIENCE_MILLISECONDS = 90_000.0
expect.set_options(timeout=_PATIENCE_MILLISECONDS)

# A machine without a network of its own should not be asked for one.
_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Start the system's Chromium without a window."""
    # Ubuntu has Chromium as a snap only, and the runners of GitHub have Chrome.
    program = shutil.which("chromium") or shutil.which("google-chrome") or need("chromium")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home, sync_playwright() as playwright:
        # It keeps what crashed beside the user's own settings, whatever its profile.
        elsewhere = {"HOME": home, "XDG_CONFIG_HOME": f"{home}/config", "XDG_CACHE_HOME": f"{home}/cache"}
        browser = playwright.chromium.launch(
            executable_path=program,
            args=list(_QUIET),
            timeout=_PATIENCE_MILLISECONDS,
            env={**os.environ, **elsewhere},
        )
        yield browser
        browser.close()


def patient(context: BrowserContext) -> BrowserContext:
    """Grant a busy machine its time for whatever is awaited in a context."""
    context.set_default_timeout(_PATIENCE_MILLISECONDS)
    return context


def axe() -> str:
    """Return the script of axe-core, which checks a page against the rules of accessibility."""
    return resources.files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
