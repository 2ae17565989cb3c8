"""config.toml: one table of options, from which come the values in force, the check and the commented default."""

from __future__ import annotations

import os
from datetime import timedelta

from ullage import secret
from ullage.alerts import CHANNELS, Wishes, parse_quiet_hours
from ullage.errors import UsageError
from ullage.files import read_regular
from ullage.meters import SOURCES
from ullage.model import Limits
from ullage.places import SURFACES, config_directory, state_directory
from ullage.record import Record
from ullage.render import segment
from ullage.render.surfaces import PALETTES, check_style
from ullage.text import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    # Returns what is wrong with a value, in words, or None.
    Check = Callable[[Any], str | None]

_LARGEST_FILE = 1 << 16
_MOST_ISSUES = 20
_LONGEST_IDENTIFIER = 64

STATUS_LINE_TEMPLATE = "[{model}  ][5h {5h}][ {5h.resets_in}][  7d {7d}][ {7d.resets_in}][  context {context}]"


class KeyNames(Record):
    """Where a key of the user's comes from: a variable if it is set, else a command, else the keyring.

    `keyring` is a service and a user name in it; `organization` is whose numbers claude.ai is asked for.
    """

    command: tuple[str, ...] = ()
    variable: str = ""
    keyring: tuple[str, ...] = ()
    organization: str = ""


class Reporting(Record):
    """Where metrics go after a refresh, and how the account is called there; an empty text is not used."""

    account: str = "pseudonym"
    user: str = ""
    key_file: str = ""
    textfile: str = ""
    push: str = ""
    otlp: str = ""
    auth_file: str = ""
    plain_http: bool = False

    @property
    def is_wanted(self) -> bool:
        """Say whether anything is to be done after a refresh."""
        return bool(self.textfile or self.push or self.otlp)


class Settings(Record):
    """The values in force."""

    source: str
    limits: Limits
    templates: dict[str, str]
    status_line_template: str = STATUS_LINE_TEMPLATE
    show_left: bool
    ascii_only: bool
    palette: dict[str, str]
    alerts: Wishes = Wishes()
    push_to_tmux: bool = False
    web: KeyNames = KeyNames()
    admin: KeyNames = KeyNames(variable="ANTHROPIC_ADMIN_KEY")
    analytics: KeyNames = KeyNames(variable="ANTHROPIC_ANALYTICS_KEY")
    reporting: Reporting = Reporting()
    prices: Mapping[str, Any] = {}


class Option(Record):
    """One key of config.toml."""

    key: str
    default: object
    explanation: str
    check: Check


class Issue(Record):
    """What is wrong with a configuration file, and where; line 0 is the file as a whole."""

    line: int
    message: str


def _one_of(*words: str) -> Check:
    def check(value: object) -> str | None:
        return None if value in words else f"is {value!r}; it can be {', '.join(words)}"

    return check


def _between(lowest: float, highest: float) -> Check:
    def check(value: object) -> str | None:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if number and lowest <= value <= highest:  # type: ignore[operator]  # a number by the line above
            return None
        return f"is {value!r}; it must be a number from {lowest:g} to {highest:g}"

    return check


def _true_or_false(value: object) -> str | None:
    return None if isinstance(value, bool) else f"is {value!r}; it can be true or false"


def _text_checked_by(check_text: Check) -> Check:
    def check(value: object) -> str | None:
        return check_text(value) if isinstance(value, str) else f"is {value!r}; it must be a text in quotes"

    return check


def _list_of(check_item: Check) -> Check:
    def check(value: object) -> str | None:
        if not isinstance(value, list):
            return f"is {value!r}; it must be a list in square brackets"
        return next((wrong for wrong in map(check_item, value) if wrong), None)

    return check


def _quiet_hours(value: str) -> str | None:
    try:
        parse_quiet_hours(value)
    except UsageError as error:
        return str(error)
    return None


def _identifier(value: str) -> str | None:
    if len(value) <= _LONGEST_IDENTIFIER and all(c.isascii() and (c.isalnum() or c in "-_") for c in value):
        return None
    return "must be an id of letters, digits and hyphens, as claude.ai gives it"


def _target(value: str) -> str | None:
    # `target` looks closer when something is sent; a status line, which reads this file too, should not load what it
    # needs for that.
    if value and not value.startswith(("https://", "http://")):
        return "is no address of the form https://host"
    return "holds more than a host, a port and a path" if set(value) & set("@?# ") else None


def _prices(value: object) -> str | None:
    # Few have prices of their own, and everybody reads the configuration.
    from ullage.tokens import prices

    return prices.check_overrides(value)


_ANY_TEXT = _text_checked_by(lambda text: None)
_TARGET = _text_checked_by(_target)
_TEMPLATE = _text_checked_by(segment.check)
_STATUS_LINE = _text_checked_by(segment.check_status_line)
_STYLE = _text_checked_by(check_style)
_LEVELS = ("normal", "warning", "critical", "exhausted", "stale")

OPTIONS: tuple[Option, ...] = (
    Option(
        key="source",
        default="auto",
        explanation="Who is asked. auto: what Claude Code's status line and its own file tell, and, when that is\n"
        "older than five minutes, your claude program (one short process, no model call, at most every five minutes\n"
        "while you work and every thirty otherwise). statusline, claude-cache, claude-cli: one of these three alone.\n"
        "oauth: one request to the provider's usage endpoint, with the token that Claude Code stored, at most every\n"
        "five minutes; never used unless you name it here. web: one request to claude.ai with your own session key,\n"
        "see [web] and docs/sources.md; never used unless you name it. What the status line told counts with every\n"
        "choice.",
        check=_one_of(*SOURCES),
    ),
    Option(
        key="segment.template",
        default=segment.DEFAULT_TEMPLATE,
        explanation="What a prompt shows: {5h}, {7d}, a model's name such as {fable}, {credits}, {top} for the window\n"
        "nearest to its limit; with .used .left .bar .name .label .resets_in .resets_at .blocked_for,\n"
        "with .pace (1.3×: used so much faster than would just last) and .runs_out (when, if before the reset);\n"
        "{age} {state} {plan} {source}. A group in [ ] vanishes when a value in it is unknown.\n"
        "{{ }} [[ ]] stand for themselves.",
        check=_TEMPLATE,
    ),
    Option(
        key="segment.show",
        default="used",
        explanation="Whether percentages and bars count what is used or what is left.",
        check=_one_of("used", "left"),
    ),
    Option(
        key="segment.glyphs",
        default="unicode",
        explanation="unicode, or ascii for terminals that show nothing else.",
        check=_one_of("unicode", "ascii"),
    ),
    *(
        Option(
            key=f"segment.templates.{surface}",
            default="",
            explanation=f"A template for the {surface} surface alone; empty: the one above.",
            check=_TEMPLATE,
        )
        for surface in SURFACES
    ),
    Option(
        key="statusline.template",
        default=STATUS_LINE_TEMPLATE,
        explanation="What `ullage statusline` shows in Claude Code: the fields above, and of the session {model}\n"
        "{context} {cost} {folder} {version} {effort}.",
        check=_STATUS_LINE,
    ),
    Option(
        key="severity.warning_percent",
        default=75,
        explanation="From which used percentage on a window is shown as a warning.",
        check=_between(0, 1000),
    ),
    Option(
        key="severity.critical_percent",
        default=90,
        explanation="From which used percentage on a window is shown as critical.",
        check=_between(0, 1000),
    ),
    Option(
        key="age.stale_after_minutes",
        default=15,
        explanation="From which age on a number carries the mark of an old one (~).",
        check=_between(1, 1440),
    ),
    Option(
        key="age.expire_after_minutes",
        default=360,
        explanation="From which age on a number is not shown any more.",
        check=_between(1, 10080),
    ),
    Option(
        key="alerts.via",
        default=[],
        explanation='How alerts are sent, such as ["desktop"]: desktop (with the extra ullage[notify]), bell (of all\n'
        "your terminals), command. Without any none is sent. `ullage alerts test` tries them.",
        check=_list_of(_one_of(*CHANNELS)),
    ),
    Option(
        key="alerts.command",
        default=[],
        explanation='A program and its arguments, such as ["notify-my-phone", "--quota"]. It runs without a shell and\n'
        "reads the alert as JSON on stdin.",
        check=_list_of(_ANY_TEXT),
    ),
    Option(
        key="alerts.thresholds",
        default=[75, 90, 100],
        explanation="At which used percentages an alert is sent, once per window until it resets.",
        check=_list_of(_between(0, 1000)),
    ),
    Option(
        key="alerts.forecast",
        default=True,
        explanation="Whether an alert is sent when a window is all but sure to run out before it resets.",
        check=_true_or_false,
    ),
    Option(
        key="alerts.failing_after_minutes",
        default=60,
        explanation="For how long readings must have failed before an alert says so; 0 never does.",
        check=_between(0, 10080),
    ),
    Option(
        key="alerts.quiet_hours",
        default="",
        explanation="When no alert is sent: 22:00-07:00 in local time, or 22:00-07:00 Europe/Berlin. What still holds\n"
        "afterwards is told then.",
        check=_text_checked_by(_quiet_hours),
    ),
    Option(
        key="colors.palette",
        default="16",
        explanation="16 (the terminal's own colours), truecolor, or none.",
        check=_one_of(*PALETTES),
    ),
    *(
        Option(
            key=f"colors.{level}",
            default="",
            explanation=f"The style of {level} numbers, such as 'bold red' or '#d55e00'; empty: the palette's.",
            check=_STYLE,
        )
        for level in _LEVELS
    ),
    Option(
        key="tmux.push",
        default=False,
        explanation="Whether a refresh sets the segment as the option @ullage of the tmux servers that run, for a\n"
        "status line that starts no process: see `ullage setup tmux --without-process`.",
        check=_true_or_false,
    ),
    Option(
        key="web.session_key_command",
        default=[],
        explanation='The command that prints your claude.ai session key, such as ["pass", "show", "claude"] or\n'
        '"pass show claude". It runs without a shell; the first line that it prints is the key.',
        check=secret.check_command,
    ),
    Option(
        key="web.session_key_variable",
        default="",
        explanation="The name of an environment variable that holds the key; it goes before the command.",
        check=secret.check_variable,
    ),
    Option(
        key="web.organization",
        default="",
        explanation="The id of the organisation to ask about, where your account has a plan in several.",
        check=_text_checked_by(_identifier),
    ),
    *(
        option
        for which, variable, what in (
            ("admin", "ANTHROPIC_ADMIN_KEY", "the Admin API key (sk-ant-admin…) of your organisation"),
            ("analytics", "ANTHROPIC_ANALYTICS_KEY", "the Analytics API key of a Claude Enterprise organisation"),
        )
        for option in (
            Option(
                key=f"org.{which}_key_variable",
                default=variable,
                explanation=f"The environment variable that holds {what}, for `ullage org`.",
                check=secret.check_variable,
            ),
            Option(
                key=f"org.{which}_key_command",
                default=[],
                explanation="Or the command that prints it, as in [web].",
                check=secret.check_command,
            ),
            Option(
                key=f"org.{which}_key_keyring",
                default=[],
                explanation='Or its place in the keyring (with the extra ullage[org]): ["service", "user name"], as\n'
                "`keyring set service 'user name'` takes it.",
                check=secret.check_keyring,
            ),
        )
    ),
    Option(
        key="metrics.account",
        default="pseudonym",
        explanation="How metrics call the account: pseudonym, a hash that is the same on all your machines, or\n"
        "address, the e-mail address that Claude Code's own file names.",
        check=_one_of("pseudonym", "address"),
    ),
    Option(
        key="metrics.user",
        default="",
        explanation="A name for dashboards, such as sam. Empty: none is told.",
        check=_ANY_TEXT,
    ),
    Option(
        key="metrics.key_file",
        default="",
        explanation="A file with a key of your team's, yours alone to read. Pseudonyms are then made with the key, so\n"
        "that nobody without it can tell whose they are.",
        check=_ANY_TEXT,
    ),
    Option(
        key="metrics.textfile",
        default="",
        explanation="The directory of node_exporter's textfile collector. Each refresh writes ullage.prom there.",
        check=_ANY_TEXT,
    ),
    Option(
        key="metrics.push",
        default="",
        explanation="The address of a Pushgateway, such as https://push.example.com. Each refresh sends metrics there.",
        check=_TARGET,
    ),
    Option(
        key="metrics.otlp",
        default="",
        explanation="The address of an OTLP/HTTP receiver, such as https://otel.example.com/v1/metrics; needs the\n"
        "extra ullage[otel].",
        check=_TARGET,
    ),
    Option(
        key="metrics.auth_file",
        default="",
        explanation="A file, yours alone to read, with what both of them ask for: user:password, or a bearer token.\n"
        "ULLAGE_METRICS_AUTH goes before it.",
        check=_ANY_TEXT,
    ),
    Option(
        key="metrics.plain_http",
        default=False,
        explanation="Whether metrics may go by http:// to another machine, in a network that you trust. What\n"
        "auth_file holds is never sent that way.",
        check=_true_or_false,
    ),
    Option(
        key="tokens.prices",
        default={},
        explanation="Prices of your own for `ullage tokens`, in dollars a million tokens, a table for each model:\n"
        '[tokens.prices."a-model"] with input, output, cache_write_5m, cache_write_1h and cache_read; of a model that\n'
        "`ullage tokens prices` lists, those alone that differ.",
        check=_prices,
    ),
)
# Options whose value is a table with names of the user's choice.
_TABLES = tuple(option.key for option in OPTIONS if isinstance(option.default, dict))


def config_path(environ: Mapping[str, str]) -> str:
    """Return where config.toml lies, whether it exists or not."""
    if environ.get("ULLAGE_CONFIG"):
        return os.path.abspath(environ["ULLAGE_CONFIG"])
    directory = config_directory(environ)
    if directory is None:
        import platformdirs

        directory = platformdirs.user_config_dir("ullage", appauthor=False)
    return os.path.join(directory, "config.toml")


def state_path(environ: Mapping[str, str]) -> str:
    """Return the directory of what is kept for good, such as the history, whether it exists or not."""
    given = environ.get("ULLAGE_STATE_DIR")
    if given:
        if not os.path.isabs(given):
            raise UsageError(f"ULLAGE_STATE_DIR must be an absolute path; it is {given!r}. Set it to the full path.")
        return given
    directory = state_directory(environ)
    if directory is None:
        import platformdirs

        directory = platformdirs.user_state_dir("ullage", appauthor=False)
    return directory


def load(environ: Mapping[str, str]) -> tuple[Settings, tuple[Issue, ...]]:
    """Return the values in force, and what is wrong with the file; a value that is wrong gives way to its default."""
    path = config_path(environ)
    values, issues = read(path)
    values["source"] = environ.get("ULLAGE_SOURCE") or values["source"]
    return _settings(values), issues


def wrong_source(settings: Settings) -> str | None:
    """Return what is wrong with the source in force, in words, or None; only the environment can name a wrong one."""
    wrong = _one_of(*SOURCES)(settings.source)
    return f"ULLAGE_SOURCE {clean(wrong, 200)}. Correct or unset it." if wrong else None


def read(path: str) -> tuple[dict[str, Any], tuple[Issue, ...]]:
    """Return each option's value by key, defaults included, and what is wrong with the file."""
    values: dict[str, Any] = {option.key: option.default for option in OPTIONS}
    if not os.path.lexists(path):
        return values, ()
    data = read_regular(path, _LARGEST_FILE)
    if data is None:
        return values, (
            Issue(line=0, message="cannot be read: it is no regular file, too large, or not yours to read"),
        )
    return _checked(data, values)


def _checked(data: bytes, values: dict[str, Any]) -> tuple[dict[str, Any], tuple[Issue, ...]]:
    import tomllib

    try:
        text = data.decode()
        given = dict(_leaves(tomllib.loads(text)))
    except ValueError as error:
        return values, (Issue(line=_line_of_error(error), message=f"is not TOML: {error}"),)
    except RecursionError:
        return values, (Issue(line=0, message="is nested too deeply"),)
    issues: list[Issue] = []
    for key, value in given.items():
        option = next((option for option in OPTIONS if option.key == key), None)
        if len(issues) >= _MOST_ISSUES:
            break
        wrong = f"is not an option{_nearest(key)}" if option is None else option.check(value)
        if wrong:
            issues.append(Issue(line=_line_of_key(text, key), message=f"{clean(key, 100)} {wrong}"))
        else:
            values[key] = value
    return values, tuple(issues)


def _leaves(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict) and f"{prefix}{key}" not in _TABLES:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _nearest(key: str) -> str:
    import difflib

    known = [option.key for option in OPTIONS]
    near = difflib.get_close_matches(key, known, 1, 0.6) or [
        k for k in known if k.endswith("." + key.rsplit(".", maxsplit=1)[-1])
    ]
    return f"; did you mean {near[0]}?" if near else ". `ullage config` lists them"


def _line_of_error(error: Exception) -> int:
    import re

    found = re.search(r"at line (\d+)", str(error))
    return int(found.group(1)) if found else 0


def _line_of_key(text: str, key: str) -> int:
    """Find the line that sets a dotted key: tomllib does not tell."""
    import re

    key, table = _bare(key) + ".", ""
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[\[?\s*([^\]]+?)\s*\]", line)
        if header:
            table = _bare(header.group(1)) + "."
            # A value given as an array of tables has no line with an equals sign.
            if table.startswith(key):
                return number
        elif "=" in line and key.startswith(f"{table}{_bare(line.partition('=')[0])}."):
            return number
    return 0


def _bare(key: str) -> str:
    return "".join(character for character in key if not character.isspace() and character not in "\"'")


def _settings(values: Mapping[str, Any]) -> Settings:
    palette = dict(PALETTES[values["colors.palette"]])
    if palette:
        palette.update({level: values[f"colors.{level}"] for level in _LEVELS if values[f"colors.{level}"]})
    return Settings(
        source=values["source"],
        limits=Limits(
            warning_percent=float(values["severity.warning_percent"]),
            critical_percent=float(values["severity.critical_percent"]),
            stale_after=timedelta(minutes=values["age.stale_after_minutes"]),
            expire_after=timedelta(minutes=values["age.expire_after_minutes"]),
        ),
        templates={
            surface: values[f"segment.templates.{surface}"] or values["segment.template"] for surface in SURFACES
        },
        status_line_template=values["statusline.template"],
        show_left=values["segment.show"] == "left",
        ascii_only=values["segment.glyphs"] == "ascii",
        palette=palette,
        push_to_tmux=values["tmux.push"],
        alerts=_wishes(values),
        web=KeyNames(
            command=secret.command_words(values["web.session_key_command"]),
            variable=values["web.session_key_variable"],
            organization=values["web.organization"],
        ),
        admin=_key_names(values, "admin"),
        analytics=_key_names(values, "analytics"),
        prices=values["tokens.prices"],
        reporting=Reporting(
            **{key.removeprefix("metrics."): value for key, value in values.items() if key.startswith("metrics.")}
        ),
    )


def _key_names(values: Mapping[str, Any], which: str) -> KeyNames:
    return KeyNames(
        command=secret.command_words(values[f"org.{which}_key_command"]),
        variable=values[f"org.{which}_key_variable"],
        keyring=secret.command_words(values[f"org.{which}_key_keyring"]),
    )


def _wishes(values: Mapping[str, Any]) -> Wishes:
    minutes = values["alerts.failing_after_minutes"]
    return Wishes(
        via=tuple(dict.fromkeys(values["alerts.via"])),
        command=tuple(values["alerts.command"]),
        thresholds=tuple(sorted(float(threshold) for threshold in values["alerts.thresholds"])),
        forecast=values["alerts.forecast"],
        failing_after=timedelta(minutes=minutes) if minutes else None,
        quiet=parse_quiet_hours(values["alerts.quiet_hours"]),
    )


def default_text() -> str:
    """Return a config.toml that says everything and changes nothing: each option explained and commented out."""
    lines = [
        "# ullage: what to show and whom to ask. `ullage config check` reads this file and says what is wrong.",
        "",
    ]
    table = ""
    for option in OPTIONS:
        *parents, name = option.key.split(".")
        if ".".join(parents) != table:
            table = ".".join(parents)
            lines += [f"[{table}]", ""]
        lines += [f"# {line}" for line in option.explanation.splitlines()]
        lines += [f"# {name} = {toml_value(option.default)}", ""]
    return "\n".join(lines)


def toml_value(value: object) -> str:
    """Write a text, a number, a flag, or a list or table of these the way TOML does."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(toml_value(item) for item in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{toml_value(name)} = {toml_value(item)}' for name, item in value.items())}}}"
    if isinstance(value, str):
        import json

        return json.dumps(value, ensure_ascii=False)
    return str(value)
