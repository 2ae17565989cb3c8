"""The powerlevel10k segment, in a zsh whose `p10k segment` does with its options what the theme's documentation says.

The theme itself is in no package; its part is small: condition and text are kept as they are and expanded when the
prompt is shown (`-e`), so that a refresh that lands in between is seen.
"""

from __future__ import annotations

from pathlib import Path

from tests.support.shells import ZSH, publish
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
