"""`ullage tee` for its help and its errors; in a pipe claude_code.tee runs, without click."""

from __future__ import annotations

import os

import click

from ullage.base.errors import UsageError
from ullage.claude_code import tee
from ullage.cli import options


@click.command(name="tee")
@options.add_profile_option
def command() -> int | None:
    """Pass stdin on to stdout, and take in what Claude Code says in it of the plan's windows.

    \b
    claude -p --output-format stream-json --verbose "…" | ullage tee | jq …

    Every byte is passed on at once and unchanged, whatever becomes of the numbers. A shell with `pipefail` has the exit
    code of the program in front.
    """  # noqa: D301  # click takes the character itself for "keep these lines"
    if os.isatty(0):
        raise UsageError(
            "`ullage tee` stands in a pipe: claude -p --output-format stream-json --verbose 'Say hello' | ullage tee"
        )
    return tee.run([], os.environ)
