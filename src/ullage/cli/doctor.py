"""`ullage doctor` for its help and its errors; without those it runs without click (`quick`)."""

from __future__ import annotations

import click

from ullage.cli import doctor_report, options


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
    return doctor_report.show(as_json=as_json, measured=measure)
