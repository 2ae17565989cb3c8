"""Record the address of this user's running server, in a file beside the access tokens."""

from __future__ import annotations

import contextlib
import os

from ullage.system import statefile
from ullage.system.files import read_regular, remove_file, write_atomically
from ullage.system.statefile import Kept

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = "serving.json"


class _Serving(Kept, frozen=True):
    base: str
    process: int


@contextlib.contextmanager
def announce(directory: str, base: str) -> Iterator[None]:
    """Write the address `base` of this process's server into the directory, until the block ends."""
    path = os.path.join(directory, _NAME)
    written = statefile.encode(_Serving(base=base, process=os.getpid()))
    write_atomically(path, written)
    try:
        yield
    finally:
        # Another server may have overwritten the file since.
        if read_regular(path) == written:
            remove_file(path)


def find_base(directory: str) -> str | None:
    """Return the address of this user's running server; None where none runs."""
    found = statefile.decode(read_regular(os.path.join(directory, _NAME), own=True), _Serving)
    if found is None:
        return None
    try:
        if os.name == "posix":
            os.kill(found.process, 0)
    except OSError:
        return None
    return found.base
