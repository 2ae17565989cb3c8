"""The settings: the values in force, typed, and their defaults.

Most people have no config.toml, and a status line reads the settings every time: so the defaults stand here, and the
table that explains and checks them elsewhere.
"""

from __future__ import annotations

from ullage.base.dates import timedelta
from ullage.base.record import Record
from ullage.config.palette import LEVELS, Colouring, find_background
from ullage.config.wishes import Wishes, parse_quiet_hours
from ullage.quota.model import Thresholds
from ullage.quota.timeline import SURFACES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

# Each option's default by its key; `options` explains them.
DEFAULTS: Mapping[str, Any] = {
    "source": "auto",
    "remote": [],
    "segment.preset": "plain",
    "segment.template": "{top.name} {top}[ {top.on_credits}][ {top.blocked_for}]",
    "segment.show": "used",
    "segment.glyphs": "unicode",
    **{f"segment.templates.{surface}": "" for surface in SURFACES},
    "statusline.template": "[{model}  ][5h {5h}][ {5h.resets_in}][  7d {7d}][ {7d.resets_in}]"
    "[  {model_week.name} {model_week}][ {model_week.resets_in}][  {budget.label} {budget}][  context {context}]",
    "severity.warning_percent": 75,
    "severity.critical_percent": 90,
    "age.stale_after_minutes": 15,
    "age.expire_after_minutes": 360,
    "alerts.via": [],
    "alerts.command": [],
    "alerts.thresholds": [75, 90, 100],
    "alerts.forecast": True,
    "alerts.failing_after_minutes": 60,
    "alerts.quiet_hours": "",
    "colors.palette": "16",
    "colors.background": "auto",
    **{f"colors.{level}": "" for level in LEVELS},
    "tmux.push": False,
    "push.commands": [],
    "web.session_key_command": [],
    "web.session_key_variable": "",
    "web.session_key_keyring": [],
    "web.organization": "",
    "org.admin_key_variable": "ANTHROPIC_ADMIN_KEY",
    "org.admin_key_command": [],
    "org.admin_key_keyring": [],
    "org.analytics_key_variable": "ANTHROPIC_ANALYTICS_KEY",
    "org.analytics_key_command": [],
    "org.analytics_key_keyring": [],
    "metrics.account": "pseudonym",
    "metrics.user": "",
    "metrics.key_file": "",
    "metrics.textfile": "",
    "metrics.push": "",
    "metrics.otlp": "",
    "metrics.auth_file": "",
    "metrics.plain_http": False,
    "tokens.prices": {},
}


class KeyNames(Record):
    """Where a key of the user's comes from: a variable if it is set, else a command, else the keyring.

    `keyring` is a service and a user name in it; `organization` is whose numbers claude.ai is asked for.
    """

    command: tuple[str, ...] = ()
    variable: str = ""
    keyring: tuple[str, ...] = ()
    organization: str = ""

    def are_given(self, environ: Mapping[str, str]) -> bool:
        """Say whether any of them names a key here; whether it can be read is another question."""
        return bool(self.command or self.keyring or (self.variable and environ.get(self.variable)))


class Remote(Record):
    """Another ullage that is asked for its reading: by a command, at a Unix socket, or at an address with a token."""

    name: str
    command: tuple[str, ...] = ()
    socket: str = ""
    url: str = ""
    token: KeyNames = KeyNames()


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
        """Say whether metrics are to be written or sent after a refresh."""
        return bool(self.textfile or self.push or self.otlp)


class Settings(Record):
    """The values in force; `palette` has a terminal's style of each level, `colouring` what makes those elsewhere."""

    source: str
    thresholds: Thresholds
    templates: dict[str, str]
    status_line_template: str = DEFAULTS["statusline.template"]
    show_left: bool
    ascii_only: bool
    nerd: bool = False
    shape: str = ""
    palette: dict[str, str]
    colouring: Colouring = Colouring()
    alerts: Wishes = Wishes()
    push_to_tmux: bool = False
    web: KeyNames = KeyNames()
    admin: KeyNames = KeyNames(variable=DEFAULTS["org.admin_key_variable"])
    analytics: KeyNames = KeyNames(variable=DEFAULTS["org.analytics_key_variable"])
    reporting: Reporting = Reporting()
    prices: Mapping[str, Any] = {}
    remotes: tuple[Remote, ...] = ()
    push: tuple[tuple[str, ...], ...] = ()

    @property
    def key_variables(self) -> tuple[str, ...]:
        """Return the environment variables that may hold a key of the user's."""
        tokens = (remote.token for remote in self.remotes)
        return tuple(filter(None, (names.variable for names in (self.web, self.admin, self.analytics, *tokens))))

    def choose_palette(self, surface: str) -> dict[str, str]:
        """Return the styles for a surface: a terminal's, or tmux's."""
        return self.colouring.in_tmux() if surface == "tmux" else self.palette

    def list_unread_keys(self) -> tuple[str, ...]:
        """Return the variables of keys that the source in force does not read."""
        own = self.web.variable if self.source == "web" else ""
        return tuple(name for name in self.key_variables if name != own)


def build_settings(values: Mapping[str, Any], environ: Mapping[str, str] = {}) -> Settings:
    """Type the value of each option, by key; the environment may tell the terminal's background."""
    colouring = Colouring(
        palette=values["colors.palette"],
        own={level: values[f"colors.{level}"] for level in LEVELS if values[f"colors.{level}"]},
        background=find_background(environ, values["colors.background"]),
    )
    template, shape = _segment(values)
    return Settings(
        source=values["source"],
        thresholds=Thresholds(
            warning_percent=float(values["severity.warning_percent"]),
            critical_percent=float(values["severity.critical_percent"]),
            stale_after=timedelta(minutes=values["age.stale_after_minutes"]),
            expire_after=timedelta(minutes=values["age.expire_after_minutes"]),
        ),
        templates={surface: values[f"segment.templates.{surface}"] or template for surface in SURFACES},
        status_line_template=values["statusline.template"],
        show_left=values["segment.show"] == "left",
        ascii_only=values["segment.glyphs"] == "ascii",
        nerd=values["segment.glyphs"] == "nerd",
        shape=shape,
        palette=colouring.in_terminal(),
        colouring=colouring,
        push_to_tmux=values["tmux.push"],
        alerts=_wishes(values),
        web=_key_names(values, "web.session_key_").replace(organization=values["web.organization"]),
        admin=_key_names(values, "org.admin_key_"),
        analytics=_key_names(values, "org.analytics_key_"),
        prices=values["tokens.prices"],
        remotes=tuple(map(_remote, values["remote"])),
        push=tuple(map(tuple, values["push.commands"])),
        reporting=Reporting(
            **{key.removeprefix("metrics."): value for key, value in values.items() if key.startswith("metrics.")}
        ),
    )


def _segment(values: Mapping[str, Any]) -> tuple[str, str]:
    """Return the template and the shape of the segment: a template of the person's own goes before a preset's."""
    template = values["segment.template"]
    if values["segment.preset"] == DEFAULTS["segment.preset"]:
        return template, ""
    from ullage.config.presets import PRESETS

    preset = PRESETS[values["segment.preset"]]
    if template == DEFAULTS["segment.template"]:
        template = preset.template
    return template, preset.shape


def _key_names(values: Mapping[str, Any], prefix: str) -> KeyNames:
    return KeyNames(
        command=_words(values.get(f"{prefix}command", [])),
        variable=values.get(f"{prefix}variable", ""),
        keyring=_words(values.get(f"{prefix}keyring", [])),
    )


def _remote(entry: Mapping[str, Any]) -> Remote:
    return Remote(
        name=entry["name"],
        command=_words(entry.get("command", [])),
        socket=entry.get("socket", ""),
        url=entry.get("url", ""),
        token=_key_names(entry, "token_"),
    )


def _words(value: str | list[str]) -> tuple[str, ...]:
    if not value:
        return ()
    # Few name a key, and a status line has no time for what it does not need.
    from ullage.system import secret

    return secret.split_command(value)


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
