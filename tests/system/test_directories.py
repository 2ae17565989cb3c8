"""Directories of our own: the user's alone from the first moment, and refused where another user has a hand in one."""

from __future__ import annotations

import os
import shlex
import stat
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.tools import ullage
from ullage import config
from ullage.base.errors import CacheError
from ullage.metrics import identity, report
from ullage.serve import access_tokens
from ullage.system import directories
from ullage.system.files import read_regular
from ullage.tokens import prices

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

pytestmark = pytest.mark.posix(reason="permissions, owners and links")

NOBODY = 65534
needs_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a directory away"
)

# Whoever keeps something in the state directory, but the history, whose database refuses by itself.
KEEPERS: dict[str, Callable[[Mapping[str, str]], object]] = {
    "prices": lambda environ: prices.save(environ["ULLAGE_STATE_DIR"], _prices(), environ),
    "metrics": report.send_all,
    "installation": identity.identify_installation,
    "tokens of serve": access_tokens.locate_directory,
}


def _prices() -> dict[str, object]:
    rates = {"input": 1, "output": 10, "cache_write_5m": 2, "cache_write_1h": 3, "cache_read": 0.5}
    listed = {"format": 1, "date": "2026-11-22", "source": "a test", "currency": "USD", "web_search": 0.01}
    return {**listed, "models": {"a-model": rates}}


def _names(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.iterdir())


@pytest.mark.parametrize("keeper", KEEPERS)
@pytest.mark.parametrize("permissions", [0o777, 0o1777, 0o770])
def test_nothing_is_kept_where_others_can_write(
    keeper: str, permissions: int, environ: dict[str, str], tmp_path: Path
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    state.chmod(permissions)
    with pytest.raises(CacheError, match=r"Others can write.* chmod go-w|for all users.* ULLAGE_STATE_DIR"):
        KEEPERS[keeper](environ)
    assert _names(state) == []


@needs_root
@pytest.mark.parametrize("keeper", KEEPERS)
def test_nothing_is_kept_in_a_directory_of_another_user(keeper: str, environ: dict[str, str], tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir(0o755)
    os.chown(state, NOBODY, NOBODY)
    with pytest.raises(CacheError, match=r"belongs to another user.* ULLAGE_STATE_DIR"):
        KEEPERS[keeper](environ)
    assert _names(state) == []


@pytest.mark.parametrize("keeper", KEEPERS)
def test_what_is_made_on_the_way_is_private_whatever_the_umask(
    keeper: str, environ: dict[str, str], tmp_path: Path
) -> None:
    environ["ULLAGE_STATE_DIR"] = str(tmp_path / "new" / "state" / "ullage")
    before = os.umask(0)
    try:
        KEEPERS[keeper](environ)
    finally:
        os.umask(before)
    made = [tmp_path / "new", *(tmp_path / "new").rglob("*")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in made if path.is_dir()} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in made if path.is_file()} <= {0o600}


@needs_root
@pytest.mark.parametrize("command", [["refresh"], ["usage"], ["guard", "--refresh"], ["prompt"], ["config", "write"]])
def test_root_leaves_nothing_in_the_home_of_a_person(command: list[str], environ: dict[str, str]) -> None:
    home = Path(environ["HOME"])
    for name in ("ULLAGE_CACHE_DIR", "ULLAGE_STATE_DIR", "ULLAGE_CONFIG"):
        del environ[name]
    os.chown(home, NOBODY, NOBODY)
    said = ullage(*command, environ=environ)
    assert list(home.rglob("*")) == []
    assert "Traceback" not in said.stderr
    if command != ["prompt"]:
        assert "belongs to another user" in said.stderr


CONFIG = '[alerts]\nvia = ["command"]\ncommand = ["evil"]\n'


@pytest.mark.parametrize(("place", "permissions"), [("config.toml", 0o606), ("", 0o707), ("", 0o777)])
@pytest.mark.parametrize("linked", [True, False])
def test_a_config_that_others_can_write_names_no_command(
    place: str, permissions: int, linked: bool, tmp_path: Path
) -> None:
    path = _config(tmp_path, linked=linked)
    assert _commands(path) == ("evil",)
    (tmp_path / "own" / place).chmod(permissions)
    assert _commands(path) == ()
    told = config.read(str(path))[1]
    assert [(issue.line, "Run: chmod go-w" in issue.message) for issue in told] == [(0, True)]
    (tmp_path / "own" / place).chmod(0o700)
    assert _commands(path) == ("evil",)


@needs_root
def test_a_config_of_another_user_names_no_command_and_one_of_root_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _config(tmp_path, linked=False)
    os.chown(path, NOBODY, NOBODY)
    assert _commands(path) == ()
    os.chown(path, 0, 0)
    monkeypatch.setattr(os, "geteuid", lambda: NOBODY)
    assert _commands(path) == ("evil",)


@needs_root
def test_a_group_of_many_is_others_and_the_first_group_is_not(tmp_path: Path) -> None:
    path = _config(tmp_path, linked=False)
    path.chmod(0o660)
    assert _commands(path) == ("evil",)
    os.chown(path, -1, NOBODY)
    assert _commands(path) == ()


def _given(own: Path) -> Path:
    os.chown(own, NOBODY, NOBODY)
    return own / "config.toml"


def _moved(own: Path, to: Path, given: Path | None) -> Path:
    own.rename(to)
    os.chown(to.parent, *((NOBODY, NOBODY) if given else (0, 0)))
    to.parent.chmod(0o755 if given else 0o777)
    return to / "config.toml"


def _linked(own: Path, link: Path, given: Path | None) -> Path:
    link.symlink_to(own / "config.toml" if link.suffix else own)
    if given:
        os.chown(given, NOBODY, NOBODY)
    else:
        os.chown(link, NOBODY, NOBODY, follow_symlinks=False)
        link.parent.chmod(0o1777)
    return link if link.suffix else link / "config.toml"


WAYS: dict[str, Callable[[Path, Path], Path]] = {
    "a directory of another user": lambda own, theirs: _given(own),
    "a directory above of another user": lambda own, theirs: _moved(own, theirs / "deep", theirs),
    "a link in a directory of another user": lambda own, theirs: _linked(own, theirs / "link.toml", theirs),
    "a link of another user where all may write": lambda own, theirs: _linked(own, theirs / "link.toml", None),
    "a link to a directory, in one of another user": lambda own, theirs: _linked(own, theirs / "link", theirs),
    "a directory above that all may write to": lambda own, theirs: _moved(own, theirs / "deep", None),
}


@needs_root
@pytest.mark.parametrize("way", WAYS)
def test_a_config_that_another_user_could_have_chosen_names_no_command(way: str, tmp_path: Path) -> None:
    _config(tmp_path, linked=False)
    theirs = tmp_path / "theirs"
    theirs.mkdir(0o755)
    path = WAYS[way](tmp_path / "own", theirs)
    assert "evil" in path.read_text()
    assert _commands(path) == ()
    [told] = config.read(str(path))[1]
    assert "is not read, as it can name commands" in told.message


@needs_root
def test_a_link_that_is_replaced_all_the_time_never_leads_to_a_command_of_another_user(tmp_path: Path) -> None:
    _config(tmp_path, linked=False)
    theirs = tmp_path / "theirs"
    theirs.mkdir(0o755)
    good, evil, link = theirs / "good.toml", theirs / "evil.toml", theirs / "link.toml"
    good.write_text("")
    evil.write_text(CONFIG)
    for path in (evil, theirs):
        os.chown(path, NOBODY, NOBODY)
    ended = threading.Event()

    def flip() -> None:
        while not ended.is_set():
            for target in (good, evil):
                (theirs / "new").symlink_to(target)
                (theirs / "new").rename(link)

    flipper = threading.Thread(target=flip)
    flipper.start()
    try:
        while not link.is_symlink():
            pass
        assert {_commands(link) for _ in range(2000)} == {()}
    finally:
        ended.set()
        flipper.join()


def test_a_file_that_takes_the_place_of_the_one_that_was_looked_at_is_not_read(tmp_path: Path) -> None:
    path = _config(tmp_path, linked=False)
    real, status = directories.resolve_trusted(str(path))
    assert read_regular(real, only=status) == CONFIG.encode()
    path.rename(tmp_path / "own" / "kept.toml")
    path.write_text(CONFIG)
    assert read_regular(real, only=status) is None
    path.unlink()
    path.symlink_to("kept.toml")
    assert read_regular(real, only=status) is None


def test_links_of_ones_own_are_followed_wherever_they_lead(tmp_path: Path) -> None:
    path = _config(tmp_path, linked=True)
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "dir").symlink_to("../own")
    (tmp_path / "again" / "link.toml").symlink_to("dir/../own/./config.toml")
    (tmp_path / "again" / "circle").symlink_to("circle")
    assert _commands(path) == _commands(tmp_path / "again" / "link.toml") == ("evil",)
    assert _commands(tmp_path / "again" / "dir" / "config.toml") == ("evil",)
    assert _commands(tmp_path / "again" / "circle") == ()


@pytest.mark.parametrize("name", ["a b", "it's", "$(id)", "a\nb", "-x"])
def test_a_command_that_is_suggested_names_the_path_as_one_word(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir(0o700)
    path = tmp_path / name / "config.toml"
    path.write_text(CONFIG)
    path.chmod(0o666)
    [told] = config.read(str(path))[1]
    assert shlex.split(told.message.rpartition("Run: ")[2]) == ["chmod", "go-w", str(path)]


def _config(tmp_path: Path, *, linked: bool) -> Path:
    (tmp_path / "own").mkdir(0o700)
    path = tmp_path / "own" / "config.toml"
    path.write_text(CONFIG)
    if linked:
        (tmp_path / "link.toml").symlink_to(path)
    return tmp_path / "link.toml" if linked else path


def _commands(path: Path) -> tuple[str, ...]:
    return config.load({"ULLAGE_CONFIG": str(path)})[0].alerts.command


def test_every_step_down_from_the_root_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "root" / "open").mkdir(parents=True)
    (tmp_path / "root" / "open").chmod(0o777)
    with pytest.raises(CacheError, match=f"{tmp_path}/root/open"):
        directories.make_private(str(tmp_path / "root"), str(tmp_path / "root" / "open" / "leaf"), environ={})
    assert _names(tmp_path / "root" / "open") == []
