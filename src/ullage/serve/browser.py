"""Open the server's page in the user's browser, with no secret on any command line."""

from __future__ import annotations

import contextlib
import html
import os
import pathlib
import webbrowser

from ullage.system import secret
from ullage.system.files import write_atomically

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def open_page(base: str, link: str, directory: str, named: Iterable[str]) -> bool:
    """Open the page by a private file that redirects to the link: every user can read a command line.

    The link works once, so the file that stays opens nothing. `named` are the environment variables that hold keys.
    Returns whether a browser could be started.
    """
    path = os.path.join(directory, "open.html")
    target = html.escape(link)
    page = (
        '<!doctype html><meta charset="utf-8"><title>ullage</title>'
        f'<meta http-equiv="refresh" content="0;url={target}">'
        f'<a href="{target}">ullage at {html.escape(base)}</a>'
    )
    write_atomically(path, page.encode())
    with _without_keys(named):
        return webbrowser.open(pathlib.Path(path).as_uri())


@contextlib.contextmanager
def _without_keys(named: Iterable[str]) -> Iterator[None]:
    """Take the variables that hold keys out of our environment, which a browser inherits, while the block runs."""
    before = dict(os.environ)
    for name in before.keys() - secret.withhold_keys(before, named).keys():
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(before)
