"""The table of options: from it come the check of a config.toml and the commented default."""

from __future__ import annotations

from ullage.base.record import Record
from ullage.base.shipped import find_page
from ullage.config import checks
from ullage.config.palette import BACKGROUNDS, LEVELS, PALETTES, check_style
from ullage.config.settings import DEFAULTS
from ullage.config.template import PLAIN_SUBJECTS, SESSION_SUBJECTS, check_template
from ullage.config.wishes import CHANNELS
from ullage.quota.timeline import SURFACES
from ullage.system import secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ullage.config.checks import Check

_ANY_TEXT = checks.text_checked_by(lambda text: None)
_TARGET = checks.text_checked_by(checks.target)
_TEMPLATE = checks.text_checked_by(check_template)
_STATUS_LINE = checks.text_checked_by(lambda text: check_template(text, PLAIN_SUBJECTS + SESSION_SUBJECTS))
_STYLE = checks.text_checked_by(check_style)
_KEYRING = (
    'Or its place in the keyring (with the extra ullage[keyring]): ["service", "user name"], as\n'
    "`keyring set service 'user name'` takes it."
)


def _check_source(value: object) -> str | None:
    # A status line reads every option, and few choose a source or a preset.
    if value == DEFAULTS["source"]:
        return None
    from ullage.quota.meters import SOURCES

    return checks.one_of(*SOURCES)(value)


def _check_preset(value: object) -> str | None:
    if value == DEFAULTS["segment.preset"]:
        return None
    from ullage.config.presets import PRESETS

    return checks.one_of(*PRESETS)(value)


class Option(Record):
    """One key of config.toml."""

    key: str
    explanation: str
    check: Check

    @property
    def default(self) -> Any:
        """Return its default value."""
        return DEFAULTS[self.key]


OPTIONS: tuple[Option, ...] = (
    Option(
        key="source",
        explanation="Which source is asked. auto: Claude Code's status line and its own file, and, when those are\n"
        "older than five minutes, your claude program (one short process, no model call, at most every five minutes\n"
        "while you work and every thirty otherwise). statusline, tee, claude-cache, claude-cli: one of these alone.\n"
        "oauth: one request to the provider's usage endpoint, with the token that Claude Code stored, at most every\n"
        "five minutes; never used unless you name it here. remote: nothing but the other machines under [[remote]],\n"
        "which count with every choice. web: one request to claude.ai with your own session key,\n"
        f"see [web] and {find_page('sources')};\n"
        "never used unless you name it. What a session said counts with every choice.",
        check=_check_source,
    ),
    Option(
        key="remote",
        explanation="Other machines whose ullage is asked for its reading, beside the source above, each a table\n"
        '[[remote]] at the end of this file: name = "laptop" and one of three ways,\n'
        '`command = ["ssh", "laptop", "ullage", "usage", "--json", "--no-refresh"]`, `socket = "/a/serve.sock"` or\n'
        '`url = "https://host:7733"`, the last with token_variable, token_command or token_keyring for its token.\n'
        f"`ullage setup remote` writes one and tries it; see {find_page('machines')}.",
        check=checks.remotes,
    ),
    Option(
        key="segment.preset",
        explanation="A ready-made segment; `ullage config preset` shows them all. A template of your own goes before\n"
        "its template.",
        check=_check_preset,
    ),
    Option(
        key="segment.template",
        explanation="What a prompt shows: {5h}, {7d}, a model's name such as {fable}, {credits}, {top} for the window\n"
        "nearest to its limit; with .used .left .name .label .resets_in .resets_at\n"
        "and .blocked_for .on_credits; {model_week} is a model's week where it is fuller than the week,\n"
        "{budget} a budget or a spend limit where that binds;\n"
        "drawn as .bar .dots .ring and .course (what it stood at so far), in so many cells with {5h.bar:5};\n"
        "with .pace (1.3×: used so much faster than would just last) and .runs_out (when, if before the reset);\n"
        "{age} {state} {plan} {source} {icon}. A group in [ ] vanishes when a value in it is unknown, and has a style\n"
        "with [ ](dim). {{ }} [[ ]] stand for themselves.",
        check=_TEMPLATE,
    ),
    Option(
        key="segment.show",
        explanation="Whether percentages and bars count what is used or what is left.",
        check=checks.one_of("used", "left"),
    ),
    Option(
        key="segment.glyphs",
        explanation="unicode, ascii for terminals that show nothing else, or nerd for a Nerd Font.",
        check=checks.one_of("unicode", "ascii", "nerd"),
    ),
    *(
        Option(
            key=f"segment.templates.{surface}",
            explanation=f"A template for the {surface} surface alone; empty: the one above.",
            check=_TEMPLATE,
        )
        for surface in SURFACES
    ),
    Option(
        key="statusline.template",
        explanation="What `ullage statusline` shows in Claude Code: the fields above, and of the session {model}\n"
        "{context} {cost} {folder} {version} {effort}.",
        check=_STATUS_LINE,
    ),
    Option(
        key="severity.warning_percent",
        explanation="From which used percentage on a window is shown as a warning.",
        check=checks.between(0, 1000),
    ),
    Option(
        key="severity.critical_percent",
        explanation="From which used percentage on a window is shown as critical.",
        check=checks.between(0, 1000),
    ),
    Option(
        key="age.stale_after_minutes",
        explanation="From which age on a number carries the mark of an old one (~).",
        check=checks.between(1, 1440),
    ),
    Option(
        key="age.expire_after_minutes",
        explanation="From which age on a number is not shown any more.",
        check=checks.between(1, 10080),
    ),
    Option(
        key="alerts.via",
        explanation='How alerts are sent, such as ["desktop"]: desktop (with the extra ullage[notify]), bell (of all\n'
        "your terminals), command. Without any none is sent. `ullage alerts test` tries them.",
        check=checks.list_of(checks.one_of(*CHANNELS)),
    ),
    Option(
        key="alerts.command",
        explanation='A program and its arguments, such as ["notify-my-phone", "--quota"]. It runs without a shell and\n'
        "reads the alert as JSON on stdin.",
        check=checks.list_of(_ANY_TEXT),
    ),
    Option(
        key="alerts.thresholds",
        explanation="At which used percentages an alert is sent, once per window until it resets.",
        check=checks.list_of(checks.between(0, 1000)),
    ),
    Option(
        key="alerts.forecast",
        explanation="Whether an alert is sent when a window is all but sure to run out before it resets.",
        check=checks.true_or_false,
    ),
    Option(
        key="alerts.failing_after_minutes",
        explanation="For how long readings must have failed before an alert says so; 0 never does.",
        check=checks.between(0, 10080),
    ),
    Option(
        key="alerts.quiet_hours",
        explanation="When no alert is sent: 22:00-07:00 in local time, or 22:00-07:00 Europe/Berlin. What still holds\n"
        "afterwards is told then.",
        check=checks.text_checked_by(checks.quiet_hours),
    ),
    Option(
        key="colors.palette",
        explanation="16 (the terminal's own colours, or of its 256 those that can be read on a light background),\n"
        "truecolor, or none.",
        check=checks.one_of(*PALETTES),
    ),
    Option(
        key="colors.background",
        explanation="Whether your terminals are dark or light. auto: what COLORFGBG says; a command that prints on a\n"
        "terminal asks it. A desktop's bar is taken to be dark, unless you say light.",
        check=checks.one_of(*BACKGROUNDS),
    ),
    *(
        Option(
            key=f"colors.{level}",
            explanation=f"The style of {level} numbers, such as 'bold red', '#d55e00' or 'black on_yellow';\n"
            "empty: the palette's.",
            check=_STYLE,
        )
        for level in LEVELS
    ),
    Option(
        key="tmux.push",
        explanation="Whether a refresh sets the segment as the option @ullage of the tmux servers that run, for a\n"
        "status line that starts no process: see `ullage setup tmux --without-process`.",
        check=checks.true_or_false,
    ),
    Option(
        key="push.commands",
        explanation="Commands that each new reading is handed to, as JSON on stdin, at most once a minute, such as\n"
        f'[["ssh", "box", "ullage", "receive"]]; see {find_page("machines")}.',
        check=checks.commands_of_push,
    ),
    Option(
        key="web.session_key_command",
        explanation='The command that prints your claude.ai session key, such as ["pass", "show", "claude"] or\n'
        '"pass show claude". It runs without a shell; the first line that it prints is the key.',
        check=secret.check_command,
    ),
    Option(
        key="web.session_key_variable",
        explanation="The name of an environment variable that holds the key; it goes before the command.",
        check=secret.check_variable,
    ),
    Option(
        key="web.session_key_keyring",
        explanation=_KEYRING,
        check=secret.check_keyring,
    ),
    Option(
        key="web.organization",
        explanation="The id of the organisation to ask about, where your account has a plan in several.",
        check=checks.text_checked_by(checks.identifier),
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
                explanation=f"The environment variable that holds {what}, for `ullage org`.",
                check=secret.check_variable,
            ),
            Option(
                key=f"org.{which}_key_command",
                explanation="Or the command that prints it, as in [web].",
                check=secret.check_command,
            ),
            Option(
                key=f"org.{which}_key_keyring",
                explanation=_KEYRING,
                check=secret.check_keyring,
            ),
        )
    ),
    Option(
        key="metrics.account",
        explanation="How metrics call the account: pseudonym, a hash that is the same on all your machines, or\n"
        "address, the e-mail address that Claude Code's own file names.",
        check=checks.one_of("pseudonym", "address"),
    ),
    Option(
        key="metrics.user",
        explanation="A name for dashboards, such as sam. Empty: no name is sent.",
        check=_ANY_TEXT,
    ),
    Option(
        key="metrics.key_file",
        explanation="A file with a key of your team's, yours alone to read. Pseudonyms are then made with the key, so\n"
        "that nobody without it can tell whose they are.",
        check=_ANY_TEXT,
    ),
    Option(
        key="metrics.textfile",
        explanation="The directory of node_exporter's textfile collector. Each refresh writes ullage.prom there.",
        check=_ANY_TEXT,
    ),
    Option(
        key="metrics.push",
        explanation="The address of a Pushgateway, such as https://push.example.com. Each refresh sends metrics there.",
        check=_TARGET,
    ),
    Option(
        key="metrics.otlp",
        explanation="The address of an OTLP/HTTP receiver, such as https://otel.example.com/v1/metrics; needs the\n"
        "extra ullage[otel].",
        check=_TARGET,
    ),
    Option(
        key="metrics.auth_file",
        explanation="A file, yours alone to read, with what both of them ask for: user:password, or a bearer token.\n"
        "ULLAGE_METRICS_AUTH goes before it.",
        check=_ANY_TEXT,
    ),
    Option(
        key="metrics.plain_http",
        explanation="Whether metrics may go by http:// to another machine, in a network that you trust. What\n"
        "auth_file holds is never sent that way.",
        check=checks.true_or_false,
    ),
    Option(
        key="tokens.prices",
        explanation="Prices of your own for `ullage tokens`, in dollars a million tokens, a table for each model:\n"
        '[tokens.prices."a-model"] with input, output, cache_write_5m, cache_write_1h and cache_read; of a model that\n'
        "`ullage tokens prices` lists, those alone that differ.",
        check=checks.prices_of_models,
    ),
)
