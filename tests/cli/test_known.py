"""What a guard knows while it waits."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tests.support.samples import reading, window
from ullage.cli.known import Known
from ullage.guard import Question
from ullage.quota.schedule import Schedule
from ullage.store.cache import ProfileCache

if TYPE_CHECKING:
    import pytest

    from ullage.quota.model import Reading


def test_a_look_reads_the_statements_once_and_only_when_they_have_changed(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environ.items():
        monkeypatch.setitem(os.environ, name, value)
    monkeypatch.delitem(os.environ, "CLAUDE_CONFIG_DIR", raising=False)
    now = datetime.now(UTC)
    cache, looked = ProfileCache(environ), []
    cache.make_private()
    cache.save_schedule(Schedule().begun(now).replace(refresh_at=now + timedelta(hours=1)))
    read = ProfileCache.load_reading

    def counted(self: ProfileCache) -> Reading | None:
        looked.append(self.directory)
        return read(self)

    monkeypatch.setattr(ProfileCache, "load_reading", counted)
    known = Known()
    for count, used in enumerate((30.0, 40.0), 1):
        cache.save_reading(reading(window("five_hour", used, as_of=now, resets_at=now + timedelta(hours=1)), as_of=now))
        for _ in range(3):
            verdict = known.judge(Question(), now)
            known.find_next_refresh()
            assert [finding.used for finding in verdict.findings] == [used]
        assert looked == [cache.directory] * count
