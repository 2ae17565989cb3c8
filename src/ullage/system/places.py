"""Where a profile's cache lies: the one rule, cheap enough for the prompt.

The same rule stands in `shell/ullage-prompt`; tests hold the two, and platformdirs, together. A profile is a Claude
Code configuration directory; its cache directory repeats its path, so that a shell finds it without hashing.

ULLAGE_TRUSTED_CACHE names a root that another user or machine fills, and that is only read: nothing is asked or written
there, and whose its files are does not matter (`system.files`).

A directory that CLAUDE_CONFIG_DIR names is a profile of its own here, even `~/.claude`: Claude Code then expects its
state file, and with it who is signed in, inside the directory and not beside it. The two may be two accounts, whose
numbers must not meet in one cache; where they are one, the account's pauses and answers are shared in any case. Only a
person who gives that path to --profile means the default one.
"""

from __future__ import annotations

import os
import sys

from ullage.base.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping


def locate_cache(environ: Mapping[str, str], platform: str = sys.platform) -> str:
    """Return the directory that holds every profile's cache."""
    trusted = environ.get("ULLAGE_TRUSTED_CACHE")
    if trusted:
        return _absolute(trusted, "ULLAGE_TRUSTED_CACHE")
    given = environ.get("ULLAGE_CACHE_DIR")
    if given:
        return _absolute(given, "ULLAGE_CACHE_DIR")
    xdg = environ.get("XDG_CACHE_HOME", "")
    if platform == "win32":
        return _absolute(environ.get("LOCALAPPDATA", ""), "LOCALAPPDATA") + "\\ullage\\Cache"
    if xdg.startswith("/"):
        return _absolute(xdg, "XDG_CACHE_HOME") + "/ullage"
    home = _absolute(environ.get("HOME", ""), "HOME")
    return home + ("/Library/Caches/ullage" if platform == "darwin" else "/.cache/ullage")


def locate_profile(environ: Mapping[str, str], platform: str = sys.platform) -> str:
    """Return the cache directory of the profile in effect: the default one, or that of CLAUDE_CONFIG_DIR."""
    config_dir = environ.get("CLAUDE_CONFIG_DIR")
    if not config_dir:
        return os.path.join(locate_cache(environ, platform), "default")
    mirrored = _absolute(config_dir, "CLAUDE_CONFIG_DIR")
    if platform == "win32":
        mirrored = mirrored.replace(":", "")
    return os.path.join(locate_cache(environ, platform), "profiles", mirrored.lstrip("/\\"))


def list_known_profiles(environ: Mapping[str, str]) -> list[str | None]:
    """Return every configuration directory that has a cache; None stands for the default one and comes first."""
    root = locate_cache(environ)
    mirrored = os.path.join(root, "profiles")
    found: list[str | None] = [None] if os.path.isdir(os.path.join(root, "default")) else []
    for directory, _, names in sorted(os.walk(mirrored)):
        if any(name.endswith(".timeline") for name in names):
            path = os.path.relpath(directory, mirrored)
            found.append(path.replace("\\", ":\\", 1) if os.name == "nt" else os.sep + path)
    return found


def select_profile(profile: str | None, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with another profile in effect."""
    others = {name: value for name, value in environ.items() if name != "CLAUDE_CONFIG_DIR"}
    return {**others, "CLAUDE_CONFIG_DIR": profile} if profile else others


def find_home(environ: Mapping[str, str]) -> str:
    """Return the home directory: HOME, or where that is unset what the system's list of users names."""
    return environ.get("HOME") or os.path.expanduser("~")


def locate_config_directory(environ: Mapping[str, str], platform: str = sys.platform) -> str | None:
    """Return the directory of config.toml where the rule is simple; None on Windows, which has to be asked."""
    if platform == "win32":
        return None
    xdg = environ.get("XDG_CONFIG_HOME", "")
    if xdg.startswith("/"):
        return xdg + "/ullage"
    return find_home(environ) + ("/Library/Application Support/ullage" if platform == "darwin" else "/.config/ullage")


def locate_state_directory(environ: Mapping[str, str], platform: str = sys.platform) -> str | None:
    """Return the directory of what is kept for good where the rule is simple; None on Windows, as above."""
    if platform == "win32":
        return None
    xdg = environ.get("XDG_STATE_HOME", "")
    if xdg.startswith("/") and platform != "darwin":
        return xdg + "/ullage"
    home = find_home(environ)
    return home + ("/Library/Application Support/ullage" if platform == "darwin" else "/.local/state/ullage")


def locate_timeline(environ: Mapping[str, str], timeline: str) -> str:
    """Return where a timeline lies."""
    return os.path.join(locate_profile(environ), timeline + ".timeline")


def _absolute(path: str, variable: str) -> str:
    if not os.path.isabs(path) or ".." in path.replace("\\", "/").split("/") or "\n" in path:
        raise UsageError(f"{variable} must be an absolute path without '..'; it is {path!r}. Set it to the full path.")
    return path


def choose_profile(profile: str | None, environ: MutableMapping[str, str]) -> None:
    """Put a profile in effect: the path of a Claude Code configuration directory, or `default`."""
    if profile is None:
        return
    directory = os.path.abspath(profile)
    if profile == "default" or directory == os.path.join(environ.get("HOME", ""), ".claude"):
        # Claude Code takes its default directory for another profile once the variable names it.
        environ.pop("CLAUDE_CONFIG_DIR", None)
    else:
        environ["CLAUDE_CONFIG_DIR"] = directory
