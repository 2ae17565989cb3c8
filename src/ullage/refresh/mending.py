"""Whether what made the last attempt fail may be mended: then another attempt is due at once.

What is looked at changes when a person mends something: the source, the `claude` program, the stored credentials, who
is signed in, config.toml. Claude Code's own file as such is not, as it is written all the time.
"""

from __future__ import annotations

import hashlib

from ullage import config
from ullage.base.contexts import suppress
from ullage.base.errors import UllageError
from ullage.sources import claude_cli, claude_state
from ullage.system import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ullage.config import Settings


def mark_means(settings: Settings, environ: Mapping[str, str]) -> str:
    """Return a mark of everything that an answer depends on here; it holds no secret and no digest of one."""
    return hashlib.sha256("\n".join(_list_means(settings, environ)).encode(errors="replace")).hexdigest()[:16]


def _list_means(settings: Settings, environ: Mapping[str, str]) -> Iterator[str]:
    yield settings.source
    yield str(bool(environ.get("CLAUDE_CODE_OAUTH_TOKEN")))
    with suppress(UllageError):
        yield _mark(claude_cli.find(environ))
    with suppress(UllageError):
        yield str(claude_state.read_account(environ).key)
    yield _mark(claude_state.locate_credentials(environ))
    with suppress(UllageError):
        yield _mark(config.locate_config(environ))


def _mark(path: str) -> str:
    return f"{path} {files.find_mark(path)}"
