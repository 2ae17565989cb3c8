"""Shells started as people start them: what setup writes is seen, and where it is not, the reason is said.

The frameworks that no package has are here in the few lines that make a prompt theirs; docs/frameworks.md says with
which real ones the same was tried.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.tools import REPOSITORY, ULLAGE, need, run, ullage
from ullage.setup import frameworks, hosts, init, plans, reasons, started, userfile

if TYPE_CHECKING:
    from ullage.setup.started import Start

# As a new account on Debian and Ubuntu has it: the interactive file first, then the directory that pipx installs into.
DEBIAN_PROFILE = """\
if [ -n "$BASH_VERSION" ]; then
    if [ -f "$HOME/.bashrc" ]; then
        . "$HOME/.bashrc"
    fi
fi
if [ -d "$HOME/.local/bin" ] ; then
    PATH="$HOME/.local/bin:$PATH"
fi
"""
DEBIAN_BASHRC = "case $- in\n    *i*) ;;\n      *) return;;\nesac\nPS1='$ '\n"
# Elements are called when a prompt is drawn; everything else in PROMPT is written over, and by whoever comes last.
POWERLEVEL10K = """\
# powerlevel10k
setopt prompt_subst
p10k() { PROMPT+='${${:-'$5'}:+'${@[-1]}' }'; }
_p9k_precmd() {
    PROMPT=
    for element in $POWERLEVEL9K_RIGHT_PROMPT_ELEMENTS; do (( ! $+functions[prompt_$element] )) || prompt_$element; done
    PROMPT+='$ '
    precmd_functions=(${precmd_functions:#_p9k_precmd} _p9k_precmd)
}
precmd_functions+=(_p9k_precmd)
[[ ! -f ~/.p10k.zsh ]] || source ~/.p10k.zsh
"""
SPACESHIP = """\
setopt prompt_subst
SPACESHIP_PROMPT_ORDER=(char)
spaceship::section() { while [[ $1 == --* ]]; do shift 2; done; echo -n $1; }
spaceship_char() { spaceship::section --color green '$ '; }
prompt_spaceship_precmd() {
    local section sections=
    for section in $SPACESHIP_PROMPT_ORDER; do sections+="$(spaceship_$section) "; done
    typeset -g spaceship_sections=$sections
    PROMPT='$(spaceship::prompt)'
    precmd_functions=(${precmd_functions:#spaceship_late} spaceship_late)
}
# Its sections come back from a process of their own, and make the prompt once more.
spaceship_late() { PROMPT='$(spaceship::prompt)'; }
spaceship::prompt() { echo -n $spaceship_sections; }
precmd_functions+=(prompt_spaceship_precmd)
"""
# The prompt is made by a fish of its own, and says nothing of the mode.
TIDE = """\
status is-interactive; or exit
function fish_mode_prompt; end
set -U _tide_right_items $tide_right_prompt_items time
function fish_prompt
    fish -c 'for item in $_tide_right_items; _tide_item_$item; end'
    echo -n '$ '
end
"""
TIDE_ITEMS = {"_tide_print_item": "echo -n $argv[2..]' '", "_tide_item_time": "_tide_print_item time 12:00"}
# What is added to PROMPT_COMMAND once it is attached is not run.
BLE = """\
ble-attach() { ble_commands=("${PROMPT_COMMAND[@]}"); PROMPT_COMMAND=ble_prompt; readonly PROMPT_COMMAND; }
ble_prompt() { local each; for each in "${ble_commands[@]}"; do eval "$each"; done; }
PS1='$ '
BLE_VERSION=0.4
[[ ! ${BLE_VERSION-} ]] || ble-attach
"""


@pytest.fixture
def home(environ: dict[str, str], tmp_path: Path) -> Path:
    """A home in which ullage is where pipx puts it, and not in PATH."""
    home = Path(environ["HOME"])
    (home / ".local" / "bin").mkdir(parents=True)
    (home / ".local" / "bin" / "ullage").symlink_to(ULLAGE)
    # Where this is missing, fish starts to make completions for all that is installed.
    (home / ".local" / "share" / "fish" / "generated_completions").mkdir(parents=True)
    environ["PATH"] = "/usr/local/bin:/usr/bin:/bin"
    environ["PROMPT_TOOLKIT_NO_CPR"] = "1"
    return home


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def set_up(shell: str, environ: dict[str, str]) -> hosts.Host:
    host = hosts.find_host(shell, environ)
    plan = plans.plan(host)
    assert plan.change is not None
    for change in (plan.change, *plan.more):
        userfile.apply(change, keep=True)
    return host


def look(shell: str, environ: dict[str, str]) -> dict[str, Start]:
    """Return what came of each way to start a shell, on a machine that may be busy."""
    starts = started.look({shell: need(shell)}, environ)
    return {"login" if start.login else "other": start for start in starts}


def seen(shell: str, environ: dict[str, str]) -> dict[str, bool]:
    return {way: start.seen for way, start in look(shell, environ).items()}


pytestmark = pytest.mark.process

BOTH = {"other": True, "login": True}


@pytest.mark.parametrize("shell", started.SHELLS)
def test_a_shell_without_files_of_its_own(environ: dict[str, str], home: Path, shell: str) -> None:
    put(home / ".bash_profile", ". ~/.bashrc\n")
    environ["PATH"] += f":{os.path.dirname(need(shell))}"
    assert seen(shell, environ) == dict.fromkeys(BOTH if shell != "elvish" else ["other"], False)
    set_up(shell, environ)
    assert seen(shell, environ) == (BOTH if shell != "elvish" else {"other": True})


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_start_of_a_shell_runs_nothing_of_ours(
    environ: dict[str, str], home: Path, monkeypatch: pytest.MonkeyPatch, shell: str
) -> None:
    program, ran = home / "a b" / "ullage", home / "ran"
    put(program, f"#!/bin/sh\necho \"$@\" >>'{ran}'\n")
    program.chmod(0o755)
    monkeypatch.setattr(init, "find_this_program", lambda *_: str(program))
    put(home / ".bash_profile", ". ~/.bashrc\n")
    host = set_up(shell, environ)
    assert "a b" in Path(host.path).read_text()
    assert seen(shell, environ) == BOTH
    assert not ran.exists()
    # Without the file the program prints the hook; this one prints none.
    path = Path(host.path)
    path.write_text(path.read_text().replace(f"/ullage.{shell}", "/gone"))
    assert not any(seen(shell, environ).values())
    assert ran.read_text().splitlines() == [f"init {shell}"] * 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_what_was_uninstalled_says_nothing(environ: dict[str, str], home: Path, shell: str) -> None:
    host = set_up(shell, environ)
    path = Path(host.path)
    path.write_text(
        path.read_text().replace("ullage.", "gone.").replace("/ullage\n", "/gone\n").replace("=ullage\n", "=gone\n")
    )
    done = run([need(shell), "-i", "-c", f"source '{path}'; echo on"], environ)
    assert (done.returncode, done.stdout) == (0, "on\n")
    assert "gone" not in done.stderr


def test_the_page_on_frameworks_has_the_lines_that_setup_writes() -> None:
    page = (REPOSITORY / "docs" / "frameworks.md").read_text()
    for framework in frameworks.ALL:
        assert f"**{framework.name}**" in page
        for line in (framework.lines + framework.second_lines).splitlines():
            assert line in page, framework.name


def test_nothing_of_the_users_is_kept_of_it(environ: dict[str, str], home: Path) -> None:
    put(home / ".bash_profile", ". ~/.bashrc\n")
    set_up("bash", environ)
    before = sorted(home.rglob("*"))
    assert seen("bash", environ) == BOTH
    assert sorted(home.rglob("*")) == before
    assert not Path(environ["ULLAGE_CACHE_DIR"]).exists()


@pytest.mark.parametrize("version", ["as it is", "moved", "gone"])
def test_debian_reads_bashrc_before_it_completes_path(environ: dict[str, str], home: Path, version: str) -> None:
    put(home / ".profile", DEBIAN_PROFILE)
    put(home / ".bashrc", DEBIAN_BASHRC)
    environ["HOME"] = str(home)
    host = set_up("bash", environ)
    text = Path(host.path).read_text()
    if version != "as it is":
        text = text.replace(os.path.dirname(ULLAGE), "/nowhere").replace("/shell/ullage.bash", "/nowhere.bash")
        Path(host.path).write_text(text)
    if version == "moved":
        # A login shell has no PATH yet; what setup wrote is then as good as `eval "$(ullage init bash)"`.
        put(home / ".bash_profile", 'PATH="$HOME/.local/bin:$PATH"\n. ~/.bashrc\n')
        environ["PATH"] = f"{home}/.local/bin:{environ['PATH']}"
    assert seen("bash", environ) == dict.fromkeys(BOTH, version != "gone")


def test_a_line_of_ones_own_that_comes_before_path_is_explained(environ: dict[str, str], home: Path) -> None:
    put(home / ".profile", DEBIAN_PROFILE)
    put(home / ".bashrc", DEBIAN_BASHRC + 'command -v ullage >/dev/null && eval "$(ullage init bash)"\n')
    environ["PATH"] = f"{home}/.local/bin:{environ['PATH']}"
    host = hosts.find_host("bash", environ)
    [sentence] = reasons.prove(host, need("bash"), environ)
    assert sentence.startswith("A login bash does not show the segment")


def test_fish_reads_conf_d_before_config_fish_completes_path(environ: dict[str, str], home: Path) -> None:
    put(home / ".config/fish/config.fish", "set -x PATH $HOME/.local/bin $PATH\n")
    set_up("fish", environ)
    assert seen("fish", environ) == BOTH


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("", "", "no ~/.bash_profile is there"),
        (".bash_profile", "export A=1\n", "~/.bash_profile, which it reads, does not read"),
        (".profile", "export A=1\n", "~/.profile, which it reads, does not read"),
        (".bash_login", "[ -n x ] || . ~/.bashrc\n", "does not get to the lines"),
    ],
)
def test_a_login_bash_that_does_not_read_bashrc(
    environ: dict[str, str], home: Path, name: str, text: str, words: str
) -> None:
    if name:
        put(home / name, text)
    host = set_up("bash", environ)
    [sentence] = reasons.prove(host, need("bash"), environ)
    assert sentence.startswith("A login bash does not show the segment: ")
    assert words in sentence
    if "this line" in sentence:
        put(home / (name or ".bash_profile"), text + sentence.rpartition(": ")[2] + "\n")
        assert reasons.prove(host, need("bash"), environ) == []


@pytest.mark.parametrize("exported", ["export ", ""])
def test_zdotdir_that_zshenv_sets(environ: dict[str, str], home: Path, exported: str) -> None:
    put(home / ".zshenv", f"{exported}ZDOTDIR=$HOME/.config/zsh\n")
    put(home / ".config/zsh/.zshrc", "PROMPT='$ '\n")
    need("zsh")
    assert set_up("zsh", environ).path == str(home / ".config/zsh/.zshrc")
    assert seen("zsh", environ) == BOTH


def test_zdotdir_that_is_set_elsewhere_is_explained(environ: dict[str, str], home: Path) -> None:
    put(home / ".zshrc", "")
    host = set_up("zsh", environ)
    put(home / ".config/zsh/.zshrc", "")
    put(home / ".zshenv", f"ZDOTDIR={home}/.config/zsh\n")
    [sentence] = reasons.prove(host, need("zsh"), environ)
    assert f"it reads its files in {home}/.config/zsh" in sentence


def test_a_bash_that_becomes_another_shell(environ: dict[str, str], home: Path) -> None:
    put(home / ".bash_profile", ". ~/.bashrc\n")
    host = set_up("bash", environ)
    with Path(host.path).open("a") as file:
        file.write(f"exec {need('zsh')}\n")
    put(home / ".zshrc", "PROMPT='$ '\n")
    [sentence] = reasons.prove(host, need("bash"), environ)
    assert (
        sentence
        == "A new bash does not show the segment: its files hand over to zsh. Set up that one: `ullage setup zsh`."
    )
    set_up("zsh", environ)
    assert seen("bash", environ) == BOTH


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("exit 3", "it ended before it showed a prompt"),
        ("return", "is not read as far as these lines"),
        ("ULLAGE_OFF=1", "ULLAGE_OFF is set"),
    ],
)
def test_what_else_keeps_it_away(environ: dict[str, str], home: Path, line: str, words: str) -> None:
    put(home / ".bash_profile", ". ~/.bashrc\n")
    put(home / ".bashrc", line + "\n")
    sentences = reasons.prove(set_up("bash", environ), need("bash"), environ)
    assert any(words in sentence for sentence in sentences)


def test_a_prompt_that_something_else_makes_is_explained(environ: dict[str, str], home: Path) -> None:
    put(home / ".zshrc", "")
    host = set_up("zsh", environ)
    with Path(host.path).open("a") as file:
        file.write("late() { PROMPT='$ '; }; precmd_functions+=(late)\n")
    [sentence] = reasons.prove(host, need("zsh"), environ)
    assert "something else makes the prompt" in sentence


def test_ble_sh_takes_over_what_is_there_before_it_is_attached(environ: dict[str, str], home: Path) -> None:
    put(home / ".bash_profile", ". ~/.bashrc\n")
    put(home / ".bashrc", BLE)
    host = set_up("bash", environ)
    assert Path(host.path).read_text().index("ullage setup") < Path(host.path).read_text().index("|| ble-attach")
    assert seen("bash", environ) == BOTH


@pytest.mark.parametrize(("name", "theme"), [("powerlevel10k", POWERLEVEL10K), ("spaceship", SPACESHIP)])
def test_zsh_prompts_that_are_made_of_parts(environ: dict[str, str], home: Path, name: str, theme: str) -> None:
    put(home / ".zshrc", f"# {name}\n: spaceship\n{theme}" if name == "spaceship" else theme)
    put(home / ".p10k.zsh", "POWERLEVEL9K_RIGHT_PROMPT_ELEMENTS=(status)\n")
    before = {path: path.read_bytes() for path in home.glob(".*.zsh*")} | {
        home / ".zshrc": (home / ".zshrc").read_bytes()
    }
    assert not any(seen("zsh", environ).values())
    host = set_up("zsh", environ)
    assert seen("zsh", environ) == BOTH
    undo = plans.plan_undo(hosts.find_host("zsh", environ))
    assert undo.change is not None
    for change in (undo.change, *undo.more):
        userfile.apply(change, keep=False)
    assert {path: path.read_bytes() for path in before} == before
    assert plans.plan(host).change is not None


def test_an_element_that_was_lost_is_added_again(environ: dict[str, str], home: Path) -> None:
    put(home / ".zshrc", POWERLEVEL10K)
    put(home / ".p10k.zsh", "POWERLEVEL9K_RIGHT_PROMPT_ELEMENTS=(status)\n")
    set_up("zsh", environ)
    # As its own assistant leaves it.
    put(home / ".p10k.zsh", "POWERLEVEL9K_RIGHT_PROMPT_ELEMENTS=(time)\n")
    plan = plans.plan(hosts.find_host("zsh", environ))
    assert plan.change is not None
    assert (plan.change.file.path, plan.more) == (str(home / ".p10k.zsh"), ())


def test_tide_makes_its_prompt_elsewhere(environ: dict[str, str], home: Path) -> None:
    functions = home / ".config/fish/functions"
    for name, body in TIDE_ITEMS.items():
        put(functions / f"{name}.fish", f"function {name}\n    {body}\nend\n")
    put(home / ".config/fish/config.fish", TIDE)
    environ["PATH"] += f":{os.path.dirname(need('fish'))}"
    assert not any(seen("fish", environ).values())
    host = set_up("fish", environ)
    assert seen("fish", environ) == BOTH
    Path(host.path).unlink()
    assert not any(seen("fish", environ).values())


def test_a_shell_that_hangs_is_ended_and_said(
    environ: dict[str, str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(home / ".bash_profile", "while :; do sleep 0.1; done\n")
    monkeypatch.setattr(started, "_LONGEST_START_SECONDS", 4.0)
    starts = look("bash", environ)
    assert (starts["login"].seen, starts["login"].in_time) == (False, False)


def test_setup_says_what_is_seen(environ: dict[str, str], home: Path) -> None:
    put(home / ".bash_profile", ". ~/.bashrc\n")
    done = ullage("setup", "bash", "--yes", environ=environ)
    assert (done.returncode, done.stderr) == (0, "")
    assert "A new bash was started: it shows the segment." in done.stdout
    assert "It is empty now, as nothing is known yet." in done.stdout
    ullage("setup", "bash", "--undo", "--yes", environ=environ)
    (home / ".bash_profile").unlink()
    done = ullage("setup", "bash", "--yes", environ=environ)
    assert "! A login bash does not show the segment: no ~/.bash_profile is there" in done.stdout


def test_a_shell_that_is_not_here_is_not_tried(environ: dict[str, str], home: Path, tmp_path: Path) -> None:
    environ["PATH"] = str(tmp_path)
    done = ullage("setup", "bash", "--yes", environ=environ)
    assert "bash is not in PATH, so that it could not be tried." in done.stdout
