"""Why a prompt does not show the segment although the lines are there, and what to do about it, in words."""

from __future__ import annotations

import os

from ullage.base.shipped import find_page
from ullage.setup import started
from ullage.system.files import read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ullage.setup.hosts import Host
    from ullage.setup.started import Start

# What the hook leaves in a shell that has loaded it, whether a line of one's own could, and where zsh has its files.
_IS_LOADED = {
    "bash": 'declare -F __ullage_hook >/dev/null && echo "<loaded>"; command -v ullage >/dev/null || echo "<missing>"',
    "zsh": 'print -r -- "${functions[__ullage_precmd]+<loaded>}${${commands[ullage]-<missing>}:#/*}<${ZDOTDIR-$HOME}>"',
    "fish": 'functions -q __ullage_hook; and echo "<loaded>"; type -q ullage; or echo "<missing>"',
}
_LOGIN_FILES = (".bash_profile", ".bash_login", ".profile")
_ELSEWHERE = f"{find_page('frameworks')} has the lines for prompts that others make, and `ullage doctor` looks again."


def prove(host: Host, program: str, environ: Mapping[str, str]) -> list[str]:
    """Start a shell and return why its prompt does not show the segment; nothing where it does."""
    try:
        return explain(host, started.look({host.name: program}, environ), environ)
    except OSError as error:
        return [f"{host.name} could not be tried: {error.strerror or error}. Open one and look."]


def explain(host: Host, starts: Sequence[Start], environ: Mapping[str, str]) -> list[str]:
    """Return a sentence for each start that did not show the segment: the reason, and the remedy."""
    unseen = [start for start in starts if not start.seen]
    if len(unseen) == len(starts) and unseen:
        # What is so however the shell is started is said once.
        reasons = {_reason(start, host, environ) for start in unseen}
        if len(reasons) == 1:
            return [f"A new {host.name} does not show the segment: {reasons.pop()}"]
    return [
        f"A {'login ' if start.login else ''}{host.name} does not show the segment: {_reason(start, host, environ)}"
        for start in unseen
    ]


def _reason(start: Start, host: Host, environ: Mapping[str, str]) -> str:
    if start.became == "":
        return "it ended before it showed a prompt. Mend its files first."
    if start.became is not None:
        other = {"nu": "nushell", "tmux: client": "tmux"}.get(start.became, start.became)
        return f"its files hand over to {other}. Set up that one: `ullage setup {other}`."
    if not start.in_time:
        return "it showed no second prompt in 20 seconds. Open one and see what it waits for."
    if environ.get("ULLAGE_OFF") or _sets(host.path, b"ULLAGE_OFF"):
        return "ULLAGE_OFF is set, which hides the segment. Unset it."
    if _sets(host.path, b"ULLAGE_PLACE=starship") or _sets(host.path, b"ULLAGE_PLACE starship"):
        return "it exports the segment for starship, which does not show it: `ullage setup starship --without-process`."
    told = started.ask(start, _IS_LOADED[host.name], environ) if host.name in _IS_LOADED else "<loaded or not>"
    if "<loaded" in told:
        loads = "it loads the hook, but" if "<loaded>" in told else "it did not load the hook, or"
        return f"{loads} something else makes the prompt afterwards. {_ELSEWHERE}"
    if "<missing>" in told and b">>> ullage setup" not in (read_regular(host.path) or b""):
        return (
            f"`ullage` is not in its PATH yet when it reads your line. Take that out and run "
            f"`ullage setup {host.name}`, which names the program by its full path."
        )
    if host.name == "bash" and start.login:
        return _of_login_bash(host, environ)
    if host.name == "zsh" and f"<{os.path.dirname(host.path)}>" not in told:
        elsewhere = told.rpartition("<")[2].strip(" >\n")
        return f"it reads its files in {elsewhere}, not {host.path}. Run this again with ZDOTDIR={elsewhere}."
    return f"{host.path} is not read as far as these lines. Look for `return`, `exit` or an error above them."


def _of_login_bash(host: Host, environ: Mapping[str, str]) -> str:
    home = environ.get("HOME", "")
    read = next((name for name in _LOGIN_FILES if os.path.exists(os.path.join(home, name))), None)
    line = "[ -r ~/.bashrc ] && . ~/.bashrc"
    if read is None:
        return f"no ~/.bash_profile is there that reads {host.path}. Make it, with this line: {line}"
    if b"bashrc" not in (read_regular(os.path.join(home, read)) or b""):
        return f"~/{read}, which it reads, does not read {host.path}. Add this line to it: {line}"
    return f"it does not get to the lines in {host.path}. Look for `return`, `exit` or an error before them."


def _sets(path: str, name: bytes) -> bool:
    return name in (read_regular(path) or b"")
