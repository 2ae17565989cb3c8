"""What is written of metrics is what the code does."""

from __future__ import annotations

import re

import pytest

from tests.support.tools import REPOSITORY
from ullage.config.options import OPTIONS
from ullage.metrics.samples import METRICS, MOST_WINDOWS
from ullage.quota.schedule import SHORTEST_INTERVAL

DOCS = (REPOSITORY / "docs" / "metrics.md").read_text("utf-8")
TEAM = (REPOSITORY / "team" / "README.md").read_text("utf-8")


def test_the_table_is_the_codes() -> None:
    rows = re.findall(r"^\| `(ullage_\w+)` \| (.*?) \| (.*) \|$", DOCS, re.MULTILINE)
    assert rows == [
        (metric.name, ", ".join(f"`{label}`" for label in metric.labels), metric.help) for metric in METRICS
    ]


@pytest.mark.parametrize("option", [option.key for option in OPTIONS if option.key.startswith("metrics.")])
def test_every_option_is_explained(option: str) -> None:
    assert re.search(rf"`?\b{option.removeprefix('metrics.')}\b", DOCS)


def test_options_that_are_named_are_there() -> None:
    known = {option.key.removeprefix("metrics.") for option in OPTIONS}
    for text in (DOCS, TEAM):
        for block in re.findall(r"```toml\n\[metrics\]\n(.*?)```", text, re.DOTALL):
            assert {line.split(" =")[0] for line in block.strip().splitlines()} <= known


def test_the_numbers_in_words_are_the_codes() -> None:
    assert f"At most {MOST_WINDOWS} windows" in DOCS
    assert SHORTEST_INTERVAL.total_seconds() == 300
    assert "at most every five minutes" in TEAM
