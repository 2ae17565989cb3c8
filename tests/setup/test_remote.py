"""`ullage setup remote`: what it writes into config.toml is what ullage reads, and comes out to the byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.tools import ullage
from ullage import config
from ullage.base.errors import UsageError
from ullage.config.outside import KeyNames
from ullage.setup import remote, userfile

BY_SSH = {"command": remote.ask_by_ssh("laptop")}


def set_up(environ: dict[str, str], name: str, way: dict[str, Any]) -> str:
    plan = remote.plan(name, remote.build_entry(name, way), environ)
    if plan.change is not None:
        userfile.apply(plan.change, keep=not plan.takes_back)
    return plan.words


def undo(environ: dict[str, str], name: str) -> None:
    plan = remote.plan_undo(name, environ)
    assert plan.change is not None
    userfile.apply(plan.change, keep=not plan.takes_back)


@pytest.mark.parametrize("before", [None, "", "[segment]\nshow = 'left'", "# mine\n\n[push]\ncommands = []\n"])
def test_what_is_written_is_read_and_comes_out_again(environ: dict[str, str], before: str | None) -> None:
    path = Path(environ["ULLAGE_CONFIG"])
    if before is not None:
        path.write_text(before)
    url = {"url": "https://quota.example.org:7733", "token_command": "pass show 'a b'"}
    ways: dict[str, dict[str, Any]] = {"one": BY_SSH, "two": {"socket": "/run/ullage/serve.sock"}, "three": url}
    for name, way in ways.items():
        set_up(environ, name, way)
    settings, issues = config.load(environ)
    assert issues == ()
    assert [each.name for each in settings.remotes] == ["one", "two", "three"]
    assert settings.remotes[0].command[-4:] == ("usage", "--all", "--json", "--no-refresh")
    assert settings.remotes[2].token == KeyNames(command=("pass", "show", "a b"))
    assert "has it already" in set_up(environ, "two", ways["two"])
    set_up(environ, "two", {"socket": "/elsewhere"})
    assert config.load(environ)[0].remotes[1].socket == "/elsewhere"
    for name in ("two", "one", "three"):
        undo(environ, name)
    assert (path.read_text() if path.exists() else None) == before
    assert list(path.parent.glob(f"{path.name}.before-ullage*")) == []


def test_without_a_name_those_that_there_are_are_listed(environ: dict[str, str]) -> None:
    Path(environ["ULLAGE_CONFIG"]).write_text('[[remote]]\nname = "mine"\ncommand = ["true"]\n')
    said = ullage("setup", "remote", "--undo", environ=environ)
    assert said.returncode == 2
    assert "None is set up by this command yet." in said.stderr
    for name in ("laptop", "box"):
        ullage("setup", "remote", name, "--yes", "--", "false", environ=environ)
    said = ullage("setup", "remote", "--undo", environ=environ)
    assert said.returncode == 2
    assert said.stderr.endswith("There are laptop, box.\n")
    assert "nothing to undo. There are laptop, box." in remote.plan_undo("lapotp", environ).words


@pytest.mark.parametrize("before", [None, "", '# mine\n[segment]\nshow = "left"'], ids=["no file", "empty", "text"])
def test_no_copy_stays_when_all_of_it_is_taken_out_again(environ: dict[str, str], before: str | None) -> None:
    path = Path(environ["ULLAGE_CONFIG"])
    if before is not None:
        path.write_text(before)
    at_first = {each: each.read_bytes() for each in path.parent.glob("config.toml*")}
    for order in (("a", "b", "c"), ("c", "a", "b")):
        for name in ("a", "b", "c"):
            plan = remote.plan(name, remote.build_entry(name, {"command": ["false"]}), environ)
            assert plan.change is not None
            userfile.apply(plan.change, keep=not plan.takes_back)
        for name in order:
            undo(environ, name)
        assert {each: each.read_bytes() for each in path.parent.glob("config.toml*")} == at_first


def test_what_a_person_changed_in_a_block_is_kept_when_it_is_taken_out(environ: dict[str, str]) -> None:
    path = Path(environ["ULLAGE_CONFIG"])
    path.write_text("# mine\n")
    for name in ("a", "b"):
        plan = remote.plan(name, remote.build_entry(name, {"command": ["false"]}), environ)
        assert plan.change is not None
        userfile.apply(plan.change, keep=True)
        path.write_text(path.read_text().replace('name = "a"\n', 'name = "a" # a note\n'))
    for name in ("b", "a"):
        undo(environ, name)
    assert path.read_text() == "# mine\n"
    assert any("# a note" in copy.read_text() for copy in path.parent.glob("config.toml.before-ullage*"))


def test_a_remote_that_a_person_wrote_stays_theirs(environ: dict[str, str]) -> None:
    text = '[[remote]]\nname = "laptop"\nsocket = "/s"\n'
    Path(environ["ULLAGE_CONFIG"]).write_text(text)
    with pytest.raises(UsageError, match="twice"):
        set_up(environ, "laptop", BY_SSH)
    assert remote.plan_undo("laptop", environ).change is None
    assert Path(environ["ULLAGE_CONFIG"]).read_text() == text


@pytest.mark.parametrize(
    ("name", "way", "says"),
    [
        ("../x", BY_SSH, "needs a name of letters"),
        ("a" * 33, BY_SSH, "at most 32"),
        ("a", {}, "one of command, socket, url"),
        ("a", {"socket": "/s", "url": "https://x"}, "one of command, socket, url"),
        ("a", {"socket": "s"}, "absolute path"),
        ("a", {"url": "ftp://x"}, "plain address"),
        ("a", {"url": "https://me:secret@x"}, "plain address"),
        ("a", {"socket": "/s", "token_variable": "T"}, "only a url"),
        ("a", {"url": "https://x", "token_variable": "sk-ant-1"}, "name of an environment variable"),
        ("a", {"command": ["curl", "sk-ant-secret"]}, "holds a key itself"),
    ],
)
def test_what_could_not_be_asked_is_refused_without_its_secrets(name: str, way: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        remote.build_entry(name, way)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("host", ["-oProxyCommand=reboot", "a b", "a\nb"])
def test_what_ssh_would_take_for_an_option_is_no_machine(host: str) -> None:
    with pytest.raises(UsageError, match="no name of a machine"):
        remote.ask_by_ssh(host)


def test_a_mistake_in_one_remote_silences_no_other(environ: dict[str, str]) -> None:
    entries = (
        '[[remote]]\nname = "a"\n\n[[remote]]\nname = "b"\nsocket = "/s"\n\n[[remote]]\nname = "b"\nsocket = "/t"\n'
    )
    Path(environ["ULLAGE_CONFIG"]).write_text(entries)
    settings, issues = config.load(environ)
    assert [(each.name, each.socket) for each in settings.remotes] == [("b", "/s")]
    assert len(issues) == 1


@pytest.mark.parametrize("body", [b"remote = [1]", b"remote = 1", b"[remote", b"# nothing"])
def test_a_block_that_was_changed_into_anything_is_not_as_it_was_written(environ: dict[str, str], body: bytes) -> None:
    set_up(environ, "laptop", BY_SSH)
    path = Path(environ["ULLAGE_CONFIG"])
    first, *_, last = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + body + b"\n" + last)
    changed = path.read_bytes()
    undo(environ, "laptop")
    assert Path(f"{path}.before-ullage").read_bytes() == changed
