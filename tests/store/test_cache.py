"""The cache on a real disk: whose it is, what is believed of it, and what a reader sees while it changes."""

from __future__ import annotations

import os
import signal
import stat
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.tools import PYTHON, wait_until
from ullage import refresh
from ullage.base.errors import CacheError
from ullage.quota import timeline
from ullage.quota.timeline import SURFACES, Frame
from ullage.store.cache import ProfileCache
from ullage.system.files import read_regular, write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable

    from ullage.simulate import Simulator

    Simulate = Callable[..., Simulator]

needs_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a file to another user"
)
NOBODY = 65534

FILES = ("reading.oauth.json", "schedule.json", *(f"{surface}.timeline" for surface in SURFACES))


@pytest.fixture
def filled(environ: dict[str, str], simulate: Simulate) -> ProfileCache:
    """A cache that a refresh has filled."""
    simulate("models")
    assert refresh.refresh(environ).result == "refreshed"
    return ProfileCache(environ)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.posix(reason="permissions")
def test_everything_is_the_users_alone(environ: dict[str, str], simulate: Simulate) -> None:
    old = os.umask(0)
    try:
        simulate("429-storm").requests = 1
        assert refresh.refresh(environ).result == "failed"
    finally:
        os.umask(old)
    root = Path(environ["ULLAGE_CACHE_DIR"])
    paths = [root, *root.rglob("*")]
    assert {path.name for path in paths} >= {"accounts", "refresh.lock", "schedule.json", "zsh.timeline"}
    assert {mode(path) for path in paths if path.is_dir()} == {0o700}
    assert {mode(path) for path in paths if path.is_file()} == {0o600}


@pytest.mark.posix(reason="permissions")
@pytest.mark.parametrize("place", ["root", "profiles", "profile"])
@pytest.mark.parametrize("permissions", [0o777, 0o720, 0o702])
def test_directory_that_others_can_write_is_refused(
    place: str, permissions: int, environ: dict[str, str], filled: ProfileCache
) -> None:
    directory = {"root": filled.root, "profiles": f"{filled.root}/profiles", "profile": filled.directory}[place]
    Path(directory).chmod(permissions)
    with pytest.raises(CacheError, match=r"Others can write.* chmod go-w"):
        refresh.refresh(environ, force=True)


@needs_root
@pytest.mark.parametrize("place", ["root", "profile"])
def test_directory_of_another_user_is_refused(place: str, environ: dict[str, str], filled: ProfileCache) -> None:
    os.chown(filled.root if place == "root" else filled.directory, NOBODY, NOBODY)
    with pytest.raises(CacheError, match="belongs to another user"):
        refresh.refresh(environ, force=True)


@needs_root
def test_numbers_of_another_user_are_not_read(filled: ProfileCache) -> None:
    for name in FILES:
        os.chown(os.path.join(filled.directory, name), NOBODY, NOBODY)
    assert filled.load_reading() is None
    assert filled.load_schedule().attempted_at is None
    assert filled.read_timeline("zsh") == b""


def replace(path: Path, make: Callable[[], None]) -> None:
    path.unlink()
    make()


DAMAGE: dict[str, Callable[[Path], object]] = {
    "absent": Path.unlink,
    "empty": lambda path: path.write_bytes(b""),
    "zeros": lambda path: path.write_bytes(bytes(4096)),
    "noise": lambda path: path.write_bytes(bytes(range(256)) * 16),
    "halved": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "another format": lambda path: path.write_bytes(b'{"format": 2, "windows": "new"}\n'),
    "another version": lambda path: path.write_bytes(b"ullage-timeline 2 x\n"),
    "a list": lambda path: path.write_bytes(b"[1, 2]"),
    "wrong types": lambda path: path.write_bytes(b'{"format": 1, "windows": 5, "account_id": [], "account": 7}'),
    "deep": lambda path: path.write_bytes(b"[" * 200_000),
    "huge": lambda path: path.write_bytes(b" " * (2 << 20)),
}
STRANGE_FILES: dict[str, Callable[[Path], object]] = {
    "a FIFO": lambda path: replace(path, lambda: os.mkfifo(path)),
    "a dead link": lambda path: replace(path, lambda: path.symlink_to("nowhere")),
    "a device": lambda path: replace(path, lambda: path.symlink_to("/dev/zero")),
    "unreadable": lambda path: path.chmod(0),
}


@pytest.mark.parametrize(
    "damage",
    [*DAMAGE, *(pytest.param(kind, marks=pytest.mark.posix(reason="FIFOs, devices, links")) for kind in STRANGE_FILES)],
)
def test_damaged_files_read_as_nothing_and_are_replaced(
    damage: str, environ: dict[str, str], filled: ProfileCache
) -> None:
    whole = filled.load_reading()
    for name in FILES:
        (DAMAGE | STRANGE_FILES)[damage](Path(filled.directory, name))
    if damage != "unreadable" or os.geteuid() != 0:
        assert filled.load_reading() is None
        assert filled.load_schedule().attempted_at is None
    assert refresh.refresh(environ, force=True).result == "refreshed"
    renewed = filled.load_reading()
    assert whole is not None
    assert renewed is not None
    assert [window.id for window in renewed.windows] == [window.id for window in whole.windows]
    for name in FILES:
        status = os.lstat(os.path.join(filled.directory, name))
        assert stat.S_ISREG(status.st_mode)
        assert os.name != "posix" or stat.S_IMODE(status.st_mode) == 0o600
    assert all(filled.read_timeline(surface).startswith(b"ullage-timeline 1 ") for surface in SURFACES)


def test_link_in_place_of_a_file_does_not_lead_a_write_elsewhere(
    environ: dict[str, str], filled: ProfileCache, tmp_path: Path
) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    for name in FILES:
        Path(filled.directory, name).unlink()
        Path(filled.directory, name).symlink_to(precious)
    assert refresh.refresh(environ, force=True).result == "refreshed"
    assert precious.read_text() == "precious"


@pytest.mark.parametrize("name", ["reading.oauth.json", "schedule.json", "fish.timeline", "refresh.lock"])
def test_directory_in_place_of_a_file_is_named(name: str, environ: dict[str, str], filled: ProfileCache) -> None:
    Path(filled.directory, name).unlink(missing_ok=True)
    Path(filled.directory, name).mkdir()
    with pytest.raises(CacheError, match=name):
        refresh.refresh(environ, force=True)
    assert not list(Path(filled.directory).glob("*.new"))


@pytest.mark.posix(reason="a file that is read without a pause; tests/windows has readers that make one")
def test_readers_see_the_old_or_the_new(tmp_path: Path) -> None:
    path = str(tmp_path / "file")
    versions = {bytes([65 + number]) * 50_000 for number in range(8)}
    write_atomically(path, b"A" * 50_000)
    done = threading.Event()
    seen: set[bytes | None] = set()

    def read() -> None:
        while not done.is_set():
            seen.add(read_regular(path))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for _ in range(20):
        for version in versions:
            write_atomically(path, version)
    done.set()
    for reader in readers:
        reader.join()
    assert seen <= versions
    assert len(seen) > 1


def test_leftovers_of_the_killed_are_swept_and_those_of_the_living_are_not(
    filled: ProfileCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    leftover = Path(filled.directory, "zsh.timeline.1.abcd.new")
    leftover.write_text("half")
    filled.sweep()
    assert leftover.exists()
    later = time.time() + 3600
    monkeypatch.setattr(time, "time", lambda: later)
    filled.sweep()
    assert not leftover.exists()
    assert Path(filled.directory, "zsh.timeline").exists()


def test_parts_go_with_their_timeline(filled: ProfileCache, monkeypatch: pytest.MonkeyPatch) -> None:
    def parts() -> set[str]:
        return {path.name for path in Path(filled.directory).glob("*.frames")}

    def save(text: str) -> None:
        frames = [Frame(starts_at=60 * at, level="normal", text=f"{text} {at}") for at in range(40)]
        data = timeline.encode(frames, written=0, refresh_after=9, checkpoint=9, clock=None)
        filled.save_timeline("bash", data, None, same=["zsh"])

    save("one")
    first = parts()
    save("other")
    assert len(first) == 4
    assert parts() > first
    filled.sweep()
    assert parts() > first
    later = time.time() + 3600
    monkeypatch.setattr(time, "time", lambda: later)
    filled.sweep()
    assert len(parts()) == 4
    assert not parts() & first


@pytest.mark.parametrize("place", ["/proc/ullage", "/dev/null/ullage"])
def test_directory_that_cannot_be_made_is_named(place: str, environ: dict[str, str], account: Path) -> None:
    with pytest.raises(CacheError, match=rf"Cannot make the directory {place}.*ULLAGE_CACHE_DIR"):
        refresh.refresh({**environ, "ULLAGE_CACHE_DIR": place})


HOLDER = """
import os, sys, time
from ullage.store.cache import ProfileCache
cache = ProfileCache(os.environ)
cache.make_private()
with cache.lock() as held:
    print(held, flush=True)
    time.sleep(60)
"""


def test_dead_process_holds_no_lock(environ: dict[str, str], account: Path) -> None:
    import subprocess

    cache = ProfileCache(environ)
    with subprocess.Popen([PYTHON, "-c", HOLDER], env=environ, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        with cache.lock() as held:
            assert not held
        assert refresh.refresh(environ).result == "busy"
        holder.send_signal(signal.SIGKILL)
        holder.wait()

    def free() -> bool:
        with cache.lock() as held:
            return held

    wait_until(free, what="the lock of a dead process being free")
