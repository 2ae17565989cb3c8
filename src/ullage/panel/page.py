"""Open the provider's own usage page in the user's browser, which inherits no key and no descriptor of ours."""

from __future__ import annotations

import os
import sys

from ullage import config
from ullage.panel import USAGE_PAGE
from ullage.system import detach, programs, secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_OPENERS = {"darwin": "open", "linux": "xdg-open"}


def open_usage_page(environ: Mapping[str, str], platform: str = sys.platform) -> bool:
    """Start the system's opener and return at once; False where no opener is installed."""
    if platform == "win32":
        getattr(os, "startfile")(USAGE_PAGE)  # noqa: B009  # there on Windows alone
        return True
    opener = programs.find_program(_OPENERS.get(platform, "xdg-open"), environ)
    if opener is None:
        return False
    # A bar reads our output until it is closed, so the browser must not inherit our descriptors.
    detach.start_program([opener, USAGE_PAGE], secret.withhold_keys(environ, config.load(environ)[0].key_variables))
    return True
