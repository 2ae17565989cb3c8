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
        "setup": "Look what is here and set it up, or only bash, starship, tmux …",
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
_WIDTH, _LEAST_ROOM = 79, 12
_OPTIONS = {"-V, --version": "Show the version and exit.", "-h, --help": "Show this message and exit."}


def describe(
    paint_heading: Callable[[str], str] = str, paint_name: Callable[[str], str] = str, width: int = _WIDTH
) -> str:
    """Return the help of `ullage` itself, in lines of 79 cells, or of fewer where a terminal has no more."""
    parts = []
    for heading, names in {"Options": _OPTIONS, **GROUPS}.items():
        longest = max(map(len, WORDS if names is not _OPTIONS else names))
        lines = [f"{paint_heading(f'{heading}:')}\n"]
        for name, words in names.items():
            lines.append(f"  {paint_name(name.ljust(longest))}  {_break(words, width, longest + 4)}\n")
        parts.append("".join(lines))
    usage = f"{paint_heading('Usage:')} {_break('ullage [OPTIONS] COMMAND [ARGS]...', width, len('Usage: '))}\n"
    return "\n".join([usage, _describe_purpose(width), *parts]).rstrip("\n")


def _describe_purpose(width: int) -> str:
    if width >= _WIDTH:
        return "".join(f"  {line}".rstrip() + "\n" for line in PURPOSE.split("\n"))
    paragraphs = []
    for paragraph in PURPOSE.split("\n\n"):
        # An example has its words behind a gap; they go below it.
        pairs = [line.partition("   ") for line in paragraph.split("\n")]
        if any(gap for _, gap, _ in pairs):
            examples = (f"  {command}\n      {_break(words.strip(), width, 6)}\n" for command, _, words in pairs)
            paragraphs.append("".join(examples))
        else:
            paragraphs.append(f"  {_break(' '.join(paragraph.split()), width, 2)}\n")
    return "\n".join(paragraphs)


def _break(text: str, width: int, indent: int) -> str:
    """Return a text broken between words, with each further line indented as the first is."""
    if indent + len(text) <= width:
        return text
    # Imported late: most terminals have room.
    import textwrap

    room = max(_LEAST_ROOM, width - indent)
    return f"\n{'':{indent}}".join(textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False))
