"""Claude Code's state file, `.claude.json`: the signed-in account, and the usage body that it fetched last.

It lies in CLAUDE_CONFIG_DIR, else in the home directory; it can be megabytes, and is rewritten all the time.
"""

from __future__ import annotations

import os
import time

from ullage.base import jsontext
from ullage.base.errors import SourceError
from ullage.base.text import clean
from ullage.quota.model import Account, Problem
from ullage.system.files import find_mark, read_regular
from ullage.system.places import find_home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

_LARGEST = 64 << 20
_TRIES = 3
_PAUSE_SECONDS = 0.1


def locate_default_directory(environ: Mapping[str, str]) -> str:
    """Return the configuration directory that Claude Code uses when none is named."""
    return os.path.join(find_home(environ), ".claude")


def find_own_directory(environ: Mapping[str, str]) -> str | None:
    """Return the configuration directory to name to Claude Code in CLAUDE_CONFIG_DIR; None for the default one.

    Claude Code expects `.claude.json` inside a directory that is named, even the default one, beside which it lies
    otherwise: it would take itself for signed out.
    """
    given = environ.get("CLAUDE_CONFIG_DIR")
    if not given or os.path.realpath(given) == os.path.realpath(locate_default_directory(environ)):
        return None
    return given


def locate_directory(environ: Mapping[str, str]) -> str:
    """Return the configuration directory in effect: the one that is named, or the default one."""
    return find_own_directory(environ) or locate_default_directory(environ)


def locate_credentials(environ: Mapping[str, str]) -> str:
    """Return where Claude Code keeps its sign-in, unless a Keychain does."""
    return os.path.join(locate_directory(environ), ".credentials.json")


def locate_file(environ: Mapping[str, str]) -> str:
    """Return where the state file lies."""
    return os.path.join(find_own_directory(environ) or find_home(environ), ".claude.json")


def find_state_mark(environ: Mapping[str, str]) -> str | None:
    """Return a mark that changes whenever the file does; None when there is no file."""
    found = find_mark(locate_file(environ))
    return "-".join(map(str, found)) if found else None


def load(environ: Mapping[str, str], pause: Callable[[float], None] = time.sleep) -> dict[str, Any]:
    """Return the file's content, empty when there is none; raise SourceError when it stays torn or damaged."""
    for _ in range(_TRIES):
        data = read_regular(locate_file(environ), _LARGEST)
        if data is None and not os.path.exists(locate_file(environ)):
            return {}
        try:
            state = jsontext.loads(data or b"")
        except ValueError:
            pause(_PAUSE_SECONDS)
            continue
        return state if isinstance(state, dict) else {}
    raise SourceError(
        "account_unreadable",
        f"{locate_file(environ)} was being written or is damaged. The next attempt comes by itself.",
    )


def read_part(environ: Mapping[str, str], key: str, pause: Callable[[float], None] = time.sleep) -> dict[str, Any]:
    """Return the object under an outermost key, empty when there is none, without parsing megabytes of history.

    Where the file's layout does not allow that, it is parsed; raises SourceError then when it stays torn or damaged.
    """
    data = read_regular(locate_file(environ), _LARGEST)
    found = jsontext.find_top_level_object(data, key) if data else None
    if found is None:
        found = load(environ, pause).get(key)
    return found if isinstance(found, dict) else {}


def read_account(environ: Mapping[str, str], pause: Callable[[float], None] = time.sleep) -> Account:
    """Return the signed-in account with its organisation; raise SourceError when neither file names it.

    The stored credentials name both since 2.1.33x. Claude Code asks with them, so they count where the two files
    disagree.
    """
    signed_in, stored = read_state_account(environ, pause), read_stored_account(environ)
    if stored.id is None or signed_in.id is None:
        return signed_in if stored.id is None else stored
    if not stored.may_be(signed_in):
        return stored
    return signed_in.replace(organization_id=stored.organization_id or signed_in.organization_id)


def read_state_account(environ: Mapping[str, str], pause: Callable[[float], None] = time.sleep) -> Account:
    """Return the account in the state file; raise SourceError when the file stays torn or damaged."""
    named = read_part(environ, "oauthAccount", pause)
    return parse_account(named).replace(organization=clean(named.get("organizationName")) or None)


def read_stored_account(environ: Mapping[str, str]) -> Account:
    """Return the account in the stored credentials, where a file holds them and names it; nothing else is read."""
    return parse_account(read_sign_in(read_regular(locate_credentials(environ))))


def parse_account(named: Mapping[str, Any]) -> Account:
    """Return whose the fields of a file of Claude Code's are, as far as they name it."""
    return Account(
        id=clean(named.get("accountUuid")) or None, organization_id=clean(named.get("organizationUuid")) or None
    )


def read_sign_in(data: bytes | None) -> dict[str, Any]:
    """Return the part of stored credentials that is Claude Code's sign-in; nothing where they have none."""
    try:
        stored = jsontext.loads(data or b"")
    except ValueError:
        return {}
    named = stored.get("claudeAiOauth") if isinstance(stored, dict) else None
    return named if isinstance(named, dict) else {}


def is_another_signed_in(account: Account, environ: Mapping[str, str]) -> bool:
    """Say whether another person or organisation is signed in than this one; not where either is unknown."""
    if account.id is None or environ.get("CLAUDE_CODE_OAUTH_TOKEN") or environ.get("ULLAGE_TRUSTED_CACHE"):
        return False
    try:
        return not read_account(environ, lambda _seconds: None).may_be(account)
    except SourceError:
        # The file is being written at this moment.
        return False


def find_other_sign_in(account: Account, environ: Mapping[str, str]) -> Problem | None:
    """Return a problem where another person or organisation is signed in than the one that a reading is of."""
    if not is_another_signed_in(account, environ):
        return None
    return Problem(
        code="other_sign_in",
        message="Another account has signed in since the last reading. `ullage refresh` asks for its numbers.",
    )


def find_disagreement(environ: Mapping[str, str]) -> Problem | None:
    """Return a problem where the stored sign-in is another account's than the state file names; else None."""
    try:
        named = read_state_account(environ, lambda _seconds: None)
    except SourceError:
        return None
    if read_stored_account(environ).may_be(named):
        return None
    return Problem(
        code="accounts_disagree",
        message="Claude Code's stored sign-in is of another account or organisation than its .claude.json names. The "
        "sign-in counts here; /login in Claude Code sets both right.",
    )
