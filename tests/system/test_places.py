"""Where the cache lies: the rule that the shell repeats is the platforms' own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from platformdirs.macos import MacOS
from platformdirs.unix import Unix

from ullage.base.errors import UsageError
from ullage.system import places

if TYPE_CHECKING:
    from platformdirs.api import PlatformDirsABC


@pytest.mark.posix(reason="paths with slashes alone")
@pytest.mark.parametrize("xdg", [None, "", "/srv/caches", "/srv/caches/"])
@pytest.mark.parametrize(("platform", "rule"), [("linux", Unix), ("darwin", MacOS)])
def test_the_rule_is_that_of_platformdirs(
    platform: str, rule: type[PlatformDirsABC], xdg: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = {"HOME": "/home/somebody"} | ({} if xdg is None else {"XDG_CACHE_HOME": xdg})
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    expected = rule("ullage", appauthor=False).user_cache_dir
    assert os.path.normpath(places.locate_cache(environ, platform)) == os.path.normpath(expected)


def test_a_directory_of_ones_own_goes_first() -> None:
    environ = {"ULLAGE_CACHE_DIR": "/tmp/mine", "XDG_CACHE_HOME": "/srv", "HOME": "/home/somebody"}
    assert places.locate_cache(environ) == "/tmp/mine"


def test_a_relative_xdg_directory_is_ignored_as_its_specification_says() -> None:
    assert places.locate_cache({"XDG_CACHE_HOME": "caches", "HOME": "/home/x"}, "linux") == "/home/x/.cache/ullage"


@pytest.mark.posix(reason="paths with slashes alone")
@pytest.mark.parametrize(
    ("config_dir", "directory"),
    [
        (None, "/c/default"),
        ("", "/c/default"),
        # Named, the default directory is another profile, as it is to Claude Code.
        ("/home/x/.claude", "/c/profiles/home/x/.claude"),
        ("/home/x/.claude-work", "/c/profiles/home/x/.claude-work"),
        ("/home/x/with space/#1", "/c/profiles/home/x/with space/#1"),
        ("//server/share", "/c/profiles/server/share"),
        ("/home/x/...", "/c/profiles/home/x/..."),
    ],
)
def test_a_profile_is_a_configuration_directory(config_dir: str | None, directory: str) -> None:
    environ = {"HOME": "/home/x", "ULLAGE_CACHE_DIR": "/c"} | (
        {} if config_dir is None else {"CLAUDE_CONFIG_DIR": config_dir}
    )
    assert places.locate_profile(environ) == directory
    assert places.locate_timeline(environ, "zsh") == f"{directory}/zsh.timeline"


@pytest.mark.parametrize("path", ["relative", "./here", "~/caches", "/a/../b", "/a/..", "/a\n/b", "/a\\..\\b"])
@pytest.mark.parametrize("variable", ["ULLAGE_CACHE_DIR", "CLAUDE_CONFIG_DIR", "HOME"])
def test_a_path_that_leads_who_knows_where_is_refused(variable: str, path: str) -> None:
    environ = {"HOME": "/home/somebody", variable: path}
    with pytest.raises(UsageError, match=variable):
        places.locate_profile(environ, "linux")


def test_without_a_home_there_is_no_cache_but_words() -> None:
    with pytest.raises(UsageError, match="HOME must be an absolute path"):
        places.locate_cache({}, "linux")
