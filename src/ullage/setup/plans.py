"""`ullage setup`: what it would change in the file of a host, and whether that has the lines already.

`hosts` knows the files and lines, `blocks` the marks around our lines, `userfile` how a file of the user's is replaced.
"""

from __future__ import annotations

import os
import re
import sys

from ullage.base.errors import UsageError
from ullage.base.record import Record
from ullage.setup import blocks, frameworks, loading, userfile
from ullage.setup.hosts import Host, list_shapes
from ullage.system import programs
from ullage.system.files import read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    from ullage.setup.blocks import Found
    from ullage.setup.userfile import Change, UserFile


class Standing(Record):
    """Whether a file shows the segment: by our block, a line of the user's own, a broken block, or not."""

    how: Literal["block", "edited", "by hand", "damaged", "none"]
    line: int | None = None


class Plan(Record):
    """What setup would do: a change, or words why there is none; `note` is what the user should know beside.

    `more` are changes of further files that belong to it.
    """

    change: Change | None
    words: str
    note: str = ""
    takes_back: bool = False
    more: tuple[Change, ...] = ()


def find_host_program(name: str, environ: Mapping[str, str]) -> str | None:
    """Return the full path of a host's program; None where it is not in PATH."""
    found = programs.find_program({"nushell": "nu"}.get(name, name), environ)
    if found is None and name == "pwsh" and sys.platform == "win32":
        found = programs.find_program("powershell", environ)
    return found


def find_standing(data: bytes | None, host: Host) -> Standing:
    """Say whether a file's bytes show the segment, and from which line on."""
    try:
        found = blocks.find(data or b"")
    except blocks.TornBlockError:
        return Standing(how="damaged")
    if found:
        return Standing(how="block" if _as_written(found, host) else "edited", line=found.line)
    for number, line in enumerate((data or b"").split(b"\n"), 1):
        text = line.decode(errors="replace")
        if not text.lstrip().startswith("#") and re.search(host.pattern, text):
            return Standing(how="by hand", line=number)
    return Standing(how="none")


def find_lost_file(data: bytes | None, host: Host, environ: Mapping[str, str]) -> str | None:
    """Return the file of ours that a block names by its path and that is gone: ullage was installed elsewhere since."""
    try:
        found = blocks.find(data or b"")
    except blocks.TornBlockError:
        return None
    written = _as_written(found, host) if found else None
    if written is None or "file" not in written.groupdict():
        return None
    path = loading.read_path(written["file"], host.name, environ)
    return None if os.path.exists(path) else path


def plan(host: Host) -> Plan:
    """Return what setting up would change; raise UsageError where it cannot be done safely."""
    file = userfile.read(host.path)
    found = find_block(file)
    if found:
        return _plan_anew(host, file, found)
    now = find_standing(file.data, host)
    at = host.path
    if now.how == "none" and host.beside:
        at, now = host.beside, find_standing(read_regular(host.beside), host)
    if now.how == "by hand":
        return Plan(change=None, words=f"Line {now.line} of {at} does this already; nothing to add.")
    crlf = host.name == "starship" and b"\r\n" in (file.data or b"")
    newline = b"\r\n" if crlf else b"\n"
    after = blocks.insert(file.data, host.name, os.fsencode(host.body), newline, before=host.before)
    note = _starship_note(host.path, file.data or b"", after) if host.name == "starship" else host.note
    change = userfile.plan_change(file, after)
    return Plan(change=change, words=host.afterwards, note=note, more=_second_changes(host))


def _plan_anew(host: Host, file: UserFile, found: Found) -> Plan:
    """Return how a block that is there becomes what this command writes now; what somebody has edited stays."""
    more = _second_changes(host)
    if not blocks.has_body(found, os.fsencode(host.body)):
        if _as_written(found, host) is None:
            return Plan(
                change=None,
                words=f"The block at line {found.line} of {host.path} is not as this command wrote it, and stays as it "
                "is. To have it written anew, take it out with --undo first.",
            )
        after = blocks.replace(file.data or b"", found, os.fsencode(host.body))
        note = f"The block at line {found.line} was written with other options, or by an ullage that was elsewhere."
        return Plan(change=userfile.plan_change(file, after), words=host.afterwards, note=note, more=more)
    if more:
        return Plan(change=more[0], words=host.afterwards, note=host.note, more=more[1:])
    return Plan(change=None, words=f"{host.path} is set up already (line {found.line}).")


def _second_changes(host: Host) -> tuple[Change, ...]:
    """Return the changes of further files, without those that have them already."""
    changes = []
    for path, body in host.more:
        file = userfile.read(path)
        if find_block(file) is None:
            changes.append(userfile.plan_change(file, blocks.insert(file.data, host.name, body.encode())))
    return tuple(changes)


def plan_undo(host: Host) -> Plan:
    """Return what taking the block out would change; what the user has written around it stays."""
    file = userfile.read(host.path)
    found = find_block(file)
    more = _second_undone(host)
    words = "What is open already keeps the segment until it is opened anew."
    if file.data is None or found is None:
        if more:
            return Plan(change=more[0], words=words, more=more[1:], takes_back=True)
        now = find_standing(file.data, host)
        own = f" Line {now.line} is not from this command; take it out by hand." if now.how == "by hand" else ""
        return Plan(change=None, words=f"{host.path} has no block of ullage: nothing to undo.{own}")
    ours = _as_written(found, host) is not None
    return Plan(
        change=userfile.plan_change(file, blocks.remove(file.data, found)),
        words=words,
        note="" if ours else "The block is not as ullage wrote it; what was changed in it goes with it.",
        takes_back=ours,
        more=more,
    )


def _second_undone(host: Host) -> tuple[Change, ...]:
    changes = []
    for path in frameworks.list_second_files(host.name, host.path):
        file = userfile.read(path)
        found = find_block(file)
        if file.data is not None and found is not None:
            changes.append(userfile.plan_change(file, blocks.remove(file.data, found)))
    return tuple(changes)


def find_block(file: UserFile, name: str | None = None) -> Found | None:
    """Return the block of ours in a file, or the one of this name; raise UsageError where its marks do not pair up."""
    data = file.data or b""
    try:
        return blocks.find(data) if name is None else blocks.find_named(data, name)
    except blocks.TornBlockError as error:
        raise UsageError(
            f"The marks of ullage in {file.path} do not pair up ({error}). Take them out by hand, with what stands "
            "between them, and run this again."
        ) from error


def _as_written(found: Found, host: Host) -> re.Match[str] | None:
    """Match a block's lines with what this command writes, for any options and paths."""
    body = "\n".join([*os.fsdecode(found.body).splitlines(), ""])
    return next(filter(None, (re.fullmatch(shape, body) for shape in list_shapes(host))), None)


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
