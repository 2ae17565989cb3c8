"""`ullage setup`: what it would change in the file of a host, and whether that has the lines already.

`hosts` knows the files and lines, `blocks` the marks around our lines, `userfile` how a file of the user's is replaced.
"""

from __future__ import annotations

import os
import re

from ullage.base.errors import UsageError
from ullage.base.record import Record
from ullage.setup import blocks, userfile
from ullage.setup.hosts import (
    FEEDS_STARSHIP,
    HOSTS,
    NUSHELL_FILE,
    STARSHIP_CUSTOM,
    STARSHIP_ENV_VAR,
    TMUX_PULL,
    TMUX_PUSH,
    Host,
    home,
    host,
    variants,
)
from ullage.setup.userfile import Change
from ullage.system.files import read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    from ullage.setup.blocks import Found
    from ullage.setup.userfile import UserFile

__all__ = [
    "FEEDS_STARSHIP",
    "HOSTS",
    "STARSHIP_CUSTOM",
    "STARSHIP_ENV_VAR",
    "TMUX_PULL",
    "TMUX_PUSH",
    "Host",
    "Plan",
    "Standing",
    "home",
    "host",
    "lost_file",
    "plan",
    "plan_undo",
    "standing",
]


class Standing(Record):
    """Whether a file shows the segment: by our block, a line of the user's own, a broken block, or not."""

    how: Literal["block", "edited", "by hand", "damaged", "none"]
    line: int | None = None


class Plan(Record):
    """What setup would do: a change, or words why there is none; `note` is what the user should know beside."""

    change: Change | None
    words: str
    note: str = ""
    takes_back: bool = False


def standing(data: bytes | None, host: Host) -> Standing:
    """Say whether a file's bytes show the segment, and from which line on."""
    try:
        found = blocks.find(data or b"")
    except blocks.DamagedError:
        return Standing(how="damaged")
    if found:
        return Standing(how="block" if _is_as_written(found, host) else "edited", line=found.line)
    for number, line in enumerate((data or b"").split(b"\n"), 1):
        text = line.decode(errors="replace")
        if not text.lstrip().startswith("#") and re.search(host.pattern, text):
            return Standing(how="by hand", line=number)
    return Standing(how="none")


def lost_file(data: bytes | None) -> str | None:
    """Return the file of ours that a block names by its path and that is gone: ullage was installed elsewhere since."""
    try:
        found = blocks.find(data or b"")
    except blocks.DamagedError:
        return None
    named = re.search(NUSHELL_FILE, found.body.decode(errors="replace")) if found else None
    path = re.sub(r"\\(.)", r"\1", named[1]) if named else None
    return path if path and not os.path.exists(path) else None


def plan(host: Host) -> Plan:
    """Return what setting up would change; raise UsageError where it cannot be done safely."""
    file = userfile.read(host.path)
    found = _block(file)
    if found:
        return Plan(change=None, words=_words_of_block(found, host))
    now = standing(file.data, host)
    at = host.path
    if now.how == "none" and host.beside:
        at, now = host.beside, standing(read_regular(host.beside), host)
    if now.how == "by hand":
        return Plan(change=None, words=f"Line {now.line} of {at} does this already; nothing to add.")
    crlf = host.name == "starship" and b"\r\n" in (file.data or b"")
    after = blocks.insert(file.data, host.name, host.body.encode(), b"\r\n" if crlf else b"\n")
    note = _starship_note(host.path, file.data or b"", after) if host.name == "starship" else ""
    return Plan(change=Change(file=file, after=after), words=host.afterwards, note=note)


def _words_of_block(found: Found, host: Host) -> str:
    if blocks.has_body(found, host.body.encode()):
        return f"{host.path} is set up already (line {found.line})."
    what = "written with other options" if _is_as_written(found, host) else "not as this command wrote it"
    return (
        f"The block at line {found.line} of {host.path} is {what}, and stays as it is. To have it written anew, take "
        "it out with --undo first."
    )


def plan_undo(host: Host) -> Plan:
    """Return what taking the block out would change; what the user has written around it stays."""
    file = userfile.read(host.path)
    found = _block(file)
    if file.data is None or found is None:
        now = standing(file.data, host)
        own = f" Line {now.line} is not from this command; take it out by hand." if now.how == "by hand" else ""
        return Plan(change=None, words=f"{host.path} has no block of ullage: nothing to undo.{own}")
    ours = _is_as_written(found, host)
    return Plan(
        change=Change(file=file, after=blocks.remove(file.data, found)),
        words="What is open already keeps the segment until it is opened anew.",
        note="" if ours else "The block is not as ullage wrote it; what was changed in it goes with it.",
        takes_back=ours,
    )


def _block(file: UserFile) -> Found | None:
    try:
        return blocks.find(file.data or b"")
    except blocks.DamagedError as error:
        raise UsageError(
            f"The marks of ullage's block in {file.path} do not pair up ({error}). Take them out by hand, with what "
            "stands between them, and run this again."
        ) from error


def _is_as_written(found: Found, host: Host) -> bool:
    return any(blocks.has_body(found, variant.body.encode()) for variant in variants(host))


def _starship_note(path: str, before: bytes, after: bytes) -> str:
    """Check both as TOML; say so where a format of the user's own leaves the module out."""
    import tomllib

    try:
        top = tomllib.loads(before.decode())
        tomllib.loads(after.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(
            f"{path} would not be valid TOML ({error}). Put it right, or add the lines by hand."
        ) from error
    shown = f"{top.get('format', '$all')}{top.get('right_format', '')}"
    kind, name = ("custom", "ullage") if b"[custom.ullage]" in after else ("env_var", "ULLAGE_SEGMENT")
    if re.search(rf"\$(all\b|{kind}\b|\{{{kind}(\.{name})?\}})", shown):
        return ""
    return f"The `format` in {path} names its modules; add ${{{kind}.{name}}} to it where the segment should be."
