"""The commands as a user types them: exit codes, the contract, and words for everything that is not known."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from tests.support.tools import ULLAGE, make_due, run, ullage, wait_until
from ullage import refresh
from ullage.cli.listing import COMMANDS
from ullage.quota.timeline import SURFACES
from ullage.simulate import SCENARIOS, Simulator
from ullage.store.cache import ProfileCache

if TYPE_CHECKING:
    from collections.abc import Callable

    Simulate = Callable[..., Simulator]


def told_json(environ: dict[str, str], *options: str) -> tuple[int, dict[str, Any]]:
    """Return the exit code of `usage --json` and its document, which the published schema allows."""
    told = ullage("usage", "--json", *options, environ=environ)
    document = json.loads(told.stdout)
    schema = json.loads(ullage("schema", environ=environ).stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(document, schema, cls=jsonschema.Draft202012Validator)
    return told.returncode, document


@pytest.mark.parametrize("scenario", sorted(set(SCENARIOS) - {"stalled", "silent", "drip"}))
def test_document_of_every_scenario_keeps_the_contract(
    scenario: str, environ: dict[str, str], simulate: Simulate
) -> None:
    simulate(scenario)
    code, document = told_json(environ)
    failed = {"revoked", "scope", "redirect", "html", "empty", "truncated", "cut", "huge", "cloudflare", "flaky"}
    failed |= {"429-storm-at-once", "outage-at-once", "in-band"}
    assert code == (5 if scenario in failed else 0)
    assert (document["problem"] is not None) == (scenario in failed | {"leaked-epoch"})
    assert bool(document["windows"]) == (scenario not in failed)
    assert document["state"] == ("none" if scenario in failed else "fresh")


def test_failure_after_a_reading_is_told_and_the_reading_stays(environ: dict[str, str], simulate: Simulate) -> None:
    simulate("outage")
    assert told_json(environ)[0] == 0
    make_due(environ)
    code, document = told_json(environ)
    assert code == 0
    assert document["windows"]
    assert document["problem"]["code"] == "server_error"
    assert document["problem"]["retry_at"] == document["next_refresh_at"]
    table = ullage("usage", environ=environ)
    assert "fault of its own (503)" in " ".join(table.stdout.split())


def test_nothing_known(environ: dict[str, str]) -> None:
    code, document = told_json(environ)
    assert (code, document["state"], document["problem"]["code"]) == (3, "none", "signed_out")
    told = ullage("usage", environ=environ)
    assert told.returncode == 3
    assert "sign in with /login" in " ".join(told.stdout.split())
    assert ullage("refresh", "--force", environ=environ).returncode == 3


def test_not_signed_in(environ: dict[str, str], account: Path) -> None:
    (account / ".credentials.json").unlink()
    code, document = told_json(environ)
    assert (code, document["problem"]["code"]) == (3, "token_missing")


@pytest.mark.parametrize(("age", "code", "state"), [(20, 0, "stale"), (359, 0, "stale"), (361, 4, "expired")])
def test_age_of_a_reading(age: int, code: int, state: str, environ: dict[str, str], simulate: Simulate) -> None:
    simulate("credits")
    assert ullage("refresh", environ=environ).returncode == 0
    cache = ProfileCache(environ)
    reading = cache.load_reading()
    assert reading is not None
    then = datetime.now(UTC) - timedelta(minutes=age)
    cache.save_reading(
        reading.replace(as_of=then, windows=tuple(window.replace(as_of=then) for window in reading.windows))
    )
    told, document = told_json(environ, "--no-refresh")
    assert (told, document["state"]) == (code, state)
    if state == "expired":
        assert document["credits"] is None
        assert all(window["used_percent"] is None for window in document["windows"])
    table = ullage("usage", "--no-refresh", environ=environ)
    assert table.returncode == code
    assert ("61%" in table.stdout) == (state == "stale")


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["usages"], "Did you mean usage?"),
        (["xyzzy"], "`ullage --help` lists the commands"),
        (["usage", "--jsn"], "--json"),
        (["simulate", "--scenario", "rain"], "busy-day"),
        (["simulate", "--port", "99999"], "65535"),
        (["simulate", "--speed", "0"], "0"),
        (["config", "chek"], "chek"),
        (["config", "check", "/nowhere"], "/nowhere"),
        (["refresh", "now"], "now"),
    ],
)
def test_wrong_usage_is_explained(arguments: list[str], hint: str, environ: dict[str, str]) -> None:
    told = ullage(*arguments, environ=environ)
    assert (told.returncode, told.stdout) == (2, "")
    assert hint in told.stderr
    assert "Traceback" not in told.stderr


@pytest.mark.parametrize(("variable", "value"), [("ULLAGE_SOURCE", "telepathy"), ("ULLAGE_CACHE_DIR", "here")])
@pytest.mark.parametrize("command", [["usage"], ["usage", "--json"], ["refresh"], ["config", "apply"]])
def test_wrong_environment_is_explained(command: list[str], variable: str, value: str, environ: dict[str, str]) -> None:
    told = ullage(*command, environ={**environ, variable: value})
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr.startswith(f"ullage: {variable} ")


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS), ["config", "write"], ["config", "check"]])
def test_every_command_has_help(command: list[str], environ: dict[str, str]) -> None:
    told = ullage(*command, "--help", environ=environ)
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.startswith("Usage: ullage")
    assert ullage(*command, "-h", environ=environ).stdout == told.stdout


def test_version(environ: dict[str, str]) -> None:
    from ullage import __version__

    assert ullage("--version", environ=environ).stdout == f"ullage, version {__version__}\n"


@pytest.mark.parametrize("command", ["schema", "usage --json", "usage", "config", "demo --help"])
def test_reader_that_has_had_enough_is_no_error(command: str, environ: dict[str, str], simulate: Simulate) -> None:
    simulate("busy-day")
    assert refresh.refresh(environ).result == "refreshed"
    script = f"{{ {ULLAGE} {command}; echo code $? >&3; }} 3>&2 2>&1 | exec <&-"
    assert run(["bash", "-c", f"( {script} ) 3>&1"], environ).stderr == "code 0\n"


@pytest.mark.parametrize("command", [["schema"], ["usage", "--json"], ["usage"], ["config"]])
def test_output_that_cannot_be_written_is_told(command: list[str], environ: dict[str, str], simulate: Simulate) -> None:
    simulate("busy-day")
    assert refresh.refresh(environ).result == "refreshed"
    told = run(["sh", "-c", '"$@" >/dev/full', "sh", ULLAGE, *command], environ)
    assert told.returncode == 5
    assert told.stderr == "ullage: output: No space left on device\n"


@pytest.mark.parametrize("command", ["schema", "usage --json", "usage", "config", "--help", "--version", "refresh"])
def test_output_that_is_closed_is_no_fault(command: str, environ: dict[str, str], simulate: Simulate) -> None:
    simulate("busy-day")
    assert refresh.refresh(environ).result == "refreshed"
    told = run(["sh", "-c", f"{ULLAGE} {command} >&-"], environ)
    assert (told.returncode, told.stderr) == (0, "")


def test_configuration_as_a_user_works_with_it(environ: dict[str, str], simulate: Simulate) -> None:
    path = Path(environ["ULLAGE_CONFIG"])
    simulate("models")
    assert ullage("refresh", environ=environ).returncode == 0
    assert "not there" in ullage("config", environ=environ).stdout
    assert "not there" in ullage("config", "check", environ=environ).stdout
    assert ullage("config", "write", environ=environ).stdout == f"Wrote {path}\n"
    written = path.read_text()
    assert ullage("config", "check", environ=environ).stdout == f"{path} is fine.\n"
    again = ullage("config", "write", environ=environ)
    assert again.returncode == 2
    assert "stays as it is" in again.stderr
    assert path.read_text() == written

    path.write_text('[segment]\ntemplate = "<{5h.left}>"\n')
    assert ullage("prompt", environ=environ).stdout == "fable 82%!\n"
    applied = ullage("config", "apply", environ=environ)
    assert (applied.returncode, applied.stdout) == (0, "Applied.\n")
    assert ullage("prompt", environ=environ).stdout == "<64%>\n"
    assert 'segment.template = "<{5h.left}>"' in ullage("config", environ=environ).stdout

    path.write_text('[segment]\nshwo = "left"\ntemplate = "{5h"\n')
    for command in ("check", "apply"):
        told = ullage("config", command, environ=environ)
        assert told.returncode == 2
        assert f"{path}:2: segment.shwo is not an option; did you mean segment.show?" in told.stderr
        assert f"{path}:3: segment.template has a {{ without its }}" in told.stderr
    assert ullage("prompt", environ=environ).stdout == "fable 82%!\n"
    assert f"{path}:2:" in ullage("usage", environ=environ).stderr


def test_configuration_that_cannot_be_written_is_explained(environ: dict[str, str]) -> None:
    told = ullage("config", "write", environ={**environ, "ULLAGE_CONFIG": "/proc/ullage/config.toml"})
    assert told.returncode == 5
    assert told.stderr.startswith("ullage: Cannot write /proc/ullage/config.toml: ")


def test_configuration_that_finds_no_room_is_not_left_half_written(environ: dict[str, str]) -> None:
    path = Path(environ["ULLAGE_CONFIG"])
    told = run(["sh", "-c", 'ulimit -f 0; exec "$0" config write', ULLAGE], environ)
    assert told.returncode == 5
    assert told.stderr.startswith(f"ullage: Cannot write {path}: ")
    assert not path.exists()
    assert ullage("config", "write", environ=environ).stdout == f"Wrote {path}\n"


def test_history_that_cannot_be_read_for_want_of_room_stays(environ: dict[str, str], simulate: Simulate) -> None:
    simulate("models")
    assert ullage("refresh", environ=environ).returncode == 0
    before = ullage("history", environ=environ).stdout
    told = run(["sh", "-c", 'ulimit -f 0; exec "$0" history', ULLAGE], environ)
    assert told.returncode == 5
    assert "It stays as it is. Make room" in told.stderr
    assert ullage("history", environ=environ).stdout == before


def test_simulator_serves_until_it_is_interrupted(environ: dict[str, str], tmp_path: Path) -> None:
    account = str(tmp_path / "invented account")
    command = [ULLAGE, "simulate", "--scenario", "credits", "--account", account]
    unbuffered = {**environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, env=unbuffered, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stderr is not None
        try:
            assert "nothing here is real" in server.stdout.readline()
            # The line is meant to be pasted into a shell.
            told = run(["sh", "-c", server.stdout.readline()], environ)
            assert (told.returncode, told.stderr) == (0, "")
            assert "$12.34 of $50.00" in told.stdout
        finally:
            server.send_signal(signal.SIGINT)
        assert server.wait(90) == 130
        assert "Traceback" not in server.stderr.read()
    again = ullage("simulate", "--account", account, environ=environ)
    assert again.returncode == 2
    assert "is there already and is not touched" in again.stderr


def test_port_that_is_taken_is_explained(environ: dict[str, str]) -> None:
    with Simulator("busy-day").running() as simulator:
        told = ullage("simulate", "--port", str(simulator.server_port), environ=environ)
    assert told.returncode == 5
    assert "Name another with --port, or 0." in told.stderr


def test_the_simulators_address_is_in_a_file_while_it_runs(environ: dict[str, str], tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen([ULLAGE, "simulate"], env=environ, stdout=output)
    try:
        wait_until(lambda: "Simulating busy-day at http://" in log.read_text())
    finally:
        process.terminate()
        process.wait()


def test_the_simulator_says_nothing_of_clients_that_go_away(capsys: pytest.CaptureFixture[str]) -> None:
    with Simulator("busy-day").running() as simulator:
        for fault, said in ((BrokenPipeError(), False), (ValueError("a fault of ours"), True)):
            try:
                raise fault
            except (OSError, ValueError):
                simulator.handle_error(None, ("127.0.0.1", 1))
            assert ("ValueError: a fault of ours" in capsys.readouterr().err) is said


@pytest.mark.parametrize("scenario", ["models", "hostile-names", "over-limit"])
def test_demo_shows_the_main_job_and_leaves_nothing(scenario: str, environ: dict[str, str], tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    told = ullage("demo", "--bytes", "--scenario", scenario, environ={**environ, "TMPDIR": str(scratch)})
    assert (told.returncode, told.stderr) == (0, "")
    assert "The account is simulated" in told.stdout
    assert "Requests that the server has seen: 1\n" in told.stdout
    assert "differs" not in told.stdout
    for surface in SURFACES:
        assert f"\n  {surface} " in told.stdout
    assert not [line for line in told.stdout.splitlines() if line.endswith("''")]
    assert os.listdir(scratch) == []
    assert not Path(environ["ULLAGE_CACHE_DIR"]).exists()


def test_demo_of_a_failure_says_what_failed(environ: dict[str, str]) -> None:
    told = ullage("demo", "--scenario", "revoked", environ=environ)
    assert told.returncode == 5
    assert "/login" in told.stderr
