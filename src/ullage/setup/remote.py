"""`ullage setup remote NAME`: a `[[remote]]` in config.toml, in marks of its own so that it comes out to the byte."""

from __future__ import annotations

from ullage import config
from ullage.base.errors import UsageError
from ullage.base.text import quote
from ullage.config import remotes
from ullage.config.default_file import write_value
from ullage.config.file import check_file
from ullage.config.settings import DEFAULTS
from ullage.setup import blocks, userfile
from ullage.setup.plans import Plan, find_block

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ullage.setup.blocks import Found
    from ullage.setup.userfile import UserFile

NAME = "remote"
# Neither a machine that sleeps nor a prompt for a password may hold a refresh up.
_SSH = ("ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5")
_ASK = ("ullage", "usage", "--all", "--json", "--no-refresh")


def build_entry(name: str, way: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a `[[remote]]`; raise UsageError where they are wrong."""
    entry = {"name": name, **{field: value for field, value in way.items() if value}}
    wrong = remotes.check_remotes([entry])
    if wrong:
        raise UsageError(f"The remote {wrong}.")
    return entry


def ask_by_ssh(host: str) -> list[str]:
    """Return the command that asks a machine by ssh; raise UsageError for a host that ssh would take for an option."""
    if host.startswith("-") or not host.isprintable() or " " in host:
        raise UsageError(f"{quote(host)} is no name of a machine that ssh knows.")
    return [*_SSH, host, *_ASK]


def plan(name: str, entry: Mapping[str, Any], environ: Mapping[str, str]) -> Plan:
    """Return what would change in config.toml; raise UsageError where that cannot be done safely."""
    file = _read(environ)
    body = _write_entry(entry)
    found = find_block(file, _mark(name))
    if found is not None and blocks.has_body(found, body):
        return Plan(change=None, words=f"{file.path} has it already (line {found.line}).")
    data = file.data or b""
    after = blocks.replace(data, found, body) if found else blocks.insert(file.data, _mark(name), body)
    values, issues = check_file(after, dict(DEFAULTS))
    if not any(each["name"] == name for each in values["remote"]) or any("remote" in i.message for i in issues):
        raise UsageError(
            f"{file.path} cannot take it: {issues[0].message if issues else 'it names such a remote already'}."
        )
    words = f"remote:{name} counts from the next refresh on."
    # What a block of before is replaced by needs no copy of it.
    takes_back = found is not None and _is_as_written(found)
    return Plan(change=userfile.plan_change(file, after), words=words, takes_back=takes_back)


def plan_undo(name: str, environ: Mapping[str, str]) -> Plan:
    """Return what taking it out again would change."""
    file = _read(environ)
    found = find_block(file, _mark(name))
    if file.data is None or found is None:
        names = ", ".join(list_names(environ))
        there = f" There are {names}." if names else ""
        return Plan(change=None, words=f"{file.path} has no remote {name} of this command's: nothing to undo.{there}")
    after = blocks.remove(file.data, found)
    words = f"remote:{name} is asked no more."
    return Plan(change=userfile.plan_change(file, after), words=words, takes_back=_is_as_written(found))


def _is_as_written(found: Found) -> bool:
    """Say whether a block is as this command writes one: what a person has changed in it is kept in a copy."""
    import tomllib

    try:
        [entry] = tomllib.loads(found.body.decode())["remote"]
        return blocks.has_body(found, _write_entry(entry))
    except (ValueError, KeyError, TypeError, AttributeError):
        return False


def _write_entry(entry: Mapping[str, Any]) -> bytes:
    return "\n".join(["[[remote]]", *(f"{field} = {write_value(value)}" for field, value in entry.items())]).encode()


def list_names(environ: Mapping[str, str]) -> list[str]:
    """Return the names of the remotes in config.toml that this command has written."""
    file = _read(environ)
    names = [each["name"] for each in check_file(file.data or b"", dict(DEFAULTS))[0]["remote"]]
    return [name for name in names if find_block(file, _mark(name))]


def _read(environ: Mapping[str, str]) -> UserFile:
    return userfile.read(config.locate_config(environ))


def _mark(name: str) -> str:
    return f"{NAME} {name}"
