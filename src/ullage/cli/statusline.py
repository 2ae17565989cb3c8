"""`ullage statusline` for its help and its errors; Claude Code's calls run claude_code.statusline, without click."""

from __future__ import annotations

import os

import click

from ullage.base.errors import UsageError
from ullage.claude_code import statusline
from ullage.cli import options


@click.command(name="statusline")
@click.option("--then", metavar="COMMAND", help="Run this status line too, with the same input, and print both.")
@click.option("--quiet", is_flag=True, help="Take the numbers in and print nothing of our own.")
@options.add_profile_option
def command(then: str | None, quiet: bool) -> int | None:
    """The command for Claude Code's `statusLine` setting.

    Reads the JSON that Claude Code pipes to it, keeps the windows that it tells, and prints one line for its status
    bar: `statusline.template` in config.toml says what.
    """
    if os.isatty(0):
        raise UsageError(
            "`ullage statusline` reads what Claude Code pipes to it. Name it in ~/.claude/settings.json: "
            '{"statusLine": {"type": "command", "command": "ullage statusline"}}'
        )
    arguments = ["--quiet"] if quiet else []
    return statusline.run([*arguments, *(["--then", then] if then else [])], os.environ)
