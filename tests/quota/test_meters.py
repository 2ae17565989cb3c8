"""The table of meters: one row each, from which every other list follows."""

from __future__ import annotations

import importlib

import pytest

from ullage.doctor import sources
from ullage.quota import meters

NAMED = [meter for meter in meters.METERS if meter.module]


def test_every_name_stands_for_one_meter() -> None:
    names = [meter.name for meter in meters.METERS]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("meter", NAMED, ids=lambda meter: meter.name)
def test_the_module_of_a_source_is_there_and_calls_it_so(meter: meters.Meter) -> None:
    assert meter.name == importlib.import_module(f"ullage.sources.{meter.module}").NAME


def test_doctor_looks_at_every_source() -> None:
    assert tuple(sources._OBSTACLES) == meters.SOURCES[1:]


def test_nothing_that_needs_a_secret_is_asked_unless_it_is_named() -> None:
    assert meters.IN_AUTO == ("statusline", "tee", "claude-cache", "claude-cli")


def test_only_a_percentage_of_the_server_is_a_source() -> None:
    assert {meter.counts for meter in NAMED} == {"quota"}
