"""Expose what the cache holds as metrics for Prometheus and OTLP; no source is asked."""

from __future__ import annotations

from ullage.base.errors import UllageError


class MetricsError(UllageError):
    """Metrics did not get where they were sent."""
