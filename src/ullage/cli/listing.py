"""The commands in groups, each with the short description that help and completion show, and that help."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

GROUPS = {
    "See": {
        "usage": "How full each window is, whether it lasts, when it resets",
        "watch": "The same, live, with the chart of one window",
        "chart": "How one window was used, and what is expected of it",
        "history": "What the windows stood at, reading by reading",
        "tokens": "What Claude Code's transcripts here say was used",
    },
    "Prompt, status line, bars": {
        "setup": "Look what is here, and put it there; or into bash, starship, tmux …",
        "init": "The code for a shell's start",
        "prompt": "The segment for now",
        "statusline": "The command for Claude Code's status line",
        "panel": "The same for waybar, i3bar, polybar, xbar and other bars",
        "tray": "An icon in the desktop's tray",
    },
    "Keep within the limits": {
        "guard": "Exit code 0 while there is room; can run a command then",
        "wait": "Wait until a window resets or has room",
        "alerts": "Which alerts are sent, and whether they get through",
        "hook": "Warn and block in Claude Code",
    },
    "Programs and teams": {
        "tee": "Stand behind `claude -p` and take in what it says of the windows",
        "serve": "All of it over HTTP, and a page for people",
        "receive": "Take in what another machine hands on",
        "metrics": "For Prometheus: print, write, push",
        "org": "What an organisation used and pays",
        "schema": "The JSON Schema of what --json prints",
    },
    "Upkeep": {
        "refresh": "Ask for a new reading, if it is time",
        "doctor": "What is set up, read and due here, and what is wrong",
        "sources": "Every meter there is, and which work here",
        "config": "The configuration file and the values in force",
        "completion": "Completion of ullage's own commands with Tab",
        "demo": "The main job with a simulated account",
        "simulate": "The provider's endpoints, simulated on a loopback address",
    },
}

WORDS = {name: words for group in GROUPS.values() for name, words in group.items()}
# The name of each command is that of its module, whose `command` runs.
COMMANDS = tuple(WORDS)

PURPOSE = """\
How much of a Claude Pro, Max or Team plan is used: in the prompt, and
wherever else you look.

ullage setup bash                show it in the prompt, after asking you
ullage usage                     how full, will it last, when is it back
ullage guard --max 80 -- make    run make while less than 80 % is used

Exit codes: 0 done, 1 a guard's limit is reached, 2 wrong usage, 3 nothing
known yet or no account, 4 only expired data, 5 a source failed and there is
nothing to fall back on."""
_OPTIONS = {"-V, --version": "Show the version and exit.", "-h, --help": "Show this message and exit."}


def describe(paint_heading: Callable[[str], str] = str, paint_name: Callable[[str], str] = str) -> str:
    """Return the help of `ullage` itself, in lines that fit a terminal of 80 cells."""
    parts = []
    for heading, names in {"Options": _OPTIONS, **GROUPS}.items():
        longest = max(map(len, WORDS if names is not _OPTIONS else names))
        lines = "".join(f"  {paint_name(name.ljust(longest))}  {words}\n" for name, words in names.items())
        parts.append(f"{paint_heading(f'{heading}:')}\n{lines}")
    purpose = "".join(f"  {line}".rstrip() + "\n" for line in PURPOSE.split("\n"))
    usage = f"{paint_heading('Usage:')} ullage [OPTIONS] COMMAND [ARGS]...\n"
    return "\n".join([usage, purpose, *parts]).rstrip("\n")
