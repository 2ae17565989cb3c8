"""Text that people paste into issues: without secrets, names and addresses. Pure."""

from __future__ import annotations

import re

from ullage.base.text import make_visible
from ullage.system.secret import KEY_SHAPES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

_SECRET_NAMES = re.compile(r"TOKEN|KEY|SECRET|PASS|COOKIE|CREDENTIAL|AUTH", re.IGNORECASE)
_SHORTEST_SECRET = 6
_LONGEST = 4096
_SHAPES = (
    (re.compile(r"(?<=://)[^/@\s]+@"), "<user>@"),
    *((re.compile(shape, re.IGNORECASE), instead) for shape, instead in KEY_SHAPES),
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "<e-mail>"),
    (re.compile(r"\b[0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}\b", re.IGNORECASE), "<id>"),
    (re.compile(r"\b[0-9a-f]{32,}\b", re.IGNORECASE), "<id>"),
)


def redact(document: Any, environ: Mapping[str, str], ids: Iterable[str | None] = ()) -> Any:
    """Return the same lists, tables and texts without anything that identifies a person or opens an account.

    That is: what variables of this environment with names such as TOKEN or KEY hold, the ids given, the home
    directory, and everything that has the shape of a key, a token, an id or an e-mail address. Characters that do not
    print become visible.
    """
    secrets = [value for name, value in environ.items() if _SECRET_NAMES.search(name)]
    known = {text: "<secret>" for text in (*secrets, *ids) if text and len(text) >= _SHORTEST_SECRET}
    home = environ.get("HOME", "").rstrip("/")
    return _each(document, sorted(known, key=len, reverse=True), home)


def _each(value: Any, known: list[str], home: str) -> Any:
    if isinstance(value, dict):
        return {key: _each(item, known, home) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_each(item, known, home) for item in value]
    return _text(value, known, home) if isinstance(value, str) else value


def _text(text: str, known: list[str], home: str) -> str:
    for secret in known:
        text = text.replace(secret, "<secret>")
    # A longer run is not language, and the search for addresses would begin anew at each of its characters.
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    for shape, instead in _SHAPES:
        text = shape.sub(instead, text)
    if home:
        # A profile's cache repeats the profile's whole path, so the home may stand in the middle of one.
        text = re.sub(rf"(\w?){re.escape(home)}(?=[^\w.-]|$)", lambda found: f"{found[1]}/~" if found[1] else "~", text)
    return make_visible(text)
