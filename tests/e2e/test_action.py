"""The GitHub action: its steps, run as a runner does, in a workspace that strangers have filled."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from packaging.requirements import Requirement

from tests.support.samples import keep_session
from tests.support.tools import REPOSITORY, SCRIPTS, need

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
    return subprocess.run(
        [need("bash"), "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=evaluated(step.get("working-directory", str(workspace)), context),
        env={**environ, **variables, "GITHUB_OUTPUT": str(output), "GITHUB_WORKSPACE": str(workspace)},
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
    return {"steps.install.outputs.directory": str(directory)}


@pytest.fixture
def look_for_room(environ: dict[str, str], installed: dict[str, str], workspace: Path, tmp_path: Path) -> Any:
    """Run the second step with inputs, where 85 % of the session are used, and return how it ended."""
    keep_session(environ, 85.0)
    environ["PYTHONPATH"] = str(workspace)

    def look(**given: str) -> subprocess.CompletedProcess[str]:
        step = action()["runs"]["steps"][1]
        return step_run(step, installed | inputs(**given), environ, workspace, tmp_path / "output")

    return look


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
