"""Directories of our own: the user's alone from the first moment, and refused where another user has a hand in one."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from ullage import config
from ullage.base.errors import CacheError
from ullage.metrics import identity, report
from ullage.serve import access_tokens
from ullage.system import directories
from ullage.tokens import prices

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

NOBODY = 65534
needs_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a directory away"
)

# Whoever keeps something in the state directory, but the history, whose database refuses by itself.
KEEPERS: dict[str, Callable[[Mapping[str, str]], object]] = {
    "prices": lambda environ: prices.save(environ["ULLAGE_STATE_DIR"], _prices()),
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
    with pytest.raises(CacheError, match=r"Others can write.* chmod go-w"):
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
        directories.make_private(str(tmp_path / "root"), str(tmp_path / "root" / "open" / "leaf"))
    assert _names(tmp_path / "root" / "open") == []
