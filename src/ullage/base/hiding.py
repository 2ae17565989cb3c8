"""Hide a module from an import that is faster without it."""

from __future__ import annotations

import sys

from ullage.base.contexts import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


@contextmanager
def hide_module(name: str) -> Iterator[None]:
    """Let imports find no module of this name, unless it has been imported already."""
    if name in sys.modules:
        yield
        return
    modules: dict[str, Any] = sys.modules
    modules[name] = None
    try:
        yield
    finally:
        del modules[name]
