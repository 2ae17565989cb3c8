"""However a transcript is cut into blocks and searched, it says what its lines say one by one."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING, Any
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from tests.support.transcript import line
from ullage.base.search import load_memmem
from ullage.tokens import lines, reading
from ullage.tokens.task import Task

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST = 4096
LINES = (
    line().encode(),
    line(output=7).encode(),
    line("msg_2", request=None, sidechain=True).encode(),
    line(None, request=None).encode(),
    line(content=line("msg_quoted")).encode(),
    line("msg_3", gitBranch="m?in").encode().replace(b"?", b"\xff"),
    line("msg_4", usage={"iterations": [{"type": "compaction", "output_tokens": 5}]}).encode(),
    line("msg_5", pad="y" * 3000).encode(),
    line("msg_6", pad="y" * LONGEST).encode(),
    line("msg_7").encode().replace(b"\n", b"\r\n"),
    line(timestamp="noon").encode(),
    line(output=-5).encode(),
    line().encode()[: -len(b'"msg_1"}\n')],
    b'{"message":{"usage":{"output_tokens":1},"usage":{"output_tokens":9},"id":"msg_8"},"timestamp":1795168800}\n',
    b'{"type":"user","message":"' + b"x" * 700 + b'"}\n',
    b'{"type":"user","text":"\\"output_tokens\\":5"}\n',
    b"\n",
    b"\0" * 50,
    b"\xff\xfe",
)


def read_whole(path: str) -> tuple[dict[str, int], set[Any]]:
    """Return what the reader skips, and its rows with their contexts."""
    rows: set[Any] = set()
    skipped: dict[str, int] = {}
    for piece in reading.read_transcript(Task(number=1, path=path, project="p")):
        if piece[0] == "rows":
            rows |= {(context, row) for context, some in piece[2].items() for row in some}
        elif piece[0] == "done":
            skipped = piece[5]
    return skipped, rows


def read_one_by_one(path: str, data: bytes) -> tuple[dict[str, int], set[Any]]:
    """Return the same, from every whole line by itself; what stands behind the last is left out."""
    session = os.path.splitext(os.path.basename(path))[0]
    skipped: dict[str, int] = {}
    said: dict[lines.Key, lines.Said] = {}
    offset = 0
    for one in data.split(b"\n")[:-1]:
        kind = "long_lines" if len(one) >= LONGEST else ""
        try:
            found = None if kind or lines.NEEDLE not in one else lines.read_line(one, session, (path, offset))
        except lines.Clockless:
            kind, found = "clockless_lines", None
        except lines.Unreadable:
            kind, found = "broken_lines", None
        if found is not None:
            kind = "mended_lines" if found[2] else ""
            for key, says in found[0]:
                if key not in said or lines.counts_more(says, said[key]):
                    said[key] = says
        if kind:
            skipped[kind] = skipped.get(kind, 0) + 1
        offset += len(one) + 1
    return skipped, {lines.identify_response(key, says) for key, says in said.items()}


@given(
    parts=st.lists(st.sampled_from(LINES), max_size=12),
    block=st.sampled_from((64, 256, LONGEST)),
    is_native=st.booleans(),
)
def test_it_says_what_its_lines_say(parts: Sequence[bytes], block: int, is_native: bool) -> None:
    data = b"".join(parts) + b"\n"
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "s1.jsonl")
        with open(path, "wb") as file:
            file.write(data)
        settings: dict[str, Any] = {
            "_BLOCK": block,
            "LONGEST_LINE": LONGEST,
            "_memmem": load_memmem() if is_native else None,
        }
        with mock.patch.multiple(reading, **settings):
            assert read_whole(path) == read_one_by_one(path, data)
