"""Check the entries of `[[remote]]`, which name other machines to ask, and of `[push]`, commands that take our reading.

Pure; loaded where such entries are written or checked.
"""

from __future__ import annotations

import os

from ullage.base.text import quote
from ullage.system import secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MOST_REMOTES = 16
LONGEST_NAME = 32
WAYS = ("command", "socket", "url")
KEY_FIELDS = ("token_variable", "token_command", "token_keyring")
_FIELDS = ("name", *WAYS, *KEY_FIELDS)
_EXAMPLE = 'command = ["ssh", "laptop", "ullage", "usage", "--json", "--no-refresh"]'


def check_remotes(value: object) -> str | None:
    """Return what is wrong with the list of remotes, in words that follow its key and repeat no secret, or None."""
    if not isinstance(value, list):
        return f'must be tables: [[remote]] with name = "laptop" and {_EXAMPLE}'
    if len(value) > MOST_REMOTES:
        return f"are {len(value)}; ullage asks at most {MOST_REMOTES}"
    names: list[object] = []
    for entry in value:
        wrong = check_remote(entry)
        if wrong:
            return wrong
        if entry["name"] in names:
            return f"name {quote(entry['name'])} twice; each has a name of its own"
        names.append(entry["name"])
    return None


def check_remote(entry: Any) -> str | None:
    """Return what is wrong with one remote, or None."""
    wrong_name = check_name(entry.get("name") if isinstance(entry, dict) else None)
    if wrong_name:
        return wrong_name
    name = entry["name"]
    strange = next((field for field in entry if field not in _FIELDS), None)
    if strange is not None:
        return f"{name} holds {quote(strange)}; it can hold {', '.join(_FIELDS)}"
    ways = [way for way in WAYS if entry.get(way)]
    if len(ways) != 1:
        return f"{name} must have one of {', '.join(WAYS)}, such as {_EXAMPLE}"
    wrong = _check_way(ways[0], entry[ways[0]])
    if wrong is None and ways[0] != "url" and any(entry.get(field) for field in KEY_FIELDS):
        wrong = "has an access token, which only a url is asked with"
    for field in KEY_FIELDS:
        wrong = wrong or (_KEY_CHECKS[field](entry[field]) if field in entry else None)
    return f"{name} {wrong}" if wrong else None


def check_name(name: object) -> str | None:
    """Return what is wrong with the name of a remote, or None; it becomes part of a source's name and of a file's."""
    fits = isinstance(name, str) and 0 < len(name) <= LONGEST_NAME and name.isascii() and name[0].isalnum()
    if isinstance(name, str) and fits and all(c.isalnum() or c in "-_." for c in name):
        return None
    instead = f", not {quote(name)}" if isinstance(name, str) and name else ""
    return f"needs a name of letters, digits, - _ . and at most {LONGEST_NAME} of them{instead}"


def check_push(value: object) -> str | None:
    """Return what is wrong with the commands that the reading is pushed to, or None."""
    if not isinstance(value, list) or len(value) > MOST_REMOTES:
        return f'must be a list of at most {MOST_REMOTES} commands: [["ssh", "box", "ullage", "receive"]]'
    return next((wrong for wrong in map(_check_words, value) if wrong), None)


def _check_way(way: str, value: object) -> str | None:
    if way == "command":
        return secret.check_command(value)
    if not isinstance(value, str):
        return f"has a {way} that is no text in quotes"
    if way == "socket":
        fits = os.path.isabs(value) and "\0" not in value
        return None if fits else "has a socket that is no absolute path"
    # The address is looked at closely when it is asked: a status line reads this too.
    fits = value.startswith(("https://", "http://")) and not set(value) & set("@?# ") and value.isprintable()
    return None if fits else "has a url that is no plain address such as https://host:7733"


def _check_words(value: object) -> str | None:
    if not isinstance(value, list) or not value:
        return 'must hold a program and its arguments each: [["ssh", "box", "ullage", "receive"]]'
    wrong = secret.check_command(value)
    return f"holds a command that {wrong}" if wrong else None


_KEY_CHECKS = {
    "token_variable": secret.check_variable,
    "token_command": secret.check_command,
    "token_keyring": secret.check_keyring,
}
