"""Where a server of this user's is reached, for as long as it runs: a file beside the tokens says so."""

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
    """Say in the tokens' directory where this process serves, until the block ends."""
    path = os.path.join(directory, _NAME)
    said = json.dumps({"base": base, "process": os.getpid()}).encode() + b"\n"
    write_atomically(path, said)
    try:
        yield
    finally:
        # Another server may have said where it is since.
        if read_regular(path) == said:
            with contextlib.suppress(OSError):
                os.unlink(path)


def find_base(directory: str) -> str | None:
    """Return the address at which a server of this user's is reached; None where none runs."""
    try:
        said = json.loads(read_regular(os.path.join(directory, _NAME), own=True) or b"")
        base, process = said["base"], said["process"]
        if os.name == "posix":
            os.kill(process, 0)
    except (ValueError, TypeError, KeyError, OSError):
        return None
    return base if isinstance(base, str) else None
