"""Files that are ours alone: what somebody else has put in their place stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.tools import ullage
from ullage.setup import service, tray

pytestmark = pytest.mark.posix("the files of XDG and systemd")


@pytest.mark.parametrize(
    ("name", "text"),
    [("tray", "[Desktop Entry]\nExec=/bin/true\n"), ("service", "[Service]\nExecStart=/bin/true\n")],
    ids=["tray", "service"],
)
def test_a_file_of_somebody_elses_stays(environ: dict[str, str], name: str, text: str) -> None:
    path = Path(tray.locate(environ) if name == "tray" else service.locate_file(environ, "systemd"))
    nothing = ullage("setup", name, "--undo", "--yes", environ=environ)
    assert nothing.stdout == f"{path} is not there: nothing to undo.\n"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    refused = ullage("setup", name, "--yes", environ=environ)
    assert (refused.returncode, "move it away first" in refused.stderr) == (2, True)
    assert "nothing to undo" in ullage("setup", name, "--undo", "--yes", environ=environ).stdout
    assert path.read_text() == text
