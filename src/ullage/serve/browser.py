"""Open the page in the user's browser, with no secret on any command line."""

from __future__ import annotations

import html
import os
import pathlib
import webbrowser

from ullage.files import write_atomically


def open_page(base: str, link: str, directory: str) -> bool:
    """Open the page by a private file that leads to the link: an argument list can be read by every user.

    The link works once, so that what stays in the file opens nothing. Returns whether a browser could be started.
    """
    path = os.path.join(directory, "open.html")
    target = html.escape(link)
    page = (
        '<!doctype html><meta charset="utf-8"><title>ullage</title>'
        f'<meta http-equiv="refresh" content="0;url={target}">'
        f'<a href="{target}">ullage at {html.escape(base)}</a>'
    )
    write_atomically(path, page.encode())
    return webbrowser.open(pathlib.Path(path).as_uri())
