"""ullage.prom is whole or not there, and readable by node_exporter's own user."""

from __future__ import annotations

import os
import stat
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.metrics.test_push import known
from tests.support.samples import NOW, reading, window
from tests.support.tools import need, put_in_place
from ullage.base.errors import UsageError
from ullage.metrics import MetricsError, formats, samples, textfile
from ullage.metrics.names import Names
from ullage.quota.model import Account, Credits, Money, Problem, Thresholds
from ullage.quota.pace import Forecast
from ullage.quota.schedule import Schedule
from ullage.store.overview import Overview

if TYPE_CHECKING:
    from pathlib import Path


def test_the_file_is_for_others_to_read_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        path = textfile.write(str(tmp_path), b"a 1\n")
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o644
    assert [entry.name for entry in tmp_path.iterdir()] == ["ullage.prom"]


def test_a_link_in_its_place_is_replaced_and_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (tmp_path / "ullage.prom").symlink_to(victim)
    textfile.write(str(tmp_path), b"a 1\n")
    assert victim.read_bytes() == b"precious"
    assert (tmp_path / "ullage.prom").read_bytes() == b"a 1\n"
    assert not (tmp_path / "ullage.prom").is_symlink()


@pytest.mark.parametrize("kind", ["file", "dead link", "nothing"])
def test_what_is_no_directory_is_told(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "place"
    if kind == "file":
        place.write_bytes(b"")
    elif kind == "dead link":
        put_in_place(kind, place)
    with pytest.raises(UsageError, match="is no directory"):
        textfile.write(str(place), b"")


def test_a_directory_in_the_files_place_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "ullage.prom").mkdir()
    with pytest.raises(MetricsError, match="Is a directory"):
        textfile.write(str(tmp_path), b"")
    assert [entry.name for entry in tmp_path.iterdir()] == ["ullage.prom"]


def test_a_directory_that_cannot_be_written_to_is_told() -> None:
    # Not even root makes a file there.
    with pytest.raises(MetricsError, match=r"Cannot write /proc/ullage\.prom"):
        textfile.write("/proc", b"")


def everything(hostile: str) -> Overview:
    """An overview that has a sample of every metric."""
    money = Money(amount_minor=1234, currency="USD", exponent=2)
    return Overview(
        reading=reading(
            window(),
            window(id=hostile),
            account=Account(id="a1b2", plan=hostile, tier=hostile),
            credits=Credits(enabled=True, used=money, limit=money, used_percent=100.0),
        ),
        schedule=Schedule(
            attempted_at=NOW,
            succeeded_at=NOW,
            hold_until=NOW.replace(year=2027),
            problem=Problem(code="rate_limited", message="…"),
        ),
        samples={},
        forecasts={"five_hour": Forecast(projected_percent=120.0, exhausts_at=NOW)},
    )


@pytest.mark.parametrize("hostile", ["plain", 'a"} 1\nb{c="\\', "\\\\n", "ü\u202e🙂", "{}"])
def test_promtool_finds_nothing_in_any_metric(hostile: str) -> None:
    text = formats.encode(samples.build_families([everything(hostile)], Thresholds(), NOW, Names()))
    assert {line.split()[2] for line in text.decode().splitlines() if line.startswith("# TYPE")} == {
        metric.name for metric in samples.METRICS
    }
    checked = subprocess.run([need("promtool"), "check", "metrics"], input=text, capture_output=True, check=False)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")


def test_promtool_would_find_something() -> None:
    text = formats.encode(known()) + b"ullage_milliseconds 1\n"
    checked = subprocess.run([need("promtool"), "check", "metrics"], input=text, capture_output=True, check=False)
    assert checked.returncode != 0


def test_a_link_that_takes_the_new_file_s_place_opens_no_other_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    victim.chmod(0o600)
    sync = os.fsync

    def swap(descriptor: int) -> None:
        sync(descriptor)
        [fresh] = tmp_path.glob("*.new")
        fresh.unlink()
        fresh.symlink_to(victim)

    monkeypatch.setattr(os, "fsync", swap)
    textfile.write(str(tmp_path), b"a 1\n")
    assert stat.S_IMODE(victim.stat().st_mode) == 0o600
    assert victim.read_bytes() == b"precious"
