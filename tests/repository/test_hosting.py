"""What hosts and releases the repository: workflows, templates and notes."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.tools import REPOSITORY, SCRIPTS, installed_by
from ullage import __version__

if TYPE_CHECKING:
    from pathlib import Path

GITHUB = REPOSITORY / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FORMS = sorted((GITHUB / "ISSUE_TEMPLATE").glob("*.yml"))


def test_actions_of_others_are_pinned_by_the_hash_of_a_commit_with_its_version() -> None:
    used = {
        line.strip()
        for path in [*WORKFLOWS, REPOSITORY / "action.yml"]
        for line in re.findall(r"^\s*(?:- )?uses:(.*)", path.read_text(), re.MULTILINE)
    }
    foreign = {line for line in used if not line.startswith("./")}
    assert foreign
    for line in foreign:
        assert re.fullmatch(r"[a-z-]+/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)
    # The same action is of the same version everywhere.
    assert len(foreign) == len({line.partition("@")[0] for line in foreign})


@pytest.mark.parametrize(
    ("schema", "paths"),
    [
        ("vendor.github-workflows", WORKFLOWS),
        ("vendor.dependabot", [GITHUB / "dependabot.yml"]),
        ("vendor.github-issue-forms", [path for path in FORMS if path.name != "config.yml"]),
        ("vendor.github-issue-config", [GITHUB / "ISSUE_TEMPLATE" / "config.yml"]),
    ],
)
def test_what_github_reads_is_what_it_takes(schema: str, paths: list[Path]) -> None:
    assert paths
    command = [str(SCRIPTS / "check-jsonschema"), "--builtin-schema", schema, *map(str, paths)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


def test_the_hooks_of_the_repository_are_what_pre_commit_takes() -> None:
    command = [str(SCRIPTS / "pre-commit"), "validate-config", str(REPOSITORY / ".pre-commit-config.yaml")]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


CHANGELOG = """# Changelog

## [Unreleased]

## [{version}] - 2026-12-01

### Added

- A thing.

## [0.0.1] - 2026-11-01

- The first.
"""


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """The files of a repository that release notes are made from."""
    for name in (".ci/release_notes.py", "src/ullage/__init__.py"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes((REPOSITORY / name).read_bytes())
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG.format(version=__version__))
    return tmp_path


def notes(release: Path, tag: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", str(release / ".ci/release_notes.py"), tag]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_notes_of_a_release_are_its_section_of_the_changelog(release: Path) -> None:
    printed = notes(release, f"v{__version__}")
    assert (printed.returncode, printed.stdout) == (0, "### Added\n\n- A thing.\n")


def test_no_release_of_another_version_or_without_notes(release: Path) -> None:
    other = notes(release, "v9.9.9")
    assert (other.returncode, other.stdout) == (1, "")
    assert f"v9.9.9 is not v{__version__}" in other.stderr
    (release / "CHANGELOG.md").write_text("# Changelog\n\n## [Unreleased]\n\n- Not yet.\n")
    without = notes(release, f"v{__version__}")
    assert (without.returncode, without.stdout) == (1, "")
    assert f"no section ## [{__version__}]" in without.stderr


def test_changelog_begins_with_what_is_not_released_yet() -> None:
    headings = re.findall(r"^## (.*)", (REPOSITORY / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", heading) for heading in headings[1:])


def test_what_a_test_needs_is_installed_by_the_line_that_it_is_skipped_with() -> None:
    """Every program that tests ask for by its name is in a package that CI installs, too."""
    named = {
        program
        for path in (REPOSITORY / "tests").rglob("*.py")
        for program in re.findall(r"\bneed\([\"']([^\"'{]+)[\"']\)", path.read_text("utf-8"))
    }
    assert {"bash", "promtool", "nushell"} <= named
    # Part of every system, and what openssh-server brings along.
    packages = {"grep", "openssh-client", *(REPOSITORY / ".ci" / "packages-debian").read_text().split()}
    lines = {program: installed_by(program, "linux") for program in named - {"nushell", "starship"}}
    asked = {program: line.removeprefix("sudo apt-get install ") for program, line in lines.items() if "apt" in line}
    assert {program: package for program, package in asked.items() if package not in packages} == {}
    assert installed_by("nu", "linux") == "sh .ci/install-packages"
    assert installed_by("tmux", "darwin") == "brew install tmux"
