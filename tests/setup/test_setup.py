"""`ullage setup`: each host's own file, once, and back to the last byte."""

from __future__ import annotations

import contextlib
import subprocess
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pexpect
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.tools import REPOSITORY, SCRIPTS, ULLAGE, need, run, ullage
from ullage.base.errors import UsageError
from ullage.setup import blocks, hosts, init, plans, userfile

if TYPE_CHECKING:
    from collections.abc import Mapping

# Each host's file below a home without any settings of its own.
FILES = {
    "bash": ".bashrc",
    "zsh": ".zshrc",
    "fish": ".config/fish/conf.d/ullage.fish",
    "elvish": ".config/elvish/rc.elv",
    "nushell": ".config/nushell/autoload/ullage.nu",
    "xonsh": ".xonshrc",
    "pwsh": ".config/powershell/Microsoft.PowerShell_profile.ps1",
    "starship": ".config/starship.toml",
    "tmux": ".tmux.conf",
}
OPTIONS: dict[str, list[str]] = {"starship": ["--without-process"], "tmux": ["--without-process"]}
EVERY_HOST = pytest.mark.parametrize("host", hosts.HOSTS)


def home(environ: Mapping[str, str]) -> Path:
    return Path(environ["HOME"])


def tree(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def put(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


@pytest.fixture(autouse=True)
def _without_shells(environ: dict[str, str], tmp_path: Path) -> None:
    """Leave the shells out of PATH: they write files of their own, and test_started.py tries them."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "sh").symlink_to(need("sh"))
    environ["PATH"] = f"{SCRIPTS}:{programs}"


# What any file comes to is a property, below; here each host meets a file that is not there, one that is, and options.
SETUPS = [
    *((host, False, None) for host in hosts.HOSTS),
    *((host, False, b"# no newline") for host in hosts.HOSTS),
    *((host, True, b"# mine\n") for host in hosts.HOSTS),
    ("bash", False, b""),
    ("bash", False, b"# mine\r\n"),
]


@pytest.mark.parametrize(("host", "options", "before"), SETUPS)
def test_setup_once_and_undo_to_the_last_byte(
    environ: dict[str, str], host: str, options: bool, before: bytes | None
) -> None:
    file = home(environ) / FILES[host]
    if before is not None:
        put(file, before)
    at_first = tree(home(environ))
    more = OPTIONS.get(host, ["--starship"] if host in hosts.FEEDS_STARSHIP else []) if options else []
    done = ullage("setup", host, "--yes", *more, environ=environ)
    assert (done.returncode, done.stderr) == (0, "")
    set_up = file.read_bytes()
    assert set_up.startswith(before or b"")
    assert set_up.count(b"# >>> ullage setup") == 1
    again = ullage("setup", host, "--yes", *more, environ=environ)
    assert again.returncode == 0
    assert "is set up already" in again.stdout
    assert file.read_bytes() == set_up
    undone = ullage("setup", host, "--undo", "--yes", environ=environ)
    assert (undone.returncode, undone.stderr) == (0, "")
    assert tree(home(environ)) == at_first


@EVERY_HOST
def test_undo_keeps_what_was_written_in_between(environ: dict[str, str], host: str) -> None:
    file = put(home(environ) / FILES[host], b"# first\n")
    ullage("setup", host, "--yes", environ=environ)
    file.write_bytes(b"# zeroth\n" + file.read_bytes() + b"# last\n")
    ullage("setup", host, "--undo", "--yes", environ=environ)
    assert file.read_bytes() == b"# zeroth\n# first\n# last\n"


@pytest.mark.parametrize("stdin", ["</dev/null", "<&-"])
def test_the_change_is_shown_and_nothing_written_without_a_terminal_to_ask_on(
    environ: dict[str, str], stdin: str
) -> None:
    file = put(home(environ) / ".bashrc", b"# mine\n")
    asked = run(["sh", "-c", f"ullage setup bash {stdin}"], environ)
    assert asked.returncode == 2
    assert f"+__ullage_program={ULLAGE}\n" in asked.stdout
    assert "--yes" in asked.stderr
    assert tree(home(environ)) == {".bashrc": b"# mine\n"}
    assert file.read_bytes() == b"# mine\n"


@pytest.mark.parametrize(("answer", "written"), [("", False), ("n", False), ("y", True)])
def test_on_a_terminal_it_asks_and_takes_nothing_for_no(environ: dict[str, str], answer: str, written: bool) -> None:
    wide = (24, 400)
    terminal = pexpect.spawn(ULLAGE, ["setup", "bash"], env=environ, encoding="utf-8", timeout=90, dimensions=wide)
    terminal.expect(r"\+# >>> ullage setup bash >>>")
    terminal.expect(r"Write this\? \(y or n; Enter: no\)")
    terminal.sendline(answer)
    terminal.expect(r"Wrote .*\.bashrc" if written else "Nothing was written")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0
    assert (home(environ) / ".bashrc").exists() is written


@pytest.mark.parametrize(
    ("host", "variable", "file"),
    [
        ("zsh", "ZDOTDIR", ".zshrc"),
        ("fish", "XDG_CONFIG_HOME", "fish/conf.d/ullage.fish"),
        ("elvish", "XDG_CONFIG_HOME", "elvish/rc.elv"),
        ("nushell", "XDG_CONFIG_HOME", "nushell/autoload/ullage.nu"),
        ("pwsh", "XDG_CONFIG_HOME", "powershell/Microsoft.PowerShell_profile.ps1"),
        ("starship", "STARSHIP_CONFIG", ""),
    ],
)
def test_the_hosts_own_variable_says_where_its_file_is(
    environ: dict[str, str], tmp_path: Path, host: str, variable: str, file: str
) -> None:
    environ[variable] = str(tmp_path / "else where")
    ullage("setup", host, "--yes", environ=environ)
    assert (tmp_path / "else where" / file).is_file()
    assert tree(home(environ)) == {}


@pytest.mark.parametrize(
    ("there", "file"),
    [
        ([], ".tmux.conf"),
        ([".tmux.conf"], ".tmux.conf"),
        ([".config/tmux/tmux.conf"], ".config/tmux/tmux.conf"),
        ([".tmux.conf", ".config/tmux/tmux.conf"], ".config/tmux/tmux.conf"),
    ],
)
def test_tmux_has_two_places(environ: dict[str, str], there: list[str], file: str) -> None:
    for name in there:
        put(home(environ) / name, b"")
    ullage("setup", "tmux", "--yes", environ=environ)
    assert [name for name, data in tree(home(environ)).items() if b"ullage" in data] == [file]


@pytest.mark.parametrize(
    ("host", "line"),
    [
        ("bash", 'eval "$(ullage init bash)"'),
        ("zsh", '  eval "$(ullage init zsh --starship)"'),
        ("fish", "ullage init fish | source"),
        ("starship", "[custom.ullage]"),
        ("starship", "[ env_var.ULLAGE_SEGMENT ]"),
        ("tmux", "set -g status-right '#(ullage-prompt tmux)'"),
        ("tmux", "set -g status-left '#{ullage}'"),
    ],
)
def test_a_line_of_ones_own_is_enough(environ: dict[str, str], host: str, line: str) -> None:
    file = put(home(environ) / FILES[host], f"# mine\n{line}\n".encode())
    for arguments in ([], ["--undo"]):
        done = ullage("setup", host, "--yes", *arguments, environ=environ)
        assert done.returncode == 0
        assert "ine 2 " in done.stdout
    assert file.read_bytes() == f"# mine\n{line}\n".encode()


def test_a_comment_about_ullage_is_not_a_line_of_ones_own(environ: dict[str, str]) -> None:
    file = put(home(environ) / ".bashrc", b'# eval "$(ullage init bash)"\n')
    ullage("setup", "bash", "--yes", environ=environ)
    assert file.read_bytes().count(b"ullage setup bash") == 1


def test_an_edited_block_stays_until_it_is_taken_out_and_a_copy_of_it_is_kept(environ: dict[str, str]) -> None:
    file = home(environ) / ".bashrc"
    ullage("setup", "bash", "--yes", environ=environ)
    edited = file.read_bytes().replace(b"then", b"then FOO=1;")
    file.write_bytes(edited)
    done = ullage("setup", "bash", "--yes", environ=environ)
    assert done.returncode == 0
    assert "not as this command wrote it" in done.stdout
    assert file.read_bytes() == edited
    undone = ullage("setup", "bash", "--undo", "--yes", environ=environ)
    assert "goes with it" in undone.stdout
    assert tree(home(environ)) == {".bashrc.before-ullage": edited}


@pytest.mark.parametrize("before", [b"# mine\n", b"# no newline"])
def test_other_options_replace_the_lines_in_their_place(environ: dict[str, str], before: bytes) -> None:
    file = put(home(environ) / ".bashrc", before)
    ullage("setup", "bash", "--yes", environ=environ)
    file.write_bytes(file.read_bytes() + b"# after\n")
    plain = file.read_bytes()
    done = ullage("setup", "bash", "--yes", "--starship", environ=environ)
    assert done.returncode == 0
    assert "written with other options" in done.stdout
    assert b"\nULLAGE_PLACE=starship\n" in file.read_bytes()
    ullage("setup", "bash", "--yes", environ=environ)
    assert file.read_bytes() == plain


def test_lines_of_an_ullage_that_was_elsewhere_are_ours_and_written_anew(environ: dict[str, str]) -> None:
    file = home(environ) / ".zshrc"
    ullage("setup", "zsh", "--yes", environ=environ)
    wanted = file.read_bytes()
    file.write_bytes(wanted.replace(ULLAGE.encode(), b"~/'an old'/bin/ullage"))
    assert plans.find_standing(file.read_bytes(), hosts.find_host("zsh", environ)).how == "block"
    ullage("setup", "zsh", "--yes", environ=environ)
    assert file.read_bytes() == wanted
    ullage("setup", "zsh", "--undo", "--yes", environ=environ)
    assert not file.exists()


@pytest.mark.parametrize("folder", ["x", "a b", "it's", "back\\slash", 'quo"te', "$HOME"])
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "nushell"])
def test_the_file_that_lines_name_is_found_again(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, shell: str, folder: str
) -> None:
    named = home(environ) / folder / "hook"
    monkeypatch.setattr(init, "locate_shell_file", lambda _: str(named))
    host = hosts.find_host(shell, environ)
    block = blocks.insert(None, shell, host.body.encode())
    assert plans.find_lost_file(block, host, environ) == str(named)
    put(named, b"")
    assert plans.find_lost_file(block, host, environ) is None


@EVERY_HOST
def test_a_damaged_block_is_left_alone_and_named(environ: dict[str, str], host: str) -> None:
    data = b"# mine\n# <<< ullage setup <<<\n"
    file = put(home(environ) / FILES[host], data)
    for arguments in ([], ["--undo"]):
        done = ullage("setup", host, "--yes", *arguments, environ=environ)
        assert done.returncode == 2
        assert "(line 2)" in done.stderr
    assert file.read_bytes() == data


@pytest.mark.parametrize("data", [b"format = \n", b'[custom]\nullage = { command = "x" }\n', b"\xff = 1\n"])
def test_a_starship_file_that_would_not_be_toml_is_left_alone(environ: dict[str, str], data: bytes) -> None:
    file = put(home(environ) / FILES["starship"], data)
    done = ullage("setup", "starship", "--yes", environ=environ)
    assert done.returncode == 2
    assert "would not be valid TOML" in done.stderr
    assert file.read_bytes() == data


@pytest.mark.parametrize(
    ("format", "told"),
    [
        ("", False),
        ('format = "$all"\n', False),
        ('format = "$directory$custom"\n', False),
        ('format = "$directory"\n', True),
        ('format = "${custom.other}"\n', True),
        ('format = "$directory"\nright_format = "${custom.ullage}"\n', False),
    ],
)
def test_a_starship_format_that_leaves_the_module_out_is_told(environ: dict[str, str], format: str, told: bool) -> None:
    put(home(environ) / FILES["starship"], format.encode())
    done = ullage("setup", "starship", "--yes", environ=environ)
    assert ("add ${custom.ullage} to it" in done.stdout) is told


@EVERY_HOST
def test_no_home_is_explained(environ: dict[str, str], host: str) -> None:
    del environ["HOME"]
    done = ullage("setup", host, "--yes", environ=environ)
    assert done.returncode == 2
    assert "HOME must be an absolute path" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [["csh"], ["--starship"], ["tmux", "--starship"], ["bash", "--without-process"], ["starship", "--starship"]],
)
def test_wrong_usage(environ: dict[str, str], arguments: list[str]) -> None:
    assert ullage("setup", *arguments, environ=environ).returncode == 2
    assert tree(home(environ)) == {}


def test_many_at_once_leave_one_block_and_undo_finds_it(environ: dict[str, str]) -> None:
    file = put(home(environ) / ".bashrc", b"# mine\n")
    running = [subprocess.Popen([ULLAGE, "setup", "bash", "--yes"], env=environ) for _ in range(6)]
    assert {process.wait(180) for process in running} <= {0, 2}
    assert file.read_bytes().count(b"# >>> ullage setup") == 1
    ullage("setup", "bash", "--undo", "--yes", environ=environ)
    assert tree(home(environ)) == {".bashrc": b"# mine\n"}


def test_a_read_only_file_is_refused_only_where_it_would_change(environ: dict[str, str]) -> None:
    file = put(home(environ) / ".bashrc", b"# mine\n")
    file.chmod(0o400)
    done = ullage("setup", "bash", "--undo", "--yes", environ=environ)
    assert (done.returncode, done.stderr) == (0, "")
    assert "nothing to undo" in done.stdout
    file.chmod(0o600)
    assert ullage("setup", "bash", "--yes", environ=environ).returncode == 0
    file.chmod(0o400)
    done = ullage("setup", "bash", "--yes", environ=environ)
    assert (done.returncode, done.stderr) == (0, "")
    assert "is set up already" in done.stdout
    done = ullage("setup", "bash", "--undo", "--yes", environ=environ)
    assert done.returncode == 2
    assert "read-only" in done.stderr
    assert b"ullage setup bash" in file.read_bytes()


@pytest.mark.parametrize("readonly", ["the file", "the directory"])
def test_what_may_not_be_written_is_explained(environ: dict[str, str], tmp_path: Path, readonly: str) -> None:
    file = put(home(environ) / ".bashrc", b"# mine\n")
    if readonly == "the file":
        file.chmod(0o400)
        done = ullage("setup", "bash", "--yes", environ=environ)
        assert "read-only" in done.stderr
    else:
        # Root may write anywhere but where a file system says no to everybody.
        environ["ZDOTDIR"] = "/proc/sys"
        done = ullage("setup", "zsh", "--yes", environ=environ)
        assert "Nothing can be written in /proc/sys" in done.stderr
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert tree(home(environ)) == {".bashrc": b"# mine\n"}


@pytest.mark.parametrize(
    ("shell", "check"),
    [("bash", ["bash", "-n"]), ("zsh", ["zsh", "-n"]), ("fish", ["fish", "--no-execute"])],
)
@pytest.mark.parametrize("starship", [False, True])
def test_the_lines_are_the_shells_grammar_and_say_nothing_once_ullage_is_gone(
    environ: dict[str, str], shell: str, check: list[str], starship: bool
) -> None:
    program = need(shell)
    ullage("setup", shell, "--yes", *(["--starship"] if starship else []), environ=environ)
    file = str(home(environ) / FILES[shell])
    environ["PATH"] = "/nonexistent"
    for command in ([program, *check[1:], file], [program, "-i", "-c", f". '{file}'; echo on"]):
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=180)
        assert done.returncode == 0
        complaints = [line for line in done.stderr.splitlines() if "ullage" in line]
        assert not complaints
        assert done.stdout in ("", "on\n")


def apply_and_plan_undo(host: hosts.Host, plan: plans.Plan) -> plans.Plan:
    assert plan.change is not None
    userfile.apply(plan.change, keep=True)
    return plans.plan_undo(host)


def test_a_line_of_ones_own_in_config_fish_is_enough(environ: dict[str, str]) -> None:
    put(home(environ) / ".config/fish/config.fish", b"ullage init fish | source\n")
    done = ullage("setup", "fish", "--yes", environ=environ)
    assert (done.returncode, "config.fish does this already" in done.stdout) == (0, True)
    assert not (home(environ) / FILES["fish"]).exists()


@settings(
    max_examples=settings().max_examples // 2,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.binary(), name=st.sampled_from(["bash", "zsh", "fish", "tmux"]))
def test_setup_then_undo_is_the_identity_for_any_file(environ: dict[str, str], data: bytes, name: str) -> None:
    host = hosts.find_host(name, environ)
    put(Path(host.path), data)
    with contextlib.suppress(UsageError):
        plan = plans.plan(host)
        undo = plan if plan.change is None else apply_and_plan_undo(host, plan)
        if undo.change is not None:
            userfile.apply(undo.change, keep=not undo.takes_back)
    # What is refused or thought to be set up already is so for a reason.
    assert b"\0" in data or b"ullage" in data or undo.change is not None
    after = tree(home(environ))
    Path(host.path).unlink()
    assert after == {FILES[name]: data}


@pytest.mark.parametrize(
    ("file", "body"), [("custom.toml", hosts.STARSHIP_CUSTOM), ("env_var.toml", hosts.STARSHIP_ENV_VAR)]
)
def test_the_files_to_paste_are_what_setup_writes(file: str, body: str) -> None:
    assert tomllib.loads((REPOSITORY / "starship" / file).read_text()) == tomllib.loads(body)


@pytest.mark.parametrize("host", ["starship", "tmux"])
def test_a_program_that_is_not_here_is_said_to_show_nothing_yet(
    environ: dict[str, str], host: str, tmp_path: Path
) -> None:
    environ["PATH"] = str(tmp_path)
    done = ullage("setup", host, "--yes", environ=environ)
    assert done.returncode == 0
    assert f"{host} is not in PATH here, so that nothing shows it yet." in done.stdout
    assert "\nThe next prompt shows it." not in done.stdout


def test_a_change_is_shown_in_colours_where_those_are_wanted(environ: dict[str, str]) -> None:
    put(home(environ) / ".bashrc", b"# mine\n")
    shown = ullage("setup", "bash", environ={**environ, "CLICOLOR_FORCE": "1"}).stdout.splitlines()
    assert [line[:5] for line in shown[:2]] == ["\033[1m-", "\033[1m+"]
    assert any(line.startswith("\033[36m@@") for line in shown)
    assert any(line.startswith("\033[32m+") for line in shown)
    assert " # mine" in shown
