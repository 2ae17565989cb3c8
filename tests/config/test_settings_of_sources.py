"""What the configuration says of sources and of the status line, and where it lies."""

from __future__ import annotations

from pathlib import Path

import platformdirs
import pytest

from tests.support.tools import ullage
from ullage import config
from ullage.quota import meters
from ullage.system import places


@pytest.mark.parametrize("source", meters.SOURCES)
def test_every_source_can_be_named(environ: dict[str, str], source: str) -> None:
    settings, _ = config.load({**environ, "ULLAGE_SOURCE": source})
    assert settings.source == source


@pytest.mark.posix(reason="the directories of XDG and HOME")
@pytest.mark.parametrize("xdg", [None, "", "relative", "/xdg", "  /spaced "])
def test_the_file_lies_where_platformdirs_puts_it(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, xdg: str | None
) -> None:
    del environ["ULLAGE_CONFIG"]
    if xdg is not None:
        environ["XDG_CONFIG_HOME"] = xdg
        monkeypatch.setenv("XDG_CONFIG_HOME", xdg)
    monkeypatch.setenv("HOME", environ["HOME"])
    expected = platformdirs.user_config_dir("ullage", appauthor=False)
    assert config.locate_config(environ) == f"{expected}/config.toml"


@pytest.mark.posix(reason="the directories of macOS")
@pytest.mark.parametrize("xdg", [None, "", "relative", "/xdg", "  /spaced "])
def test_what_is_kept_lies_where_platformdirs_puts_it(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, xdg: str | None
) -> None:
    environ.pop("ULLAGE_STATE_DIR", None)
    if xdg is not None:
        environ["XDG_STATE_HOME"] = xdg
        monkeypatch.setenv("XDG_STATE_HOME", xdg)
    monkeypatch.setenv("HOME", environ["HOME"])
    assert config.locate_state(environ) == platformdirs.user_state_dir("ullage", appauthor=False)


@pytest.mark.posix(reason="the directories of macOS")
def test_the_rule_for_macos(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    from platformdirs.macos import MacOS

    monkeypatch.setenv("HOME", environ["HOME"])
    expected = MacOS("ullage", appauthor=False).user_config_dir
    assert places.locate_config_directory(environ, "darwin") == expected
    assert places.locate_state_directory(environ, "darwin") == MacOS("ullage", appauthor=False).user_state_dir


def test_on_windows_it_has_to_be_asked(environ: dict[str, str]) -> None:
    assert places.locate_config_directory(environ, "win32") is None
    assert places.locate_state_directory(environ, "win32") is None


@pytest.mark.parametrize(
    ("template", "wrong"),
    [("{model} {context} {cost} {5h}", None), ("{model.name}", "model"), ("{nonsense.x}", "nonsense")],
)
def test_the_status_line_has_fields_of_its_own(environ: dict[str, str], template: str, wrong: str | None) -> None:
    Path(environ["ULLAGE_CONFIG"]).write_text(f'[statusline]\ntemplate = "{template}"\n')
    _, issues = config.read(environ["ULLAGE_CONFIG"])
    assert bool(issues) == bool(wrong)
    assert all(wrong in issue.message for issue in issues if wrong)


def test_the_help_names_the_command(environ: dict[str, str]) -> None:
    told = ullage("statusline", "--help", environ=environ)
    assert told.returncode == 0
    assert "--then" in told.stdout
