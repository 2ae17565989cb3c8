"""BLAKE2 without hashlib, which loads OpenSSL as well: 4 ms and 1 MB for what Python itself has."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hashlib import blake2b
else:
    try:
        from _blake2 import blake2b
    except ImportError:
        # A Python that keeps it elsewhere.
        from hashlib import blake2b

__all__ = ["blake2b"]
