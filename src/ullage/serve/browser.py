"""Open the page in the user's browser, with no secret on any command line."""

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
    """Open the page by a private file that leads to the link: an argument list can be read by every user.

    The link works once, so that what stays in the file opens nothing. `named` are the variables that hold keys. Returns
    whether a browser could be started.
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
    """Hand a browser, which inherits our environment, nothing that opens an account."""
    before = dict(os.environ)
    for name in before.keys() - secret.withhold_keys(before, named).keys():
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(before)
