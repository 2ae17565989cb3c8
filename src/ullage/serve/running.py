"""Record the address of this user's running server, in a file beside the access tokens."""

from __future__ import annotations

import contextlib
import json
import os

from ullage.system.files import read_regular, write_atomically

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = "serving.json"


@contextlib.contextmanager
def announce(directory: str, base: str) -> Iterator[None]:
    """Write the address `base` of this process's server into the directory, until the block ends."""
    path = os.path.join(directory, _NAME)
    written = json.dumps({"base": base, "process": os.getpid()}).encode() + b"\n"
    write_atomically(path, written)
    try:
        yield
    finally:
        # Another server may have overwritten the file since.
        if read_regular(path) == written:
            with contextlib.suppress(OSError):
                os.unlink(path)


def find_base(directory: str) -> str | None:
    """Return the address of this user's running server; None where none runs."""
    try:
        document = json.loads(read_regular(os.path.join(directory, _NAME), own=True) or b"")
        base, process = document["base"], document["process"]
        if os.name == "posix":
            os.kill(process, 0)
    except (ValueError, TypeError, KeyError, OSError):
        return None
    return base if isinstance(base, str) else None
