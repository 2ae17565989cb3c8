"""`ullage setup claude-code --guard`: our hooks in Claude Code's settings.json."""

from __future__ import annotations

from ullage.setup import claude_code as claude_setup
from ullage.setup import hook_settings, userfile
from ullage.setup.plans import Plan
from ullage.setup.userfile import Change

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def plan(environ: Mapping[str, str], arguments: Sequence[str]) -> Plan:
    """Return what setting up would change; raise UsageError where it cannot be done safely."""
    file = userfile.read(claude_setup.path(environ))
    before = claude_setup.text(file)
    with claude_setup.naming(file):
        after = hook_settings.with_hooks(before, arguments)
    if after == before:
        return Plan(change=None, words=f"{file.path} has these hooks already; nothing to add.")
    return Plan(change=Change(file=file, after=after.encode()), words="Claude Code asks them from its next start on.")


def plan_undo(environ: Mapping[str, str]) -> Plan:
    """Return what taking our hooks out would change."""
    file = userfile.read(claude_setup.path(environ))
    before = claude_setup.text(file)
    with claude_setup.naming(file):
        after = hook_settings.without_hooks(before)
    if after == before:
        return Plan(change=None, words=f"{file.path} has no hook of ullage: nothing to undo.")
    ours = hook_settings.takes_back(before, after)
    return Plan(
        change=userfile.without_ours(file, after.encode(), was_ours_alone=hook_settings.is_ours_alone(before)),
        words="Claude Code asks them no more from its next start on.",
        note="" if ours else "The hooks are not as ullage wrote them; what was changed in them goes with them.",
        takes_back=ours,
    )
