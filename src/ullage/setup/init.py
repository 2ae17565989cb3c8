"""`ullage init SHELL`: print what a shell evaluates at its start. It runs at every shell start, so it is cheap."""

from __future__ import annotations

import os
import sys

from ullage.base.errors import UllageError
from ullage.base.shipped import locate
from ullage.system import streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

SHELLS = ("bash", "zsh", "fish", "elvish", "nushell", "xonsh", "pwsh")

# Option → the value of ULLAGE_PLACE, which the shell files read when they are loaded.
PLACES = {"--left": "left", "--right": "right", "--manual": "manual", "--starship": "starship"}

# What a shell lacks. A function of what elvish evaluates is unknown where rc.elv is compiled, so nobody could name it.
_MISSING = {"bash": ("right",), "elvish": ("manual", "starship"), "xonsh": ("starship",), "pwsh": ("right",)}

SUFFIXES = {"elvish": "elv", "nushell": "nu", "xonsh": "xsh", "pwsh": "ps1"}

# How a shell that is not POSIX sets the program and the place.
_SETTINGS = {
    "fish": ("set -g __ullage_program {}", "set -g ULLAGE_PLACE {}"),
    "elvish": ("var ullage-program = {}", "var ullage-place = {}"),
    "nushell": ("$env.__ullage.program = {}", "$env.__ullage.place = '{}'"),
    "xonsh": ("__ullage_program = {}", "__ullage_place = {}"),
    "pwsh": ("$__ullage_program = {}", "$__ullage_place = '{}'"),
}

# In these a variable that is not set is an error before anything runs.
_ALWAYS_PLACED = ("elvish", "xonsh")


def run(arguments: Sequence[str]) -> int | None:
    """Print the shell's code and return 0; None when it is for the full command line to say what is wrong."""
    places = [PLACES[argument] for argument in arguments if argument in PLACES]
    shells = [argument for argument in arguments if argument not in PLACES]
    if len(shells) != 1 or shells[0] not in SHELLS or len(places) > 1 or not set(places) <= set(list_places(shells[0])):
        return None
    try:
        printed = build_code(shells[0], places[0] if places else None)
    except UllageError:
        return None
    return streams.put_data(printed)


def list_places(shell: str) -> list[str]:
    """Return the places that a shell has for the segment."""
    return [place for place in PLACES.values() if place not in _MISSING.get(shell, ())]


def build_code(shell: str, place: str | None) -> bytes:
    """Return the shell's own file after the lines that say where `ullage` is and where the segment goes."""
    quoted = quote(find_this_program(sys.argv[0], sys.executable), shell)
    sets_program, sets_place = _SETTINGS.get(shell, ("__ullage_program={}", "ULLAGE_PLACE={}"))
    if shell in _ALWAYS_PLACED:
        place = quote(place or "left", shell)
    settings = [sets_program.format(quoted), *([sets_place.format(place)] if place else [])]
    with open(locate_shell_file(shell), "rb") as file:
        return os.fsencode("\n".join([*settings, ""])) + file.read()


def locate_shell_file(shell: str) -> str:
    """Return the path of the file for a shell; raise UllageError where it is missing."""
    path = locate("shell", f"ullage.{SUFFIXES.get(shell, shell)}")
    if not os.path.exists(path):
        raise UllageError(f"{path} is missing. Install ullage again.")
    return path


def find_this_program(called: str, interpreter: str) -> str:
    """Return the absolute path of the `ullage` command: as it was called, beside its Python, or whatever PATH finds."""
    name = "ullage.exe" if sys.platform == "win32" else "ullage"
    for path in (os.path.abspath(called), os.path.join(os.path.dirname(interpreter), name)):
        if os.path.basename(path) == name and os.access(path, os.X_OK) and os.path.isfile(path):
            return path
    return "ullage"


def quote(text: str, shell: str) -> str:
    """Return the text as one word that the shell takes as it is."""
    if shell == "fish":
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
    if shell == "elvish":
        return "'" + text.replace("'", "''") + "'"
    if shell == "nushell":
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if shell == "xonsh":
        return repr(text)
    if shell == "pwsh":
        return _quote_for_powershell(text)
    return "'" + text.replace("'", "'\\''") + "'"


def _quote_for_powershell(text: str) -> str:
    """Return a value in ASCII: Windows PowerShell reads files, and what programs print, by an old code page."""
    if text.isascii():
        return "'" + text.replace("'", "''") + "'"
    units = text.encode("utf-16-be", "surrogatepass")
    numbers = (int.from_bytes(units[at : at + 2], "big") for at in range(0, len(units), 2))
    return "(''" + "".join(f" + [char]{number}" for number in numbers) + ")"
