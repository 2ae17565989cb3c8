"""Put the profile that --profile names in effect."""

from __future__ import annotations

import os

from ullage.base.text import clean
from ullage.system import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping


def choose(profile: str | None, environ: MutableMapping[str, str]) -> str | None:
    """Put a profile in effect; return what is wrong with it, in words, or None."""
    if profile == "":
        return "it is empty. Name a directory, or `default`."
    places.choose_profile(profile, environ)
    directory = environ.get("CLAUDE_CONFIG_DIR")
    if profile is None or not directory or os.path.isdir(directory):
        return None
    # A directory that was deleted since may still have a cache to show.
    if os.path.isdir(places.locate_profile(environ)):
        return None
    return f"there is no directory {clean(directory)}. Name one that is there, or `default`."
