"""`ullage setup service`: the unit and the agent, checked by what reads them, and undone."""

from __future__ import annotations

import os
import plistlib
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.tools import need, run, ullage
from ullage.base.errors import UsageError
from ullage.setup import service, userfile

if TYPE_CHECKING:
    from ullage.setup.service import Manager


def test_systemd_finds_nothing_wrong_with_the_unit(environ: dict[str, str], tmp_path: Path) -> None:
    analyze = need("systemd-analyze")
    environ["CLAUDE_CONFIG_DIR"] = str(tmp_path / 'a "quoted" 100% name')
    assert ullage("setup", "service", "--yes", environ=environ).returncode == 0
    (tmp_path / "run").mkdir()
    unit = service.locate_file(environ, "systemd")
    checked = run([analyze, "--user", "verify", unit], {**environ, "XDG_RUNTIME_DIR": str(tmp_path / "run")})
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_the_unit_runs_what_there_is(environ: dict[str, str]) -> None:
    text = service.build_text(environ, "systemd").decode()
    (command,) = [line.removeprefix("ExecStart=") for line in text.splitlines() if line.startswith("ExecStart=")]
    program, *arguments = shlex.split(command)
    assert os.access(program, os.X_OK)
    assert arguments == ["serve", "--unix", "%t/ullage/serve.sock"]
    assert f'Environment="ULLAGE_STATE_DIR={environ["ULLAGE_STATE_DIR"]}"' in text
    assert "NoNewPrivileges=yes" in text
    assert "ProtectSystem=strict" in text
    assert "ULLAGE_API_BASE" not in text


def test_the_agent_is_a_property_list(environ: dict[str, str]) -> None:
    environ["CLAUDE_CONFIG_DIR"] = "/a/<name> & more"
    agent = plistlib.loads(service.build_text(environ, "launchd"))
    assert agent["Label"] == "ullage.serve"
    assert agent["ProgramArguments"][1:3] == ["serve", "--unix"]
    assert agent["EnvironmentVariables"]["CLAUDE_CONFIG_DIR"] == "/a/<name> & more"
    assert service.locate_file(environ, "launchd").endswith("Library/LaunchAgents/ullage.serve.plist")


@pytest.mark.parametrize("manager", ["systemd", "launchd"])
def test_what_is_set_up_is_taken_back(environ: dict[str, str], manager: service.Manager) -> None:
    path = Path(service.locate_file(environ, manager))
    before = sorted(Path(environ["HOME"]).rglob("*.*"))
    change = service.plan(environ, manager).change
    assert change is not None
    assert userfile.apply(change, keep=False) is None
    assert path.read_bytes() == service.build_text(environ, manager)
    assert service.plan(environ, manager).change is None
    undo = service.plan_undo(environ, manager)
    assert undo.change is not None
    assert undo.takes_back
    userfile.apply(undo.change, keep=False)
    assert not path.exists()
    assert sorted(file for file in Path(environ["HOME"]).rglob("*.*") if file.is_file()) == before
    assert service.plan_undo(environ, manager).change is None


def test_a_unit_that_was_changed_since_is_kept_in_a_copy(environ: dict[str, str]) -> None:
    assert ullage("setup", "service", "--yes", environ=environ).returncode == 0
    path = Path(service.locate_file(environ, "systemd"))
    path.write_text(path.read_text().replace("RestartSec=10", "RestartSec=99"))
    changed = path.read_bytes()
    assert ullage("setup", "service", "--yes", environ=environ).returncode == 2
    undone = ullage("setup", "service", "--undo", "--yes", environ=environ)
    assert (undone.returncode, path.exists()) == (0, False)
    assert Path(f"{path}.before-ullage").read_bytes() == changed


def test_a_unit_of_other_options_is_written_anew(environ: dict[str, str]) -> None:
    assert ullage("setup", "service", "--yes", environ=environ).returncode == 0
    environ["ULLAGE_CONFIG"] = "/elsewhere/config.toml"
    assert "-Environment=" in ullage("setup", "service", "--yes", environ=environ).stdout
    assert b"/elsewhere/config.toml" in Path(service.locate_file(environ, "systemd")).read_bytes()


@pytest.mark.parametrize("manager", ["systemd", "launchd"])
@pytest.mark.parametrize("path", ["/a\nExecStart=/bin/evil", "/a\x1b[31m"])
def test_no_path_can_add_a_line(environ: dict[str, str], path: str, manager: Manager) -> None:
    with pytest.raises(UsageError, match="control characters"):
        service.build_text({**environ, "ULLAGE_CONFIG": path}, manager)


def test_windows_is_told_how() -> None:
    with pytest.raises(UsageError, match="Task Scheduler"):
        service.find_manager("win32")
    assert (service.find_manager("darwin"), service.find_manager("linux")) == ("launchd", "systemd")
