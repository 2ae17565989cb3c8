"""Programs by their names: never from the directory where the user happens to be, which may be anybody's."""

from __future__ import annotations

import os
import shutil

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def find(name: str, environ: Mapping[str, str], more: Iterable[str] = ()) -> str | None:
    """Return the full path of a program in PATH, or else in `more` directories; None where there is none.

    What PATH says of `.`, or of nothing between two colons, is passed over: a shell's user sees where they are, and
    what runs in passing does not look.
    """
    directories = [*(environ.get("PATH") or os.defpath).split(os.pathsep), *more]
    found = shutil.which(name, path=os.pathsep.join(filter(os.path.isabs, directories)) or os.devnull)
    return found if found is not None and os.path.isabs(found) else None
