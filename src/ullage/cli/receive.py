"""`ullage receive`."""

from __future__ import annotations

import os
import sys
import threading

import click

from ullage.base.errors import SourceError, UsageError
from ullage.cli import options
from ullage.cli.say import say
from ullage.config.remotes import check_name
from ullage.refresh import receiving

_LARGEST = 1 << 20
_LONGEST_SECONDS = 10.0


@click.command(name="receive")
@click.option("--from", "name", default="pushed", show_default=True, metavar="NAME", help="Whose it is: remote:NAME.")
@options.add_profile_option
def command(name: str) -> int:
    """Take in what another machine hands on: the JSON of its `ullage usage --json`, with or without --all, on stdin.

    The other machine has `push.commands = [["ssh", "box", "ullage", "receive", "--from", "laptop"]]` in its
    config.toml. Nothing but percentages, their ages and the account's id is read from it.
    """
    wrong = check_name(name)
    if wrong:
        raise click.UsageError(f"--from {wrong}.")
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError("`ullage receive` reads a document: ullage usage --json | ssh box ullage receive")
    document = _read_all()
    if not document.strip():
        words = "stdin is empty. `ullage receive` reads what `ullage usage --json` prints on another machine."
        raise SourceError("remote_unreadable", words)
    for reading in receiving.receive(document, name, os.environ):
        say(f"{reading.source} told {len(reading.windows)} windows, as of {reading.as_of.astimezone():%H:%M:%S}.")
    return 0


def _read_all() -> bytes:
    """Return what stdin holds to its end; raise UsageError where that is too much, or does not come."""
    chunks: list[bytes] = []

    def read() -> None:
        while sum(map(len, chunks)) <= _LARGEST and (chunk := os.read(0, 1 << 16)):
            chunks.append(chunk)

    # A read of a pipe cannot be interrupted on every system: a thread does it, and is left behind.
    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reader.join(_LONGEST_SECONDS)
    if reader.is_alive():
        raise UsageError(f"The document on stdin did not end within {_LONGEST_SECONDS:.0f} s.")
    if sum(map(len, chunks)) > _LARGEST:
        raise UsageError("stdin holds more than a MiB, which is no report of usage.")
    return b"".join(chunks)
