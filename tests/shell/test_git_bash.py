"""Where bash's hook looks in Git Bash, for the cache that Windows' ullage writes: by its rule, in bash here."""

from __future__ import annotations

import ntpath
import os

import pytest

from tests.support.tools import REPOSITORY, need, run
from ullage.system import places

HOOK = REPOSITORY / "shell" / "ullage.bash"
LOCAL = r"C:\Users\zoë smith\AppData\Local"


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"CLAUDE_CONFIG_DIR": r"D:\work\.claude"},
        {"CLAUDE_CONFIG_DIR": "D:/work/.claude"},
        {"ULLAGE_CACHE_DIR": r"E:\cache"},
        {"ULLAGE_CACHE_DIR": r"E:\cache", "CLAUDE_CONFIG_DIR": r"C:\Users\zoë smith\.claude"},
    ],
)
def test_git_bash_looks_where_ullage_of_windows_writes(
    given: dict[str, str], environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as on_windows:
        on_windows.setattr(os, "path", ntpath)
        written = places.locate_profile({"LOCALAPPDATA": LOCAL, **given}, "win32").replace("\\", "/")
    environ.pop("ULLAGE_CACHE_DIR")
    code = f'OSTYPE=msys; . {HOOK}; __ullage_locate; printf %s "$__ullage_directory"'
    found = run([need("bash"), "--norc", "-ic", code], {**environ, "LOCALAPPDATA": LOCAL, **given})
    assert found.stdout == f"/{written[0]}{written[2:]}"


def test_a_path_that_goes_up_is_none_in_git_bash_either(environ: dict[str, str]) -> None:
    environ["ULLAGE_CACHE_DIR"] = r"E:\a\..\b"
    code = f"OSTYPE=msys; . {HOOK}; __ullage_locate; printf '<%s>' \"$__ullage_directory\""
    assert run([need("bash"), "--norc", "-ic", code], environ).stdout == "<>"
