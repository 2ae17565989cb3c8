"""`ullage schema`."""

from __future__ import annotations

import json

import click

from ullage import contract


@click.command(name="schema")
def command() -> None:
    """Print the JSON Schema of `ullage usage --json`."""
    click.echo(json.dumps(contract.schema(), indent=1))
