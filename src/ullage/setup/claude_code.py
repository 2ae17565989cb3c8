"""`ullage setup claude-code`: our status line in Claude Code's settings.json, with the one that was there behind it."""

from __future__ import annotations

import contextlib
import os

from ullage.base.errors import UsageError
from ullage.base.text import quote
from ullage.setup import hook_settings, jsonedit, settings_json, userfile
from ullage.setup.plans import Plan
from ullage.sources import claude_state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ullage.setup.userfile import UserFile

NAME = "claude-code"

_KNOWS_BY_REFRESH = (
    "Without the status line the hooks know numbers only as new as the last refresh. `ullage setup claude-code` adds "
    "it: then they know what the session's last answer said."
)


def locate_settings(environ: Mapping[str, str]) -> str:
    """Return where Claude Code's own settings lie, whether they exist or not."""
    directory = claude_state.locate_directory(environ)
    if not os.path.isabs(directory):
        raise UsageError(f"{quote(directory)} is no absolute path. Set CLAUDE_CONFIG_DIR or HOME to the full path.")
    return os.path.join(directory, "settings.json")


def plan(environ: Mapping[str, str]) -> Plan:
    """Return what setting up would change; raise UsageError where it cannot be done safely."""
    file, before, after = _edit(environ, settings_json.add_status_line)
    if after == before:
        return Plan(change=None, words=f"{file.path} names `{settings_json.COMMAND}` already; nothing to add.")
    chained = " --then" in after and " --then" not in before
    note = "Your own status line stays: ours runs it with the same input and prints both." if chained else ""
    return Plan(
        change=userfile.plan_change(file, after.encode()),
        words="Claude Code shows it from its next answer on.",
        note=note,
    )


def plan_undo(environ: Mapping[str, str]) -> Plan:
    """Return what taking our status line out would change; the one that it ran comes back."""
    file, before, after = _edit(environ, settings_json.remove_status_line)
    if after == before:
        words = f"{file.path} does not name `{settings_json.COMMAND}`: nothing to undo."
        return Plan(change=None, words=" ".join(filter(None, (words, _left(after)))))
    was_ours_alone = before == settings_json.add_status_line("")
    return Plan(
        change=userfile.plan_removal(file, after.encode(), was_ours_alone=was_ours_alone),
        words="Claude Code shows it no more from its next answer on.",
        note=_left(after),
        # Whatever else has been written into our command since is kept in a copy.
        takes_back=settings_json.add_status_line(after) == before,
    )


def plan_undo_all(environ: Mapping[str, str]) -> Plan:
    """Return the plan that takes our status line and our hooks out, in the reverse order of their coming."""
    file = userfile.read(locate_settings(environ))
    before = read_settings(file)
    with name_path_in_errors(file):
        without_hooks, without_line = hook_settings.remove_hooks(before), settings_json.remove_status_line(before)
        after = settings_json.remove_status_line(without_hooks)
    if before in (without_hooks, without_line):
        return plan_undo(environ) if before == without_hooks else plan_hooks_undo(environ)
    # What was there when the second was added is in a backup, which goes once the file is like it again.
    hooks_came_first = userfile.has_backup(file, without_line.encode())
    between = without_line if hooks_came_first else without_hooks
    alone = between == settings_json.add_status_line("") or hook_settings.is_ours_alone(between)
    last = userfile.UserFile(path=file.path, real=file.real, data=between.encode())
    if hooks_came_first:
        ours = settings_json.add_status_line(between) == before and hook_settings.takes_back(between, after)
    else:
        ours = hook_settings.takes_back(before, between) and settings_json.add_status_line(after) == between
    return Plan(
        change=userfile.plan_change(file, between.encode()),
        more=(userfile.plan_removal(last, after.encode(), was_ours_alone=alone),),
        words="Claude Code shows and asks it no more from its next answer on.",
        note="" if ours else "They are not as ullage wrote them; what was changed in them goes with them.",
        takes_back=ours,
    )


def _edit(environ: Mapping[str, str], change: Callable[[str], str]) -> tuple[UserFile, str, str]:
    """Return the file of the settings, what it holds, and what it would hold after a change."""
    file = userfile.read(locate_settings(environ))
    before = read_settings(file)
    with name_path_in_errors(file):
        return file, before, change(before)


def _left(after: str) -> str:
    """Word what remains of ours once the status line is taken out."""
    if not hook_settings.has_hooks(after):
        return ""
    return "The hooks of `ullage hook` stay; `ullage setup claude-code --guard --undo` takes them out."


def read_settings(file: UserFile) -> str:
    """Return what the settings hold; raise UsageError where that is no JSON object in UTF-8."""
    try:
        held = (file.data or b"").decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"{file.path} is not in UTF-8, so it is not touched. Mend it first.") from error
    if held.strip():
        with name_path_in_errors(file):
            jsonedit.find_outermost(held)
    return held


@contextlib.contextmanager
def name_path_in_errors(file: UserFile) -> Iterator[None]:
    """Put the file's path before an error about its text."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"{file.path}: {error}") from error


def plan_hooks(environ: Mapping[str, str], arguments: Sequence[str]) -> Plan:
    """Return what setting up would change; raise UsageError where it cannot be done safely."""
    file, before, after = _edit(environ, lambda held: hook_settings.add_hooks(held, arguments))
    if after == before:
        return Plan(change=None, words=f"{file.path} has these hooks already; nothing to add.")
    note = "" if settings_json.COMMAND in before else _KNOWS_BY_REFRESH
    return Plan(
        change=userfile.plan_change(file, after.encode()),
        words="Claude Code asks them from its next start on.",
        note=note,
    )


def plan_hooks_undo(environ: Mapping[str, str]) -> Plan:
    """Return what taking our hooks out would change."""
    file, before, after = _edit(environ, hook_settings.remove_hooks)
    if after == before:
        return Plan(change=None, words=f"{file.path} has no hook of ullage: nothing to undo.")
    ours = hook_settings.takes_back(before, after)
    return Plan(
        change=userfile.plan_removal(file, after.encode(), was_ours_alone=hook_settings.is_ours_alone(before)),
        words="Claude Code asks them no more from its next start on.",
        note="" if ours else "The hooks are not as ullage wrote them; what was changed in them goes with them.",
        takes_back=ours,
    )
