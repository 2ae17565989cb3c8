"""Assemble the page for people: one response with its style and script inline, which loads nothing else."""

from __future__ import annotations

import base64
import functools
import hashlib
from importlib import resources


@functools.cache
def assemble_page() -> tuple[bytes, str]:
    """Return the page, and the Content-Security-Policy that allows only its own style and script, by their hashes."""
    frame, style, script = (_read(name) for name in ("page.html", "page.css", "page.js"))
    shown = frame.replace("/*style*/", style).replace("/*script*/", script)
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    return shown.encode(), policy


def _read(name: str) -> str:
    return resources.files(__name__).joinpath(name).read_text("utf-8")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
