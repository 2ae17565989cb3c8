"""The options of the commands that run without click, which takes longer to import than they take to run."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# Of each command, the options that take a value and those that do not; a test holds them to click's own.
VALUED = {
    "prompt": ("--surface", "--profile"),
    "statusline": ("--then", "--profile"),
    "hook": ("--warn", "--block", "--tell-room", "--profile"),
    "tee": ("--profile",),
    "usage": ("--profile",),
    "doctor": ("--profile",),
    "guard": ("--max", "--need", "--max-age", "--timeout", "--profile"),
}
FLAGS = {
    "prompt": (),
    "statusline": ("--quiet",),
    "hook": ("--allow-credits", "--fail-closed", "--from-plugin"),
    "tee": (),
    "usage": ("--json", "--refresh", "--no-refresh", "--all"),
    "doctor": ("--json", "--measure"),
    "guard": (*("--allow-credits", "--refresh", "--fail-open", "--fail-closed", "--wait", "--json", "--quiet", "-q"),),
}
# After the options of these stands a command to run.
BEFORE_A_COMMAND = ("guard",)


def parse_options(command: str, arguments: Sequence[str]) -> dict[str, list[str]] | None:
    """Return the values of each option that is given, none for a flag; None for anything else, which click explains.

    The words of a command that may follow are the values of `--`.
    """
    options: dict[str, list[str]] = {}
    rest = iter(arguments)
    for argument in rest:
        if command in BEFORE_A_COMMAND and not (argument.startswith("-") and argument != "--"):
            options["--"] = [*rest] if argument == "--" else [argument, *rest]
            break
        name, equals, value = argument.partition("=")
        if argument in FLAGS[command]:
            options[name] = []
            continue
        given = value if equals else next(rest, None)
        if name not in VALUED[command] or given is None:
            return None
        options.setdefault(name, []).append(given)
    return options


def find_last_value(options: dict[str, list[str]], name: str) -> str | None:
    """Return the last value of an option; None where it was not given."""
    return options[name][-1] if options.get(name) else None
