"""The team's configuration and rules, held by Prometheus' own tool."""

from __future__ import annotations

import subprocess

import pytest
import yaml

from tests.support.tools import REPOSITORY, need

PROMETHEUS = REPOSITORY / "team" / "prometheus"


def promtool(*arguments: str) -> str:
    done = subprocess.run(
        [need("promtool"), *arguments], cwd=PROMETHEUS, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_configuration_is_one() -> None:
    assert "1 rule files found" in promtool("check", "config", "--lint-fatal", "prometheus.yml")


@pytest.mark.parametrize("name", ["ullage.test.yml", "ullage-week.test.yml"])
def test_the_rules_do_what_their_cases_say(name: str) -> None:
    assert "SUCCESS" in promtool("test", "rules", name)


def test_every_rule_has_a_case() -> None:
    groups = yaml.safe_load((PROMETHEUS / "ullage.rules.yml").read_text("utf-8"))["groups"]
    named = {rule.get("alert") or rule["record"] for group in groups for rule in group["rules"]}
    cases = "".join(path.read_text("utf-8") for path in PROMETHEUS.glob("*.test.yml"))
    # The newest projection and the newest word are what two of the alerts look at.
    indirect = {
        "account_window:ullage_window_projected_ratio:newest": "UllageWeekRunsOut",
        "account:ullage_reading_timestamp_seconds:max": "UllageSeatSilent",
        "account_window:ullage_window_reading_timestamp_seconds:max": "account_window:ullage_window_used_ratio:newest",
    }
    assert {name for name in named if indirect.get(name, name) not in cases} == set()
