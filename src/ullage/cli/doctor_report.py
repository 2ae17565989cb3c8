"""Print what `ullage doctor` finds; `cli/doctor.py` and `cli/quick.py` parse its options."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime

from ullage import config, doctor
from ullage.base.errors import UsageError
from ullage.cli.progress import StatusLine
from ullage.cli.say import find_width, say_styled
from ullage.cli.settings import load_terminal_settings
from ullage.config.settings import DEFAULTS, build_settings
from ullage.doctor import page
from ullage.quota import schemas
from ullage.render.cells import fit_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ullage.config import Settings
    from ullage.quota.schemas import DoctorDocument

_ASKS = "`ullage refresh --force` asks now, and says what stands in the way."


def show(*, as_json: bool, measured: bool) -> int:
    """Examine this machine, print the findings and return the exit code."""
    now = datetime.now(UTC)
    with StatusLine() as line:
        found = doctor.examine(
            os.environ, now, measured=measured, show=lambda text: line.show(fit_words(text, find_width(err=True)))
        )
    if as_json:
        sys.stdout.buffer.write(schemas.encode(found))
    else:
        settings = load_terminal_settings(_settings())
        wrong = [] if found.exit_code == 0 else _wrong(found)
        lines = page.lay_out(schemas.make_plain(found), wrong, now, find_width())
        say_styled(lines, settings)
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
