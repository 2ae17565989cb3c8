"""The settings: the values in force, typed, and their defaults.

Most people have no config.toml, and a status line reads the settings every time: so the defaults stand here, and the
table that explains and checks them elsewhere.
"""

from __future__ import annotations

from ullage.base.dates import timedelta
from ullage.base.record import Record
from ullage.config.palette import LEVELS, Colouring, find_background
from ullage.quota.model import Thresholds
from ullage.quota.timeline import SURFACES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ullage.config.outside import KeyNames, Remote, Reporting
    from ullage.config.wishes import Wishes

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


class Settings(Record):
    """The values in force; `palette` has a terminal's style of each level, `colouring` what makes those elsewhere.

    `values` has each option's own, by key. Of those a status line asks for few: the others are typed when asked for.
    """

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
    push_to_tmux: bool = False
    values: Mapping[str, Any] = DEFAULTS

    @property
    def alerts(self) -> Wishes:
        """Which alerts a person wants."""
        from ullage.config import wishes

        return wishes.build_wishes(self.values)

    @property
    def web(self) -> KeyNames:
        """Where the session key of claude.ai comes from."""
        return self._key_names("web.session_key_").replace(organization=self.values["web.organization"])

    @property
    def admin(self) -> KeyNames:
        """Where an organisation's Admin API key comes from."""
        return self._key_names("org.admin_key_")

    @property
    def analytics(self) -> KeyNames:
        """Where an organisation's Analytics API key comes from."""
        return self._key_names("org.analytics_key_")

    def _key_names(self, prefix: str) -> KeyNames:
        from ullage.config import outside

        return outside.build_key_names(self.values, prefix)

    @property
    def reporting(self) -> Reporting:
        """Where metrics go."""
        from ullage.config import outside

        return outside.build_reporting(self.values)

    @property
    def prices(self) -> Mapping[str, Any]:
        """The person's own prices of models."""
        prices: Mapping[str, Any] = self.values["tokens.prices"]
        return prices

    @property
    def remotes(self) -> tuple[Remote, ...]:
        """The other machines that are asked for their reading."""
        from ullage.config import outside

        return tuple(map(outside.build_remote, self.values["remote"]))

    @property
    def push(self) -> tuple[tuple[str, ...], ...]:
        """The commands that take this machine's reading to others."""
        return tuple(map(tuple, self.values["push.commands"]))

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
        values=values,
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
