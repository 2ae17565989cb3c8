"""Print the notes of a release from CHANGELOG.md: `.ci/release_notes.py v0.2.0`.

It fails where the tag is not the version of the package or where the changelog has no section of that version.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent


def package_version(source: str) -> str:
    found = re.search(r'^__version__ = "(.+)"$', source, re.MULTILINE)
    if found is None:
        sys.exit("src/ullage/__init__.py has no __version__.")
    return found[1]


def release_notes(changelog: str, version: str) -> str:
    """Return the section of a version without its heading: what stands until the next one."""
    section = re.search(
        rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL
    )
    if section is None or not section[1].strip():
        sys.exit(f"CHANGELOG.md has no section ## [{version}] - YYYY-MM-DD with something in it.")
    return section[1].strip() + "\n"


def main(tag: str) -> None:
    version = package_version((REPOSITORY / "src/ullage/__init__.py").read_text("utf-8"))
    if tag != f"v{version}":
        sys.exit(f"The tag {tag} is not v{version}, the version of src/ullage/__init__.py.")
    print(release_notes((REPOSITORY / "CHANGELOG.md").read_text("utf-8"), version), end="")


if __name__ == "__main__":
    main(*sys.argv[1:])
