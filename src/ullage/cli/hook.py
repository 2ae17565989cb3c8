"""`ullage hook` for its help and its errors; Claude Code's calls run claude_code.hook, without click."""

from __future__ import annotations

import os

import click

from ullage.base.errors import UllageError
from ullage.claude_code import hook
from ullage.cli import options
from ullage.cli.parameters import parse_with
from ullage.guard.limits import parse_duration, parse_limit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class _HarmlessError(click.ClickException):
    exit_code = hook.HARMLESS


class _HarmlessCommand(click.Command):
    """A command whose usage errors never exit with 2, which would block Claude Code."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        try:
            return super().make_context(*args, **kwargs)
        except click.UsageError as error:
            raise _HarmlessError(f"ullage hook: {error.format_message()}") from error
        except UllageError as error:
            raise _HarmlessError(f"ullage hook: {error}") from error

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except UllageError as error:
            raise _HarmlessError(f"ullage hook: {error}") from error


@click.command(name="hook", cls=_HarmlessCommand)
@click.option(
    "--warn",
    callback=parse_with(parse_limit),
    multiple=True,
    metavar="[WINDOW=]PERCENT",
    shell_complete=options.complete_limit,
    help="Tell the person and the model from this percentage on, once a session. Default: 90.",
)
@click.option(
    "--block",
    callback=parse_with(parse_limit),
    multiple=True,
    metavar="[WINDOW=]PERCENT",
    shell_complete=options.complete_limit,
    help="Let no prompt and no tool through from this percentage on.",
)
@click.option(
    "--allow-credits",
    is_flag=True,
    help="A used-up window blocks nothing while credits pay for what comes; limits below 100 hold all the same.",
)
@click.option("--fail-closed", is_flag=True, help="Block, too, while the usage is not known.")
@click.option(
    "--tell-room",
    "tell_every",
    callback=parse_with(parse_duration),
    metavar="TIME",
    help="Tell the model at a prompt how much is left, at most once in this time: 30m.",
)
@click.option("--from-plugin", is_flag=True, help="Do nothing where settings.json has hooks of ullage: once is enough.")
@options.add_profile_option
def command(**given: Any) -> int:
    """Answer a hook of Claude Code: UserPromptSubmit, PreToolUse or Stop, as JSON on stdin.

    Reads the cache, asks nobody, and starts a refresh in the background when one is due. What goes wrong here never
    stops Claude Code, unless --fail-closed says so.
    """
    return hook.perform(hook.Orders(**given), os.environ)
