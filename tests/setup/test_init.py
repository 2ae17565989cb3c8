"""What `ullage init` prints; that shells do the right thing with it is in tests/shell."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.tools import PYTHON, REPOSITORY, ULLAGE, modules, need, run, ullage
from ullage.base.errors import UllageError
from ullage.setup import init, started


@pytest.mark.parametrize("shell", init.SHELLS)
def test_prints_the_file_after_the_program(shell: str, environ: dict[str, str]) -> None:
    result = ullage("init", shell, environ=environ)
    assert (result.returncode, result.stderr) == (0, "")
    first, _, rest = result.stdout.partition("\n")
    assert ULLAGE in first
    if shell in ("elvish", "xonsh"):
        place, _, rest = rest.partition("\n")
        assert "left" in place
    assert rest == Path(init.locate_shell_file(shell)).read_text()


@pytest.mark.parametrize(
    ("shell", "option", "line"),
    [
        ("bash", "--left", "ULLAGE_PLACE=left"),
        ("bash", "--starship", "ULLAGE_PLACE=starship"),
        ("zsh", "--right", "ULLAGE_PLACE=right"),
        ("fish", "--manual", "set -g ULLAGE_PLACE manual"),
        ("elvish", "--right", "var ullage-place = 'right'"),
        ("nushell", "--right", "$env.__ullage.place = 'right'"),
        ("nushell", "--starship", "$env.__ullage.place = 'starship'"),
        ("xonsh", "--manual", "__ullage_place = 'manual'"),
        ("pwsh", "--starship", "$__ullage_place = 'starship'"),
    ],
)
@pytest.mark.parametrize("before", [True, False])
def test_prints_the_place(shell: str, option: str, line: str, before: bool, environ: dict[str, str]) -> None:
    arguments = [option, shell] if before else [shell, option]
    assert ullage("init", *arguments, environ=environ).stdout.splitlines()[1] == line


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Missing argument"),
        (["tcsh"], "'tcsh' is none of bash, zsh, fish, elvish, nushell, xonsh, pwsh."),
        (["bash", "--right"], "bash has no right prompt"),
        (["elvish", "--manual"], "no place --manual in elvish"),
        (["bash", "--up"], "No such option"),
    ],
)
def test_wrong_usage_is_explained(arguments: list[str], words: str, environ: dict[str, str]) -> None:
    result = ullage("init", *arguments, environ=environ)
    assert (result.returncode, result.stdout) == (2, "")
    assert words in result.stderr


def test_help(environ: dict[str, str]) -> None:
    result = ullage("init", "--help", environ=environ)
    assert result.returncode == 0
    assert 'eval "$(ullage init bash)"' in result.stdout


def test_runs_where_the_locale_knows_no_utf_8(environ: dict[str, str]) -> None:
    strict = {**environ, "LC_ALL": "POSIX", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    assert ullage("init", "bash", environ=strict).returncode == 0


def test_loads_nothing_heavy(environ: dict[str, str]) -> None:
    script = (
        "import sys; before = set(sys.modules); sys.argv = ['ullage', 'init', 'bash']\n"
        "from ullage.__main__ import main; main(); print(sorted(set(sys.modules) - before), file=sys.stderr)"
    )
    result = run([PYTHON, "-P", "-c", script], environ)
    assert set(eval(result.stderr)) == {"__future__"} | modules(base="errors shipped", setup="init", system="streams")


def test_missing_file_is_explained() -> None:
    with pytest.raises(UllageError, match=r"ullage\.tcsh is missing"):
        init.locate_shell_file("tcsh")


@pytest.mark.parametrize("text", ["/plain", "/it's", "'", "''", "\\", "\\'", '$(x) `x` "', "a\nb", "!", ""])
@pytest.mark.parametrize("shell", started.SHELLS)
def test_quoted_text_is_one_word(shell: str, text: str, environ: dict[str, str]) -> None:
    others = {
        "elvish": "print &sep='' '<' {} '>'",
        "nushell": "print --no-newline ('<' + {} + '>')",
        "xonsh": "print('<' + {} + '>', end='')",
    }
    code = others.get(shell, "printf '<%s>' {}")
    result = run([need(shell), "-c", code.format(init.quote(text, shell))], environ)
    assert result.stdout == f"<{text}>"


def test_program_is_the_one_that_was_called(tmp_path: Path) -> None:
    called = tmp_path / "ullage"
    called.write_text("#!/bin/sh\n")
    assert init.find_this_program(str(called), sys.executable) == ULLAGE
    called.chmod(0o755)
    assert init.find_this_program(str(called), sys.executable) == str(called)
    assert init.find_this_program("/nowhere/__main__.py", sys.executable) == ULLAGE
    assert init.find_this_program("/nowhere/__main__.py", "/nowhere/python") == "ullage"


def test_wheel_carries_every_shell_file() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    carried = {**wheel["shared-scripts"], **wheel["force-include"]}
    of_shells = {name for name in carried if name.startswith("shell/")}
    assert of_shells == {f"shell/{path.name}" for path in (REPOSITORY / "shell").iterdir()}
    for shell in init.SHELLS:
        name = Path(init.locate_shell_file(shell)).name
        assert carried[f"shell/{name}"] == f"ullage/shell/{name}"
