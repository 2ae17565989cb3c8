"""Start what hands a new reading on to other machines: in the background, one process at a time."""

from __future__ import annotations

import time

from ullage.system import claim, detach, secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ullage.config import Settings


def start(root: str, settings: Settings, environ: Mapping[str, str]) -> None:
    """Start a push and return at once; where one runs or waits for its minute, that one takes this news along."""
    if claim.take(root, time.time(), claim.PUSH):
        detach.start("ullage.refresh.push", secret.withhold_keys(environ, settings.key_variables))
