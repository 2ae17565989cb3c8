"""Readings of the tests' own, and strategies that draw more of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from ullage import config
from ullage.base.text import clean
from ullage.quota.model import KINDS, SEVERITIES, Account, Credits, Money, Problem, Reading, Window
from ullage.store.cache import ProfileCache

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hypothesis.strategies import SearchStrategy

    from ullage.quota.model import Kind

NOW = datetime(2026, 11, 22, 10, 38, 49, tzinfo=UTC)
HOUR = timedelta(hours=1)


def window(id: str = "five_hour", used: float | None = 37.0, **changes: Any) -> Window:
    """A window that is half way through, stated now."""
    kinds: dict[str, Kind] = {"five_hour": "session", "seven_day": "weekly"}
    stated = Window(
        id=id,
        label=id.replace("_", " ").capitalize(),
        kind=kinds.get(id, "model" if id.startswith("seven_day_") else "other"),
        used_percent=used,
        resets_at=NOW + timedelta(hours=2, minutes=13),
        source="oauth",
        as_of=NOW,
        is_listed=id not in ("tangelo", "nimbus_quill"),
    )
    return stated.replace(**changes)


def reading(*windows: Window, **changes: Any) -> Reading:
    """A reading of these windows, stated now."""
    account = Account(id="a1b2", plan="max", tier="default_claude_max_20x")
    return Reading(account=account, source="oauth", as_of=NOW, windows=windows).replace(**changes)


def keep_session(environ: Mapping[str, str], used: float) -> None:
    """Keep a reading of now, of nobody's account, whose only window is the session."""
    now = datetime.now(UTC)
    stated = window("five_hour", used, label="Session (5h)", as_of=now, resets_at=now + HOUR)
    cache = ProfileCache(environ)
    cache.make_private()
    cache.save_reading(reading(stated, account=Account(), as_of=now))


def settings(template: str | None = None, **changes: Any) -> config.Settings:
    """The values in force without a file, with another template or other values."""
    defaults, _ = config.load({"ULLAGE_CONFIG": "/nowhere/config.toml", "LC_ALL": "C.UTF-8"})
    if template is not None:
        changes["templates"] = dict.fromkeys(defaults.templates, template)
    return defaults.replace(**changes)


def moments(earliest: datetime, latest: datetime) -> SearchStrategy[datetime]:
    """Moments in UTC, to the microsecond."""
    return st.builds(
        lambda seconds, fraction: min(latest, earliest + timedelta(seconds=seconds, microseconds=fraction)),
        st.integers(0, int((latest - earliest).total_seconds())),
        st.sampled_from([0, 1, 84_069, 500_000, 999_999]),
    )


words = st.text(max_size=60).map(clean).filter(bool)
percents = st.none() | st.floats(0, 150)
money = st.builds(
    Money,
    amount_minor=st.integers(-(10**14), 10**14),
    currency=st.sampled_from(["USD", "EUR", "XXX"]),
    exponent=st.integers(0, 6),
)
credits = st.builds(
    Credits, enabled=st.booleans(), used=st.none() | money, limit=st.none() | money, used_percent=percents
)
problems = st.builds(
    Problem, code=words, message=words, retry_at=st.none() | moments(NOW - timedelta(days=1), NOW + timedelta(days=1))
)


@st.composite
def windows(draw: st.DrawFn, *, most: int = 5) -> tuple[Window, ...]:
    """Windows that were stated in the last seven hours and reset in the next ten days, or a little while ago."""
    ids = st.sampled_from(["five_hour", "seven_day", "seven_day_fable", "seven_day_opus", "tangelo", "nimbus_quill"])
    resets = st.none() | moments(NOW - HOUR, NOW + 5 * HOUR) | moments(NOW, NOW + timedelta(days=10))
    return tuple(
        window(
            id,
            draw(percents),
            label=draw(words),
            kind=draw(st.sampled_from(KINDS)),
            resets_at=draw(resets),
            severity=draw(st.none() | st.sampled_from(SEVERITIES)),
            headline=draw(st.booleans()),
            as_of=draw(moments(NOW - timedelta(hours=7), NOW)),
        )
        for id in draw(st.lists(ids, unique=True, max_size=most))
    )


@st.composite
def readings(draw: st.DrawFn) -> Reading:
    """Readings as a source may have given them in the last seven hours."""
    stated = draw(windows())
    return reading(
        *stated,
        account=Account(id=draw(st.none() | words), plan=draw(st.none() | words), tier=draw(st.none() | words)),
        as_of=max([draw(moments(NOW - timedelta(hours=7), NOW)), *(each.as_of for each in stated)]),
        credits=draw(st.none() | credits),
        problem=draw(st.none() | problems),
    )
