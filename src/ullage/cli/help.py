"""How help and errors look: on a terminal headings and names stand out, and the words are the same everywhere."""

from __future__ import annotations

import click

from ullage.cli.say import break_lines, find_painters, say_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ullage.render.surfaces import Span


class Help(click.HelpFormatter):
    """Lays help out as click does, which measures texts without their escapes."""

    def __init__(self, indent_increment: int = 2, width: int | None = None, max_width: int | None = None) -> None:
        super().__init__(indent_increment, width, max_width)
        self._heading, self._name = find_painters()

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, args, f"{self._heading('Usage:')} " if prefix is None else prefix)

    def write_heading(self, heading: str) -> None:
        self.write(f"{'':>{self.current_indent}}{self._heading(f'{heading}:')}\n")

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        super().write_dl([(self._name(name), words) for name, words in rows], col_max, col_spacing)


def show_error(error: click.ClickException) -> None:
    """Print what click found wrong as click does, the usage faint and the first word of the error in red."""
    from ullage.render.surfaces import Span

    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        # Its message is the help, which has the usage.
        click.echo(error.format_message(), err=True)
        return
    context = error.ctx if isinstance(error, click.UsageError) else None
    lines: list[list[Span]] = []
    if context is not None:
        hint = f"Try '{context.command_path} {context.help_option_names[-1]}' for help."
        # click's own usage is broken in the middle of words where a terminal is narrow.
        usage = " ".join(["Usage:", context.command_path, *context.command.collect_usage_pieces(context)])
        shown = [line for text in (usage, hint) for line in break_lines(text, err=True)]
        lines += [*([Span(text=line, level="faint")] for line in shown), []]
    # click lists what there is to choose from on lines of their own, each behind a tab.
    first, *more = break_lines(f"Error: {error.format_message().expandtabs(2)}", err=True)
    head = [Span(text="Error:", level="critical"), Span(text=first.removeprefix("Error:"))]
    lines += [head, *([Span(text=line)] for line in more)]
    say_lines(lines, err=True)
