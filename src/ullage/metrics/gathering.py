"""Gather the samples for every way out: /metrics, node_exporter's textfile collector, a Pushgateway and OTLP."""

from __future__ import annotations

from ullage.metrics import identity, samples
from ullage.store import overview

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ullage.config import Settings
    from ullage.metrics.samples import Family


def gather(settings: Settings, environ: Mapping[str, str], now: datetime) -> tuple[Family, ...]:
    """Return every metric of every profile, from the cache alone."""
    known = overview.load_all(overview.list_profiles(environ), environ, settings.thresholds, now)
    names = identity.name_accounts(settings.reporting, known, environ)
    return samples.build_families(known, settings.thresholds, now, names)
