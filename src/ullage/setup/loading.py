"""The lines that load a shell's hook at its start from its file, without Python.

They name the program and the file by their full paths, since a dotfile is often read before PATH is complete. A program
that has moved is looked for in PATH, and prints the hook where the file has moved; without either nothing is said.
"""

from __future__ import annotations

import os
import re
import shlex
import sys

from ullage.base.record import Record
from ullage.setup import init

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_POSIX = """\
__ullage_program={program}
[ -x "$__ullage_program" ] || __ullage_program=ullage
if [ -r {file} ]; then . {file}
elif command -v "$__ullage_program" >/dev/null; then eval "$("$__ullage_program" init {shell})"; fi
"""
_FISH = """\
if status is-interactive
    set -g __ullage_program {program}
    test -x $__ullage_program; or set -g __ullage_program ullage
    if test -r {file}
        source {file}
    else if type -q $__ullage_program
        $__ullage_program init fish | source
    end
end
"""
_ELVISH = """\
for ullage-program [{program} ullage] {{
  if (has-external $ullage-program) {{ eval ((external $ullage-program) init elvish | slurp); break }}
}}
"""
# nushell evaluates nothing, and reads what `source` names before it runs a line: a name that is a constant may be null
# where the file is gone.
_NUSHELL = """\
$env.__ullage.program = (if ({program} | path exists) {{ {program} }} else {{ "ullage" }})
const ullage_file = {file}
source (if ($ullage_file | path exists) {{ $ullage_file }} else {{ null }})
"""
_XONSH = """\
__ullage_path = __import__("os").pathsep.join($PATH)
__ullage_programs = [__import__("shutil").which(name, path=__ullage_path) for name in ({program}, "ullage")]
for __ullage_program in filter(None, __ullage_programs):
    execx($(@(__ullage_program) init xonsh))
    break
"""
_PWSH = """\
$__ullage_program = {program}
if (-not (Test-Path -LiteralPath $__ullage_program)) {{ $__ullage_program = 'ullage' }}
if (Test-Path -LiteralPath {file}) {{
    . {file}
}} elseif (Get-Command $__ullage_program -ErrorAction Ignore) {{
    Invoke-Expression (& $__ullage_program init pwsh | Out-String)
}}
"""
_LINES = {
    "bash": _POSIX,
    "zsh": _POSIX,
    "fish": _FISH,
    "elvish": _ELVISH,
    "nushell": _NUSHELL,
    "xonsh": _XONSH,
    "pwsh": _PWSH,
}
_PLACES = {
    "fish": "set -g ULLAGE_PLACE {}\n",
    "nushell": "$env.__ullage.place = '{}'\n",
    "pwsh": "$__ullage_place = '{}'\n",
}

# What a line of the user's own has that loads the hook.
BY_HAND = {
    "bash": r"\bullage init bash\b|\bullage\.bash\b",
    "zsh": r"\bullage init zsh\b|\bullage(\.plugin)?\.zsh\b",
    "fish": r"\bullage init fish\b|\bullage\.fish\b",
    "elvish": r"\bullage init elvish\b",
    "nushell": r"\bullage init nushell\b|\bullage\.nu\b",
    "xonsh": r"\bullage init xonsh\b",
    "pwsh": r"\bullage(\.exe)? init pwsh\b|\bullage\.ps1\b",
}
# What is left in a pattern where the lines have a word.
_PROGRAM, _FILE = "\1", "\2"


class Words(Record):
    """The program and the file of the hook, each as one word of the shell."""

    program: str
    file: str


def quote_words(shell: str, environ: Mapping[str, str]) -> Words:
    """Return the words for the running program and for the file of its hook."""
    program = init.find_this_program(sys.argv[0], sys.executable)
    return Words(program=_word(program, shell, environ), file=_word(init.locate_shell_file(shell), shell, environ))


def build_lines(shell: str, place: str | None, words: Words, more: str = "") -> str:
    """Return the lines of a dotfile: `more` comes after the hook has been loaded."""
    sets_place = _PLACES.get(shell, "ULLAGE_PLACE={}\n").format(place) if place else ""
    return sets_place + _LINES[shell].format(shell=shell, program=words.program, file=words.file) + more


def build_shape(shell: str, place: str | None, more: str = "") -> str:
    """Return a pattern of these lines, whatever the paths; its group `file` is the word for the hook's file."""
    pattern = re.escape(build_lines(shell, place, Words(program=_PROGRAM, file=_FILE), more))
    return pattern.replace(_PROGRAM, ".+").replace(_FILE, "(?P<file>.+)", 1).replace(_FILE, ".+")


def read_path(word: str, shell: str, environ: Mapping[str, str]) -> str:
    """Return the path that a word of the lines names."""
    tilde, word = word.startswith("~/"), word.removeprefix("~/")
    if shell == "pwsh":
        unquoted = _read_powershell(word)
    elif shell in ("fish", "nushell"):
        unquoted = re.sub(r"\\(.)", r"\1", word[1:-1]) if word[:1] in ("'", '"') else word
    else:
        unquoted = "".join(shlex.split(word))
    return os.path.join(environ.get("HOME", ""), unquoted) if tilde else unquoted


def _word(path: str, shell: str, environ: Mapping[str, str]) -> str:
    """Return a path as one word; what lies in the home begins with a tilde, so that dotfiles can be shared."""
    home = environ.get("HOME", "").rstrip("/") + "/"
    if shell not in ("bash", "zsh", "fish"):
        return init.quote(path, shell)
    if len(home) > 1 and path.startswith(home):
        return "~/" + _quoted(path.removeprefix(home), shell)
    return _quoted(path, shell)


def _quoted(text: str, shell: str) -> str:
    return text if re.fullmatch(r"[A-Za-z0-9@%+:,./_-]+", text) else init.quote(text, shell)


def _read_powershell(word: str) -> str:
    """Return the text of a word that `init.quote` has made."""
    if word.startswith("'"):
        return word[1:-1].replace("''", "'")
    units = b"".join(int(number).to_bytes(2, "big") for number in re.findall(r"\[char\](\d{1,5})", word))
    return units.decode("utf-16-be", "replace")
