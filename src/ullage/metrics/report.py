"""Send metrics by the ways that config.toml names, in a background process after each refresh.

The refresh has ended by then, so failures are kept on disk for `ullage metrics` and `ullage doctor` to show.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime

from ullage import config
from ullage.base.errors import MetricsError, UllageError
from ullage.base.record import Record
from ullage.base.text import clean
from ullage.base.values import format_time, parse_time
from ullage.metrics import formats, identity, otlp, push, samples, textfile
from ullage.metrics.push import PushRoute
from ullage.store import overview
from ullage.system import directories
from ullage.system.files import read_regular, write_atomically
from ullage.system.lock import hold_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ullage.config import Settings
    from ullage.metrics.samples import Family

WAYS = ("textfile", "push", "otlp")
_FORMAT = 1
_STATUS, _LOCK = "metrics.json", "metrics.lock"
_LONGEST_WORDS = 500
# How long to wait for another process that sends.
_PATIENCE_SECONDS = 60


class Sent(Record):
    """The state of one way: when it last succeeded, and the failure since, if any."""

    way: str
    succeeded_at: datetime | None = None
    failed_at: datetime | None = None
    problem: str = ""


def gather(settings: Settings, environ: Mapping[str, str], now: datetime) -> tuple[Family, ...]:
    """Return every metric of every profile, from the cache alone."""
    known = overview.load_all(overview.list_profiles(environ), environ, settings.thresholds, now)
    return samples.build_families(
        known, settings.thresholds, now, identity.name_accounts(settings.reporting, known, environ)
    )


def send(way: str, where: str, settings: Settings, environ: Mapping[str, str], now: datetime) -> None:
    """Send every metric by one of WAYS to the directory or address `where`; raise UllageError when that fails."""
    families = gather(settings, environ, now)
    if way == "textfile":
        textfile.write(os.path.expanduser(where), formats.encode(families))
        return
    route = _route(settings, environ)
    installation = identity.identify_installation(environ)
    if way == "push":
        push.push_to_gateway(where, formats.encode(families), installation, route)
    else:
        push.push_to_receiver(where, otlp.encode(families, now, installation), otlp.CONTENT_TYPE, route)


def forget_last(where: str, settings: Settings, environ: Mapping[str, str]) -> None:
    """Remove this installation's metrics from a Pushgateway; raise UllageError when that fails."""
    push.forget_pushed(where, identity.identify_installation(environ), _route(settings, environ))


def _route(settings: Settings, environ: Mapping[str, str]) -> PushRoute:
    reporting = settings.reporting
    return PushRoute(plain_http=reporting.plain_http, authorization=identity.build_authorization(reporting, environ))


def send_all(environ: Mapping[str, str]) -> tuple[Sent, ...]:
    """Send by every configured way, one process at a time, and keep the outcomes; raise UllageError.

    Returns nothing where another process held the lock for too long.
    """
    settings, _ = config.load(environ)
    directory = config.locate_state(environ)
    directories.make_private(directory, variable=directories.STATE)
    with hold_lock(os.path.join(directory, _LOCK), _PATIENCE_SECONDS) as alone:
        if not alone:
            return ()
        before = {sent.way: sent for sent in load_last(environ)}
        ways = [way for way in WAYS if getattr(settings.reporting, way)]
        sent = tuple(_tried(before.get(way, Sent(way=way)), settings, environ) for way in ways)
        _keep(environ, sent)
        return sent


def _tried(before: Sent, settings: Settings, environ: Mapping[str, str]) -> Sent:
    # The cache is read for each way, with the lock held: so the last process to send has the newest numbers.
    now = datetime.now(UTC)
    try:
        send(before.way, getattr(settings.reporting, before.way), settings, environ, now)
    except UllageError as error:
        return before.replace(failed_at=now, problem=clean(str(error), _LONGEST_WORDS))
    except Exception as error:
        words = f"ullage has a fault of its own: {type(error).__name__}. Please report it with these words."
        return before.replace(failed_at=now, problem=words)
    return Sent(way=before.way, succeeded_at=now)


def load_last(environ: Mapping[str, str]) -> tuple[Sent, ...]:
    """Return the kept outcome of each way; none for a file that cannot be decoded."""
    data = read_regular(os.path.join(config.locate_state(environ), _STATUS), own=True)
    try:
        fields = json.loads(data or b"{}")
    except (ValueError, RecursionError):
        return ()
    if not isinstance(fields, dict) or fields.get("format") != _FORMAT or not isinstance(fields.get("ways"), dict):
        return ()
    return tuple(_sent(way, fields["ways"][way]) for way in WAYS if isinstance(fields["ways"].get(way), dict))


def _sent(way: str, fields: Mapping[str, object]) -> Sent:
    return Sent(
        way=way,
        succeeded_at=parse_time(fields.get("succeeded_at")),
        failed_at=parse_time(fields.get("failed_at")),
        problem=clean(fields.get("problem"), _LONGEST_WORDS),
    )


def _keep(environ: Mapping[str, str], sent: tuple[Sent, ...]) -> None:
    ways = {
        one.way: {
            "succeeded_at": format_time(one.succeeded_at) if one.succeeded_at else None,
            "failed_at": format_time(one.failed_at) if one.failed_at else None,
            "problem": one.problem,
        }
        for one in sent
    }
    data = json.dumps({"format": _FORMAT, "ways": ways}).encode() + b"\n"
    write_atomically(os.path.join(config.locate_state(environ), _STATUS), data)


def main() -> int:
    """Send in the background, and return an exit code; failures are kept on disk, as no terminal reads the output."""
    try:
        sent = send_all(os.environ)
    except UllageError as error:
        return error.exit_code
    return MetricsError.exit_code if any(one.problem for one in sent) else 0


if __name__ == "__main__":
    sys.exit(main())
