"""`ullage completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from ullage.cli.parameters import OneOf


@click.command(name="completion")
@click.argument("shell", type=OneOf(("bash", "zsh", "fish")))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print what completes ullage's commands, options and their values with Tab.

    \b
    Each shell reads the file when it is first needed, not at its start:
    ullage completion bash >~/.local/share/bash-completion/completions/ullage
    ullage completion zsh >DIRECTORY/_ullage, a directory of your $fpath
    ullage completion fish >~/.config/fish/completions/ullage.fish

    bash needs 4.4 or newer, and its package bash-completion.
    """  # noqa: D301  # click takes the character itself for "keep these lines"
    found = get_completion_class(shell)
    assert found is not None
    source = found(context.find_root().command, {}, "ullage", "_ULLAGE_COMPLETE").source()
    # Split at the first comma only: fish separates type and word by a comma, and a description may hold others.
    click.echo(source.replace('string split ","', 'string split --max 1 ","'))
