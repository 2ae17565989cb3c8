"""The value in the registry by which Windows starts the tray at each login, planned and shown like a file of one line.

In the Startup folder a shortcut would be a binary file that only COM writes, and a script would open a console. A value
is one line, which the Task Manager lists under Startup apps as well. Imported on Windows alone.
"""

from __future__ import annotations

import os
import re
import sys

from ullage.base.errors import UsageError
from ullage.setup.plans import Plan
from ullage.setup.userfile import Change, UserFile

assert sys.platform == "win32"

import winreg  # noqa: E402  # of that system alone

_KEY = r"Software\Microsoft\Windows\CurrentVersion\Run"
# Where the Task Manager keeps which values it has turned off, by an odd first byte.
_APPROVED = r"Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run"
_NAME = "ullage"
PATH = rf"HKCU\{_KEY}\{_NAME}"
_WINDOWLESS = "ullage-tray.exe"
_OURS = re.compile(rf'"[^"]*[\\/]{re.escape(_WINDOWLESS)}"\n'.encode(), re.IGNORECASE)
_LONGEST = 260


def plan(program: str) -> Plan:
    """Return what would be written; raise UsageError where it cannot be done safely."""
    file = _read()
    if file.data is not None and not _OURS.fullmatch(file.data):
        raise UsageError(f"{PATH} is there already, and is not from this command. It stays as it is; remove it first.")
    command = f'"{_find_windowless(program)}"'
    if len(command) > _LONGEST:
        raise UsageError(f"Windows runs no command at login that is longer than {_LONGEST} characters: {command}")
    note = "The Task Manager has it turned off, under Startup apps. Turn it on there." if _is_turned_off() else ""
    after = f"{command}\n".encode()
    if after == file.data:
        return Plan(change=None, words="\n".join(filter(None, (f"{PATH} is set up already.", note))))
    change = Change(file=file, after=after, kind="registry")
    return Plan(change=change, words="It starts at each login. Start it now: ullage-tray", note=note, takes_back=True)


def plan_undo(words: str) -> Plan:
    """Return what taking the value away would change."""
    file = _read()
    if file.data is None or not _OURS.fullmatch(file.data):
        return Plan(change=None, words=f"{PATH} is not from this command: nothing to undo.")
    return Plan(change=Change(file=file, after=None, kind="registry"), words=words, takes_back=True)


def apply(change: Change) -> None:
    """Make a change; raise UsageError where somebody has changed the value since it was read."""
    if _read() != change.file:
        raise UsageError(f"{PATH} has changed in the meantime and stays as it is. Run this again.")
    try:
        with winreg.CreateKeyEx(winreg.HKEY_CURRENT_USER, _KEY, access=winreg.KEY_SET_VALUE) as key:
            if change.after is None:
                winreg.DeleteValue(key, _NAME)
            else:
                winreg.SetValueEx(key, _NAME, 0, winreg.REG_SZ, change.after.decode().removesuffix("\n"))
    except OSError as error:
        raise UsageError(f"{PATH} cannot be written: {error.strerror}. Nothing was changed.") from error


def _read() -> UserFile:
    found = _query(_KEY)
    if found is not None and not isinstance(found, str):
        raise UsageError(f"{PATH} is there already, and is no text. It stays as it is; remove it first.")
    data = None if found is None else f"{found}\n".encode(errors="surrogatepass")
    return UserFile(path=PATH, real=PATH, data=data)


def _is_turned_off() -> bool:
    found = _query(_APPROVED)
    return isinstance(found, bytes) and found[:1] != b"" and found[0] % 2 == 1


def _query(key: str) -> object:
    try:
        with winreg.OpenKey(winreg.HKEY_CURRENT_USER, key) as opened:
            value: object = winreg.QueryValueEx(opened, _NAME)[0]
    except OSError:
        return None
    return value


def _find_windowless(program: str) -> str:
    """Return the program without a console that lies beside ours, or beside our Python."""
    places = [os.path.dirname(path) for path in (program, sys.executable)]
    for path in (os.path.join(place, _WINDOWLESS) for place in places if place):
        if os.path.isfile(path):
            return path
    raise UsageError(f"{_WINDOWLESS} is not beside {program}. Install ullage again, by pipx, uv or pip.")
