"""guard where others run it: pre-commit, make and just."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest
import yaml

from tests.support.samples import keep_session
from tests.support.tools import REPOSITORY, SCRIPTS, need, run

GIT = ["git", "-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main"]


@pytest.fixture(autouse=True)
def used(environ: dict[str, str]) -> None:
    """85 % of the session are used."""
    keep_session(environ, 85.0)


def git(directory: Path, environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    # A first commit has pre-commit build an environment.
    return run([*GIT, "-C", str(directory), *arguments], environ, seconds=600)


@pytest.fixture
def published(tmp_path: Path, environ: dict[str, str]) -> Path:
    """This repository as pre-commit would clone it: what the working tree holds, as one commit."""
    need("git")
    directory = tmp_path / "ullage"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        check=True,
    )
    for name in listed.stdout.decode().split("\0"):
        if name and (REPOSITORY / name).is_file() and not name.startswith(("tests/", "bench/")):
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, directory / name)
    assert git(tmp_path, environ, "init", "-q", str(directory)).returncode == 0
    git(directory, environ, "add", ".")
    assert git(directory, environ, "commit", "-q", "-m", "All").returncode == 0
    return directory


@pytest.fixture
def project(tmp_path: Path, environ: dict[str, str]) -> Path:
    directory = tmp_path / "project"
    assert git(tmp_path, environ, "init", "-q", str(directory)).returncode == 0
    (directory / "a.txt").write_text("a\n")
    git(directory, environ, "add", ".")
    environ["PRE_COMMIT_HOME"] = str(tmp_path / "pre-commit")
    # What the environment of pre-commit needs is in ours; the index is asked only where a pin is of another version.
    environ |= {
        "PIP_NO_DEPS": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
        "PYTHONPATH": sysconfig.get_path("purelib"),
    }
    return directory


def configured(project: Path, published: Path, environ: dict[str, str], hook: str, *arguments: str) -> None:
    revision = git(published, environ, "rev-parse", "HEAD").stdout.strip()
    hooks = [{"id": hook, "args": list(arguments)}]
    config = {"repos": [{"repo": str(published), "rev": revision, "hooks": hooks}]}
    (project / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    git(project, environ, "add", ".")


@pytest.mark.parametrize("hook", ["ullage-guard", "ullage-guard-system"])
def test_pre_commit_lets_a_commit_through_only_while_there_is_room(
    project: Path, published: Path, environ: dict[str, str], hook: str
) -> None:
    program = str(SCRIPTS / "pre-commit")
    configured(project, published, environ, hook, "--max=five_hour=80")
    installed = run([program, "install"], environ | {"GIT_DIR": str(project / ".git")})
    assert installed.returncode == 0, installed.stderr
    refused = git(project, environ, "commit", "-m", "Over")
    assert refused.returncode == 1
    assert "No room: Session (5h) is at 85%, limit 80%" in refused.stdout + refused.stderr
    assert git(project, environ, "log").returncode != 0
    configured(project, published, environ, hook, "--max=five_hour=90")
    passed = git(project, environ, "commit", "-m", "Under")
    assert passed.returncode == 0, passed.stderr
    assert "Passed" in passed.stdout + passed.stderr
    if hook == "ullage-guard":
        own = list(Path(environ["PRE_COMMIT_HOME"]).glob("repo*/py_env-*/bin/ullage"))
        assert len(own) == 1, "pre-commit has installed it"


def test_the_hooks_are_what_pre_commit_takes(tmp_path: Path) -> None:
    command = [str(SCRIPTS / "pre-commit"), "validate-manifest", str(REPOSITORY / ".pre-commit-hooks.yaml")]
    checked = run(command, {"PRE_COMMIT_HOME": str(tmp_path)})
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


MAKEFILE = "include {recipe}\nreview: room\n\t@echo reviewed\n"
JUSTFILE = "import '{recipe}'\nreview: room\n    @echo reviewed\n"


@pytest.mark.parametrize(
    ("program", "recipe", "text", "limits"),
    [
        ("make", "guard.mk", MAKEFILE, "ROOM={}"),
        ("just", "guard.just", JUSTFILE, "room={}"),
    ],
)
def test_recipes_stop_what_depends_on_room(
    environ: dict[str, str], tmp_path: Path, program: str, recipe: str, text: str, limits: str
) -> None:
    found = str(SCRIPTS / "just") if program == "just" else need(program)
    file = tmp_path / "recipes"
    file.write_text(text.format(recipe=REPOSITORY / "recipes" / recipe))
    command = [found, "-f", str(file)]
    allowed = run([*command, "review"], environ)
    assert (allowed.returncode, allowed.stdout) == (0, "reviewed\n"), allowed.stderr
    refused = run([*command, limits.format("--max 5h=80"), "review"], environ)
    assert refused.returncode != 0
    assert "reviewed" not in refused.stdout
    assert "No room: Session (5h) is at 85%" in refused.stderr
