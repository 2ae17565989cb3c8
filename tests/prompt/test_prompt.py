"""The options that are read before click is imported."""

from __future__ import annotations

import pytest

from ullage.base.arguments import parse_options


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], {}),
        (["--profile", "/a", "--then=b=c"], {"--profile": "/a", "--then": "b=c"}),
        (["--then", "--quiet", "--quiet"], {"--then": "--quiet", "--quiet": ""}),
        (["--profile", "/a", "--profile", "/b"], {"--profile": "/b"}),
        (["--profile="], {"--profile": ""}),
        (["--profile"], None),
        (["--quiet=yes"], None),
        (["--help"], None),
        (["--prof", "/a"], None),
        (["word"], None),
        (["--", "--quiet"], None),
    ],
)
def test_what_is_understood_at_once_and_what_is_left_to_click(
    arguments: list[str], expected: dict[str, str] | None
) -> None:
    assert parse_options(arguments, valued=("--profile", "--then"), flags=("--quiet",)) == expected
