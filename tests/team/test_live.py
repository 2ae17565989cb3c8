"""Two hundred installations that send for real: ullage, Pushgateway, node_exporter and Prometheus as they are."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from bench import monitoring
from tests.support.boards import query
from tests.support.samples import reading, window
from tests.support.tools import REPOSITORY, need, ullage, wait_until
from ullage.metrics import formats, push, samples, textfile
from ullage.metrics.names import Names
from ullage.metrics.push import PushRoute
from ullage.quota.model import Account, Thresholds
from ullage.quota.schedule import Schedule
from ullage.store.overview import Overview

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bench.monitoring import Prometheus, Service
    from ullage.metrics.samples import Family
    from ullage.simulate import Simulator

INSTALLATIONS = 200


class Live:
    def __init__(self, gateway: Service, prometheus: Prometheus, textfiles: list[Path]) -> None:
        self.gateway, self.prometheus, self.textfiles = gateway, prometheus, textfiles
        self.began = time.time()

    def values(self, expression: str) -> list[str]:
        return [row["value"][1] for row in self.prometheus.query(expression)]

    def rows(self, expression: str) -> dict[tuple[str, ...], float]:
        found = self.prometheus.query(expression)
        return {
            tuple(row["metric"].get(name, "") for name in ("user", "window")): float(row["value"][1]) for row in found
        }


def settles(look: Callable[[], object], expected: object) -> None:
    """Hold an answer to what is expected; a scrape that is late on a busy machine takes all it would bring with it."""
    deadline = time.monotonic() + 180
    while (seen := look()) != expected and time.monotonic() < deadline:
        time.sleep(0.1)
    assert seen == expected


def families(number: int, *windows: str) -> tuple[Family, ...]:
    """What one installation knows now: its session is used to half a percent for every number."""
    now = datetime.now(UTC).replace(microsecond=0)
    stated = [
        window(name, number / 2 if name == "five_hour" else 10.0, resets_at=now + timedelta(hours=2), as_of=now)
        for name in windows
    ]
    known = reading(*stated, account=Account(id=f"account-{number}", plan="team"), as_of=now)
    one = Overview(reading=known, schedule=Schedule(attempted_at=now, succeeded_at=now), samples={}, forecasts={})
    return samples.build_families([one], Thresholds(), now, Names(user=f"user-{number}"))


def send(live: Live, number: int, *windows: str) -> None:
    push.push_to_gateway(
        live.gateway.address, formats.encode(families(number, *windows)), f"{number:016x}", PushRoute()
    )


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    for program in ("prometheus", "prometheus-pushgateway", "prometheus-node-exporter"):
        need(program)
    directory = tmp_path_factory.mktemp("live")
    textfiles = [directory / "textfile"]
    textfiles[0].mkdir()
    with (
        monitoring.pushgateway(str(directory)) as gateway,
        monitoring.node_exporter(str(directory), str(textfiles[0])) as exporter,
        monitoring.prometheus(str(directory), {"pushgateway": gateway.address, "node": exporter.address}) as prometheus,
    ):
        running = Live(gateway, prometheus, textfiles)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda number: send(running, number, "five_hour", "seven_day"), range(INSTALLATIONS)))
        textfile.write(str(textfiles[0]), formats.encode(families(INSTALLATIONS, "five_hour")))
        counted = {
            "count(account_window:ullage_window_used_ratio:newest)": 2 * INSTALLATIONS + 1,
            "count(account:ullage_account_info:one)": INSTALLATIONS + 1,
        }
        for expression, number in counted.items():
            settles(partial(running.values, expression), [str(number)])
        yield running


def test_who_is_near_the_wall(live: Live) -> None:
    expected = {(f"user-{number}", "five_hour"): number / 200 for number in range(150, INSTALLATIONS + 1)}
    settles(lambda: live.rows(query("Who is near the wall")), pytest.approx(expected))
    settles(lambda: set(live.rows(query("Who is near the wall", "C"))), set(expected))
    ages = live.rows(query("Who is near the wall", "C")).values()
    # What an installation knows is dated to the second.
    assert all(0 <= age <= time.time() - live.began + 1 for age in ages)


def test_the_numbers_at_the_top(live: Live) -> None:
    settles(lambda: live.values(query("Near the wall")), ["51"])
    settles(lambda: live.values(query("Seats with numbers")), ["201"])
    settles(lambda: live.values(query("Seats without a word", seats=205)), ["4"])


def test_what_a_file_told_comes_with_the_machine_that_told_it(live: Live) -> None:
    selector = f'ullage_window_used_ratio{{account="{Names().name_account("account-200", None)}"}}'
    settles(
        lambda: [(row["metric"]["job"], row["value"][1]) for row in live.prometheus.query(selector)], [("node", "1")]
    )


def test_nothing_stands_in_the_way_of_a_scrape(live: Live) -> None:
    settles(lambda: live.values("min(up)"), ["1"])
    settles(lambda: live.values("max(node_textfile_scrape_error) or vector(0)"), ["0"])


def test_a_window_that_is_gone_is_gone_after_the_next_push(live: Live) -> None:
    send(live, 199, "five_hour")
    account = Names().name_account("account-199", None)
    # The series ends with the scrape that does not bring it.
    selector = f'count(ullage_window_used_ratio{{account="{account}"}})'
    settles(lambda: live.values(selector), ["1"])
    send(live, 199, "five_hour", "seven_day")
    settles(lambda: live.values(selector), ["2"])


def test_a_refresh_of_the_real_program_arrives_by_itself(
    live: Live, environ: dict[str, str], simulate: Callable[..., Simulator]
) -> None:
    simulate("models")
    with open(environ["ULLAGE_CONFIG"], "w", encoding="utf-8") as file:
        file.write(f'[metrics]\npush = "{live.gateway.address}"\nuser = "real"\n')
    assert ullage("refresh", environ=environ).returncode == 0
    settles(lambda: live.rows(query("Who is near the wall")).get(("real", "seven_day_fable")), 0.82)
    assert ullage("metrics", "--forget", live.gateway.address, environ=environ).returncode == 0
    assert b'"real"' not in live.gateway.get("/metrics")
    # The numbers of the others are counted by tests that may come after this one.
    settles(lambda: live.values(query("Seats with numbers")), ["201"])


def test_a_real_gateway_with_a_password_and_a_certificate(
    environ: dict[str, str], tmp_path: Path, account: Path
) -> None:
    import trustme

    need("prometheus-pushgateway")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "push-cert.pem"))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "server.pem"))
    web: dict[str, Any] = yaml.safe_load((REPOSITORY / "team" / "pushgateway" / "web.yml").read_text("utf-8"))
    pem = str(tmp_path / "server.pem")
    web["tls_server_config"] = {"cert_file": pem, "key_file": pem}
    # Of the password in the next lines.
    web["basic_auth_users"] = {"ullage": "$2y$10$SWKZFtBEu8SnvP3bZeZ2fuw4.W0GSl6U.pGyPBhM90hvLqt5orm2S"}
    (tmp_path / "web.yml").write_text(yaml.safe_dump(web))
    (tmp_path / "auth").write_text("ullage:open-sesame\n")
    (tmp_path / "auth").chmod(0o600)
    arguments = [f"--web.config.file={tmp_path / 'web.yml'}"]
    with monitoring.pushgateway(str(tmp_path), *arguments, scheme="https") as gateway:
        push_there = ("metrics", "--push", gateway.address)
        refused = ullage(*push_there, environ=environ)
        assert (refused.returncode, "certificate" in refused.stderr) == (5, True)
        environ["SSL_CERT_FILE"] = str(tmp_path / "push-cert.pem")
        refused = ullage(*push_there, environ=environ)
        assert (refused.returncode, "answered 401" in refused.stderr) == (5, True)
        with open(environ["ULLAGE_CONFIG"], "w", encoding="utf-8") as file:
            file.write(f'[metrics]\nauth_file = "{tmp_path / "auth"}"\n')
        done = ullage(*push_there, environ=environ)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert ullage(*push_there, environ={**environ, "ULLAGE_METRICS_AUTH": "ullage:wrong"}).returncode == 5
        assert scraped(gateway, tmp_path)


def scraped(gateway: Service, directory: Path) -> bool:
    """Say whether Prometheus, with the team's own configuration, password and certificate, reads what was pushed."""
    (directory / "push-password").write_text("open-sesame")
    with monitoring.prometheus(str(directory), {"pushgateway": gateway.address}) as prometheus:
        wait_until(lambda: prometheus.query('ullage_build_info{job="ullage"}'), what="a scrape with a password")
    return True
