"""Metrics for Prometheus and its kin: what the cache says, as samples; nobody is asked for it.

`expose_metrics` writes the text that /metrics, a file for node_exporter and a push to a Pushgateway share.
"""

from __future__ import annotations

from ullage.metrics import formats, samples
from ullage.metrics.formats import OPENMETRICS_TYPE
from ullage.metrics.formats import PLAIN_TYPE as CONTENT_TYPE
from ullage.metrics.names import PSEUDONYMS, Names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from ullage.quota.model import Thresholds
    from ullage.store.overview import Overview

__all__ = ["CONTENT_TYPE", "OPENMETRICS_TYPE", "PSEUDONYMS", "Names", "expose_metrics"]


def expose_metrics(
    overviews: Iterable[Overview],
    thresholds: Thresholds,
    now: datetime,
    names: Names = PSEUDONYMS,
    *,
    openmetrics: bool = False,
) -> bytes:
    """Return every metric as text: CONTENT_TYPE, or OPENMETRICS_TYPE with `openmetrics`.

    `names` says how accounts are called; `identity.name_accounts` reads it from config.toml.
    """
    return formats.encode(samples.build_families(overviews, thresholds, now, names), openmetrics=openmetrics)
