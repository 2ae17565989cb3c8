"""The configuration: the values in force, from config.toml and the environment, and what is wrong with them.

`settings` has the defaults and types the values; `options` is the table of what can be set, `checks` what may stand
there; `file` reads a config.toml, `judging` checks what it sets, `default_file` makes one that explains every option. A
status line imports the settings alone where there is no file, and no checks where that sets nothing.
"""

from __future__ import annotations

import os

from ullage.base.errors import UsageError
from ullage.config.settings import DEFAULTS, Settings, build_settings
from ullage.system.places import locate_config_directory, locate_state_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal

    from ullage.config.file import Issue

__all__ = [
    "Settings",
    "find_wrong_source",
    "load",
    "locate_config",
    "locate_state",
    "read",
]


def locate_config(environ: Mapping[str, str]) -> str:
    """Return the path of config.toml, whether it exists or not; raise UsageError for a path that is not absolute.

    What is shown must not change with the directory that a prompt happens to stand in.
    """
    given = _absolute(environ.get("ULLAGE_CONFIG"), "ULLAGE_CONFIG")
    return given or os.path.join(_directory(locate_config_directory(environ), "config"), "config.toml")


def locate_state(environ: Mapping[str, str]) -> str:
    """Return the directory of what is kept for good, such as the history, as `locate_config` does."""
    given = _absolute(environ.get("ULLAGE_STATE_DIR"), "ULLAGE_STATE_DIR")
    return given or _directory(locate_state_directory(environ), "state")


def _absolute(path: str | None, variable: str) -> str | None:
    if path and not os.path.isabs(path):
        from ullage.base.text import quote

        raise UsageError(f"{variable} must be an absolute path; it is {quote(path)}. Set it to the full path.")
    return path


def _directory(known: str | None, kind: Literal["config", "state"]) -> str:
    """Return a directory of ours in the user's home: the known one, or what the system has for such a kind."""
    if known is None:
        import platformdirs

        of_the_system = platformdirs.user_config_dir if kind == "config" else platformdirs.user_state_dir
        known = of_the_system("ullage", appauthor=False)
    if not os.path.isabs(known):
        from ullage.base.text import quote

        raise UsageError(f"HOME must be an absolute path; it leads to {quote(known)}. Set it to the full path.")
    return known


def load(environ: Mapping[str, str]) -> tuple[Settings, tuple[Issue, ...]]:
    """Return the values in force, and what is wrong with the file; a value that is wrong gives way to its default."""
    path = locate_config(environ)
    values, issues = read(path)
    values["source"] = environ.get("ULLAGE_SOURCE") or values["source"]
    return build_settings(values, environ), issues


def find_wrong_source(settings: Settings) -> str | None:
    """Return in words what is wrong with the source in force, or None; only the environment can name a wrong one."""
    if settings.source == DEFAULTS["source"]:
        return None
    # A hook asks at every prompt and every tool, and few choose a source.
    from ullage.base.text import clean
    from ullage.config.checks import one_of
    from ullage.quota.meters import SOURCES

    wrong = one_of(*SOURCES)(settings.source)
    return f"ULLAGE_SOURCE {clean(wrong, 200)}. Correct or unset it." if wrong else None


def read(path: str) -> tuple[dict[str, Any], tuple[Issue, ...]]:
    """Return each option's value by key, defaults included, and what is wrong with the file."""
    values: dict[str, Any] = dict(DEFAULTS)
    if not os.path.lexists(path):
        return values, ()
    from ullage.config import file

    return file.read(path, values)
