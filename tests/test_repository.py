"""What hosts the repository: workflows, templates and what tools read from its root."""

from __future__ import annotations

import re

from tools import REPOSITORY

WORKFLOWS = sorted((REPOSITORY / ".github" / "workflows").glob("*.yml"))


def test_actions_of_others_are_pinned_by_the_hash_of_a_commit_with_its_version() -> None:
    used = [
        line.strip()
        for path in [*WORKFLOWS, REPOSITORY / "action.yml"]
        for line in re.findall(r"^\s*(?:- )?uses:(.*)", path.read_text(), re.MULTILINE)
    ]
    assert used
    for line in used:
        assert re.fullmatch(r"[a-z-]+/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)
    # The same action is of the same version everywhere.
    names = {line.partition("@")[0] for line in used}
    assert len(set(used)) == len(names)
