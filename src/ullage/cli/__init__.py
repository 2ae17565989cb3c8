"""The command line: each command is a module of this package, imported when it is used."""

from __future__ import annotations

import importlib
import io
import sys

import click
from click.shell_completion import CompletionItem

from ullage import __version__
from ullage.base.errors import UllageError
from ullage.cli.listing import GROUPS, WORDS
from ullage.cli.say import say
from ullage.system import streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# The name of each command is that of its module, whose `command` runs.
COMMANDS = tuple(WORDS)
_LONGEST = max(map(len, WORDS))
# These commands answer by their exit code: 0 lets a job run, so no failure may exit with 0.
_VERDICTS = ("guard", "wait")
# Words of other programs that people type from habit, and the command that is meant.
_HABITS = {"status": "usage"}


class Commands(click.Group):
    """A group that imports a command's module only when that command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's signature
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"ullage.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's signature
        for heading, commands in GROUPS.items():
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(_LONGEST), words) for name, words in commands.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        named = [CompletionItem(name, help=words) for name, words in WORDS.items() if name.startswith(incomplete)]
        # Not click.Group's own completion, which would import every command for its help.
        return [*named, *super(click.Group, self).shell_complete(ctx, incomplete)]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS:
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, 1)
            hint = f" Did you mean {near[0]}?" if near else " `ullage --help` lists the commands."
            raise click.UsageError(f"No such command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version", prog_name="ullage")
def main() -> None:
    """How much of a Claude Pro, Max or Team plan is used: in the prompt, and wherever else you look.

    \b
    ullage setup bash                show it in the prompt, after asking you
    ullage usage                     how full, will it last, when is it back
    ullage guard --max 80 -- make    run make while less than 80 % is used

    Exit codes: 0 done, 1 a guard's limit is reached, 2 wrong usage, 3 nothing known yet or no account, 4 only expired
    data, 5 a source failed and there is nothing to fall back on.
    """  # noqa: D301  # click takes the character itself for "keep these lines"


def run(arguments: Sequence[str]) -> int:
    """Run the command line and return its exit code; errors are printed on stderr, without a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A character that the terminal's encoding lacks becomes a question mark, not an exception.
            stream.reconfigure(errors="replace")
    try:
        result = main.main(args=_spell_out(arguments), prog_name="ullage", standalone_mode=False)
        streams.flush()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except UllageError as error:
        say(f"ullage: {error}", err=True)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130
    except (OSError, SystemExit) as error:
        # click and rich raise SystemExit(1) when the reader of stdout has gone; nothing else raises it here.
        status = streams.explain_failure(error if isinstance(error, OSError) else BrokenPipeError())
        return UllageError.exit_code if arguments and arguments[0] in _VERDICTS else status
    return result if isinstance(result, int) else 0


def _spell_out(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with `help COMMAND` and the words in _HABITS replaced by our own."""
    first, *rest = arguments or [""]
    if first == "help":
        return [*rest, "--help"]
    return [_HABITS[first], *rest] if first in _HABITS else list(arguments)
