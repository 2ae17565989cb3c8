"""Programs that tests drive: found, or the test fails in CI and is skipped with words elsewhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

SCRIPTS = Path(sysconfig.get_path("scripts"))
ULLAGE = str(SCRIPTS / "ullage")
ULLAGE_PROMPT = str(SCRIPTS / "ullage-prompt")
REPOSITORY = Path(__file__).parent.parent


def need(program: str) -> str:
    """Return a program's path; a missing one fails the test in CI and skips it elsewhere."""
    found = shutil.which(program)
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{program} is not installed; .ci/packages-debian must name its package")
        pytest.skip(f"{program} is not installed")
    return found


def run(
    arguments: Sequence[str], environ: Mapping[str, str], *, seconds: float = 60, input: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, with this environment and no other."""
    return subprocess.run(
        list(arguments), env=dict(environ), capture_output=True, text=True, timeout=seconds, check=False, input=input
    )


def ullage(*arguments: str, environ: Mapping[str, str], seconds: float = 60) -> subprocess.CompletedProcess[str]:
    """Run the installed `ullage`."""
    return run([ULLAGE, *arguments], environ, seconds=seconds)


def wait_until(condition: Callable[[], object], *, seconds: float = 30, what: str = "the condition") -> None:
    """Wait until something holds; fail with its name when it never does."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"{what} did not come about in {seconds:.0f} s")
        time.sleep(0.02)


PYTHON = sys.executable
