"""The programs that show the segment: each one's file, and the lines that it takes there."""

from __future__ import annotations

import os
import sys

from ullage.base.errors import UsageError
from ullage.base.record import Record
from ullage.setup import init

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HOSTS = ("bash", "zsh", "fish", "elvish", "nushell", "xonsh", "starship", "tmux")

# Those whose hook can export the segment for starship.
FEEDS_STARSHIP = tuple(shell for shell in init.SHELLS if "starship" in init.places_of(shell))

# starship/custom.toml and starship/env_var.toml are these with an explanation; a test holds them together.
STARSHIP_CUSTOM = """\
[custom.ullage]
description = "How much of the Claude plan is used"
shell = ["ullage-prompt"]
command = "starship"
use_stdin = false
when = true
style = ""
format = "([$output]($style) )"
"""
STARSHIP_ENV_VAR = """\
[env_var.ULLAGE_SEGMENT]
description = "How much of the Claude plan is used"
style = ""
format = "([$env_value]($style) )"
"""

# nushell evaluates nothing, and reads what `source` names before it runs a line: a name that is a constant may be null
# where the file is gone.
_NUSHELL = """\
const ullage_file = {file}
source (if ($ullage_file | path exists) {{ $ullage_file }} else {{ null }})
"""
# How these lines name the file.
NUSHELL_FILE = r'(?m)^const ullage_file = "(.+)"$'

# What tmux shows: the text that a refresh has set while that is true, else what ullage-prompt prints. prompt.tmux
# has the same; a test holds them together.
TMUX_PULL = "#(ullage-prompt tmux)"
TMUX_PUSH = "#{?#{&&:#{e|>=:%s,#{@ullage_from}},#{e|<:%s,#{@ullage_until}}},#{@ullage},#(ullage-prompt tmux)}"
_TMUX = """\
if-shell -F '#{{?#{{m:*ullage-prompt*,#{{status-right}}}},,1}}' "set-option -ga status-right ' {shown}'"
if-shell -F '#{{e|<:#{{status-right-length}},100}}' "set-option -g status-right-length 100"
"""


class Host(Record):
    """A program that shows the segment: its file, its lines, a pattern of what does the same, what comes then.

    `beside` is another file that is read at every start, where a line of the user's own may stand.
    """

    name: str
    path: str
    body: str
    pattern: str
    afterwards: str
    beside: str | None = None


def host(name: str, environ: Mapping[str, str], *, starship: bool = False, without_process: bool = False) -> Host:
    """Return a host's file and lines in this environment; raise UsageError where that names no place for it.

    `starship` makes a shell's hook export the segment for starship; `without_process` makes starship and tmux show what
    the hook or the refresh has left for them.
    """
    return _HOSTS[name](environ, starship, without_process)


def _bash(environ: Mapping[str, str], starship: bool, _: bool) -> Host:
    login = " macOS opens login shells, which read ~/.bash_profile: have it source ~/.bashrc."
    host = _shell("bash", os.path.join(home(environ), ".bashrc"), starship)
    return host.replace(afterwards=host.afterwards + login) if sys.platform == "darwin" else host


def _zsh(environ: Mapping[str, str], starship: bool, _: bool) -> Host:
    directory = environ.get("ZDOTDIR") or home(environ)
    return _shell("zsh", os.path.join(_absolute(directory, "ZDOTDIR"), ".zshrc"), starship)


def _shell(name: str, path: str, starship: bool) -> Host:
    init = f"ullage init {name}{' --starship' if starship else ''}"
    return Host(
        name=name,
        path=path,
        body=f'if command -v ullage >/dev/null; then eval "$({init})"; fi\n',
        pattern=rf"\bullage init {name}\b",
        afterwards=f"Open a new {name} to see it.",
    )


def _fish(environ: Mapping[str, str], starship: bool, _: bool) -> Host:
    init = f"ullage init fish{' --starship' if starship else ''}"
    return Host(
        name="fish",
        path=os.path.join(_config_home(environ), "fish", "conf.d", "ullage.fish"),
        body=f"status is-interactive; and type -q ullage; and {init} | source\n",
        pattern=r"\bullage init fish\b",
        afterwards="Open a new fish to see it.",
        beside=os.path.join(_config_home(environ), "fish", "config.fish"),
    )


def _elvish(environ: Mapping[str, str], _: bool, __: bool) -> Host:
    return Host(
        name="elvish",
        path=os.path.join(_config_home(environ), "elvish", "rc.elv"),
        body="if (has-external ullage) { eval (ullage init elvish | slurp) }\n",
        pattern=r"\bullage init elvish\b",
        afterwards="Open a new elvish to see it.",
    )


def _nushell(environ: Mapping[str, str], starship: bool, _: bool) -> Host:
    macos = sys.platform == "darwin" and not os.path.isabs(environ.get("XDG_CONFIG_HOME", ""))
    config = os.path.join(home(environ), "Library", "Application Support") if macos else _config_home(environ)
    place = "$env.__ullage.place = 'starship'\n" if starship else ""
    return Host(
        name="nushell",
        path=os.path.join(config, "nushell", "autoload", "ullage.nu"),
        body=place + _NUSHELL.format(file=init.quote(init.shell_file("nushell"), "nushell")),
        pattern=r"\bullage init nushell\b|\bullage\.nu\b",
        afterwards="Open a new nushell to see it.",
    )


def _xonsh(environ: Mapping[str, str], _: bool, __: bool) -> Host:
    return Host(
        name="xonsh",
        path=os.path.join(home(environ), ".xonshrc"),
        body='if __import__("shutil").which("ullage", path=":".join($PATH)): execx($(ullage init xonsh))\n',
        pattern=r"\bullage init xonsh\b",
        afterwards="Open a new xonsh to see it.",
    )


def _starship(environ: Mapping[str, str], _: bool, without_process: bool) -> Host:
    path = environ.get("STARSHIP_CONFIG") or os.path.join(home(environ), ".config", "starship.toml")
    hook = (
        " The shell's hook must export it: `ullage setup bash --starship`, or zsh, or fish." if without_process else ""
    )
    return Host(
        name="starship",
        path=_absolute(path, "STARSHIP_CONFIG"),
        body=STARSHIP_ENV_VAR if without_process else STARSHIP_CUSTOM,
        pattern=r"^\s*\[\s*(custom\.ullage|env_var\.ULLAGE_SEGMENT)\s*\]|\bullage-prompt\b",
        afterwards=f"The next prompt shows it.{hook}",
    )


def _tmux(environ: Mapping[str, str], _: bool, without_process: bool) -> Host:
    plain = os.path.join(home(environ), ".tmux.conf")
    xdg = os.path.join(_config_home(environ), "tmux", "tmux.conf")
    # Where both are there tmux reads both, this one last.
    path = xdg if os.path.lexists(xdg) else plain
    push = " The refresh must set it: `[tmux]` with `push = true` in config.toml." if without_process else ""
    return Host(
        name="tmux",
        path=path,
        body=_TMUX.format(shown=TMUX_PUSH if without_process else TMUX_PULL),
        pattern=r"\bullage-prompt\b|#\{ullage\}|@ullage\b",
        afterwards=f"In a running tmux: tmux source-file '{path}'.{push}",
    )


_HOSTS: dict[str, Callable[[Mapping[str, str], bool, bool], Host]] = {
    "bash": _bash,
    "zsh": _zsh,
    "fish": _fish,
    "elvish": _elvish,
    "nushell": _nushell,
    "xonsh": _xonsh,
    "starship": _starship,
    "tmux": _tmux,
}


def home(environ: Mapping[str, str]) -> str:
    """Return the home directory; raise UsageError where there is none."""
    return _absolute(environ.get("HOME", ""), "HOME")


def _config_home(environ: Mapping[str, str]) -> str:
    given = environ.get("XDG_CONFIG_HOME", "")
    return given if os.path.isabs(given) else os.path.join(home(environ), ".config")


def _absolute(path: str, variable: str) -> str:
    if not os.path.isabs(path) or not path.isprintable():
        raise UsageError(
            f"{variable} must be an absolute path, in characters of this locale; it is {path!r}. Set it to one."
        )
    return path


def variants(host: Host) -> list[Host]:
    """Return a host with each option that it has."""
    # Paths play no part in the lines, so any absolute home will do.
    everywhere = {"HOME": os.path.dirname(host.path)}
    options = ((False, False), (True, False), (False, True))
    return [_HOSTS[host.name](everywhere, starship, without) for starship, without in options]
