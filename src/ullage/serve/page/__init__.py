"""Assemble the page for people: one response with its style and script inline, which loads nothing else."""

from __future__ import annotations

import base64
import calendar
import functools
import hashlib
import json
from importlib import resources

from ullage.config.palette import COLOURS
from ullage.render import words

# What the script fills in: the words of every surface, so that it has none of its own for them.
_NAMES = (
    *("nothing", "used_up", "has_reset", "not_started", "no_reset_time", "unknown", "states", "forms", "at"),
    *("back", "resets", "read", "ago", "just_now", "next_reading", "reading_due", "verdicts", "at_the_reset"),
    *("early", "before_the_reset", "about_to_run_out", "so_far", "parts_of_day", "spent", "spent_unlimited"),
    *("reasons", "used", "unseen", "just_lasts", "expected"),
)
WORDS = {
    **{name: getattr(words, name.upper()) for name in _NAMES},
    "reset_mark": words.choose_reset_mark(ascii_only=False),
    "days": [*calendar.day_abbr],
    "months": [*calendar.month_abbr][1:],
}
# Those of the icon, whose tile is dark wherever it is seen.
_ICON_COLOURS = {name: COLOURS["dark"][name] for name in ("normal", "warning", "critical", "exhausted")}


@functools.cache
def assemble_page() -> tuple[bytes, str]:
    """Return the page, and the Content-Security-Policy that allows only its own style and script, by their hashes."""
    frame = _read("page.html")
    style = _read("page.css").replace("/*colours*/", _describe_colours())
    script = _read("page.js").replace("{/*words*/}", _literal(WORDS)).replace("{/*colours*/}", _literal(_ICON_COLOURS))
    shown = frame.replace("/*style*/", style).replace("/*script*/", script)
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    return shown.encode(), policy


def _describe_colours() -> str:
    """Return the palette as variables: light, and dark where the browser prefers that."""
    light, dark = (
        " ".join(f"--{role}: {colour};" for role, colour in COLOURS[background].items())
        for background in ("light", "dark")
    )
    return f":root {{ {light} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}"


def _literal(value: object) -> str:
    """Return a value as JavaScript that holds nothing which could end a script element."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


def _read(name: str) -> str:
    return resources.files(__name__).joinpath(name).read_text("utf-8")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
