"""Open the provider's own usage page in the person's browser, with nothing of ours handed on."""

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
    """Start the system's opener and return at once; False where there is none."""
    if platform == "win32":
        getattr(os, "startfile")(USAGE_PAGE)  # noqa: B009  # there on Windows alone
        return True
    opener = programs.find_program(_OPENERS.get(platform, "xdg-open"), environ)
    if opener is None:
        return False
    # A bar reads what we print: the browser must hold none of our descriptors.
    detach.start_program([opener, USAGE_PAGE], secret.withhold_keys(environ, config.load(environ)[0].key_variables))
    return True
