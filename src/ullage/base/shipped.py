"""The files that come with the package: below it in a wheel, beside the sources in a checkout."""

from __future__ import annotations

import os

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def locate(*path: str, package: str = _PACKAGE) -> str:
    """Return the path of a file or directory that comes with the package, such as `shell`, `ullage.bash`."""
    installed = os.path.join(package, *path)
    checkout = os.path.normpath(os.path.join(package, "..", "..", *path))
    return checkout if os.path.exists(checkout) and not os.path.exists(installed) else installed


def find_page(name: str) -> str:
    """Return the path of a page of documentation that a message refers to."""
    return locate("docs", f"{name}.md")
