"""`ullage tray`."""

from __future__ import annotations

import os

import click

from ullage import panel as panels
from ullage.cli import options
from ullage.cli.say import remark
from ullage.cli.settings import load_desktop_settings


@click.command(name="tray")
@options.add_window_option
@options.add_profile_option
def command(window: str | None) -> int:
    """Show an icon in the desktop's tray: a number over a bar that fills as the window is used, and a menu.

    Needs the extra: pip install 'ullage[tray]'. Runs until its menu's Quit, ^C or the end of the session.
    """
    from ullage.panel.follow import Followed
    from ullage.panel.tray import check_installed, icon

    check_installed()
    followed = Followed(os.environ, panels.Wanted(window=window), load_desktop_settings)
    icon.run(followed, remark)
    return 0
