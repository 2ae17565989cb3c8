"""Files that are somebody's own: every way they can be in the way, and that nothing of them is lost."""

from __future__ import annotations

import errno
import os
import re
import stat
import subprocess
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.tools import need
from ullage.base.errors import UsageError
from ullage.setup import userfile
from ullage.setup.userfile import Change, UserFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "rc"
    file.write_bytes(b"one\ntwo\n")
    return file


def change(path: Path, after: bytes | None, *, keep: bool = True) -> str | None:
    return userfile.apply(Change(file=userfile.read(str(path)), after=after), keep=keep)


def names(directory: Path) -> list[str]:
    return sorted(entry.name for entry in directory.iterdir())


def test_a_change_keeps_mode_and_a_copy_and_leaves_nothing_else(path: Path) -> None:
    path.chmod(0o640)
    backup = change(path, b"three\n")
    assert path.read_bytes() == b"three\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert backup == f"{path}.before-ullage"
    assert Path(backup).read_bytes() == b"one\ntwo\n"
    assert stat.S_IMODE(os.stat(backup).st_mode) == 0o640
    assert names(path.parent) == ["rc", "rc.before-ullage"]


def test_a_copy_is_never_written_over_another(path: Path) -> None:
    change(path, b"three\n")
    change(path, b"four\n")
    path.write_bytes(b"one\ntwo\n")
    change(path, b"five\n")
    assert Path(f"{path}.before-ullage").read_bytes() == b"one\ntwo\n"
    assert Path(f"{path}.before-ullage.2").read_bytes() == b"three\n"
    assert names(path.parent) == ["rc", "rc.before-ullage", "rc.before-ullage.2"]


def test_taking_back_takes_the_copy_away_only_if_it_holds_nothing_else(path: Path) -> None:
    change(path, b"three\n")
    change(path, b"four\n")
    assert change(path, b"one\ntwo\n", keep=False) is None
    assert names(path.parent) == ["rc", "rc.before-ullage.2"]


def test_a_new_file_and_its_directories_are_made_and_the_file_removed_again(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "rc"
    assert change(path, b"one\n") is None
    assert path.read_bytes() == b"one\n"
    umask = os.umask(0o22)
    os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask
    change(path, None, keep=False)
    assert names(path.parent) == []


@pytest.mark.parametrize("relative", [False, True])
def test_a_link_into_a_dotfile_repository_is_followed_and_stays(tmp_path: Path, relative: bool) -> None:
    repository, home = tmp_path / "dotfiles", tmp_path / "home"
    repository.mkdir()
    home.mkdir()
    (repository / "rc").write_bytes(b"one\n")
    (home / "middle").symlink_to(repository / "rc")
    (home / "rc").symlink_to("middle" if relative else home / "middle")
    change(home / "rc", b"two\n")
    assert (home / "rc").is_symlink()
    assert (home / "middle").is_symlink()
    assert (repository / "rc").read_bytes() == b"two\n"
    assert names(repository) == ["rc"]
    assert (home / "rc.before-ullage").read_bytes() == b"one\n"


def in_the_way(path: Path, what: str) -> str:
    """Put something in the way; return what the refusal says."""
    if what == "a dangling link":
        path.symlink_to("nowhere")
        return "is a link to .*nowhere, which is not there"
    if what == "a loop":
        path.symlink_to(path.name)
        return "Too many levels|symbolic links"
    if what == "a directory":
        path.mkdir()
        return "no regular file"
    if what == "a FIFO":
        os.mkfifo(path)
        return "no regular file"
    if what == "a device":
        path.symlink_to(os.devnull)
        return "no regular file"
    if what == "a read-only file":
        path.touch(0o400)
        return "read-only.*chmod u\\+w"
    if what == "a hard link":
        (path.parent / "other").write_bytes(b"one\n")
        os.link(path.parent / "other", path)
        return "has 2 names"
    if what == "UTF-16":
        path.write_bytes("alias ä=b\n".encode("utf-16"))
        return "NUL bytes"
    path.write_bytes(b"x" * (userfile.LARGEST + 1))
    return "larger than 4 MiB"


@pytest.mark.parametrize(
    "what",
    [
        *("a dangling link", "a loop", "a directory", "a FIFO", "a device"),
        *("a read-only file", "a hard link", "UTF-16", "a huge file"),
    ],
)
def test_what_cannot_be_changed_safely_is_refused_with_words(tmp_path: Path, what: str) -> None:
    path = tmp_path / "rc"
    words = in_the_way(path, what)
    before = names(tmp_path)
    with pytest.raises(UsageError, match=words):
        userfile.plan_change(userfile.read(str(path)), b"ours\n")
    assert names(tmp_path) == before


def test_a_file_where_a_directory_should_be(tmp_path: Path) -> None:
    (tmp_path / "config").touch()
    with pytest.raises(UsageError, match="config is no directory"):
        userfile.read(str(tmp_path / "config" / "fish" / "ullage.fish"))


def test_what_somebody_else_changed_in_the_meantime_stays(path: Path) -> None:
    seen = userfile.read(str(path))
    path.write_bytes(b"theirs\n")
    with pytest.raises(UsageError, match="changed in the meantime"):
        userfile.apply(Change(file=seen, after=b"ours\n"), keep=True)
    assert path.read_bytes() == b"theirs\n"
    assert names(path.parent) == ["rc"]


def test_a_file_that_somebody_else_made_in_the_meantime_stays(tmp_path: Path) -> None:
    seen = userfile.read(str(tmp_path / "rc"))
    (tmp_path / "rc").write_bytes(b"theirs\n")
    with pytest.raises(UsageError, match="changed in the meantime"):
        userfile.apply(Change(file=seen, after=b"ours\n"), keep=True)
    assert (tmp_path / "rc").read_bytes() == b"theirs\n"


def test_of_many_changes_at_once_one_is_made(path: Path) -> None:
    seen = userfile.read(str(path))
    made: list[int] = []
    start = threading.Barrier(8)

    def write(number: int) -> None:
        start.wait()
        try:
            userfile.apply(Change(file=seen, after=b"%d\n" % number), keep=True)
        except UsageError:
            return
        made.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert path.read_bytes() == b"%d\n" % made[0]
    assert names(path.parent) == ["rc", "rc.before-ullage"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("exists", [True, False])
def test_a_full_disk_leaves_everything_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch, call: str, exists: bool
) -> None:
    if not exists:
        path.unlink()
    seen = userfile.read(str(path))
    before = names(path.parent)
    real = getattr(os, call)

    def full(*arguments: object, **options: object) -> object:
        # The copy still fits, the file itself does not.
        if any(".before-ullage" in str(argument) for argument in arguments) or arguments[0] == str(path.parent):
            return real(*arguments, **options)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "somewhere")

    with monkeypatch.context() as patched:
        patched.setattr(os, call, full)
        with pytest.raises(UsageError, match=r"No space left on device\. Nothing was changed"):
            userfile.apply(Change(file=seen, after=b"three\n"), keep=True)
    assert names(path.parent) == before
    assert not exists or path.read_bytes() == b"one\ntwo\n"


def test_what_a_killed_run_has_left_is_swept(path: Path) -> None:
    left = [f"{path.name}.4242.0123abcd.new", f"{path.name}.before-ullage.2.4242.0123abcd.new"]
    others = [
        f"{path.name}.new",
        f"{path.name}x.4242.0123abcd.new",
        f"{path.name}.mine.0123abcd.new",
        "4242.0123abcd.new",
    ]
    for name in (*left, *others):
        (path.parent / name).write_text("half of it")
    before = names(path.parent)
    change(path, b"after\n", keep=False)
    assert names(path.parent) == [name for name in before if name not in left]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_root_leaves_the_directories_that_it_makes_to_the_person_too(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, 4711, 4712)
    change(home / ".config" / "fish" / "config.fish", b"ours\n")
    made = [home / ".config", home / ".config" / "fish", home / ".config" / "fish" / "config.fish"]
    assert [(each.stat().st_uid, each.stat().st_gid) for each in made] == [(4711, 4712)] * 3


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("what", ["a file", "a new file"])
def test_root_leaves_a_file_to_the_person_whose_it_is(tmp_path: Path, what: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    if what == "a file":
        (home / "rc").write_bytes(b"one\n")
        os.chown(home / "rc", 1234, 1234)
    os.chown(home, 1234, 1234)
    change(home / "rc", b"two\n")
    for entry in home.iterdir():
        assert (entry.stat().st_uid, entry.stat().st_gid) == (1234, 1234)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_root_does_not_follow_a_persons_link_to_somebody_elses_file(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, 1234, 1234)
    (tmp_path / "theirs").touch()
    os.chown(tmp_path / "theirs", 4321, 4321)
    (home / "rc").symlink_to(tmp_path / "theirs")
    with pytest.raises(UsageError, match="belongs to another user"):
        userfile.read(str(home / "rc"))


LINES = st.lists(st.sampled_from([b"a", b"b", b"c\r", b"", b"\xff", b"d\x1b[31m"]), max_size=8).map(b"\n".join)


@given(LINES, LINES)
def test_the_diff_is_one_that_patch_understands(before: bytes, after: bytes) -> None:
    if before == after:
        return
    shown = userfile.format_diff(Change(file=UserFile(path="rc", real="rc", data=before), after=after))
    assert "\x1b" not in shown
    hunks = re.findall(r"^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@$", shown, re.MULTILINE)
    body = [line for line in shown.split("\n")[2:] if line[:1] in " -+"]
    for column, signs in enumerate((" -", " +")):
        assert sum(int(hunk[column] or 1) for hunk in hunks) == sum(line[0] in signs for line in body)


def test_the_diff_applies(path: Path, tmp_path: Path) -> None:
    path.write_bytes(b"".join(b"%d\n" % number for number in range(20)) + b"no newline")
    after = path.read_bytes() + b"\nadded\n"
    shown = userfile.format_diff(Change(file=userfile.read(str(path)), after=after)) + "\n"
    patched = subprocess.run(
        [need("git"), "apply", "--unsafe-paths", f"--directory={tmp_path}", "-p0", "-"],
        input=shown.replace(str(path), "rc").encode(),
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert patched.returncode == 0, patched.stderr
    assert path.read_bytes() == after
