"""The frameworks that make a shell's prompt in place of its own variables, and the lines that each needs.

A framework is known by what is in the files that the shell reads; no shell is started to find out.
"""

from __future__ import annotations

import os
import re

from ullage.base.documentation import find_page
from ullage.base.record import Record
from ullage.system.files import read_regular


class Framework(Record):
    """A framework: `place` is for the hook, `lines` come after it, `before` is a line that all of it must precede.

    `in_file` is a pattern of the shell's own file, `beside` a path beside that file which only this framework has.
    `second` is a file beside the shell's own that takes `second_lines`.
    """

    name: str
    host: str
    in_file: str = ""
    beside: str = ""
    place: str | None = None
    lines: str = ""
    before: str | None = None
    second: str = ""
    second_lines: str = ""
    note: str = ""

    def find_second_file(self, path: str) -> str | None:
        """Return the second file of the shell whose own file this is; None where it is not there."""
        second = os.path.join(os.path.dirname(path), self.second)
        return second if self.second and os.path.lexists(second) else None


ALL: tuple[Framework, ...] = (
    Framework(
        name="powerlevel10k",
        host="zsh",
        in_file=r"powerlevel10k|\bp10k\.zsh\b",
        place="manual",
        second=".p10k.zsh",
        # On a coloured ground each level is a state with colours of its own; without a ground the text brings its own.
        second_lines="""\
POWERLEVEL9K_RIGHT_PROMPT_ELEMENTS=(ullage ${POWERLEVEL9K_RIGHT_PROMPT_ELEMENTS:#ullage})
if [[ -n ${POWERLEVEL9K_BACKGROUND-x} ]]; then
  : ${POWERLEVEL9K_ULLAGE_NORMAL_FOREGROUND=254} ${POWERLEVEL9K_ULLAGE_NORMAL_BACKGROUND=238}
  : ${POWERLEVEL9K_ULLAGE_WARNING_FOREGROUND=16} ${POWERLEVEL9K_ULLAGE_WARNING_BACKGROUND=214}
  : ${POWERLEVEL9K_ULLAGE_CRITICAL_FOREGROUND=16} ${POWERLEVEL9K_ULLAGE_CRITICAL_BACKGROUND=209}
  : ${POWERLEVEL9K_ULLAGE_EXHAUSTED_FOREGROUND=16} ${POWERLEVEL9K_ULLAGE_EXHAUSTED_BACKGROUND=183}
  : ${POWERLEVEL9K_ULLAGE_STALE_FOREGROUND=250} ${POWERLEVEL9K_ULLAGE_STALE_BACKGROUND=238}
else
  : ${POWERLEVEL9K_ULLAGE_FOREGROUND=} ${POWERLEVEL9K_ULLAGE_BACKGROUND=}
fi
""",
        note="powerlevel10k makes this prompt: the segment becomes one of its elements, the first on the right.",
    ),
    Framework(
        name="spaceship",
        host="zsh",
        in_file=r"\bspaceship\b",
        place="manual",
        # spaceship asks its sections before what comes later in precmd_functions.
        lines="""\
spaceship_ullage() { spaceship::section --color default --suffix ' ' "$ullage_segment"; }
SPACESHIP_PROMPT_ORDER=(ullage ${SPACESHIP_PROMPT_ORDER:#ullage})
precmd_functions=(__ullage_precmd ${precmd_functions:#__ullage_precmd})
""",
        note="spaceship makes this prompt: the segment becomes one of its sections, the first.",
    ),
    Framework(
        name="ble.sh",
        host="bash",
        in_file=r"\bble-attach\b",
        before=r"\bble-attach\b",
        note="ble.sh takes over the prompt at the line with `ble-attach`, so that the lines stand before it.",
    ),
    Framework(
        name="tide",
        host="fish",
        beside="../functions/_tide_print_item.fish",
        place="starship",
        # tide makes its prompt in a fish of its own, which inherits exported variables alone.
        lines="""\
function _tide_item_ullage
    test -z "$ULLAGE_SEGMENT"; or _tide_print_item ullage $ULLAGE_SEGMENT
end
if status is-interactive
    contains ullage $tide_left_prompt_items $tide_right_prompt_items; or set -gp tide_right_prompt_items ullage
end
set -q tide_ullage_color; or set -g tide_ullage_color normal
set -q tide_ullage_bg_color; or set -g tide_ullage_bg_color normal
""",
        note="tide makes this prompt: the segment becomes one of its items, the first on the right.",
    ),
)

# Text that is put before its prompt is shown too.
_STARSHIP = f"starship makes this prompt; {find_page('frameworks')} has the lines that make the segment a module of it."
ALL += tuple(
    Framework(name="starship", host=host, in_file=r"\bstarship init\b", note=_STARSHIP) for host in ("bash", "zsh")
)


def list_frameworks(host: str) -> list[Framework]:
    """Return the frameworks of a shell, by its name, that need lines of their own."""
    return [framework for framework in ALL if framework.host == host]


def list_second_files(host: str, path: str) -> list[str]:
    """Return the further files that may hold lines of ours, beside the shell's own."""
    return [second for framework in list_frameworks(host) if (second := framework.find_second_file(path))]


def find(host: str, path: str) -> Framework | None:
    """Find the framework of the shell whose own file this is; None where the shell makes its prompt itself."""
    text = (read_regular(path) or b"").decode(errors="replace")
    used = "\n".join(line for line in text.split("\n") if not line.lstrip().startswith("#"))
    for framework in list_frameworks(host):
        beside = os.path.join(os.path.dirname(path), framework.beside)
        if framework.in_file and re.search(framework.in_file, used):
            return framework
        if framework.beside and os.path.exists(beside):
            return framework
    return None
