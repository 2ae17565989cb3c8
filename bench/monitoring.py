"""Prometheus, a Pushgateway and node_exporter as processes of our own: free loopback ports, directories that vanish."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

import yaml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, TypeVar

    S = TypeVar("S", bound="Service")

TEAM = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "team")
RULES = os.path.join(TEAM, "prometheus", "ullage.rules.yml")
_PATIENCE_SECONDS = 180.0
# A system's proxy has no business between loopback addresses.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Service:
    """A process that answers on a loopback address."""

    def __init__(self, address: str, process: subprocess.Popen[bytes], log: str) -> None:
        self.address, self.process, self.log = address, process, log

    def get(self, path: str) -> bytes:
        with _OPENER.open(f"{self.address}{path}", timeout=_PATIENCE_SECONDS) as answer:
            body: bytes = answer.read()
        return body

    def resident_mebibytes(self) -> float:
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            kibibytes = next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
        return kibibytes / 1024


class Prometheus(Service):
    def query(self, expression: str, at: float | None = None) -> list[dict[str, Any]]:
        """The samples of an instant query: `metric` and `value` of each."""
        asked = {"query": expression} | ({"time": f"{at:.0f}"} if at is not None else {})
        found = self._asked("query", asked)
        assert found["resultType"] == "vector", found
        return list(found["result"])

    def range(self, expression: str, begins: float, ends: float, step: float) -> list[dict[str, Any]]:
        """The series of a range query: `metric` and `values` of each."""
        asked = {"query": expression, "start": f"{begins:.0f}", "end": f"{ends:.0f}", "step": f"{step:.0f}"}
        return list(self._asked("query_range", asked)["result"])

    def _asked(self, what: str, asked: Mapping[str, str]) -> dict[str, Any]:
        try:
            answer = json.loads(self.get(f"/api/v1/{what}?{urllib.parse.urlencode(asked)}"))
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{asked['query']}: {error.read().decode()}") from error
        assert answer["status"] == "success", answer
        data: dict[str, Any] = answer["data"]
        return data


def recorded(server: Prometheus, begins: float, ends: float, step: float) -> Iterator[str]:
    """What the team's recording rules make of a time that is over, as OpenMetrics; Prometheus itself works it out.

    `promtool tsdb create-blocks-from rules` does the same two hours at a time, which takes minutes.
    """
    with open(RULES, encoding="utf-8") as file:
        groups = yaml.safe_load(file)["groups"]
    for rule in (rule for group in groups for rule in group["rules"] if "record" in rule):
        for series in server.range(rule["expr"], begins, ends, step):
            labels = ",".join(f'{name}="{value}"' for name, value in series["metric"].items() if name != "__name__")
            yield from (f"{rule['record']}{{{labels}}} {value} {moment}\n" for moment, value in series["values"])
    yield "# EOF\n"


def free_port() -> int:
    """Return a port that is free and stays so: below those that the system gives to whoever asks for any."""
    while True:
        # Not of a seed, which processes that run at once may share.
        port = 15_000 + secrets.randbelow(15_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@contextlib.contextmanager
def pushgateway(directory: str, *arguments: str, scheme: str = "http") -> Iterator[Service]:
    # Debian gives it a file of the system's to keep what was pushed.
    command = ["prometheus-pushgateway", "--persistence.file=", *arguments]
    with _running(Service, command, "/-/ready", directory, scheme) as service:
        yield service


@contextlib.contextmanager
def node_exporter(directory: str, textfiles: str) -> Iterator[Service]:
    # Without its other collectors, which read this machine.
    command = [
        "prometheus-node-exporter",
        "--collector.disable-defaults",
        "--collector.textfile",
        f"--collector.textfile.directory={textfiles}",
    ]
    with _running(Service, command, "/metrics", directory) as service:
        yield service


@contextlib.contextmanager
def prometheus(directory: str, targets: Mapping[str, str], *arguments: str, every: str = "1s") -> Iterator[Prometheus]:
    """Run it with the team's own configuration; `targets` puts an address for each job in place of the one there."""
    command = [
        "prometheus",
        f"--config.file={configuration(directory, targets, every)}",
        f"--storage.tsdb.path={os.path.join(directory, 'data')}",
        "--storage.tsdb.retention.time=10y",
        *arguments,
    ]
    with _running(Prometheus, command, "/-/ready", directory) as service:
        yield service


def configuration(directory: str, targets: Mapping[str, str], every: str) -> str:
    """Write the team's configuration with other addresses and a shorter interval; jobs without one are left out."""
    with open(os.path.join(TEAM, "prometheus", "prometheus.yml"), encoding="utf-8") as file:
        whole = yaml.safe_load(file)
    whole["global"] = {"scrape_interval": every, "evaluation_interval": every}
    whole["rule_files"] = [RULES]
    whole["scrape_configs"] = [job for job in whole["scrape_configs"] if job["job_name"] in targets]
    for job in whole["scrape_configs"]:
        job.pop("file_sd_configs", None)
        if targets[job["job_name"]].startswith("http:"):
            for key in ("scheme", "basic_auth", "tls_config"):
                job.pop(key, None)
        elif "tls_config" in job:
            job["tls_config"]["server_name"] = "127.0.0.1"
        job["static_configs"] = [{"targets": [urllib.parse.urlsplit(targets[job["job_name"]]).netloc]}]
    path = os.path.join(directory, "prometheus.yml")
    with open(path, "w", encoding="utf-8") as file:
        yaml.safe_dump(whole, file)
    return path


@contextlib.contextmanager
def _running(kind: type[S], command: list[str], ready: str, directory: str, scheme: str = "http") -> Iterator[S]:
    port = free_port()
    log = os.path.join(directory, f"{os.path.basename(command[0])}.log")
    with open(log, "ab") as output:
        process = subprocess.Popen(
            [*command, f"--web.listen-address=127.0.0.1:{port}"], cwd=directory, stdout=output, stderr=output
        )
    service = kind(f"{scheme}://127.0.0.1:{port}", process, log)
    try:
        _wait_until_ready(service, ready)
        yield service
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(service: Service, path: str) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            service.get(path)
        except urllib.error.HTTPError as error:
            # It answers, though it wants a password or is not ready yet.
            if error.code == 401:
                return
        except urllib.error.URLError as error:
            if "CERTIFICATE" in str(error):
                return
        else:
            return
        with open(service.log, encoding="utf-8", errors="replace") as file:
            said = file.read()
        assert service.process.poll() is None, said
        assert time.monotonic() < deadline, said
        time.sleep(0.05)
