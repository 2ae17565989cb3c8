"""The documents that the server answers with, beside those of the JSON contract."""

from __future__ import annotations

from typing import Literal

from ullage.base.values import format_time
from ullage.quota.fields import Moment, Percent  # noqa: TC001  # msgspec looks them up
from ullage.quota.schemas import CONTRACT, Document, HistoryDocument, describe_sample
from ullage.render.burnup import list_stretches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from msgspec import Struct

    from ullage.quota.pace import Sample
    from ullage.render.burnup import Burnup


class SamplesDocument(HistoryDocument):
    """What the windows stood at, in order of time; truncated where older samples were left out."""

    truncated: bool


class CourseDocument(Document):
    """A reading of one window; seen where readings since the point before tell how it came to this.

    It is not joined where the count was restarted since the point before.
    """

    at: Moment
    used_percent: Percent
    seen: bool
    joined: bool


class ExpectedDocument(Document):
    """What is expected to be used at a moment; low to high hold four cases of five."""

    at: Moment
    low: Percent
    middle: Percent
    high: Percent


class BurnupDocument(Document):
    """The course of one window from its start, and what is expected until its reset: nothing where nobody can say.

    It ends with the reset. Of a budget whose period or reset is not known it is the course of the last month until now.
    """

    schema: Literal[1]
    window: str
    label: str
    begins_at: Moment
    resets_at: Moment | None
    used: list[CourseDocument]
    expected: list[ExpectedDocument]
    ends_at: Moment


class SessionDocument(Document):
    """A secret to send instead of the token or link that it was given for; it ends with the server or that token."""

    token: str


class HealthDocument(Document):
    status: Literal["ok"]


class FaultDocument(Document):
    """Why there is no answer (RFC 9457)."""

    type: Literal["about:blank"]
    title: str
    status: int
    detail: str


DOCUMENTS: tuple[type[Struct], ...] = (
    CONTRACT["UsageDocument"],
    CONTRACT["ProfilesDocument"],
    SamplesDocument,
    BurnupDocument,
    SessionDocument,
    HealthDocument,
    FaultDocument,
)


def describe_samples(samples: Mapping[str, Sequence[Sample]], most: int) -> SamplesDocument:
    """Return the newest of the samples of all windows, at most `most`, in order of time."""
    rows = sorted(((window, sample) for window in samples for sample in samples[window]), key=lambda row: row[1].at)
    return SamplesDocument(
        schema=1, samples=[describe_sample(*row) for row in rows[-most:]], truncated=len(rows) > most
    )


def describe_burnup(burnup: Burnup) -> BurnupDocument:
    """Return the document of a window's chart."""
    return BurnupDocument(
        schema=1,
        window=burnup.window.id,
        label=burnup.window.label,
        begins_at=format_time(burnup.begins),
        resets_at=format_time(burnup.window.resets_at) if burnup.window.resets_at else None,
        used=_course(burnup),
        expected=[
            ExpectedDocument(
                at=format_time(point.at),
                low=round(point.low, 2),
                middle=round(point.middle, 2),
                high=round(point.high, 2),
            )
            for point in burnup.ahead
        ],
        ends_at=format_time(burnup.ends),
    )


def _course(burnup: Burnup) -> list[CourseDocument]:
    points = [(stretch.after, stretch.how) for stretch in list_stretches(burnup)]
    if burnup.is_history:
        points.insert(0, (burnup.used[0], "restarted"))
    return [
        CourseDocument(
            at=format_time(sample.at), used_percent=sample.used_percent, seen=how == "seen", joined=how != "restarted"
        )
        for sample, how in points
    ]
