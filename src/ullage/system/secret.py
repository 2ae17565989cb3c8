"""Keys of the user's: how one is carried, where the settings may say it comes from, and what is withheld from programs.

Which program is given what:

    all of our environment       `guard -- COMMAND`, which we become, and our own refresh, which asks with the key
    all but the keys of ours     `statusline --then COMMAND`, which Claude Code started itself before (`passed_on`)
    nothing that opens accounts  every other: the commands for keys and alerts, claude, browsers (`withheld`)
    a handful of variables       tmux, the Keychain's program, shells that `doctor` measures or asks for their version

The one that sends metrics keeps ULLAGE_METRICS_AUTH, for which it is there.

Cheap to import: the settings are read for every status line. `key_command` runs the command.
"""

from __future__ import annotations

from ullage.base.errors import SourceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_KEYRING = 'must be a service and a user name in the keyring: ["service", "user name"]'
_LONGEST = 4096
# How the provider's keys and tokens begin.
_SHAPE = "sk-ant-"
METRICS_AUTH = "ULLAGE_METRICS_AUTH"
_TOKENS = (
    *("CLAUDE_CODE_OAUTH_TOKEN", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", METRICS_AUTH),
    *("ANTHROPIC_ADMIN_KEY", "ANTHROPIC_ANALYTICS_KEY"),
)


# Keys and tokens by their looks, as regular expressions, each with what is put in its place.
KEY_SHAPES = (
    (r"\b(?:sk|pk|ghp|gho|xox[a-z])[-_][\w-]{6,}", "<secret>"),
    (r"\b(Bearer|Authorization: *Basic)\s+[^\s'\"]+", r"\1 <secret>"),
    (r"\beyJ[\w-]{10,}(?:\.[\w-]+)*", "<secret>"),
)


class Secret:
    """A text that no print, log or traceback shows."""

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text, for the one header that carries it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"


def withhold_keys(environ: Mapping[str, str], named: Iterable[str] = (), keep: str = "") -> dict[str, str]:
    """Return the environment for a program: without what opens an account, whatever it is called; `keep` names one.

    `named` are the variables that the settings name for keys, whose values need not look like the provider's.
    """
    names = {*_TOKENS, *named} - {keep}
    return {
        name: value for name, value in environ.items() if name not in names and (_SHAPE not in value or name == keep)
    }


def withhold_own_keys(environ: Mapping[str, str], named: Iterable[str]) -> dict[str, str]:
    """Return the environment for a command that another program started before us: without the keys of ours alone."""
    ours = {METRICS_AUTH, *named}
    return {name: value for name, value in environ.items() if name not in ours}


def hide_keys(text: str) -> str:
    """Return what a program has said without keys, and of an address the host alone: a webhook's path is a key."""
    import re

    text = re.sub(r"(?<=\w://)[^\s/@]*@", "", text)
    text = re.sub(r"(\w://[^\s/?#'\"]*)[/?#][^\s'\"]*", r"\1/…", text)
    for shape, instead in KEY_SHAPES:
        text = re.sub(shape, instead, text, flags=re.IGNORECASE)
    return text


def split_command(value: object) -> tuple[str, ...]:
    """Return a command's program and arguments, given as a list or as a text that is split like a shell's words.

    Raises ValueError, with words that do not repeat the value, for what is neither.
    """
    if isinstance(value, str):
        import shlex

        try:
            words = shlex.split(value)
        except ValueError as error:
            raise ValueError("has a quote without its counterpart") from error
    elif isinstance(value, list) and all(isinstance(word, str) for word in value):
        words = list(value)
    else:
        raise ValueError('must be a program and its arguments: ["pass", "show", "claude"]')
    if any(_SHAPE in word for word in words):
        raise ValueError("holds a key itself. Keep it in a password manager, and name the command that prints it")
    if any("\0" in word for word in words) or (words and not words[0]):
        raise ValueError("names no program")
    return tuple(words)


def check_command(value: object) -> str | None:
    """Return what is wrong with a command, in words that do not repeat it, or None."""
    try:
        split_command(value)
    except ValueError as error:
        return str(error)
    return None


def check_keyring(value: object) -> str | None:
    """Return what is wrong with a service and a user name, in words that do not repeat them, or None."""
    try:
        return None if len(split_command(value)) in (0, 2) else _KEYRING
    except ValueError as error:
        return _KEYRING if "program" in str(error) else str(error)


def check_variable(value: object) -> str | None:
    """Return what is wrong with the name of an environment variable, in words that do not repeat it, or None."""
    if isinstance(value, str) and (not value or (value.isascii() and value.isidentifier())):
        return None
    return "must be the name of an environment variable, in quotes; the key itself does not belong in this file"


def read_variable(name: str, environ: Mapping[str, str], what: str) -> Secret | None:
    """Return what a variable holds, None when it is not set; raise SourceError for what can be no key."""
    value = environ.get(name) if name else None
    return check_key(value, f"The variable {name}", what) if value else None


def check_key(text: str, origin: str, what: str) -> Secret:
    """Return a text as a key; raise SourceError, which does not repeat it, for what can be none."""
    if 0 < len(text) <= _LONGEST and text.isascii() and text.isprintable() and not set(text) & set(' ",;\\'):
        return Secret(text)
    raise SourceError("key_unreadable", f"{origin} gave no {what} of a known form; it should give the key alone.")
