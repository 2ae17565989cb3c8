"""How the segment looks, chosen by setup: a block of ours in ullage's own config.toml, undone to the byte."""

from __future__ import annotations

from ullage import config
from ullage.base.record import Record
from ullage.config.default_file import write_value
from ullage.config.file import check_file
from ullage.config.settings import DEFAULTS
from ullage.setup import blocks, userfile
from ullage.setup.plans import Plan, find_block

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "look"
_PRESET, _GLYPHS = "segment.preset", "segment.glyphs"
# A template goes before a preset.
_CHOICES = (_PRESET, _GLYPHS, "segment.template")
_TABLE = r"^\s*\[\s*segment\s*\]"


class ChosenLook(Record):
    """The preset and the glyphs that a block of ours names, or the defaults; `by_hand` where the file sets its own."""

    preset: str
    glyphs: str
    by_hand: bool = False


def read_chosen(environ: Mapping[str, str]) -> ChosenLook:
    """Return what config.toml chooses; raise UsageError where it is no file that can be changed safely."""
    file = userfile.read(config.locate_config(environ))
    values, _ = _values(file.data)
    theirs, issues = _values(_without_ours(file))
    by_hand = bool(issues) or any(theirs[key] != DEFAULTS[key] for key in _CHOICES)
    return ChosenLook(preset=str(values[_PRESET]), glyphs=str(values[_GLYPHS]), by_hand=by_hand)


def plan(environ: Mapping[str, str], preset: str, glyphs: str) -> Plan:
    """Return what choosing this would change; raise UsageError where it cannot be done safely."""
    file = userfile.read(config.locate_config(environ))
    theirs = _without_ours(file)
    wanted = {_PRESET: preset, _GLYPHS: glyphs}
    lines = [f"{key.rpartition('.')[2]} = {write_value(wanted[key])}" for key in wanted if wanted[key] != DEFAULTS[key]]
    before, after = _values(theirs), theirs
    if lines:
        opened = blocks.insert(theirs, NAME, "\n".join(lines).encode(), after=_TABLE)
        added = blocks.insert(theirs, NAME, "\n".join(["[segment]", *lines]).encode())
        # Under the table where there is one; at the end it would be there twice, which TOML does not allow.
        after = next((text for text in (opened, added) if _values(text) == ({**before[0], **wanted}, before[1])), None)
        if after is None:
            words = (
                f"{file.path} chooses in a way that is not changed here; put this under [segment]: {', '.join(lines)}"
            )
            return Plan(change=None, words=words)
    if after == file.data:
        return Plan(change=None, words="The segment has that look already.")
    # What a block of before is replaced by needs no copy of it.
    takes_back = file.data != theirs
    return Plan(change=userfile.plan_change(file, after), words="The next prompt has the look.", takes_back=takes_back)


def plan_undo(environ: Mapping[str, str]) -> Plan:
    """Return what taking the choice out would change."""
    file = userfile.read(config.locate_config(environ))
    if find_block(file) is None:
        return Plan(change=None, words=f"{file.path} has no block of ullage: nothing to undo.")
    return Plan(
        change=userfile.plan_change(file, _without_ours(file)),
        words="The next prompt has the plain look.",
        takes_back=True,
    )


def _without_ours(file: userfile.UserFile) -> bytes | None:
    found = find_block(file)
    return blocks.remove(file.data or b"", found) if found else file.data


def _values(data: bytes | None) -> tuple[dict[str, object], tuple[object, ...]]:
    return check_file(data or b"", dict(DEFAULTS))
