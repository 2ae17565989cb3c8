"""`ullage receive`."""

from __future__ import annotations

import os
import sys
import threading

import click

from ullage.base.errors import SourceError, UsageError
from ullage.base.text import clean, quote
from ullage.cli import options
from ullage.cli.say import say
from ullage.config.remotes import check_name
from ullage.refresh import receiving

_LARGEST = 1 << 20
_LONGEST_BEGINNING = 60
_EXPECTED = (
    "`ullage receive` reads what another machine's `ullage usage --json` prints: "
    "ullage usage --json | ssh box ullage receive"
)
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
        raise UsageError(f"stdin is a terminal. {_EXPECTED}")
    document = _read_all()
    if not document.strip():
        raise SourceError("remote_unreadable", f"stdin is empty. {_EXPECTED}")
    try:
        readings = receiving.receive(document, name, os.environ)
    except SourceError as error:
        if error.code != "remote_unreadable":
            raise
        # Of a machine that is asked, it says how to ask it.
        begins = clean(document[:400].decode(errors="replace"), _LONGEST_BEGINNING)
        words = f"stdin begins with {quote(begins)} and holds no report of usage. {_EXPECTED}"
        raise SourceError(error.code, words) from error
    for reading in readings:
        say(f"{reading.source}: {len(reading.windows)} windows, as of {reading.as_of.astimezone():%H:%M:%S}.")
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
