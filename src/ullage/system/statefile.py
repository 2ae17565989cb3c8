"""State files that no prompt, status line or hook reads: decoded by msgspec into typed values, or not at all.

What those read is decoded by `quota.serial` and `base.jsontext`, since msgspec takes longer to import than they to run.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self, TypeVar

import msgspec
from msgspec import Meta, Struct

Moment = Annotated[datetime, Meta(tz=True)]
Decoded = TypeVar("Decoded")


class Kept(Struct, frozen=True):
    """The base of what a state file holds."""

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed."""
        return msgspec.structs.replace(self, **changes)


def decode(data: bytes | None, kind: type[Decoded]) -> Decoded | None:
    """Return what a state file holds; None where there is none, or where it holds anything else."""
    try:
        return msgspec.json.decode(data or b"", type=kind)
    except (msgspec.MsgspecError, RecursionError):
        return None


def encode(value: Kept) -> bytes:
    """Return the bytes of a state file."""
    return msgspec.json.encode(value) + b"\n"
