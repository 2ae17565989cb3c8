"""Pin what the action and pre-commit install: `make pins` keeps the versions that still fit, UPGRADE=1 takes new ones.

constraints/action.txt names every package that the core depends on with its hashes; .pre-commit-hooks.yaml the same
versions, since pre-commit takes no hashes.
"""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
PINS = REPOSITORY / "constraints" / "action.txt"
HOOKS = REPOSITORY / ".pre-commit-hooks.yaml"
HEAD = "# Written by `make pins`: what ullage itself needs, for the action, by hash.\n"


def compile_pins(*options: str) -> None:
    command = [
        *(f"{sysconfig.get_path('scripts')}/uv", "pip", "compile", "--quiet", "--universal", "--python-version=3.11"),
        *("--generate-hashes", "--no-emit-index-url", "--no-emit-find-links", "--no-annotate", "--no-header"),
        *("--output-file", PINS, *options, REPOSITORY / "pyproject.toml"),
    ]
    subprocess.run(command, check=True)
    PINS.write_text(HEAD + PINS.read_text().removeprefix(HEAD))


def write_hooks() -> None:
    names = re.findall(r"^([a-z].*?) \\$", PINS.read_text(), re.MULTILINE)
    listed = "".join(f"    - {name}\n" for name in names)
    head = "  additional_dependencies:\n"
    text, count = re.subn(f"{head}(    - .*\n)*", head + listed, HOOKS.read_text())
    assert count == 1, f"{HOOKS} has one list of additional_dependencies"
    HOOKS.write_text(text)


if __name__ == "__main__":
    compile_pins(*sys.argv[1:])
    write_hooks()
