"""`ullage doctor` on machines that are well, and on all kinds that are not."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import io
import json
import os
import re
import shutil
import sqlite3
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from tests.support.terminal import Terminal
from tests.support.tools import PATIENCES, SCRIPTS, ULLAGE, need, run, ullage
from ullage.doctor import _cache, hosts, page, permissions
from ullage.quota import serial
from ullage.quota.model import Problem
from ullage.setup.hosts import HOSTS, find_host
from ullage.simulate import ACCOUNT_ID, TOKEN
from ullage.store import statements
from ullage.store.cache import ProfileCache
from ullage.system.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable

    from ullage.doctor.finding import Finding
    from ullage.simulate import Simulator


def doctor(environ: dict[str, str], code: int) -> dict[str, Any]:
    """Run it both ways and return the JSON; nothing may be printed beside."""
    told = ullage("doctor", environ=environ)
    assert (told.returncode, told.stderr) == (code, "")
    found = ullage("doctor", "--json", environ=environ)
    assert (found.returncode, found.stderr) == (code, "")
    document = json.loads(found.stdout)
    assert document["exit_code"] == code
    assert isinstance(document, dict)
    return document


def codes(document: dict[str, Any]) -> list[str]:
    return [finding["code"] for finding in document["findings"]]


def host(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(found for found in document["hosts"] if found["name"] == name)


def snapshot(*directories: str) -> dict[str, tuple[int, int]]:
    return {
        str(path): (path.lstat().st_mtime_ns, path.lstat().st_ino)
        for directory in directories
        for path in [Path(directory), *Path(directory).rglob("*")]
        if path.exists()
    }


@pytest.fixture
def known(environ: dict[str, str], simulate: Callable[..., Simulator]) -> Simulator:
    """A machine on which a refresh has brought a reading."""
    simulator = simulate("busy-day")
    assert ullage("refresh", environ=environ).returncode == 0
    return simulator


def test_a_machine_that_is_well(environ: dict[str, str], known: Simulator) -> None:
    need("bash")
    Path(environ["HOME"], ".bash_profile").write_text(". ~/.bashrc\n")
    ullage("setup", "bash", "--yes", environ=environ)
    document = doctor(environ, 0)
    assert document["findings"] == []
    assert host(document, "bash")["set_up"] == "block"
    assert host(document, "bash")["file"] == "~/.bashrc"
    assert host(document, "bash")["enough"] is True
    assert (host(document, "bash")["seen"], host(document, "bash")["seen_at_login"]) == (True, True)
    assert host(document, "zsh")["seen"] is None
    assert [found["name"] for found in document["hosts"]] == list(HOSTS)
    assert document["prompt_milliseconds"] == {}
    assert document["cache"]["directory"] == ProfileCache(environ).directory
    assert (document["cache"]["mode"], document["cache"]["yours"]) == ("0700", True)
    assert (document["reading"]["source"], document["reading"]["state"]) == ("oauth", "fresh")
    assert document["refresh"]["problem"] is None
    assert document["refresh"]["next_at"] > document["refresh"]["attempted_at"]
    assert "ULLAGE_SOURCE" in document["variables"]
    assert "All is well." in ullage("doctor", environ=environ).stdout


def test_it_measures_when_asked_to(environ: dict[str, str], known: Simulator) -> None:
    need("bash")
    found = ullage("doctor", "--measure", "--json", environ=environ)
    assert (found.returncode, found.stderr) == (0, "")
    document = json.loads(found.stdout)
    assert document["prompt_milliseconds"]["ullage-prompt"] > 0
    assert host(document, "bash")["hook_microseconds"] > 0


@pytest.mark.process
def test_it_asks_each_program_that_is_set_up_once_and_waits_for_none_that_hangs(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs, log = tmp_path / "programs", tmp_path / "log"
    programs.mkdir()
    for name in ["nu" if name == "nushell" else name for name in HOSTS]:
        # Too old, so that none is started on a terminal.
        ends = "exec sleep 600" if name == "tmux" else f"echo {name} 0.1"
        (programs / name).write_text(f'#!/bin/sh\necho "{name} $*" >>"{log}"\n{ends}\n')
        (programs / name).chmod(0o755)
    environ["PATH"] = f"{programs}{os.pathsep}{environ['PATH']}"
    for name in ("bash", "nushell", "tmux"):
        found = find_host(name, environ)
        Path(found.path).parent.mkdir(parents=True, exist_ok=True)
        Path(found.path).write_text(found.body)
    expected = {name: "0.1" if name in ("bash", "nushell") else None for name in HOSTS}
    findings: list[Finding] = []
    for seconds in PATIENCES:
        monkeypatch.setattr(hosts, "_VERSION_SECONDS", seconds)
        log.unlink(missing_ok=True)
        versions = {found.name: found.version for found in hosts.report_hosts(environ, findings, lambda _doing: None)}
        if versions == expected:
            break
    assert versions == expected
    assert sorted(log.read_text().splitlines()) == ["bash --version", "nu --version", "tmux -V"]


@pytest.mark.process
def test_a_program_that_prints_digits_without_end_has_no_version(environ: dict[str, str], tmp_path: Path) -> None:
    program = tmp_path / "tmux"
    program.write_text("#!/bin/sh\nhead -c 1000000 /dev/zero | tr '\\0' 1\n")
    program.chmod(0o755)
    began = time.monotonic()
    assert hosts._versions({"tmux": str(program)}, environ) == {}
    # A search that begins anew at each digit takes hours.
    assert time.monotonic() - began < 60
    program.write_text("#!/bin/sh\nhead -c 5000 /dev/zero | tr '\\0' 1; echo .2\n")
    assert hosts._numbers(hosts._versions({"tmux": str(program)}, environ)["tmux"]) == (111111111, 2)


def test_it_changes_nothing_and_asks_nobody(environ: dict[str, str], known: Simulator, account: Path) -> None:
    schedule = ProfileCache(environ).load_schedule()
    past = datetime.now(UTC) - timedelta(hours=1)
    ProfileCache(environ).save_schedule(schedule.replace(refresh_at=past, attempted_at=past))
    directories = (environ["HOME"], environ["ULLAGE_CACHE_DIR"], str(account))
    before = snapshot(*directories)
    assert doctor(environ, 0)["refresh"]["due"] is True
    assert snapshot(*directories) == before
    assert known.requests == 1


def test_a_failure_with_something_to_fall_back_on_is_told_but_well(environ: dict[str, str], known: Simulator) -> None:
    schedule = ProfileCache(environ).load_schedule()
    problem = Problem(code="server_error", message="It has a fault of its own.")
    ProfileCache(environ).save_schedule(schedule.replace(failures=2, problem=problem))
    document = doctor(environ, 0)
    assert document["refresh"]["failures"] == 2
    assert document["refresh"]["problem"] == {
        "code": "server_error",
        "message": "It has a fault of its own.",
        "retry_at": None,
    }


def test_a_reading_that_is_too_old(environ: dict[str, str], known: Simulator) -> None:
    reading = ProfileCache(environ).load_reading()
    assert reading is not None
    past = datetime.now(UTC) - timedelta(days=1)
    ProfileCache(environ).save_reading(reading.replace(as_of=past))
    assert doctor(environ, 4)["reading"]["state"] == "expired"


def test_nothing_known(environ: dict[str, str]) -> None:
    document = doctor(environ, 3)
    assert document["reading"] is None
    assert document["cache"]["exists"] is False
    ullage("refresh", environ=environ)
    assert doctor(environ, 3)["refresh"]["problem"]["code"] == "signed_out"


def test_a_source_that_failed_with_nothing_to_fall_back_on(
    environ: dict[str, str], simulate: Callable[..., Simulator]
) -> None:
    simulate("revoked")
    ullage("refresh", environ=environ)
    assert doctor(environ, 5)["refresh"]["problem"]["code"] == "unauthorized"


def without_home(environ: dict[str, str], tmp_path: Path) -> None:
    del environ["HOME"], environ["ULLAGE_CACHE_DIR"]


def home_that_is_not_there(environ: dict[str, str], tmp_path: Path) -> None:
    del environ["ULLAGE_CACHE_DIR"]
    environ["HOME"] = str(tmp_path / "nowhere")


def variable(name: str, value: str) -> Callable[[dict[str, str], Path], object]:
    return lambda environ, tmp_path: environ.update({name: value})


def config(text: str) -> Callable[[dict[str, str], Path], object]:
    return lambda environ, tmp_path: Path(environ["ULLAGE_CONFIG"]).write_text(text)


def cache_that_others_write_to(environ: dict[str, str], tmp_path: Path) -> None:
    Path(environ["ULLAGE_CACHE_DIR"]).mkdir()
    Path(environ["ULLAGE_CACHE_DIR"]).chmod(0o777)


def nothing_in_path(environ: dict[str, str], tmp_path: Path) -> None:
    environ["PATH"] = str(tmp_path)
    Path(environ["HOME"], ".bashrc").write_text('eval "$(ullage init bash)"\n')
    ullage("setup", "tmux", "--yes", environ=environ)


def not_seen_at_login(environ: dict[str, str], tmp_path: Path) -> None:
    Path(environ["HOME"], ".bash_profile").write_text("export A=1\n")
    ullage("setup", "bash", "--yes", environ=environ)


def old_tmux(environ: dict[str, str], tmp_path: Path) -> None:
    old = tmp_path / "bin" / "tmux"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho tmux 2.9a\n")
    old.chmod(0o755)
    environ["PATH"] = f"{old.parent}{os.pathsep}{environ['PATH']}"
    ullage("setup", "tmux", "--yes", environ=environ)


@pytest.mark.parametrize(
    ("variable", "name", "mode"),
    [
        ("ULLAGE_CACHE_DIR", "", 0o755),
        ("ULLAGE_CACHE_DIR", "accounts", 0o750),
        ("ULLAGE_CACHE_DIR", "accounts/*/asked", 0o644),
        ("ULLAGE_CACHE_DIR", "profiles/**/schedule.json", 0o602),
        ("ULLAGE_STATE_DIR", "", 0o711),
        ("ULLAGE_STATE_DIR", "history.sqlite3", 0o640),
    ],
)
def test_what_is_open_to_others_is_named_with_the_chmod_that_mends_it(
    environ: dict[str, str], known: Simulator, variable: str, name: str, mode: int
) -> None:
    directory = Path(environ[variable])
    assert permissions.find_exposure("open", str(directory)) is None
    [path] = directory.glob(name) if name else [directory]
    path.chmod(mode)
    while path != directory:
        # Nobody gets there yet.
        assert permissions.find_exposure("open", str(directory)) is None
        path = path.parent
        path.chmod(0o711)
    found = permissions.find_exposure("open", str(directory))
    assert found is not None
    assert found.message.startswith(f"{directory} is open to other users (mode 07")
    assert run(["sh", "-c", found.message.partition("Run: ")[2]], environ).returncode == 0
    assert permissions.find_exposure("open", str(directory)) is None


def test_what_is_open_to_others_is_found(environ: dict[str, str], known: Simulator) -> None:
    # In a home, as the command that is shown has a tilde in its place then.
    for each in ("CACHE", "STATE"):
        lies = Path(environ["HOME"], each)
        Path(environ[f"ULLAGE_{each}_DIR"]).rename(lies)
        environ[f"ULLAGE_{each}_DIR"] = str(lies)
    for path in Path(environ["ULLAGE_CACHE_DIR"]).rglob("*.timeline"):
        path.chmod(0o644)
    Path(environ["ULLAGE_STATE_DIR"]).chmod(0o755)
    # What lies in a directory that is closed to others is.
    assert codes(doctor(environ, 2)) == ["state_open"]
    for path in (Path(environ["ULLAGE_CACHE_DIR"]), *Path(environ["ULLAGE_CACHE_DIR"]).rglob("*/")):
        path.chmod(0o755)
    cache, state = doctor(environ, 2)["findings"]
    assert (cache["code"], state["code"]) == ("cache_open", "state_open")
    assert re.search(r"^~/CACHE is open .*, and \d+ more in it\. Run: chmod -R go-rwx '?~/CACHE", cache["message"])
    for each in (cache, state):
        assert run(["sh", "-c", each["message"].partition("Run: ")[2]], environ).returncode == 0
    assert codes(doctor(environ, 0)) == []


@pytest.mark.parametrize("variable", ["ULLAGE_CACHE_DIR", "ULLAGE_STATE_DIR"])
@pytest.mark.parametrize("place", ["for all", "the home", "above the home"])
def test_no_chmod_is_advised_on_what_is_for_more_than_ullage(
    environ: dict[str, str], known: Simulator, tmp_path: Path, variable: str, place: str
) -> None:
    home = Path(environ["HOME"])
    directory = {"for all": tmp_path / "all", "the home": home, "above the home": home.parent}[place]
    directory.mkdir(exist_ok=True)
    directory.chmod(0o1777 if place == "for all" else 0o755)
    environ[variable] = str(directory)
    for command in ("doctor", "refresh"):
        done = ullage(command, environ=environ)
        assert "Run: chmod" not in done.stdout + done.stderr
        if place == "for all" and command == "doctor":
            assert f"is for all users of this machine. Name a directory of your own in {variable}" in done.stdout


@pytest.mark.parametrize(
    ("damage", "code", "findings"),
    [
        (without_home, 2, ["no_cache_directory"]),
        (home_that_is_not_there, 3, []),
        (variable("ULLAGE_CACHE_DIR", "cache"), 2, ["no_cache_directory"]),
        (variable("ULLAGE_CONFIG", "config.toml"), 2, ["no_config_path"]),
        (variable("ULLAGE_STATE_DIR", "state"), 2, ["no_state_directory"]),
        (variable("ULLAGE_SOURCE", "guess"), 2, ["wrong_environment"]),
        (variable("TMPDIR", "/nonexistent"), 3, []),
        (cache_that_others_write_to, 5, ["cache_not_private"]),
        (lambda environ, _: Path(environ["ULLAGE_CACHE_DIR"]).touch(), 5, ["cache_not_writable"]),
        (config("[segment\n"), 2, ["wrong_config"]),
        (lambda environ, _: Path(environ["ULLAGE_CONFIG"]).mkdir(), 2, ["wrong_config"]),
        (nothing_in_path, 2, ["not_in_path", "not_in_path"]),
        (not_seen_at_login, 2, ["not_seen"]),
        (
            lambda environ, _: Path(environ["HOME"], ".bashrc").write_text("# >>> ullage setup bash >>>\n"),
            2,
            ["damaged_block"],
        ),
        (old_tmux, 2, ["too_old"]),
    ],
)
def test_a_machine_that_is_not_well(
    environ: dict[str, str],
    tmp_path: Path,
    damage: Callable[[dict[str, str], Path], object],
    code: int,
    findings: list[str],
) -> None:
    damage(environ, tmp_path)
    assert codes(doctor(environ, code)) == findings


def test_mistakes_in_the_configuration_are_told_by_line_alone(environ: dict[str, str]) -> None:
    Path(environ["ULLAGE_CONFIG"]).write_text('[severity]\nwarning_percent = "x"\n\n[nothing]\nat = "all"\n')
    document = doctor(environ, 2)
    assert document["config"]["wrong_lines"] == [2, 5]
    assert "on lines 2, 5" in document["findings"][0]["message"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give directories away")
def test_a_cache_of_somebody_else(environ: dict[str, str]) -> None:
    directory = Path(ProfileCache(environ).directory)
    directory.mkdir(parents=True, mode=0o700)
    directory.parent.chmod(0o700)
    os.chown(directory, 1234, 1234)
    document = doctor(environ, 5)
    assert codes(document) == ["cache_not_private"]
    assert document["cache"]["yours"] is False


@pytest.mark.parametrize("name", ["reading.json", "schedule.json", "bash.timeline"])
def test_a_damaged_cache_is_as_good_as_none(environ: dict[str, str], name: str) -> None:
    ProfileCache(environ).make_private()
    (Path(ProfileCache(environ).directory) / name).write_bytes(b"\xff\0{")
    assert doctor(environ, 3)["reading"] is None


@pytest.mark.parametrize(
    ("name", "file", "line"),
    [
        ("bash", ".profile", f'PATH="{SCRIPTS}:$PATH"; eval "$(ullage init bash)"'),
        ("fish", ".config/fish/config.fish", f"set PATH '{SCRIPTS}' $PATH; ullage init fish | source"),
        ("tmux", ".tmux.conf", "set -g status-right '#{ullage}'"),
    ],
)
def test_a_line_of_ones_own_counts_wherever_it_stands(
    environ: dict[str, str], known: Simulator, name: str, file: str, line: str
) -> None:
    path = Path(environ["HOME"]) / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"\n{line}\n")
    Path(environ["HOME"], ".bashrc").write_text(". ~/.profile\n")
    found = host(doctor(environ, 0), name)
    assert (found["set_up"], found["file"], found["line"]) == ("by hand", f"~/{file}", 2)


@pytest.mark.parametrize(("options", "code"), [([], "starship_unfed"), (["--starship"], "not_seen")])
def test_starship_that_nobody_feeds_or_loads_is_told(
    environ: dict[str, str], known: Simulator, options: list[str], code: str
) -> None:
    Path(environ["HOME"], ".bash_profile").write_text(". ~/.bashrc\n")
    ullage("setup", "starship", "--yes", "--without-process", environ=environ)
    ullage("setup", "bash", "--yes", *options, environ=environ)
    assert codes(doctor(environ, 2)) == [code]


SECRET = "hunter2-is-not-to-be-seen"


def test_no_secret_name_or_address_is_in_it(
    environ: dict[str, str], known: Simulator, account: Path, tmp_path: Path
) -> None:
    home = Path(environ["HOME"])
    work = home / "alice@example.com"
    work.mkdir()
    os.rename(account, work / "claude")
    environ["CLAUDE_CONFIG_DIR"] = str(work / "claude")
    profile = ProfileCache(environ)
    profile.make_private()
    os.rename(os.path.join(environ["ULLAGE_CACHE_DIR"], "profiles", str(account)[1:]), tmp_path / "moved")
    for file in (tmp_path / "moved").iterdir():
        os.rename(file, os.path.join(profile.directory, file.name))
    reading, schedule = profile.load_reading(), profile.load_schedule()
    assert reading is not None
    assert schedule.account_id == ACCOUNT_ID
    message = f"alice@example.com: {TOKEN} {ACCOUNT_ID} {SECRET} Bearer {SECRET} at {home}/x"
    profile.save_schedule(schedule.replace(problem=Problem(code="server_error", message=message)))
    statement = os.path.join(profile.directory, statements.name_file(reading.source))
    write_atomically(statement, serial.encode(reading.replace(source=f"x {TOKEN}")))
    Path(environ["ULLAGE_CONFIG"]).write_text(f'source = "sk-ant-{SECRET}"\n"{SECRET}" = "{TOKEN}"\n[{SECRET}]\n')
    (home / ".bashrc").write_text(f'export TOKEN={SECRET}; eval "$(ullage init bash)"\n')
    environ.update(
        CLAUDE_CODE_OAUTH_TOKEN=TOKEN,
        MY_API_KEY=SECRET,
        ULLAGE_API_BASE=f"https://alice:{SECRET}@example.com",
        ULLAGE_SOURCE=f"sk-ant-{SECRET}",
        EMAIL="alice@example.com",
    )
    for arguments in ([], ["--json"]):
        told = ullage("doctor", *arguments, environ=environ)
        assert told.returncode == 2
        text = told.stdout + told.stderr
        assert "wrong_config" in text or "ullage config check" in text
        for hidden in (SECRET, TOKEN, "SIMULATED", ACCOUNT_ID, "alice", "example.com", str(home)):
            assert hidden not in text


def test_the_history_is_looked_at(environ: dict[str, str], known: Simulator) -> None:
    before = snapshot(environ["ULLAGE_STATE_DIR"])
    state = doctor(environ, 0)["state"]
    assert (state["directory"], state["mode"], state["yours"]) == (environ["ULLAGE_STATE_DIR"], "0700", True)
    told = state["history"]
    assert (told["exists"], told["mode"], told["damaged"]) == (True, "0600", [])
    assert told["bytes"] > 0
    assert told["samples"] > 1
    assert f"{told['samples']} samples" in ullage("doctor", environ=environ).stdout
    database = "history.sqlite3"
    assert before.keys() - {os.path.join(environ["ULLAGE_STATE_DIR"], database + end) for end in ("-wal", "-shm")} == {
        environ["ULLAGE_STATE_DIR"],
        os.path.join(environ["ULLAGE_STATE_DIR"], database),
    }


def test_a_history_that_is_not_there_yet_is_no_fault(environ: dict[str, str], known: Simulator) -> None:
    shutil.rmtree(environ["ULLAGE_STATE_DIR"])
    state = doctor(environ, 0)["state"]
    assert (state["exists"], state["history"]["exists"], state["history"]["samples"]) == (False, False, None)
    assert not Path(environ["ULLAGE_STATE_DIR"]).exists()


def _rubbish(directory: Path) -> None:
    (directory / "history.sqlite3").write_bytes(b"rubbish" * 1000)
    for end in ("-wal", "-shm"):
        (directory / f"history.sqlite3{end}").unlink(missing_ok=True)


def _another_table(directory: Path) -> None:
    (directory / "history.sqlite3").unlink()
    with contextlib.closing(sqlite3.connect(directory / "history.sqlite3")) as database:
        database.execute("CREATE TABLE other (x)")


def _directory(directory: Path) -> None:
    (directory / "history.sqlite3").unlink()
    (directory / "history.sqlite3").mkdir()


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (_rubbish, "history_unreadable"),
        (_another_table, "history_unreadable"),
        (_directory, "state_not_writable"),
        (lambda directory: directory.chmod(0o777), "state_not_private"),
        (lambda directory: (directory / "history.sqlite3").chmod(0o666), "state_not_private"),
    ],
)
def test_what_is_wrong_with_the_history(
    environ: dict[str, str], known: Simulator, spoil: Callable[[Path], object], code: str
) -> None:
    spoil(Path(environ["ULLAGE_STATE_DIR"]))
    document = doctor(environ, 5)
    assert codes(document)[0] == code
    assert environ["ULLAGE_STATE_DIR"] in document["findings"][0]["message"]


def test_histories_that_were_set_aside_are_named(environ: dict[str, str], known: Simulator) -> None:
    aside = Path(environ["ULLAGE_STATE_DIR"], "history.sqlite3.damaged-20260101-000000")
    aside.write_bytes(b"")
    assert doctor(environ, 0)["state"]["history"]["damaged"] == [aside.name]
    assert aside.name in ullage("doctor", environ=environ).stdout


def test_a_state_directory_that_cannot_be(environ: dict[str, str], known: Simulator) -> None:
    environ["ULLAGE_STATE_DIR"] = "relative"
    document = doctor(environ, 2)
    assert (codes(document), document["state"]) == (["no_state_directory"], None)


def test_a_block_of_nushell_that_names_a_lost_file(environ: dict[str, str]) -> None:
    ullage("setup", "nushell", "--yes", environ=environ)
    file = Path(environ["HOME"], ".config/nushell/autoload/ullage.nu")
    assert host(doctor(environ, 3), "nushell")["set_up"] == "block"
    file.write_text(re.sub(r'"[^"]*/ullage\.nu"', '"/gone/it\\\\"s/ullage.nu"', file.read_text()))
    document = doctor(environ, 2)
    assert codes(document) == ["lost_file"]
    assert '/gone/it"s/ullage.nu' in document["findings"][0]["message"]


def test_a_file_system_without_locks_is_told_of(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    cache = ProfileCache(environ)
    cache.make_private()
    with cache.lock():
        assert not cache.lacks_flock()

    def flock(_descriptor: int, _how: int) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(fcntl, "flock", flock)
    found: list[Finding] = []
    _cache(environ, found)
    assert [(each.code, each.exit_code) for each in found] == [("no_flock", 5)]
    assert cache.directory in found[0].message


def test_what_is_wrong_stands_first_and_the_rest_in_groups(environ: dict[str, str], known: Simulator) -> None:
    well = ullage("doctor", environ=environ).stdout.splitlines()
    assert well[2] == "✓ All is well."
    groups = ["Where it is shown", "What is known", "Sources", "Files"]
    assert [line for line in well if line in groups] == groups
    assert {line[:2] for line in well[3:] if line and line not in groups} == {"✓ ", "· "}
    assert any(line.startswith("✓ oauth ") and "in force" in line for line in well)
    Path(environ["ULLAGE_CONFIG"]).write_text("[segment\n")
    ill = ullage("doctor", environ=environ).stdout.splitlines()
    assert ill[2].startswith("✗ ")
    assert "ullage config check" in ill[2]
    assert any(line.startswith("✗ config ") for line in ill)


def test_all_is_well_is_not_said_above_what_is_marked_as_failing(environ: dict[str, str], known: Simulator) -> None:
    document = doctor(environ, 0)
    document["reading"]["state"] = "expired"
    lines = ["".join(span.text for span in line) for line in page.lay_out(document, [], datetime.now(UTC), 80)]
    assert lines[2] == "All is well here; what is marked ✗ below is not."
    assert any(line.startswith("✗ reading ") for line in lines)


def test_a_terminal_shows_which_shells_are_being_started(environ: dict[str, str], known: Simulator) -> None:
    need("bash")
    ullage("setup", "bash", "--yes", environ=environ)
    drawn = io.BytesIO()
    with Terminal([ULLAGE, "doctor"], environ, rows=100) as terminal:
        terminal.child.logfile_read = drawn
        terminal.wait_for_end()
    line = "Starting bash to see what prompts show …\r\033[K"
    assert line.encode() in drawn.getvalue()
    assert "Starting" not in terminal.text
    assert ullage("doctor", environ=environ).stderr == ""


def test_times_are_those_of_the_clock_on_the_wall(environ: dict[str, str], known: Simulator) -> None:
    at = datetime.fromisoformat(doctor(environ, 0)["refresh"]["attempted_at"])
    kathmandu = {**environ, "TZ": "Asia/Kathmandu"}
    shown = ullage("doctor", environ=kathmandu).stdout
    assert f"last attempt {at.astimezone(ZoneInfo('Asia/Kathmandu')):%H:%M}, " in shown
    assert not re.search(r"\d{4}-\d\d-\d\dT\d\d:\d\d", shown)
