"""`ullage init` for its help and its errors; a shell's start runs setup.init, before click is imported."""

from __future__ import annotations

import click

from ullage.base.errors import UsageError
from ullage.cli.parameters import OneOf
from ullage.setup import init


@click.command(name="init")
@click.argument("shell", type=OneOf(init.SHELLS))
@click.option("--left", "place", flag_value="left", help="Before the prompt (the default).")
@click.option("--right", "place", flag_value="right", help="In the right prompt: all but bash.")
@click.option("--manual", "place", flag_value="manual", help="Nowhere: you refer to `ullage_segment` yourself.")
@click.option("--starship", "place", flag_value="starship", help="Export ULLAGE_SEGMENT for starship's env_var.")
def command(shell: str, place: str | None) -> None:
    """Print what shows the segment in a shell's prompt, for the shell to evaluate at its start.

    \b
    bash  ~/.bashrc                   eval "$(ullage init bash)"
    zsh   ~/.zshrc                    eval "$(ullage init zsh)"
    fish  ~/.config/fish/config.fish  ullage init fish | source

    \b
    After your own prompt:
    elvish  ~/.config/elvish/rc.elv   eval (ullage init elvish | slurp)
    xonsh   ~/.xonshrc                execx($(ullage init xonsh))

    \b
    In $PROFILE of PowerShell, after your own prompt, too:
    Invoke-Expression (& ullage init pwsh | Out-String)

    \b
    In config.nu of nushell, which reads the file that this leaves afterwards:
    ullage init nushell | save -f ($nu.user-autoload-dirs.0 | path join ullage.nu)

    `ullage_off` hides it in a running shell, and so does ULLAGE_OFF=1 in the environment.
    """  # noqa: D301  # click takes the character itself for "keep these lines"
    if (shell, place) == ("bash", "right"):
        raise UsageError("bash has no right prompt. Leave out --right.")
    if place and place not in init.list_places(shell):
        raise UsageError(f"The segment has no place --{place} in {shell}. Leave it out.")
    click.echo(init.build_code(shell, place), nl=False)
