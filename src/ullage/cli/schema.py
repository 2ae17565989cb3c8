"""`ullage schema`."""

from __future__ import annotations

import json

import click

from ullage.cli.parameters import OneOf
from ullage.quota import schemas
from ullage.system import streams


@click.command(name="schema")
@click.argument("name", type=OneOf(list(schemas.DOCUMENTS)), default="usage", metavar="[NAME]")
def command(name: str) -> None:
    """Print the JSON Schema of `ullage usage --json`, or of another JSON of ours by its NAME.

    NAME is usage, all (`usage --all --json`), history, guard, tokens, sources or doctor (each its --json), panel
    (`panel json`), alerts (what a command for alerts reads on stdin), or hook (what Claude Code is answered).
    """
    streams.write(json.dumps(schemas.build_schema(name), indent=1) + "\n")
