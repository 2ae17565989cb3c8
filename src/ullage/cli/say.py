"""Printing what names paths, variables or values of this machine, which may hold anything."""

from __future__ import annotations

import click

from ullage.base.text import visible


def say(text: str, *, err: bool = False) -> None:
    """Print lines; what a terminal would act on, or hide, is shown as an escape."""
    click.echo("\n".join(map(visible, text.split("\n"))), err=err)
