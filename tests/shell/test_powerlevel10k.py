"""The powerlevel10k segment, in a zsh whose `p10k segment` does with its options what the theme's documentation says.

The theme itself is in no package; its part is small: condition and text are kept as they are and expanded when the
prompt is shown (`-e`), so that a refresh that lands in between is seen.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.contrast import READABLE, contrast
from tests.support.shells import ZSH, publish
from ullage.config.palette import Colouring
from ullage.setup import frameworks
from ullage.system.places import locate_profile

THEME = r"""
setopt prompt_subst
p10k() {
    local condition text
    shift
    while (( $# )); do
        case $1 in
            -c) condition=$2; shift 2 ;;
            -t) text=$2; shift 2 ;;
            -e) shift ;;
            -s) state=$2; shift 2 ;;
            *) print -r -- "unknown option $1"; shift ;;
        esac
    done
    PROMPT='${${:-'$condition'}:+<'$text'> }$ '
}
"""
# How it colours an element: by parameters of its state, else of the element. It asks for it before other hooks run.
COLOURED = r"""
setopt prompt_subst
p10k() {
    local text=${@[-1]} own=POWERLEVEL9K_ULLAGE_FOREGROUND ground=POWERLEVEL9K_ULLAGE_BACKGROUND
    local -A options=("${(@)@[2,5]}")
    own=POWERLEVEL9K_ULLAGE_${options[-s]}_FOREGROUND
    [[ -n ${(P)own+x} ]] || own=POWERLEVEL9K_ULLAGE_FOREGROUND
    ground=POWERLEVEL9K_ULLAGE_${options[-s]}_BACKGROUND
    [[ -n ${(P)ground+x} ]] || ground=POWERLEVEL9K_ULLAGE_BACKGROUND
    PROMPT="%F{${(P)own:-default}}%K{${(P)ground:-default}} ${text} %k%f$ "
}
precmd_functions+=(prompt_ullage)
"""
LINES = next(each.second_lines for each in frameworks.ALL if each.name == "powerlevel10k")
TEXTS: dict[str, list[tuple[str, str] | str]] = {
    "normal": ["5h ", ("37%", "normal")],
    "warning": ["5h ", ("82%!", "warning")],
    "critical": ["5h ", ("95%!!", "critical")],
    "exhausted": ["5h ", ("100%×", "exhausted")],  # the mark of a window that is used up
    "stale": ["5h ", ("~37%", "stale")],
}


def test_segment_is_expanded_when_it_is_shown(environ: dict[str, str], tmp_path: Path) -> None:
    publish(environ, ["5h ", ("42%", "normal"), " 100% %n $(touch pwned)"])
    with ZSH.start(environ, [THEME, ZSH.init("--manual"), "prompt_ullage"]) as terminal:
        terminal.wait_for_line("<5h 42% 100% %n $(touch pwned)> $")
        assert terminal.colours("42%") == ["green"] * 3
        publish(environ, ["5h ", ("97%!!", "critical")])
        terminal.enter("")
        terminal.wait_for_line("<5h 97%!!> $")
        terminal.enter("ULLAGE_OFF=1")
        terminal.wait_for_line("$")
    assert not list(tmp_path.rglob("pwned"))


def test_level_is_the_state(environ: dict[str, str]) -> None:
    publish(environ, "82%!")
    path = Path(locate_profile(environ), "zsh.timeline")
    path.write_text(path.read_text().replace(" normal ", " warning "))
    show = "precmd_functions+=(prompt_ullage shown); shown() { print -r -- state $state }"
    with ZSH.start(environ, [THEME, ZSH.init("--manual"), show]) as terminal:
        terminal.wait_for_line("<82%!> $")
        assert terminal.lines[0] == "state WARNING"


def test_instant_prompt_shows_no_number_of_before(environ: dict[str, str]) -> None:
    with ZSH.start(environ, ["PROMPT='$ '", ZSH.init("--manual")]) as terminal:
        terminal.wait_for_line("$")
        terminal.enter("print -r -- ${+functions[prompt_ullage]} ${+functions[instant_prompt_ullage]}")
        terminal.wait(lambda terminal: "1 0" in terminal.lines)


def publish_at(environ: dict[str, str], level: str) -> str:
    """Have the segment stand at a level; return its text."""
    publish(environ, TEXTS[level])
    path = Path(locate_profile(environ), "zsh.timeline")
    path.write_text(path.read_text().replace(" normal ", f" {level} "))
    return "".join(part if isinstance(part, str) else part[0] for part in TEXTS[level])


@pytest.mark.parametrize("theirs", ["", "POWERLEVEL9K_BACKGROUND=238"], ids=["rainbow", "classic"])
@pytest.mark.parametrize("level", TEXTS)
def test_level_has_a_ground_of_its_own_in_a_coloured_bar(environ: dict[str, str], level: str, theirs: str) -> None:
    shown = f" {publish_at(environ, level)} "
    with ZSH.start(environ, [COLOURED, theirs, ZSH.init("--manual"), LINES]) as terminal:
        # Of the first prompt on, which the theme makes before our own hook has run.
        terminal.wait_for_line(f"{shown}$")
        [ground], [colour] = set(terminal.grounds(shown)), set(terminal.colours(shown))
        assert ground != "default"
        assert contrast(f"#{colour}", f"#{ground}") >= READABLE


def test_text_brings_its_colours_where_the_bar_has_none(environ: dict[str, str]) -> None:
    shown = publish_at(environ, "warning")
    with ZSH.start(environ, [COLOURED, "POWERLEVEL9K_BACKGROUND=", ZSH.init("--manual"), LINES]) as terminal:
        terminal.wait_for_line(f" {shown} $")
        assert set(terminal.grounds(shown)) == {"default"}
        assert terminal.colours(shown) == ["default"] * 3 + ["brown"] * 4


def test_colours_of_the_states_are_those_of_badges() -> None:
    for level, style in Colouring().in_badge().items():
        colour, ground = style.removeprefix("bold ").replace("color", "").split(" on_")
        assert f"POWERLEVEL9K_ULLAGE_{level.upper()}_FOREGROUND={colour}}}" in LINES
        assert f"POWERLEVEL9K_ULLAGE_{level.upper()}_BACKGROUND={ground}}}" in LINES
