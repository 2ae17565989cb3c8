"""Where config.toml and what is kept for good lie: the only module that imports platformdirs."""

from __future__ import annotations

import os

from ullage.errors import UsageError
from ullage.places import config_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def config_path(environ: Mapping[str, str]) -> str:
    """Return where config.toml lies, whether it exists or not."""
    if environ.get("ULLAGE_CONFIG"):
        return os.path.abspath(environ["ULLAGE_CONFIG"])
    directory = config_directory(environ)
    if directory is None:
        import platformdirs

        directory = platformdirs.user_config_dir("ullage", appauthor=False)
    return os.path.join(directory, "config.toml")


def state_path(environ: Mapping[str, str]) -> str:
    """Return the directory of what is kept for good, such as the history, whether it exists or not."""
    given = environ.get("ULLAGE_STATE_DIR")
    if given:
        if not os.path.isabs(given):
            raise UsageError(f"ULLAGE_STATE_DIR must be an absolute path; it is {given!r}. Set it to the full path.")
        return given
    import platformdirs

    return platformdirs.user_state_dir("ullage", appauthor=False)
