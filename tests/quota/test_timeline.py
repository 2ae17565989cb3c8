"""The timeline file: written, read back, and never trusted."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ullage.quota import timeline
from ullage.quota.timeline import BootClock, Frame, Header

WRITTEN = 1795343929
LEVELS = ("normal", "warning", "critical", "exhausted", "stale", "none")
CLOCK = BootClock(centiseconds=179530000012, boot_id="0f0e1a2b-3c4d-4e5f-8a9b-0c1d2e3f4a5b")

epochs = st.integers(0, 10**15 - 1)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\n\0"), max_size=40)
frame_lists = st.lists(st.builds(Frame, starts_at=epochs, level=st.sampled_from(LEVELS), text=texts), max_size=8).map(
    lambda frames: sorted(frames, key=lambda frame: frame.starts_at)
)


def encode(*frames: Frame, refresh_after: int = WRITTEN + 300) -> bytes:
    return timeline.encode(frames, written=WRITTEN, refresh_after=refresh_after, checkpoint=WRITTEN + 60, clock=CLOCK)


def frame(after: int, text: str) -> Frame:
    return Frame(starts_at=WRITTEN + after, level="normal", text=text)


PLAIN = encode(frame(-60, "5h 37%"), frame(60, "5h ~37%"), frame(120, ""))


@given(frame_lists, epochs, epochs, epochs, st.none() | st.just(CLOCK))
def test_what_is_written_is_read(
    frames: list[Frame], written: int, refresh_after: int, checkpoint: int, clock: BootClock | None
) -> None:
    data = timeline.encode(frames, written=written, refresh_after=refresh_after, checkpoint=checkpoint, clock=clock)
    header = Header(written=written, refresh_after=refresh_after, checkpoint=checkpoint if clock else None)
    assert timeline.decode(data) == (header, frames)
    assert timeline.read_header(data) == header
    for moment in {0, *(frame.starts_at for frame in frames), *(frame.starts_at + 1 for frame in frames)}:
        shown = [frame.text for frame in frames if frame.starts_at <= moment]
        assert timeline.find_text(data, moment).decode() == (shown[-1] if shown else "")


@given(frame_lists, st.data())
def test_what_a_power_cut_has_torn_is_no_timeline(frames: list[Frame], data: st.DataObject) -> None:
    whole = encode(*frames)
    kept = data.draw(st.integers(0, len(whole) - 1))
    assert timeline.read_header(whole[:kept]) is None
    # Blocks that were allocated and never written are zeros.
    assert timeline.read_header(whole[:kept] + bytes(len(whole) - kept)) is None


def test_the_header_in_bytes() -> None:
    fields = PLAIN.split(b"\n")[0].split(b" ")
    assert fields == [
        *(b"ullage-timeline", b"1", b"1795343929", b"1795344229"),
        *(b"179530000012", b"0f0e1a2b-3c4d-4e5f-8a9b-0c1d2e3f4a5b", b"1795343989", b"8a3c6ffc"),
    ]


@pytest.mark.parametrize(
    ("after", "text"), [(-61, b""), (-60, b"5h 37%"), (59, b"5h 37%"), (60, b"5h ~37%"), (119, b"5h ~37%"), (120, b"")]
)
def test_the_last_frame_that_has_started_is_shown(after: int, text: bytes) -> None:
    assert timeline.find_text(PLAIN, WRITTEN + after) == text


@pytest.mark.parametrize("text", ["one\ntwo", "nul\0"])
def test_a_text_that_would_break_the_lines_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="newline or a NUL"):
        encode(frame(0, text))


@pytest.mark.parametrize(
    ("header", "now", "due"),
    [
        (None, WRITTEN, True),
        (Header(written=WRITTEN, refresh_after=WRITTEN + 300), WRITTEN, False),
        (Header(written=WRITTEN, refresh_after=WRITTEN + 300), WRITTEN + 299, False),
        (Header(written=WRITTEN, refresh_after=WRITTEN + 300), WRITTEN + 300, True),
        (Header(written=WRITTEN, refresh_after=WRITTEN + 300), WRITTEN - 1, True),
    ],
)
def test_when_a_reader_starts_a_refresh(header: Header | None, now: int, due: bool) -> None:
    assert timeline.is_due(header, now) is due


FOREIGN = [
    pytest.param(b"", id="empty"),
    pytest.param(b"\n", id="an empty line"),
    pytest.param(PLAIN.replace(b"timeline 1", b"timeline 2"), id="newer"),
    pytest.param(PLAIN.replace(b"timeline 1", b"timeline 10"), id="much newer"),
    pytest.param(PLAIN.replace(b"ullage", b"milage"), id="foreign"),
    pytest.param(b"\xef\xbb\xbf" + PLAIN, id="with a byte order mark"),
    pytest.param(PLAIN.split(b"\n")[0], id="cut within the header"),
    pytest.param(b"ullage-timeline 1 1795343929\n", id="a field too few"),
    pytest.param(b"ullage-timeline 1 -5 1795343929\n", id="a negative time"),
    pytest.param(b"ullage-timeline 1 1e9 1795343929\n", id="no number"),
    pytest.param(b"ullage-timeline 1 " + b"9" * 5000 + b" 1795343929\n", id="a number that is too large"),
    pytest.param("ullage-timeline 1 ١٢٣ 1795343929\n".encode(), id="digits of another script"),
    pytest.param(b"\x00" * 4096, id="zeros after a crash"),
]


@pytest.mark.parametrize("data", FOREIGN)
def test_what_is_no_timeline_of_this_version_says_nothing(data: bytes) -> None:
    assert timeline.read_header(data) is None
    assert timeline.decode(data) is None


def test_fields_that_a_later_version_adds_to_the_header_are_ignored() -> None:
    first, _, rest = PLAIN.partition(b"\n")
    assert timeline.decode(first + b" and more\n" + rest) == timeline.decode(PLAIN)


@pytest.mark.parametrize("length", range(len(PLAIN)))
def test_a_truncated_file_shows_whole_frames_or_none(length: int) -> None:
    data = PLAIN[:length]
    assert timeline.find_text(data, WRITTEN + 60) in (b"", b"5h 37%", b"5h ~37%")
    decoded = timeline.decode(data)
    assert decoded is None or data.endswith(b"\n")


@given(st.binary(max_size=200) | st.binary(max_size=100).map(lambda tail: PLAIN[:120] + tail), epochs)
def test_no_bytes_raise(data: bytes, now: int) -> None:
    header = timeline.read_header(data)
    assert b"\n" not in timeline.find_text(data, now)
    decoded = timeline.decode(data)
    assert decoded is None or decoded[0] == header
    timeline.is_due(header, now)


MANY = encode(frame(-60, "0"), *(frame(60 * minute, f"{minute} min") for minute in range(1, 90)))


def part_of(data: bytes, now: int) -> bytes:
    """The part for a moment, chosen as `ullage-prompt` does."""
    fields = data.split(b"\n")[0].split(b" ")
    number = min((now - WRITTEN) // int(fields[8]), int(fields[9]))
    return timeline.cut(data)[f"{fields[7].decode()}.{number}.frames"]


@pytest.mark.parametrize("after", [480, 481, 539, 540, 959, 960, 3599, 3600, 3840, 3841, 5339, 5340, 86_400])
def test_the_part_for_now_shows_what_the_timeline_shows(after: int) -> None:
    part = part_of(MANY, WRITTEN + after)
    assert timeline.find_text(b"header\n" + part, WRITTEN + after) == timeline.find_text(MANY, WRITTEN + after)
    assert part.count(b"\n") <= (9 if after < 3840 else 26)


def test_a_timeline_with_parts_is_read_like_any() -> None:
    decoded = timeline.decode(MANY)
    assert decoded is not None
    assert [frame.text for frame in decoded[1]] == ["0", *(f"{minute} min" for minute in range(1, 90))]
    assert all(timeline.is_part(name) and timeline.is_part_of(name, MANY) for name in timeline.cut(MANY))
    assert not any(timeline.is_part_of(name, PLAIN) for name in timeline.cut(MANY))


@pytest.mark.parametrize("data", [b"", b"garbage", PLAIN, MANY[:-1], b"a b c d e f g h i j\n", b"\n", MANY[200:]])
def test_what_is_short_or_torn_has_no_parts(data: bytes) -> None:
    assert timeline.cut(data) == {}


@given(frame_lists, epochs)
@example([frame(960 - WRITTEN, "all of them begin in the second part")] * 7, 0)
def test_frames_of_any_times_can_be_cut(frames: list[Frame], written: int) -> None:
    more = [*frames, *frames]
    more.sort(key=lambda frame: frame.starts_at)
    data = timeline.encode(more, written=written, refresh_after=written, checkpoint=written, clock=None)
    # One before all frames holds none.
    assert all(part == b"" or part.endswith(b"\n") for part in timeline.cut(data).values())
