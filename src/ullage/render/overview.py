"""All there is to show of one profile."""

from __future__ import annotations

from ullage.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ullage.model import Problem, Reading
    from ullage.pace import Forecast, Sample
    from ullage.schedule import Schedule


class Overview(Record):
    """The cache of a profile, and what the history and the forecasts add to it, by window id."""

    profile: str | None = None
    reading: Reading | None
    plan: Schedule
    samples: Mapping[str, Sequence[Sample]]
    forecasts: Mapping[str, Forecast]

    @property
    def problem(self) -> Problem | None:
        """What went wrong on the last refresh, or what the reading itself notes."""
        return self.plan.problem or (self.reading.problem if self.reading else None)
