"""Send metrics by the ways that config.toml names, in a background process after each refresh.

The refresh has ended by then, so failures are kept on disk for `ullage metrics` and `ullage doctor` to show.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime

from ullage import config
from ullage.base.errors import UllageError, describe_fault
from ullage.base.text import clean
from ullage.metrics import MetricsError, formats, identity, otlp, push, textfile
from ullage.metrics.gathering import gather
from ullage.metrics.outcomes import LONGEST_WORDS, WAYS, Sent, keep, load_last
from ullage.metrics.push import PushRoute
from ullage.system import directories
from ullage.system.lock import hold_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ullage.config import Settings

_LOCK = "metrics.lock"
# How long to wait for another process that sends.
_PATIENCE_SECONDS = 60


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
    directories.make_private(directory, environ=environ, variable=directories.STATE)
    with hold_lock(os.path.join(directory, _LOCK), _PATIENCE_SECONDS) as alone:
        if not alone:
            return ()
        before = {sent.way: sent for sent in load_last(environ)}
        ways = [way for way in WAYS if getattr(settings.reporting, way)]
        sent = tuple(_tried(before.get(way, Sent(way=way)), settings, environ) for way in ways)
        keep(environ, sent)
        return sent


def _tried(before: Sent, settings: Settings, environ: Mapping[str, str]) -> Sent:
    # The cache is read for each way, with the lock held: so the last process to send has the newest numbers.
    now = datetime.now(UTC)
    try:
        send(before.way, getattr(settings.reporting, before.way), settings, environ, now)
    except UllageError as error:
        return before.replace(problem=clean(str(error), LONGEST_WORDS))
    except Exception as error:
        return before.replace(problem=f"ullage {describe_fault(error)}")
    return Sent(way=before.way, succeeded_at=now)


def main() -> int:
    """Send in the background, and return an exit code; failures are kept on disk, as no terminal reads the output."""
    try:
        sent = send_all(os.environ)
    except UllageError as error:
        return error.exit_code
    return MetricsError.exit_code if any(one.problem for one in sent) else 0


if __name__ == "__main__":
    sys.exit(main())
