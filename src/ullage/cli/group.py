"""The commands as click knows them: each is a module of this package, imported when it is used."""

from __future__ import annotations

import importlib

import click
from click.shell_completion import CompletionItem

from ullage import __version__
from ullage.cli import listing
from ullage.cli.help import Help, show_error
from ullage.cli.listing import COMMANDS, WORDS
from ullage.cli.parameters import Subcommands
from ullage.cli.say import find_painters, find_width

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


# Of every command, whichever module makes it.
click.Context.formatter_class = Help


class Commands(Subcommands):
    """A group that imports a command's module only when that command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's signature
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"ullage.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def get_help(self, ctx: click.Context) -> str:  # noqa: ARG002  # click's signature
        return listing.describe(*find_painters(), find_width())

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        named = [CompletionItem(name, help=words) for name, words in WORDS.items() if name.startswith(incomplete)]
        # Not click.Group's own completion, which would import every command for its help.
        return [*named, *super(click.Group, self).shell_complete(ctx, incomplete)]


@click.group(
    cls=Commands,
    help=listing.PURPOSE,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "-V", "--version", prog_name="ullage")
def main() -> None:  # its help says it
    pass


def run(arguments: Sequence[str]) -> int:
    """Run a command and return its exit code; what click says of wrong usage is printed on stderr."""
    try:
        # Whether a text gets colours is decided where it is printed; click must strip none.
        result = main.main(args=list(arguments), prog_name="ullage", standalone_mode=False, color=True)
    except click.ClickException as error:
        show_error(error)
        return error.exit_code
    except click.Abort as error:
        if isinstance(error.__cause__, EOFError):
            # Not the person's at a question, which has no cause: `__main__` knows it.
            raise error.__cause__ from None
        return 130
    return result if isinstance(result, int) else 0
