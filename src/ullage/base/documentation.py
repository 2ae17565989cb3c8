"""The pages of documentation that come with the package: docs/ of the sources, `ullage/docs` of a wheel."""

from __future__ import annotations

import os

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def find_page(name: str, package: str = _PACKAGE) -> str:
    """Return the path of a page that a message refers to: in the package, or beside the sources in a checkout."""
    installed = os.path.join(package, "docs", f"{name}.md")
    checkout = os.path.normpath(os.path.join(package, "..", "..", "docs", f"{name}.md"))
    return checkout if os.path.exists(checkout) and not os.path.exists(installed) else installed
