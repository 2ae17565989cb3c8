"""What is set in tmux, and for how long it holds."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from ullage.prompt import tmux
from ullage.prompt.tmux import Pushed
from ullage.quota import timeline
from ullage.quota.timeline import Frame

if TYPE_CHECKING:
    from pathlib import Path

FRAMES = [Frame(starts_at=start, level="normal", text=f"at {start}") for start in (940, 1300, 1600)]


def encoded(refresh_after: int) -> bytes:
    return timeline.encode(FRAMES, written=1000, refresh_after=refresh_after, checkpoint=0, clock=None)


@pytest.mark.parametrize(
    ("now", "refresh_after", "expected"),
    [
        (1000, 9000, Pushed(text="at 940", start=940, until=1300)),
        (1000, 1200, Pushed(text="at 940", start=940, until=1200)),
        (1299, 9000, Pushed(text="at 940", start=940, until=1300)),
        (1300, 9000, Pushed(text="at 1300", start=1300, until=1600)),
        (2000, 9000, Pushed(text="at 1600", start=1600, until=9000)),
        # A refresh was due long ago: what is set holds for no time at all.
        (2000, 1200, Pushed(text="at 1600", start=1600, until=1200)),
        (900, 9000, None),
    ],
)
def test_a_text_holds_until_the_next_one_or_until_a_refresh_is_due(
    now: int, refresh_after: int, expected: Pushed | None
) -> None:
    assert tmux.find_pushed(encoded(refresh_after), now) == expected


def test_no_timeline_sets_nothing() -> None:
    assert tmux.find_pushed(b"", 1000) is None


def test_only_sockets_of_ones_own_are_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = tmp_path / f"tmux-{os.geteuid()}"
    directory.mkdir()
    (directory / "file").touch()
    # A socket's address is short, so it is bound from where it lies.
    monkeypatch.chdir(directory)
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as other:
        server.bind("work")
        monkeypatch.chdir(tmp_path)
        other.bind("other")
        (directory / "link").symlink_to(tmp_path / "other")
        environ = {"TMUX_TMPDIR": str(tmp_path), "TMUX": f"{tmp_path / 'other'},123,0"}
        assert tmux.list_sockets(environ) == [str(directory / "work"), str(tmp_path / "other")]
        assert tmux.list_sockets({**environ, "TMUX": "relative,1,0"}) == [str(directory / "work")]
    assert tmux.list_sockets({"TMUX_TMPDIR": str(tmp_path / "nowhere")}) == []
