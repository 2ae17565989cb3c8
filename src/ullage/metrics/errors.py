"""What can go wrong with metrics."""

from __future__ import annotations

from ullage.base.errors import UllageError


class MetricsError(UllageError):
    """Metrics did not get where they were sent."""
