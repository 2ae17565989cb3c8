"""What the standard streams are given: colours where they are wanted, and characters that they can carry."""

from __future__ import annotations

import io

import pytest

from ullage.system import streams
from ullage.system.streams import wants_colour

silent = pytest.mark.posix(reason="a terminal that need not name itself")


@pytest.mark.parametrize(
    ("environ", "is_terminal", "wanted"),
    [
        pytest.param({}, True, True, marks=silent),
        ({"TERM": "xterm"}, True, True),
        ({"WT_SESSION": "1"}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": "", "TERM": "xterm"}, True, True),
        ({"TERM": "dumb"}, True, False),
        ({"CLICOLOR_FORCE": "1"}, False, True),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"CLICOLOR_FORCE": "0", "FORCE_COLOR": ""}, False, False),
        ({"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, False, False),
        ({"CLICOLOR_FORCE": "1", "TERM": "dumb"}, True, False),
    ],
)
def test_where_colours_are_wanted(environ: dict[str, str], is_terminal: bool, wanted: bool) -> None:
    assert wants_colour(environ, is_terminal=is_terminal) is wanted


@pytest.mark.parametrize(
    ("encoding", "environ", "shown"),
    [
        ("utf-8", {}, "fable 82%× → 23:25 ë"),
        ("utf-8", {"LC_ALL": "C"}, "fable 82%X -> 23:25 \\xeb"),
        ("utf-8", {"LC_ALL": "C.UTF-8"}, "fable 82%× → 23:25 ë"),
        ("latin-1", {}, "fable 82%× -> 23:25 ë"),
        ("ascii", {}, "fable 82%X -> 23:25 \\xeb"),
    ],
)
def test_what_a_stream_cannot_carry_is_written_plainly(
    encoding: str, environ: dict[str, str], shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding=encoding, errors="strict")
    monkeypatch.setattr("sys.stdout", stream)
    monkeypatch.setattr("sys.stderr", None)
    streams.keep_to_locale(environ)
    stream.write("fable 82%× → 23:25 ë")
    stream.flush()
    assert written.getvalue().decode(encoding) == shown
