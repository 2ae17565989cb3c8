"""`ullage doctor`."""

from __future__ import annotations

import os
import shutil
import sys
from datetime import UTC, datetime

import click

from ullage import config, doctor
from ullage.base.errors import UsageError
from ullage.cli import options
from ullage.cli.say import say_lines
from ullage.cli.settings import load_terminal_settings
from ullage.config.settings import DEFAULTS, build_settings
from ullage.doctor import page
from ullage.quota import schemas
from ullage.render.cells import plain

_UNBROKEN = 10_000
TYPE_CHECKING = False
if TYPE_CHECKING:
    from ullage.config import Settings
    from ullage.quota.schemas import DoctorDocument

_ASKS = "`ullage refresh --force` asks now, and says what stands in the way."


@click.command(name="doctor")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@click.option("--measure", is_flag=True, help="Time a prompt, too, in every shell that is here; takes some seconds.")
@options.add_profile_option
def command(as_json: bool, measure: bool) -> int:
    """Look at what is installed, set up, read and due here, and say what is wrong with it.

    Starts each shell that is set up, as you do, to see whether its prompt shows the segment. Changes nothing and asks
    nobody. What it prints holds no secret, no e-mail address and no account id, so that it can be pasted into an issue.
    Exits with 0 when all is well, 2 when an environment, a config.toml, a dotfile or a file's mode is wrong, 5 when the
    cache or the history cannot be used; otherwise as `ullage usage` does for what is known.
    """
    now = datetime.now(UTC)
    found = doctor.examine(os.environ, now, measured=measure)
    if as_json:
        click.echo(schemas.encode(found), nl=False)
    else:
        settings = load_terminal_settings(_settings())
        # Not broken into lines where somebody may search them.
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _UNBROKEN
        lines = page.lay_out(schemas.make_plain(found), [] if found.exit_code == 0 else _wrong(found), now, width)
        say_lines(plain(lines) if settings.ascii_only else lines, settings.palette)
    return found.exit_code


def _settings() -> Settings:
    """Return the settings in force; the defaults where the environment names no file that could be read."""
    try:
        return config.load(os.environ)[0]
    except UsageError:
        return build_settings(DEFAULTS, os.environ)


def _wrong(found: DoctorDocument) -> list[str]:
    if found.findings:
        return [finding.message for finding in found.findings]
    if found.reading is None:
        return [f"Nothing is known yet. {_ASKS}"]
    return [f"What is known is too old to show. {_ASKS}"]
