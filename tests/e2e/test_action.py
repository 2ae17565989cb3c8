"""The GitHub action: its steps, run as a runner does, in a workspace that strangers have filled."""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from packaging.requirements import Requirement

from tests.support.samples import keep_session
from tests.support.serving import serving
from tests.support.tools import REPOSITORY, SCRIPTS, need
from ullage.quota import contract
from ullage.quota.model import Account, Reading, Thresholds, Window
from ullage.quota.schedule import Schedule

if TYPE_CHECKING:
    from collections.abc import Mapping

    Step = dict[str, Any]

# What Python, pip and the steps' own lines would import from the directory where they run, or from PYTHONPATH.
MODULES = [
    *("argparse", "click", "contextlib", "ensurepip", "httpx", "json", "msgspec", "os", "pip", "secrets", "shutil"),
    *("sitecustomize", "subprocess", "sysconfig", "tempfile", "ullage", "usercustomize", "venv"),
]
PROGRAMS = ["claude", "mkdir", "mktemp", "python", "python3", "ullage"]
# What pip and Python look for in a directory.
PIP_CONF = "[global]\nno-index = true\nfind-links = .\nrequire-hashes = false\n"


def action() -> dict[str, Any]:
    loaded = yaml.safe_load((REPOSITORY / "action.yml").read_text())
    assert isinstance(loaded, dict)
    return loaded


def inputs(**given: str) -> dict[str, str]:
    """Return the value of every input, by its expression: what is given, else its default."""
    defaults = {name: str(value["default"]) for name, value in action()["inputs"].items()}
    named = {name.replace("_", "-"): value for name, value in given.items()}
    assert named.keys() <= defaults.keys()
    return {f"inputs.{name}": value for name, value in (defaults | named).items()}


def evaluated(template: str, context: Mapping[str, str]) -> str:
    return re.sub(r"\$\{\{ ([a-z_.-]+) \}\}", lambda found: context[found[1]], template)


def step_run(
    step: Step, context: Mapping[str, str], environ: Mapping[str, str], workspace: Path, output: Path
) -> subprocess.CompletedProcess[str]:
    """Run a step as GitHub does one whose shell is bash, in its directory or, where it names none, in the workspace."""
    assert step["shell"] == "bash"
    variables = {name: evaluated(template, context) for name, template in step["env"].items()}
    names = {"GITHUB_OUTPUT": "", "GITHUB_STEP_SUMMARY": ".summary", "GITHUB_PATH": ".path"}
    files = {name: f"{output}{suffix}" for name, suffix in names.items()}
    return subprocess.run(
        [need("bash"), "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=evaluated(step.get("working-directory", str(workspace)), context),
        env={**environ, **variables, **files, "GITHUB_WORKSPACE": str(workspace)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def outputs(path: Path) -> dict[str, str]:
    """Read the file of outputs as a runner does: NAME=VALUE, or NAME<<END, lines, END."""
    found = {}
    lines = iter(path.read_text().splitlines())
    for line in lines:
        name, operator, value = re.split("(=|<<)", line, maxsplit=1)
        if operator == "<<":
            end, value = value, "\n".join(iter(lambda: next(lines), value))
            assert len(end) >= 32
        found[name] = value
    return found


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checked-out repository where every file leaves its name in `ran` when Python, bash or pip takes it."""
    directory = tmp_path_factory.mktemp("workspace")
    ran = directory / "ran"
    for name in MODULES:
        (directory / f"{name}.py").write_text(f"open({str(ran)!r}, 'a').write({name + chr(10)!r})\n")
    for name in PROGRAMS:
        (directory / name).write_text(f"#!/bin/sh\necho {name} >>'{ran}'\n")
        (directory / name).chmod(0o755)
    (directory / "pip.conf").write_text(PIP_CONF)
    (directory / "setup.cfg").write_text("[easy_install]\n")
    (directory / ".python-version").write_text("2.7.18\n")
    return directory


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, workspace: Path) -> dict[str, str]:
    """What the action's first step leaves to the second: made once, with Python pointed at the workspace."""
    temporary = tmp_path_factory.mktemp("runner")
    step = action()["runs"]["steps"][0]
    context = {"runner.temp": str(temporary), "github.action_path": str(REPOSITORY)}
    environ = {**os.environ, "PYTHONPATH": str(workspace), "HOME": str(temporary)}
    done = step_run(step, context, environ, workspace, temporary / "output")
    assert done.returncode == 0, done.stderr
    assert not (workspace / "ran").exists(), (workspace / "ran").read_text()
    [directory] = temporary.glob("ullage.*")
    assert outputs(temporary / "output") == {"directory": str(directory)}
    assert (temporary / "output.path").read_text() == f"{directory}/bin\n"
    return {"steps.install.outputs.directory": str(directory), "github.action_path": str(REPOSITORY)}


@pytest.fixture
def look_for_room(environ: dict[str, str], installed: dict[str, str], workspace: Path, tmp_path: Path) -> Any:
    """Run the second step with inputs, where 85 % of the session are used, and return how it ended."""
    keep_session(environ, 85.0)
    environ["PYTHONPATH"] = str(workspace)

    def look(**given: str) -> subprocess.CompletedProcess[str]:
        return act(environ, installed, workspace, tmp_path / "output", **given)

    return look


def act(
    environ: Mapping[str, str], installed: Mapping[str, str], workspace: Path, output: Path, **given: str
) -> subprocess.CompletedProcess[str]:
    """Run the steps after the installation, the next only where the one before succeeds; their outputs are one file."""
    _, hear, guard = action()["runs"]["steps"]
    context = {**installed, **inputs(**given)}
    heard_at = output.with_name("heard")
    heard_at.write_text("")
    heard = step_run(hear, context, environ, workspace, heard_at)
    if heard.returncode:
        return heard
    named = {"config": "", "source": "", **outputs(heard_at)}
    context |= {f"steps.hear.outputs.{name}": value for name, value in named.items()}
    looked = step_run(guard, context, environ, workspace, output)
    looked.stdout, looked.stderr = heard.stdout + looked.stdout, heard.stderr + looked.stderr
    return looked


def test_the_action_is_what_github_takes() -> None:
    command = [str(SCRIPTS / "check-jsonschema"), "--builtin-schema", "vendor.github-actions", "action.yml"]
    checked = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


def test_inputs_never_become_part_of_a_script() -> None:
    for step in action()["runs"]["steps"]:
        assert "${{" not in step["run"]
        assert step["shell"] == "bash"


def test_every_python_of_the_action_is_isolated() -> None:
    for step in action()["runs"]["steps"]:
        started = re.findall(r"(?<!-)python3? +(\S+)", step["run"])
        assert started
        assert set(started) == {"-I"}
        assert step["env"].items() >= {"PYTHONPATH": "", "PYTHONHOME": ""}.items()
        assert step["working-directory"].startswith(("${{ runner.temp }}", "${{ steps.install.outputs.directory }}"))


@pytest.mark.parametrize(
    ("given", "exit_code", "allowed"),
    [
        ({}, 0, "true"),
        ({"max": "five_hour=80 7d=90"}, 1, "false"),
        ({"max": "90"}, 0, "true"),
        ({"max": "90", "need": "10"}, 1, "false"),
        ({"max": "80", "timeout": "1s"}, 1, "false"),
        ({"max": "seven_day=90"}, 3, "false"),
        ({"max": "seven_day=90", "fail": "open"}, 0, "true"),
        ({"max": "seven_day=90", "fail": "closed"}, 1, "false"),
        ({"max": "\n 5h=90\n", "max_age": "10m\n"}, 0, "true"),
        ({"refresh": "true"}, 0, "true"),
    ],
)
def test_the_action_says_whether_there_is_room(
    look_for_room: Any, workspace: Path, tmp_path: Path, given: dict[str, str], exit_code: int, allowed: str
) -> None:
    looked = look_for_room(**{"refresh": "false", **given})
    assert looked.returncode == exit_code, looked.stderr
    found = outputs(tmp_path / "output")
    assert found["allowed"] == allowed
    assert found["message"] in looked.stderr
    assert json.loads(found["verdict"])["allowed"] is (allowed == "true")
    assert not (workspace / "ran").exists(), (workspace / "ran").read_text()


def test_its_outputs_are_of_the_window_nearest_to_its_limit(look_for_room: Any, tmp_path: Path) -> None:
    looked = look_for_room(refresh="false", max="five_hour=95", need="five_hour=2.5")
    assert looked.returncode == 1, looked.stderr
    found = outputs(tmp_path / "output")
    assert (found["used_percent"], found["room"]) == ("85", "7.5")
    assert datetime.fromisoformat(found["resets_at"]) > datetime.now(UTC)
    summary = (tmp_path / "output.summary").read_text()
    assert "### No room in the Claude plan" in summary
    assert f"| Session (5h) | 85 % | 95 % | {found['resets_at']} |" in html.unescape(summary)


def test_what_is_not_known_is_an_empty_output(
    environ: dict[str, str], installed: dict[str, str], workspace: Path, tmp_path: Path
) -> None:
    looked = act(environ, installed, workspace, tmp_path / "output", refresh="false", fail="open")
    assert looked.returncode == 0, looked.stderr
    found = outputs(tmp_path / "output")
    assert [found[name] for name in ("used_percent", "resets_at", "room")] == ["", "", ""]
    assert found["message"]
    assert "### Room" in (tmp_path / "output.summary").read_text()


def document(used: float = 85, label: str = "Session (5h)", age: float = 0) -> str:
    """Return what another machine's `ullage usage --json` prints."""
    now = datetime.now(UTC)
    window = Window(
        id="five_hour",
        label=label,
        kind="session",
        used_percent=used,
        resets_at=now + timedelta(hours=1),
        source="oauth",
        as_of=now - timedelta(seconds=age),
    )
    reading = Reading(account=Account(id="one"), source="oauth", as_of=window.as_of, windows=(window,))
    return contract.encode(contract.build_document(reading, Schedule(), Thresholds(), now))


@pytest.mark.parametrize(("used", "exit_code"), [(42.5, 0), (91, 1)])
def test_what_another_machine_has_handed_on_is_enough(
    used: float,
    exit_code: int,
    environ: dict[str, str],
    installed: dict[str, str],
    workspace: Path,
    tmp_path: Path,
) -> None:
    given = document(used)
    looked = act(environ, installed, workspace, tmp_path / "output", usage=given, max="90", max_age="10m")
    assert looked.returncode == exit_code, looked.stderr
    assert outputs(tmp_path / "output")["used_percent"] == f"{used:g}"
    assert "| remote:handed |" in html.unescape((tmp_path / "output.summary").read_text())


def test_what_was_handed_on_too_long_ago_is_no_answer(
    environ: dict[str, str], installed: dict[str, str], workspace: Path, tmp_path: Path
) -> None:
    given = document(5, age=1200)
    looked = act(environ, installed, workspace, tmp_path / "output", usage=given, max="90", max_age="10m")
    assert looked.returncode == 4, looked.stderr


STRANGE = ["[", '{"schema": 1}', "$(touch pwned)", "x" * 3000, '"; touch pwned; "', "::error::a"]


@pytest.mark.parametrize("usage", STRANGE)
def test_a_strange_document_is_not_known(
    usage: str, environ: dict[str, str], installed: dict[str, str], workspace: Path, tmp_path: Path
) -> None:
    looked = act(environ, installed, workspace, tmp_path / "output", usage=usage)
    assert looked.returncode in (3, 5), looked.stderr
    assert outputs(tmp_path / "output")["allowed"] == "false"
    assert not [line for line in looked.stderr.splitlines() if line.startswith("::")]
    assert not [place for place in (workspace, Path.cwd()) if (place / "pwned").exists()]


def test_hostile_words_of_another_machine_are_text_in_the_summary(
    environ: dict[str, str], installed: dict[str, str], workspace: Path, tmp_path: Path
) -> None:
    label = "<img src=x>|[a](b)`c`\n::error::d"
    looked = act(environ, installed, workspace, tmp_path / "output", usage=document(label=label))
    assert looked.returncode == 0, looked.stderr
    summary = (tmp_path / "output.summary").read_text()
    assert not set("<[]`") & set(summary)
    [row] = [line for line in summary.splitlines() if "85 %" in line]
    assert row.count("|") == 7
    assert not [line for line in (looked.stdout + looked.stderr).splitlines() if line.startswith("::")]


@pytest.mark.parametrize("order", ["##[add-mask]85", "##vso[task.prependpath]/tmp", "##teamcity[buildStop]"])
def test_no_words_of_another_machine_are_an_order_to_the_runner(
    order: str, environ: dict[str, str], installed: dict[str, str], workspace: Path, tmp_path: Path
) -> None:
    given = document(95, label=f"Week {order}")
    looked = act(environ, installed, workspace, tmp_path / "output", usage=given, max="90")
    assert looked.returncode == 1, looked.stderr
    # A runner takes these wherever they stand.
    assert order[1:] in looked.stderr
    assert order not in looked.stdout + looked.stderr


@pytest.mark.parametrize("label", ["https://a.example/x", "www.a.example", "mailto:a@b.example", "a@b.example"])
def test_no_address_in_the_words_of_another_machine_becomes_a_link(
    label: str, environ: dict[str, str], installed: dict[str, str], workspace: Path, tmp_path: Path
) -> None:
    looked = act(environ, installed, workspace, tmp_path / "output", usage=document(label=label))
    assert looked.returncode == 0, looked.stderr
    summary = (tmp_path / "output.summary").read_text()
    # GitHub finds them by these, and a mail address in the text that entities have become, up to a comment.
    assert not re.search(r"://|www\.|mailto:|@|[^>]&#64;", summary)
    assert label in html.unescape(summary.replace("<!-- -->", ""))


@pytest.mark.parametrize("token", ["", "right", "wrong"])
def test_another_machine_s_server_is_asked(
    token: str, environ: dict[str, str], installed: dict[str, str], workspace: Path, tmp_path: Path
) -> None:
    far = {**environ, "ULLAGE_CACHE_DIR": str(tmp_path / "far"), "ULLAGE_STATE_DIR": str(tmp_path / "far-state")}
    keep_session(far, 85.0)
    with serving(far) as served:
        given = {"": "", "right": served.token(), "wrong": "ullage_wrong"}[token]
        looked = act(environ, installed, workspace, tmp_path / "output", url=served.base, token=given, max="90")
    found = outputs(tmp_path / "output")
    if token == "right":
        assert looked.returncode == 0, looked.stderr
        assert (found["used_percent"], found["room"]) == ("85", "5")
    else:
        assert looked.returncode in (3, 5), looked.stderr
        assert found["used_percent"] == ""
    kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and "far" not in str(path)]
    assert not [text for text in kept if given and given.encode() in text]
    if given:
        assert given not in looked.stdout + looked.stderr
    # A person's own configuration stays as it was.
    assert not Path(environ["ULLAGE_CONFIG"]).exists()


@pytest.mark.parametrize(
    "url", ["$(touch pwned)", "http://a/\n::error::b", "--undo", 'https://h"\n[[remote]]', "http://example.org", "x\ry"]
)
def test_a_hostile_address_is_asked_nothing(
    url: str, environ: dict[str, str], installed: dict[str, str], workspace: Path, tmp_path: Path
) -> None:
    looked = act(environ, installed, workspace, tmp_path / "output", url=url, token="$(touch pwned)")
    assert looked.returncode in (2, 3, 5), looked.stderr
    assert not [line for line in re.split("[\r\n]", looked.stderr + looked.stdout) if line.startswith("::")]
    work = Path(installed["steps.install.outputs.directory"]) / "work"
    assert not [place for place in (workspace, work, Path.cwd()) if (place / "pwned").exists()]


def test_the_steps_after_it_have_ullage_for_what_claude_says(
    environ: dict[str, str], installed: dict[str, str], workspace: Path, tmp_path: Path
) -> None:
    window = {"utilization": 0.64, "resetsAt": int((datetime.now(UTC) + timedelta(hours=1)).timestamp())}
    info = {"unifiedWindows": {"five_hour": window}}
    event = json.dumps({"type": "rate_limit_event", "rate_limit_info": info, "uuid": "a", "session_id": "b"})
    path = f"{installed['steps.install.outputs.directory']}/bin{os.pathsep}{environ['PATH']}"
    piped = subprocess.run(
        [need("bash"), "-c", "ullage tee"],
        cwd=workspace,
        env={**environ, "PATH": path},
        input=event,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (piped.returncode, piped.stdout, piped.stderr) == (0, event, "")
    assert not (workspace / "ran").exists()
    looked = act(environ, installed, workspace, tmp_path / "output", refresh="false", max="70")
    assert looked.returncode == 0, looked.stderr
    found = outputs(tmp_path / "output")
    assert (found["used_percent"], found["room"]) == ("64", "6")


HOSTILE = ["$(touch pwned)", "`touch pwned`", '"; touch pwned; "', "--help", "*", "-", "80 -- touch pwned", "\x1b[2J"]


LINES = "1\r::error::a\n::add-mask::b\v##[error]c\f::stop-commands::d"


@pytest.mark.parametrize(
    ("name", "hostile"),
    [
        *(("max", hostile) for hostile in HOSTILE),
        *((name, hostile) for name in ("need", "max_age", "fail", "timeout") for hostile in (HOSTILE[0], "--help")),
        *((name, LINES) for name in ("max", "need", "max_age", "fail", "timeout")),
    ],
)
def test_a_hostile_input_is_refused_and_begins_no_line(
    look_for_room: Any, workspace: Path, tmp_path: Path, installed: dict[str, str], name: str, hostile: str
) -> None:
    looked = look_for_room(**{"refresh": "false", name: hostile})
    assert looked.returncode == 2, looked.stderr
    assert not [
        line for line in re.split("[\r\n\v\f]", looked.stderr + looked.stdout) if re.match(r"\s*(::|##\[)", line)
    ]
    assert not (tmp_path / "output").exists()
    work = Path(installed["steps.install.outputs.directory"]) / "work"
    assert not [place for place in (workspace, work, Path.cwd()) if (place / "pwned").exists()]


def test_a_refresh_that_is_neither_true_nor_false_is_none(look_for_room: Any) -> None:
    assert look_for_room(refresh="$(touch pwned)").returncode == 0
    assert not Path("pwned").exists()


def test_what_the_action_installs_is_what_ullage_needs_and_known_by_its_hash() -> None:
    """Every line of the pins has hashes; what they install satisfies the package's own floors (see `make pins`)."""
    text = (REPOSITORY / "constraints" / "action.txt").read_text().replace("\\\n", "")
    pins, lines = {}, []
    for line in filter(None, (line.partition("#")[0].strip() for line in text.splitlines())):
        requirement, *hashes = line.split(" --hash=")
        assert hashes
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}\s*", hash) for hash in hashes), line
        pinned = Requirement(requirement.strip())
        [version] = pinned.specifier
        assert version.operator == "=="
        pins[pinned.name] = version.version
        lines.append(requirement.strip())
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    for wanted in map(Requirement, project["dependencies"]):
        assert wanted.specifier.contains(pins[wanted.name]), f"{wanted}: run make pins"
    # A pin for pre-commit's environment is one of these; where they differ, `make pins` writes them anew.
    hooks = yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text())
    [listed] = [hook["additional_dependencies"] for hook in hooks if "additional_dependencies" in hook]
    assert listed == lines, "run make pins"
