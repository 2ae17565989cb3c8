"""A file of ours alone, by which something else starts ullage: written whole, and removed.

A comment in it holds a checksum of the rest, so that a file of somebody else's is never replaced, and one that was
changed since is never lost.
"""

from __future__ import annotations

import hashlib
import re

from ullage.base.errors import UsageError
from ullage.base.text import quote
from ullage.setup import userfile
from ullage.setup.plans import Plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# What says where things lie; never what could be a secret, nor a proxy that holds one.
_KEPT = ("PATH", "CLAUDE_CONFIG_DIR", "ULLAGE_CONFIG", "ULLAGE_CACHE_DIR", "ULLAGE_STATE_DIR", "XDG_CACHE_HOME")
_MARK = re.compile(rb"(?:# |<!-- )Written by `ullage setup [a-z]+`; checksum ([0-9a-f]{64})(?: -->)?\n")


def plan(path: str, wanted: bytes, words: str, note: str = "") -> Plan:
    """Return what writing the file would change; raise UsageError where it cannot be done safely."""
    file = userfile.read(path)
    if file.data == wanted:
        return Plan(change=None, words=f"{file.path} is set up already.")
    if file.data is not None and not _is_as_written(file.data):
        raise UsageError(
            f"{file.path} is there already, and is not as this command wrote it. It stays as it is; move it away first."
        )
    return Plan(change=userfile.plan_change(file, wanted), words=words, note=note, takes_back=True)


def plan_undo(path: str, words: str) -> Plan:
    """Return what removing the file would change."""
    file = userfile.read(path)
    if file.data is None or _MARK.search(file.data) is None:
        why = "is not there" if file.data is None else "is not from this command"
        return Plan(change=None, words=f"{file.path} {why}: nothing to undo.")
    ours = _is_as_written(file.data)
    return Plan(
        change=userfile.plan_change(file, None),
        words=words,
        note="" if ours else "The file is not as ullage wrote it; a copy is kept.",
        takes_back=ours,
    )


def sign(body: bytes, host: str) -> bytes:
    """Return the body with our mark as its first line, or as its second in XML, where the first says that it is XML."""
    mark = f"Written by `ullage setup {host}`; checksum {hashlib.sha256(body).hexdigest()}"
    if not body.startswith(b"<?xml"):
        return f"# {mark}\n".encode() + body
    first, _, rest = body.partition(b"\n")
    return first + f"\n<!-- {mark} -->\n".encode() + rest


def _is_as_written(data: bytes) -> bool:
    found = _MARK.search(data)
    rest = data[: found.start()] + data[found.end() :] if found else b""
    return found is not None and hashlib.sha256(rest).hexdigest().encode() == found[1]


def list_kept(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that say where things lie, which a session begun elsewhere may not have.

    Raises UsageError where one holds what no quoting helps.
    """
    return {name: check_printable(environ[name]) for name in _KEPT if environ.get(name)}


def check_printable(text: str) -> str:
    """Return the text; raise UsageError where it holds what no quoting helps."""
    if not text.isprintable():
        raise UsageError(f"{quote(text)} cannot stand in such a file. Choose paths without control characters.")
    return text
