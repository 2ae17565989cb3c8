"""Say who sends metrics: how accounts are named, the receiver's credentials, and the id of this installation."""

from __future__ import annotations

import collections
import contextlib
import hashlib
import os
import platform
import secrets
import shlex
import stat

from ullage import config
from ullage.base.errors import SourceError, UsageError
from ullage.base.text import clean
from ullage.metrics import MetricsError
from ullage.metrics.names import Names
from ullage.sources import claude_state
from ullage.system import directories, places
from ullage.system.files import read_regular, remove_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ullage.config.outside import Reporting
    from ullage.store.overview import Overview

_LARGEST = 4096
_LONGEST_ADDRESS = 120


def name_accounts(reporting: Reporting, overviews: Iterable[Overview], environ: Mapping[str, str]) -> Names:
    """Return the names of the accounts; raise UsageError where the team's key cannot be read.

    Falling back to pseudonyms without the key would publish names that the user has not agreed to.
    """
    key = _private_text(reporting.key_file, "metrics.key_file") if reporting.key_file else ""
    known = list(overviews)
    return Names(
        key=key.encode(),
        user=clean(reporting.user),
        install=identify_installation(environ) if any(one.account.id is None for one in known) else "",
        addresses=_addresses(known, environ) if reporting.account == "address" else {},
    )


def build_authorization(reporting: Reporting, environ: Mapping[str, str]) -> str | None:
    """Return the Authorization header for sending metrics, None where none is set; raise UsageError for a bad file."""
    if environ.get("ULLAGE_METRICS_AUTH"):
        secret = _one_line(environ["ULLAGE_METRICS_AUTH"], "ULLAGE_METRICS_AUTH")
    elif reporting.auth_file:
        secret = _private_text(reporting.auth_file, "metrics.auth_file")
    else:
        return None
    if ":" not in secret:
        return f"Bearer {secret}"
    import base64

    return f"Basic {base64.b64encode(secret.encode()).decode()}"


def identify_installation(environ: Mapping[str, str]) -> str:
    """Return an id of this installation that reveals nothing else about it: 16 hexadecimal digits.

    Host name and user are hashed in, so a copy of the state directory on another machine has another id. Raises
    MetricsError where the drawn number cannot be kept.
    """
    path = os.path.join(config.locate_state(environ), "installation")
    drawn = read_regular(path, _LARGEST, own=True) or _drawn(path, environ)
    user = os.geteuid() if hasattr(os, "geteuid") else ""
    return hashlib.sha256(drawn + f" {platform.node()} {user}".encode()).hexdigest()[:16]


def _drawn(path: str, environ: Mapping[str, str]) -> bytes:
    """Draw and keep the installation's random number; of two processes that draw at once, both use the first."""
    aside = f"{path}.{os.getpid()}.{secrets.token_hex(4)}.new"
    directories.make_private(os.path.dirname(path), environ=environ, variable=directories.STATE)
    try:
        with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_hex(16).encode())
        with contextlib.suppress(FileExistsError):
            os.link(aside, path)
    except OSError as error:
        raise MetricsError(
            f"Cannot keep a number for this installation in {os.path.dirname(path)}: {error.strerror}. Make it "
            "writable, or name another one in ULLAGE_STATE_DIR."
        ) from error
    finally:
        remove_file(aside)
    kept = read_regular(path, _LARGEST, own=True)
    if not kept:
        raise MetricsError(f"{path} is no file of yours, or empty. Remove it; another one is drawn then.")
    return kept


def _addresses(overviews: Iterable[Overview], environ: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, tuple[str, str]] = {}
    for one in overviews:
        with contextlib.suppress(SourceError):
            signed_in = claude_state.read_part(places.select_profile(one.profile, environ), "oauthAccount")
            address = clean(signed_in.get("emailAddress"), _LONGEST_ADDRESS)
            # Another person may have signed in since the reading: then the address is not this account's.
            if address and one.account.key is not None and clean(signed_in.get("accountUuid")) == one.account.id:
                found[one.account.key] = (address, one.account.organization or one.account.organization_id or "")
    several = collections.Counter(address for address, _ in found.values())
    return {
        key: f"{address} ({organization})" if several[address] > 1 and organization else address
        for key, (address, organization) in found.items()
    }


def _private_text(path: str, option: str) -> str:
    found = os.path.expanduser(path)
    if not os.path.isabs(found):
        raise UsageError(f"{option} in config.toml must be a full path, or one that begins with ~/.")
    data = read_regular(found, _LARGEST, own=True)
    if data is None:
        raise UsageError(f"{option}: {found} is not there, or no small file of yours. Nothing is sent without it.")
    if hasattr(os, "geteuid") and stat.S_IMODE(os.stat(found).st_mode) & 0o077:
        raise UsageError(f"{option}: others can read {found}. Run: chmod 600 {shlex.quote(found)}")
    return _one_line(data.decode(errors="replace"), option)


def _one_line(text: str, origin: str) -> str:
    line = text.strip()
    if not line or not line.isascii() or not line.isprintable():
        raise UsageError(f"{origin} must hold one line of plain ASCII.")
    return line
