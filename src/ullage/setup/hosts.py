"""The programs that show the segment: each one's file, and the lines that it takes there."""

from __future__ import annotations

import os
import re
import shlex
import sys

from ullage.base.errors import UsageError
from ullage.base.record import Record
from ullage.base.text import quote
from ullage.setup import frameworks, init, loading, started
from ullage.system import programs

if sys.platform == "win32":
    from ullage.system import windows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ullage.setup.frameworks import Framework

HOSTS = ("bash", "zsh", "fish", "elvish", "nushell", "xonsh", "pwsh", "starship", "tmux")

# Those whose hook can export the segment for starship.
FEEDS_STARSHIP = tuple(shell for shell in init.SHELLS if "starship" in init.list_places(shell))

# starship/custom.toml and starship/env_var.toml are these with an explanation; a test holds them together.
STARSHIP_CUSTOM = """\
[custom.ullage]
description = "How much of the Claude plan is used"
shell = ["ullage-prompt"]
command = "starship"
use_stdin = false
when = true
style = ""
format = "([$output ]($style))"
"""
STARSHIP_ENV_VAR = """\
[env_var.ULLAGE_SEGMENT]
description = "How much of the Claude plan is used"
style = ""
format = "([$env_value ]($style))"
"""

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

    `shape` is a pattern of the lines with whatever paths. `beside` is another file that is read at every start, where a
    line of the user's own may stand; `before` a pattern of the line that the lines must stand before; `more` what a
    second file takes, by its path.
    """

    name: str
    path: str
    body: str
    shape: str
    pattern: str
    afterwards: str
    beside: str | None = None
    before: str | None = None
    more: tuple[tuple[str, str], ...] = ()
    note: str = ""


class Options(Record):
    """What changes a host's lines: `framework` is what makes the shell's prompt, `words` the paths in the lines."""

    starship: bool = False
    without_process: bool = False
    framework: Framework | None = None
    words: loading.Words | None = None


def find_host(name: str, environ: Mapping[str, str], *, starship: bool = False, without_process: bool = False) -> Host:
    """Return a host's file and lines in this environment; raise UsageError where that names no place for it.

    `starship` makes a shell's hook export the segment for starship; `without_process` makes starship and tmux show what
    the hook or the refresh has left for them.
    """
    chosen = _HOSTS[name](environ, Options(starship=starship, without_process=without_process))
    framework = None if starship else frameworks.find(name, chosen.path)
    if framework is None:
        return chosen
    return _HOSTS[name](environ, Options(framework=framework))


def _shell(
    name: str, path: str, environ: Mapping[str, str], options: Options, *, beside: str | None = None, tail: str = ""
) -> Host:
    place = "starship" if options.starship else options.framework.place if options.framework else None
    lines = options.framework.lines if options.framework else ""
    words = options.words or loading.quote_words(name, environ)
    body = loading.build_lines(name, place, words, lines)
    return Host(
        name=name,
        path=path,
        body=body,
        shape=loading.build_shape(name, place, lines),
        pattern=loading.BY_HAND[name],
        afterwards=f"Open a new {name} to see it.{tail}",
        beside=beside,
        before=options.framework.before if options.framework else None,
        more=_second(path, options.framework) if options.framework else (),
        note=options.framework.note if options.framework else "",
    )


def _second(path: str, framework: Framework) -> tuple[tuple[str, str], ...]:
    second = framework.find_second_file(path)
    return ((second, framework.second_lines),) if second else ()


def _bash(environ: Mapping[str, str], options: Options) -> Host:
    login = " macOS opens login shells, which read ~/.bash_profile: have it source ~/.bashrc."
    path = os.path.join(find_home(environ), ".bashrc")
    return _shell("bash", path, environ, options, tail=login if sys.platform == "darwin" else "")


def _zsh(environ: Mapping[str, str], options: Options) -> Host:
    directory = environ.get("ZDOTDIR") or started.find_zsh_directory(environ) or find_home(environ)
    return _shell("zsh", os.path.join(_absolute(directory, "ZDOTDIR"), ".zshrc"), environ, options)


def _fish(environ: Mapping[str, str], options: Options) -> Host:
    directory = os.path.join(find_config_home(environ), "fish")
    path = os.path.join(directory, "conf.d", "ullage.fish")
    return _shell("fish", path, environ, options, beside=os.path.join(directory, "config.fish"))


def _elvish(environ: Mapping[str, str], options: Options) -> Host:
    return _shell("elvish", os.path.join(find_config_home(environ), "elvish", "rc.elv"), environ, options)


def _nushell(environ: Mapping[str, str], options: Options) -> Host:
    macos = sys.platform == "darwin" and not os.path.isabs(environ.get("XDG_CONFIG_HOME", ""))
    config = os.path.join(find_home(environ), "Library", "Application Support") if macos else find_config_home(environ)
    return _shell("nushell", os.path.join(config, "nushell", "autoload", "ullage.nu"), environ, options)


def _xonsh(environ: Mapping[str, str], options: Options) -> Host:
    return _shell("xonsh", os.path.join(find_home(environ), ".xonshrc"), environ, options)


def _pwsh(environ: Mapping[str, str], options: Options) -> Host:
    return _shell(
        "pwsh", os.path.join(_powershell_directory(environ), "Microsoft.PowerShell_profile.ps1"), environ, options
    )


def _powershell_directory(environ: Mapping[str, str]) -> str:
    """Return the directory of $PROFILE: of PowerShell 7, or of Windows PowerShell where that alone is there."""
    if sys.platform == "win32":
        name = "PowerShell" if programs.find_program("pwsh", environ) else "WindowsPowerShell"
        return os.path.join(windows.find_documents() or os.path.join(find_home(environ), "Documents"), name)
    return os.path.join(find_config_home(environ), "powershell")


def _starship(environ: Mapping[str, str], options: Options) -> Host:
    path = environ.get("STARSHIP_CONFIG") or os.path.join(find_home(environ), ".config", "starship.toml")
    hook = " The shell's hook must export it: `ullage setup bash --starship`, or zsh, fish or pwsh."
    # What starship would run, ullage-prompt, is a script for sh.
    by_hook = options.without_process or sys.platform == "win32"
    body = STARSHIP_ENV_VAR if by_hook else STARSHIP_CUSTOM
    shown = f"The next prompt shows it.{hook if by_hook else ''}"
    return Host(
        name="starship",
        path=_absolute(path, "STARSHIP_CONFIG"),
        body=body,
        shape=re.escape(body),
        pattern=r"^\s*\[\s*(custom\.ullage|env_var\.ULLAGE_SEGMENT)\s*\]|\bullage-prompt\b",
        afterwards=_once_here("starship", environ, shown),
    )


def _tmux(environ: Mapping[str, str], options: Options) -> Host:
    plain = os.path.join(find_home(environ), ".tmux.conf")
    xdg = os.path.join(find_config_home(environ), "tmux", "tmux.conf")
    # Where both are there tmux reads both, this one last.
    path = xdg if os.path.lexists(xdg) else plain
    push = " The refresh must set it: `[tmux]` with `push = true` in config.toml." if options.without_process else ""
    body = _TMUX.format(shown=TMUX_PUSH if options.without_process else TMUX_PULL)
    return Host(
        name="tmux",
        path=path,
        body=body,
        shape=re.escape(body),
        pattern=r"\bullage-prompt\b|#\{ullage\}|@ullage\b",
        afterwards=_once_here("tmux", environ, f"In a running tmux: tmux source-file {shlex.quote(path)}.{push}"),
    )


def _once_here(name: str, environ: Mapping[str, str], words: str) -> str:
    if programs.find_program(name, environ) is not None:
        return words
    return f"{name} is not in PATH here, so that nothing shows it yet. Once it is: {words[0].lower()}{words[1:]}"


_HOSTS: dict[str, Callable[[Mapping[str, str], Options], Host]] = {
    "bash": _bash,
    "zsh": _zsh,
    "fish": _fish,
    "elvish": _elvish,
    "nushell": _nushell,
    "xonsh": _xonsh,
    "pwsh": _pwsh,
    "starship": _starship,
    "tmux": _tmux,
}


def find_home(environ: Mapping[str, str]) -> str:
    """Return the home directory; raise UsageError where there is none."""
    return _absolute(environ.get("HOME", ""), "HOME")


def find_config_home(environ: Mapping[str, str]) -> str:
    """Return the directory in which programs look for a person's own files."""
    named = [environ.get("XDG_CONFIG_HOME", ""), environ.get("APPDATA", "") if sys.platform == "win32" else ""]
    return next(filter(os.path.isabs, named), None) or os.path.join(find_home(environ), ".config")


def _absolute(path: str, variable: str) -> str:
    if not os.path.isabs(path) or not path.isprintable():
        raise UsageError(
            f"{variable} must be an absolute path, in characters of this locale; it is {quote(path)}. Set it to one."
        )
    return path


def list_shapes(host: Host) -> list[str]:
    """Return a pattern of the lines that each option of a host makes."""
    # Paths play no part in it, so any absolute home will do.
    somewhere = os.path.dirname(host.path)
    everywhere = {"HOME": somewhere, "ZDOTDIR": somewhere}
    options = [Options(), Options(starship=True), Options(without_process=True)]
    options += [Options(framework=framework) for framework in frameworks.list_frameworks(host.name)]
    return [_HOSTS[host.name](everywhere, each).shape for each in options]
