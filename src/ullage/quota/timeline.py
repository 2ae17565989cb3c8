"""The timeline file: what a prompt shows, second by second, decided when it is written.

    ullage-timeline 1 <written_epoch> <refresh_after_epoch> <boot_centiseconds> <boot_id> <checkpoint_epoch> <checksum>
    <start_epoch> <level> <text to the end of the line>

    (the first is one line with: <seconds of a part> <number of the last part>, where the timeline has parts)

Starts ascend. A reader shows the text of the last frame whose start is not in the future, and starts a refresh when
`refresh_after` has passed or `written` lies in the future. It reads what it knows of the header and ignores the rest.

The checksum is that of the frames: a shell need not read past a header that it knows, and two readings within a second
would otherwise have the same one. Being derived, the file is not synced to the disk. Where a power cut has torn one, it
does not fit its checksum: a reader in Python takes it for none, and the next refresh replaces it.

The three fields before the checksum let `ullage-prompt` know the time without a process: the wall clock at boot in
hundredths of a second, to which it adds /proc/uptime while the boot id is the same. The uptime of a paused virtual
machine stands still, so the file's modification time is set to the checkpoint, the first second at which an old frame
would be wrong: a process that is newer than the file, by the wall clock, though the uptime says otherwise, asks `date`.
Where there is no such clock the fields are `-`.

dash reads a file byte by byte, so that the sixtieth frame takes it twice as long as all else. Of a timeline with many
frames there are parts beside, `<checksum>.<number>.frames`: that number of times so many seconds after `written` begins
each, with the frame that is in view then, and the last goes on to the end. A reader may take the part of now for the
timeline; where there is none, or nothing in it, the timeline has everything.

This module is imported by the prompt: bytes, integers and `os` only.
"""

from __future__ import annotations

import os

from ullage.base.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Literal

    from ullage.quota.model import Severity

    Level = Literal[Severity, "stale", "none"]

SURFACES = ("plain", "ansi", "bash", "zsh", "fish", "tmux", "starship")

# A person presses Enter before each of these prompts; the other surfaces redraw by themselves, watched or not.
ATTENDED = ("bash", "zsh", "fish", "starship")

_UNCOLOURED = "-plain"
_ASCII = "-ascii"

# Every surface has a timeline, and those with colours one without: escaped for the same surface, from its template.
# Each of these has one in ASCII.
_IN_UNICODE = (*SURFACES, *(surface + _UNCOLOURED for surface in SURFACES if surface != "plain"))
TIMELINES = (*(timeline + _ASCII for timeline in _IN_UNICODE), *_IN_UNICODE)

_MAGIC = b"ullage-timeline 1 "
# Which field of the header the checksum is.
_CHECKSUM = 7

# Below 2**32: the frames' bytes, as one number, leave a checksum behind without anything to import.
_LARGEST_PRIME = 4_294_967_291

# A timeline of so many frames or fewer has no parts.
_FEW_FRAMES = 12
_PART_SECONDS = 480
_LAST_PART = 8
_PART_SUFFIX = ".frames"

# A clock that steps back by less than this keeps the first frame in view.
LEAD_SECONDS = 60


def find_surface(timeline: str) -> str:
    """Return the surface whose escapes and template a timeline has."""
    return timeline.removesuffix(_ASCII).removesuffix(_UNCOLOURED)


def is_coloured(timeline: str) -> bool:
    """Say whether a timeline's text may hold colours."""
    return find_surface(timeline) != "plain" and not timeline.removesuffix(_ASCII).endswith(_UNCOLOURED)


def is_ascii(timeline: str) -> bool:
    """Say whether a timeline's text holds nothing but ASCII."""
    return timeline.endswith(_ASCII)


def name_ascii(timeline: str) -> str:
    """Return the timeline with the same text in ASCII."""
    return timeline + _ASCII


def choose_timeline(surface: str, environ: Mapping[str, str]) -> str:
    """Return the timeline to read for a surface: without colours where none are wanted, in ASCII without UTF-8."""
    uncoloured = environ.get("NO_COLOR") or environ.get("TERM") == "dumb"
    locale = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or ""
    timeline = surface + _UNCOLOURED if uncoloured and surface != "plain" else surface
    return timeline if os.name == "nt" or "utf8" in locale.lower().replace("utf-8", "utf8") else name_ascii(timeline)


class Frame(Record):
    """From `starts_at` (epoch seconds) on, `text` is what the surface shows."""

    starts_at: int
    level: Level
    text: str


class BootClock(Record):
    """The wall clock at boot, and which boot."""

    centiseconds: int
    boot_id: str


class Header(Record):
    """When the file was written, from when on a reader should start a refresh, and the file's date: epoch seconds."""

    written: int
    refresh_after: int
    checkpoint: int | None = None


def encode(
    frames: Iterable[Frame], *, written: int, refresh_after: int, checkpoint: int, clock: BootClock | None
) -> bytes:
    """Return the file's bytes; raise ValueError for a text that would break its lines."""
    lines, starts = [], []
    for frame in frames:
        if "\n" in frame.text or "\0" in frame.text:
            raise ValueError("a frame's text holds a newline or a NUL")
        lines.append(f"{frame.starts_at} {frame.level} {frame.text}\n")
        starts.append(frame.starts_at)
    body = "".join(lines).encode()
    boot = f"{clock.centiseconds} {clock.boot_id} {checkpoint}" if clock else "- - -"
    last = min(_LAST_PART, (starts[-1] - written) // _PART_SECONDS) if len(starts) > _FEW_FRAMES else 0
    parts = f" {_PART_SECONDS} {last}" if last > 0 else ""
    begin = f"ullage-timeline 1 {written} {refresh_after} {boot} ".encode()
    return begin + _checksum(body) + parts.encode() + b"\n" + body


def read_header(data: bytes) -> Header | None:
    """Return the header; None when this is no timeline of a version that we know, or a power cut has torn it."""
    first, newline, body = data.partition(b"\n")
    fields = first.split(b" ")
    if not newline or not data.startswith(_MAGIC) or len(fields) < 4:
        return None
    if len(fields) > _CHECKSUM and fields[_CHECKSUM] != _checksum(body):
        return None
    written, refresh_after = _epoch(fields[2]), _epoch(fields[3])
    if written is None or refresh_after is None:
        return None
    checkpoint = _epoch(fields[6]) if len(fields) > 6 else None
    return Header(written=written, refresh_after=refresh_after, checkpoint=checkpoint)


def cut(data: bytes) -> dict[str, bytes]:
    """Return the parts of a timeline by the names of their files; none for one of few frames."""
    first, _, body = data.partition(b"\n")
    fields = first.split(b" ")
    if read_header(data) is None or len(fields) <= _CHECKSUM + 2:
        return {}
    written, seconds, last = (int(fields[at]) for at in (2, _CHECKSUM + 1, _CHECKSUM + 2))
    lines = body.split(b"\n")[:-1]
    starts = [int(line.partition(b" ")[0]) for line in lines]
    parts = {}
    for number in range(1, last + 1):
        begins = written + number * seconds
        ends = begins + seconds
        shown = max((at for at, start in enumerate(starts) if start <= begins), default=0)
        held = [line for at, line in enumerate(lines) if at >= shown and (number == last or starts[at] < ends)]
        parts[_name_part(fields[_CHECKSUM].decode(), number)] = b"".join(line + b"\n" for line in held)
    return parts


def is_part(name: str) -> bool:
    """Say whether a file name is that of a timeline's part."""
    return name.endswith(_PART_SUFFIX)


def is_part_of(name: str, data: bytes) -> bool:
    """Say whether a part's file belongs to a timeline."""
    fields = data.partition(b"\n")[0].split(b" ")
    return len(fields) > _CHECKSUM and name.partition(".")[0] == fields[_CHECKSUM].decode(errors="replace")


def _name_part(checksum: str, number: int) -> str:
    return f"{checksum}.{number}{_PART_SUFFIX}"


def is_due(header: Header | None, now: int) -> bool:
    """Say whether a reader should start a refresh: the time has come, the clock was set back, or there is no file."""
    return header is None or now >= header.refresh_after or now < header.written


def find_text(data: bytes, now: int) -> bytes:
    """Return the text of the frame for `now`; nothing when there is none."""
    text = b""
    for line in data.split(b"\n")[1:-1]:
        field, _, rest = line.partition(b" ")
        start = _epoch(field)
        if start is None or start > now or b" " not in rest:
            break
        text = rest.partition(b" ")[2]
    return text


def decode(data: bytes) -> tuple[Header, list[Frame]] | None:
    """Return header and frames, or None for bytes that are no timeline of a version that we know."""
    header = read_header(data)
    if header is None or not data.endswith(b"\n"):
        return None
    frames = []
    for line in data.split(b"\n")[1:-1]:
        field, _, rest = line.partition(b" ")
        level, separator, text = rest.decode(errors="replace").partition(" ")
        start = _epoch(field)
        if start is None or not separator:
            return None
        frames.append(Frame(starts_at=start, level=level, text=text))  # type: ignore[arg-type]  # read, not trusted
    return header, frames


def _checksum(body: bytes) -> bytes:
    return b"%08x" % (int.from_bytes(body) % _LARGEST_PRIME)


def _epoch(field: bytes) -> int | None:
    return int(field) if field.isdigit() and len(field) < 16 else None
