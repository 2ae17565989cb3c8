"""`ullage-prompt` prints what `ullage prompt` prints, to the byte, in every shell that a system may have as sh."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.tools import ULLAGE, ULLAGE_PROMPT, need, put_in_place, run, ullage, wait_until
from ullage import refresh
from ullage.prompt.publish import read_boot_clock
from ullage.quota import timeline
from ullage.quota.timeline import SURFACES, Frame
from ullage.store.cache import ProfileCache

if TYPE_CHECKING:
    from collections.abc import Callable

    from ullage.simulate import Simulator

    Simulate = Callable[..., Simulator]

SHELLS = {
    "dash": ["dash"],
    "bash": ["bash", "--posix"],
    "busybox": ["busybox", "sh"],
    "zsh": ["zsh", "--emulate", "sh"],
    # Its numbers have 32 bits.
    "mksh": ["mksh"],
}
shells = pytest.mark.parametrize("shell", SHELLS)
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a shell its uptime")

T = 1_800_000_000
FAR = T + 10_000_000


def interpreter(shell: str) -> list[str]:
    program, *options = SHELLS[shell]
    return [need(program), *options]


class Stage:
    """A copy of ullage-prompt beside a `ullage` that notes when it is called, and a cache to be filled by hand."""

    def __init__(self, environ: dict[str, str], directory: Path) -> None:
        self.environ = environ
        self.called = directory / "called"
        scripts = directory / "bin"
        scripts.mkdir()
        self.script = scripts / "ullage-prompt"
        self.script.write_bytes(Path(ULLAGE_PROMPT).read_bytes())
        (scripts / "ullage").write_text(f'#!/bin/sh\necho "$@" >>{self.called}\n')
        (scripts / "date").write_text(f'#!/bin/sh\necho called >>{directory}/date\n/bin/date "$@"\n')
        self.dated = directory / "date"
        for name in ("ullage", "date"):
            (scripts / name).chmod(0o755)
        self.environ["PATH"] = f"{scripts}:{environ['PATH']}"
        self.cache = ProfileCache(environ)
        self.cache.make_private()

    def write(self, data: bytes, surface: str = "plain", modified_at: float | None = None) -> None:
        path = Path(self.cache.directory, f"{surface}.timeline")
        path.write_bytes(data)
        if modified_at is not None:
            os.utime(path, (modified_at, modified_at))

    def refreshes(self) -> bool:
        """Say whether a refresh was started."""
        return self.called.exists() and self.called.read_text() == "refresh --detach\n"

    def prompt(self, shell: str, surface: str = "plain") -> bytes:
        command = [*interpreter(shell), str(self.script), surface]
        told = subprocess.run(command, env=self.environ, capture_output=True, check=False, timeout=180)
        assert (told.returncode, told.stderr) == (0, b"")
        return told.stdout


@pytest.fixture
def stage(environ: dict[str, str], tmp_path: Path) -> Stage:
    return Stage(environ, tmp_path)


def set_clock(data: bytes, now: int, checkpoint: int = FAR) -> bytes:
    """Write into a timeline's header that the machine was booted so that it is `now`."""
    clock = read_boot_clock()
    assert clock is not None
    uptime = int(float(Path("/proc/uptime").read_text().split()[0]) * 100)
    header, _, rest = data.partition(b"\n")
    fields = header.split(b" ")[:4]
    # Half a second in, so that the second does not turn while the shell starts.
    fields += [str(now * 100 + 20 - uptime).encode(), clock.boot_id.encode(), str(checkpoint).encode()]
    return b" ".join(fields) + b"\n" + rest


def encode(*frames: tuple[int, str], written: int = T - 100, refresh_after: int = FAR) -> bytes:
    listed = [Frame(starts_at=start, level="normal", text=text) for start, text in frames]
    return timeline.encode(listed, written=written, refresh_after=refresh_after, checkpoint=FAR, clock=None)


USUAL = encode((T - 60, "first"), (T, "second"), (T + 60, "third"))
TIMELINES: dict[str, bytes] = {
    "usual": USUAL,
    "no frames": encode(),
    "empty text": encode((T - 60, "")),
    "text then nothing": encode((T - 60, "one"), (T, ""), (T + 60, "two")),
    "spaces": encode((T - 60, "  two  spaces  ")),
    "specials": encode((T - 60, "\\ \\n \\c %s %n $(x) `x` ' \" * ~ #{x} -n -e")),
    "option": encode((T - 60, "-n")),
    "colours": encode((T - 60, "\001\033[1;31m\002fable 96%!!\001\033[0m\002")),
    "unicode": encode((T - 60, "▰▰▱ 5h 62% ↺ × 界 é")),
    "invalid UTF-8": USUAL.replace(b"second", b"\xff\xfe\x80"),
    "carriage return": USUAL.replace(b"second", b"sec\rond"),
    "not whole": USUAL[:-4],
    "only a header": USUAL.split(b"\n")[0],
    "empty file": b"",
    "garbage": b"\x7fELF\x02\x01\x01 garbage\n 1 2 3\n",
    "newer version": USUAL.replace(b"ullage-timeline 1", b"ullage-timeline 2"),
    "other magic": USUAL.replace(b"ullage-timeline 1", b"ullage-timelines 1"),
    "line without text": USUAL + b"%d\n%d normal\n" % (T, T),
    "line without start": USUAL.replace(b"%d normal second" % T, b" normal second"),
    "start that is no number": USUAL.replace(b"%d normal second" % T, b"1e9 normal second"),
    "negative start": USUAL.replace(b"%d normal first" % (T - 60), b"-5 normal first"),
    "overlong start": USUAL.replace(b"%d normal second" % T, b"%020d normal second" % T),
    "largest start": USUAL.replace(b"%d normal first" % (T - 60), b"999999999999999 normal first"),
    "leading zeros": USUAL.replace(b"%d normal first" % (T - 60), b"0%d normal first" % (T - 60)),
    "empty line": USUAL.replace(b"%d normal second" % T, b""),
    "overlong written": USUAL.replace(b" %d %d " % (T - 100, FAR), b" %020d %d " % (T, FAR)),
    "refresh that is no number": USUAL.replace(b" %d " % FAR, b" $(touch pwned) "),
    "due": encode((T - 60, "due"), refresh_after=T - 1000),
    "from the future": encode((T + 1000, "later"), written=T + 1000),
    "many frames": encode(*((T - 60 + step, f"frame {step}") for step in range(120))),
}
MOMENTS = (0, 1, T - 61, T - 60, T - 1, T, T + 1, T + 59, T + 60, T + 5000)


@linux
@shells
@pytest.mark.parametrize("name", TIMELINES)
def test_the_frame_is_the_one_that_python_picks(name: str, shell: str, stage: Stage) -> None:
    if (shell, name) == ("mksh", "largest start"):
        pytest.skip("31 bits hold no such moment, and no clock says it before 2038")
    data = TIMELINES[name]
    header = timeline.read_header(data)
    for now in MOMENTS:
        stage.write(set_clock(data, now) if header else data, modified_at=time.time() + 10**6)
        expected = timeline.find_text(data, now) if header else b""
        assert stage.prompt(shell) == (expected + b"\n" if expected else b""), now
    assert not list(Path(stage.cache.directory).glob("pwned"))
    if header:
        assert not stage.dated.exists()


@linux
@shells
@pytest.mark.parametrize(
    ("name", "now", "due"),
    [
        ("usual", T, False),
        ("usual", T - 100, False),
        ("usual", T - 101, True),
        ("usual", FAR - 1, False),
        ("usual", FAR, True),
        ("due", T, True),
        ("from the future", T, True),
        ("empty file", T, True),
        ("newer version", T, True),
        ("only a header", T, True),
        ("overlong written", T, True),
        ("refresh that is no number", T, True),
    ],
)
def test_refresh_is_started_when_python_would_start_it(
    name: str, now: int, due: bool, shell: str, stage: Stage
) -> None:
    data = TIMELINES[name]
    header = timeline.read_header(data)
    assert timeline.is_due(header, now) == due
    stage.write(set_clock(data, now) if b"\n" in data else data, modified_at=time.time() + 10**6)
    stage.prompt(shell)
    if due:
        wait_until(
            lambda: stage.called.exists() and stage.called.read_text() == "refresh --detach\n", what="the refresh"
        )
    else:
        assert not stage.called.exists()


@linux
@shells
@pytest.mark.parametrize(
    ("boot", "asks_date"),
    [
        ("{boot} {boot_id} {far}", False),
        ("{boot} 00000000-0000-4000-8000-000000000000 {far}", True),
        ("{boot} {boot_id}", True),
        ("- - -", True),
        ("", True),
        ("1e5 {boot_id} {far}", True),
        ("{boot} {boot_id} x", True),
        ("12345678901234567890 {boot_id} {far}", True),
        ("$(touch${{IFS}}pwned) {boot_id} {far}", True),
    ],
)
def test_clock_of_another_boot_is_not_believed(boot: str, asks_date: bool, shell: str, stage: Stage) -> None:
    real = read_boot_clock()
    assert real is not None
    now = int(time.time())
    fields = boot.format(boot=real.centiseconds, boot_id=real.boot_id, far=now + 5000)
    header = f"ullage-timeline 1 {now - 50} {now + 5000} {fields}".rstrip()
    stage.write(f"{header}\n{now - 60} normal now\n{now + 3000} normal later\n".encode(), modified_at=now + 5000)
    assert stage.prompt(shell) == b"now\n"
    assert stage.dated.exists() == asks_date


@linux
@shells
def test_clock_that_was_set_back_asks_date(shell: str, stage: Stage) -> None:
    now = int(time.time())
    shown = encode((now - 60, "now"), (now + 3000, "later"), written=now - 100)
    # By the uptime an hour has passed that the wall clock has taken back since; the last write is dated ahead of it.
    stage.write(set_clock(shown, now + 3600), modified_at=now + 10**6)
    os.utime(stage.cache.directory, (now + 3500, now + 3500))
    assert stage.prompt(shell) == b"now\n"
    assert stage.dated.exists()
    stage.dated.unlink()
    os.utime(stage.cache.directory, (now - 100, now - 100))
    assert stage.prompt(shell) == b"later\n"
    assert not stage.dated.exists()


@linux
@shells
def test_machine_that_was_paused_asks_date(shell: str, stage: Stage) -> None:
    now = int(time.time())
    # By the uptime an hour has not passed that the wall clock says has; the file is dated to the checkpoint between.
    data = encode(
        (now - 7200, "before the pause"), (now - 1800, "after it"), written=now - 7200, refresh_after=now + 500
    )
    stage.write(set_clock(data, now - 3600, checkpoint=now - 1800), modified_at=now - 1800)
    assert stage.prompt(shell) == b"after it\n"
    assert stage.dated.exists()


@shells
@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("scenario", ["models", "over-limit", "hostile-names"])
def test_both_programs_print_the_same_bytes(
    scenario: str, surface: str, shell: str, environ: dict[str, str], simulate: Simulate
) -> None:
    simulate(scenario)
    assert refresh.refresh(environ).result == "refreshed"
    for changes in ({}, {"NO_COLOR": "1"}, {"NO_COLOR": ""}, {"TERM": "dumb"}):
        changed = {**environ, **changes}
        python = [ULLAGE, "prompt", "--surface", surface]
        script = [*interpreter(shell), ULLAGE_PROMPT, surface]
        before, shown, after = (
            subprocess.run(command, env=changed, capture_output=True, check=True)
            for command in (python, script, python)
        )
        # A countdown may step on in between.
        assert shown.stdout in (before.stdout, after.stdout)
        assert shown.stdout
        assert before.stderr + shown.stderr + after.stderr == b""
        plain = changes.get("NO_COLOR") or changes.get("TERM") == "dumb" or surface == "plain"
        assert (b"\033" not in shown.stdout and b"#[" not in shown.stdout) == bool(plain)


@shells
@pytest.mark.parametrize("kind", ["directory", "fifo", "dead link", "unreadable", "another's"])
def test_what_is_no_timeline_is_not_read(kind: str, shell: str, stage: Stage) -> None:
    path = Path(stage.cache.directory, "plain.timeline")
    now = int(time.time())
    stage.write(encode((now - 60, "shown"), written=now - 60, refresh_after=now + 500))
    if kind == "another's" and os.geteuid() != 0:
        pytest.skip("only root can give a file to another user")
    if kind == "unreadable":
        path.chmod(0)
    elif kind == "another's":
        os.chown(path, 65534, 65534)
    else:
        path.unlink()
        put_in_place(kind, path)
    # Root reads what nobody may.
    expected = b"shown\n" if kind == "unreadable" and os.geteuid() == 0 else b""
    assert stage.prompt(shell) == expected
    assert ullage("prompt", environ=stage.environ).stdout.encode() == expected


@linux
@shells
@pytest.mark.parametrize("minutes", [0, 7, 8, 9, 59, 60, 61, 75, 500])
@pytest.mark.parametrize("parts", ["there", "gone", "empty", "links", "another's"])
def test_a_part_is_read_for_the_timeline(parts: str, minutes: int, shell: str, stage: Stage, tmp_path: Path) -> None:
    now = int(time.time())
    written = now - 60 * minutes - 30
    frames = [(written + 60 * minute - 1, f"minute {minute}") for minute in range(90)]
    stage.cache.save_timeline("plain", encode(*frames, written=written, refresh_after=now + 500), None)
    paths = list(Path(stage.cache.directory).glob("*.frames"))
    assert len(paths) == 8
    for path in paths:
        other = path.read_text().replace("minute", "other")
        if parts in ("gone", "links"):
            path.unlink()
        if parts == "empty":
            path.write_bytes(b"")
        elif parts == "links":
            aside = tmp_path / path.name
            aside.write_text(other)
            path.symlink_to(aside)
        elif parts == "another's":
            if os.geteuid() != 0:
                pytest.skip("only root can give a file to another user")
            path.write_text(other)
            os.chown(path, 65534, 65534)
    assert stage.prompt(shell) == f"minute {min(minutes, 89)}\n".encode()
    assert not stage.refreshes()


@linux
@pytest.mark.parametrize(("minutes", "least", "most"), [(0, 100, 900), (60, 100, 900)])
def test_dash_reads_little_of_a_long_timeline(
    minutes: int, least: int, most: int, stage: Stage, tmp_path: Path
) -> None:
    now = int(time.time())
    written = now - 60 * minutes - 30
    frames = [(written + 60 * minute - 1, f"minute {minute} {'.' * 60}") for minute in range(90)]
    stage.cache.save_timeline("plain", encode(*frames, written=written, refresh_after=now + 500), None)
    log = tmp_path / "strace.log"
    traced = [need("strace"), "-qq", "-e", "trace=read", "-o", str(log), need("dash"), str(stage.script)]
    assert run(traced, stage.environ).stdout.startswith(f"minute {minutes} ")
    assert least < log.read_text().count("read(") < most


@shells
@pytest.mark.parametrize("arguments", [["telnet"], [""], ["ZSH"], ["--surface"], ["../plain"]])
def test_unknown_surfaces_are_explained(arguments: list[str], shell: str, environ: dict[str, str]) -> None:
    told = run([*interpreter(shell), ULLAGE_PROMPT, *arguments], environ)
    if arguments == [""]:
        assert (told.returncode, told.stdout) == (0, "")
    else:
        assert (told.returncode, told.stdout) == (2, "")
        assert told.stderr.startswith("usage: ullage-prompt ")


@shells
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_is_what_was_asked_for(option: str, shell: str, environ: dict[str, str]) -> None:
    told = run([*interpreter(shell), ULLAGE_PROMPT, option], environ)
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.startswith("usage: ullage-prompt ")
