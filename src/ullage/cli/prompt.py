"""`ullage prompt` for its help and its errors; a shell's prompt runs ullage.prompt, before click is imported."""

from __future__ import annotations

import os

import click

from ullage import prompt
from ullage.cli import options
from ullage.cli.parameters import OneOf
from ullage.quota.timeline import SURFACES


@click.command(name="prompt")
@click.option("--surface", type=OneOf(SURFACES), default="plain", show_default=True, help="Whose escapes to use.")
@options.add_profile_option
def command(surface: str) -> int | None:
    """Print the segment for now.

    Reads one small file, waits for nothing, and starts a refresh in the background when one is due. Prints nothing
    while nothing is known.
    """
    return prompt.run(["--surface", surface], os.environ)
