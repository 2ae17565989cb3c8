"""The configuration: the values in force, from config.toml and the environment, and what is wrong with them.

`options` is the table of what can be set, `checks` what may stand there; `file` reads a config.toml, `settings` types
its values, `default_file` writes one that explains every option, and `paths` says where it lies.
"""

from __future__ import annotations

from ullage.config.checks import one_of
from ullage.config.file import Issue, read
from ullage.config.options import OPTIONS, STATUS_LINE_TEMPLATE, Option
from ullage.config.paths import config_path, state_path
from ullage.config.settings import KeyNames, Reporting, Settings, settings_of
from ullage.meters import SOURCES
from ullage.text import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "OPTIONS",
    "STATUS_LINE_TEMPLATE",
    "Issue",
    "KeyNames",
    "Option",
    "Reporting",
    "Settings",
    "config_path",
    "load",
    "read",
    "state_path",
    "wrong_source",
]


def load(environ: Mapping[str, str]) -> tuple[Settings, tuple[Issue, ...]]:
    """Return the values in force, and what is wrong with the file; a value that is wrong gives way to its default."""
    path = config_path(environ)
    values, issues = read(path)
    values["source"] = environ.get("ULLAGE_SOURCE") or values["source"]
    return settings_of(values), issues


def wrong_source(settings: Settings) -> str | None:
    """Return what is wrong with the source in force, in words, or None; only the environment can name a wrong one."""
    wrong = one_of(*SOURCES)(settings.source)
    return f"ULLAGE_SOURCE {clean(wrong, 200)}. Correct or unset it." if wrong else None
