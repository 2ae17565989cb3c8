"""config.toml: what is right takes effect, what is wrong is said with its line and changes nothing."""

from __future__ import annotations

import os
import tomllib
from datetime import time, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ullage import config
from ullage.base.errors import UsageError
from ullage.config import file
from ullage.config.default_file import write_default, write_value
from ullage.config.file import Issue
from ullage.config.options import OPTIONS
from ullage.config.palette import LEVELS, Colouring
from ullage.config.settings import DEFAULTS
from ullage.config.wishes import QuietHours, Wishes
from ullage.quota.model import Thresholds
from ullage.quota.timeline import SURFACES

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(environ: dict[str, str]) -> str:
    return environ["ULLAGE_CONFIG"]


def write(path: str, text: str | bytes) -> str:
    with open(path, "wb") as file:
        file.write(text.encode() if isinstance(text, str) else text)
    return path


def wrong(path: str, text: str | bytes) -> list[tuple[int, str]]:
    _, issues = config.read(write(path, text))
    return [(issue.line, issue.message) for issue in issues]


def test_without_a_file_the_defaults_are_in_force(environ: dict[str, str]) -> None:
    settings, issues = config.load(environ)
    assert issues == ()
    assert settings == config.Settings(
        source="auto",
        thresholds=Thresholds(
            warning_percent=75.0,
            critical_percent=90.0,
            stale_after=timedelta(minutes=15),
            expire_after=timedelta(hours=6),
        ),
        templates=dict.fromkeys(SURFACES, DEFAULTS["segment.template"]),
        show_left=False,
        ascii_only=False,
        palette=Colouring().in_terminal(),
    )


def test_the_defaults_pass_their_own_checks_and_match_the_models() -> None:
    assert [option.key for option in OPTIONS if option.check(option.default)] == []
    assert [*DEFAULTS] == [option.key for option in OPTIONS]


def test_every_option_takes_effect(path: str, environ: dict[str, str]) -> None:
    write(
        path,
        """
        source = "oauth"
        [segment]
        template = "{7d}"
        show = "left"
        glyphs = "ascii"
        [segment.templates]
        tmux = "{5h}"
        [severity]
        warning_percent = 50.5
        critical_percent = 60
        [age]
        stale_after_minutes = 30
        expire_after_minutes = 45.5
        [alerts]
        via = ["command", "bell", "command"]
        command = ["notify", "--title=$(no shell)"]
        thresholds = [100, 50.5]
        forecast = false
        failing_after_minutes = 0
        quiet_hours = "22:00-07:00 Europe/Berlin"
        [colors]
        palette = "truecolor"
        background = "light"
        warning = "bold #112233"
        """,
    )
    settings, issues = config.load(environ)
    assert issues == ()
    assert settings == config.Settings(
        source="oauth",
        thresholds=Thresholds(
            warning_percent=50.5,
            critical_percent=60.0,
            stale_after=timedelta(minutes=30),
            expire_after=timedelta(minutes=45.5),
        ),
        templates={**dict.fromkeys(SURFACES, "{7d}"), "tmux": "{5h}"},
        show_left=True,
        ascii_only=True,
        palette={**Colouring(palette="truecolor").in_terminal("light"), "warning": "bold #112233"},
        colouring=Colouring(palette="truecolor", own={"warning": "bold #112233"}, background="light"),
        values=settings.values,
    )
    assert settings.alerts == Wishes(
        via=("command", "bell"),
        command=("notify", "--title=$(no shell)"),
        thresholds=(50.5, 100.0),
        forecast=False,
        failing_after=None,
        quiet=QuietHours(start=time(22), end=time(7), zone="Europe/Berlin"),
    )


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("source", '"guess"', "it can be auto, statusline, tee, claude-cache, claude-cli, oauth, web, remote"),
        ("source", "1", "it can be auto, statusline, tee, claude-cache, claude-cli, oauth, web"),
        ("source", '["oauth"]', "it can be auto, statusline, tee, claude-cache, claude-cli, oauth, web"),
        ("segment.template", '"{5h"', "has a { without its }"),
        ("segment.template", '"{5h.resetsin}"', "did you mean resets_in?"),
        ("segment.template", "5", "must be a text in quotes"),
        ("segment.template", '"\\u001b[1m"', "control character"),
        ("segment.show", '"free"', "it can be used, left"),
        ("segment.show", "true", "it can be used, left"),
        ("segment.glyphs", '"emoji"', "it can be unicode, ascii, nerd"),
        ("segment.preset", '"bars"', "it can be plain, minimal, bar"),
        *((f"segment.templates.{surface}", '"}"', "without its counterpart") for surface in SURFACES),
        ("severity.warning_percent", '"75"', "a number from 0 to 1000"),
        ("severity.warning_percent", "true", "a number from 0 to 1000"),
        ("severity.critical_percent", "-1", "a number from 0 to 1000"),
        ("severity.critical_percent", "nan", "a number from 0 to 1000"),
        ("severity.critical_percent", "inf", "a number from 0 to 1000"),
        ("age.stale_after_minutes", "0", "a number from 1 to 1440"),
        ("age.expire_after_minutes", "10081", "a number from 1 to 10080"),
        ("age.expire_after_minutes", "2026-11-22", "a number from 1 to 10080"),
        ("alerts.via", '"desktop"', "a list in square brackets"),
        ("alerts.via", '["desktop", "pager"]', "it can be desktop, bell, command"),
        ("alerts.command", '"notify $LABEL"', "a list in square brackets"),
        ("alerts.command", '["notify", 1]', "must be a text in quotes"),
        ("alerts.thresholds", "[75, nan]", "a number from 0 to 1000"),
        ("alerts.thresholds", "[-1]", "a number from 0 to 1000"),
        ("alerts.thresholds", '["80%"]', "a number from 0 to 1000"),
        ("alerts.forecast", "1", "can be true or false"),
        ("alerts.failing_after_minutes", "-5", "a number from 0 to 10080"),
        ("alerts.quiet_hours", '"22-7"', "write 22:00-07:00"),
        ("alerts.quiet_hours", '"24:00-07:00"', "write 22:00-07:00"),
        ("alerts.quiet_hours", '"07:00-07:00"', "begins when it ends"),
        ("alerts.quiet_hours", '"22:00-07:00 +02:00"', "write one such as Europe/Berlin"),
        ("alerts.quiet_hours", '"22:00-07:00 ../../etc/passwd"', "is not known here"),
        ("alerts.quiet_hours", "22:00:00", "must be a text in quotes"),
        ("colors.palette", '"256"', "it can be 16, truecolor, none"),
        ("colors.palette", "16", "it can be 16, truecolor, none"),
        *((f"colors.{level}", '"rde"', "#rrggbb") for level in LEVELS),
        ("web.session_key_command", "5", "a program and its arguments"),
        ("web.session_key_command", '["pass", 1]', "a program and its arguments"),
        ("web.session_key_command", '"pass show \\"claude"', "a quote without its counterpart"),
        ("web.session_key_command", '["", "x"]', "names no program"),
        ("web.session_key_variable", '"CLAUDE-KEY"', "the name of an environment variable"),
        ("org.admin_key_keyring", '["one"]', "a service and a user name"),
        ("org.admin_key_keyring", "5", "a service and a user name"),
        ("web.organization", '"../elsewhere"', "an id of letters"),
    ],
)
def test_a_wrong_value_is_said_and_gives_way_to_the_default(path: str, key: str, value: str, words: str) -> None:
    values, [issue] = config.read(write(path, f"# mine\n\n{key} = {value}\n"))
    assert issue.line == 3
    assert issue.message.startswith(f"{key} ")
    assert words in issue.message
    assert values == DEFAULTS


def test_every_option_has_a_value_that_is_wrong() -> None:
    assert [option.key for option in OPTIONS if option.check([[]]) is None] == []


def test_what_is_right_stays_in_force_beside_what_is_wrong(path: str, environ: dict[str, str]) -> None:
    write(path, 'source = "oauth"\n[segment]\nshow = "free"\n[age]\nstale_after_minutes = 5\n')
    settings, issues = config.load(environ)
    assert [issue.line for issue in issues] == [3]
    assert (settings.source, settings.show_left, settings.thresholds.stale_after) == (
        "oauth",
        False,
        timedelta(minutes=5),
    )


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('sorce = "auto"', 1, "sorce is not an option; did you mean source?"),
        ('\n[segment]\ntemplat = ""', 3, "segment.templat is not an option; did you mean segment.template?"),
        ('[segment.templates]\nplain = ""\n# x\npowershell = ""', 4, "segment.templates.powershell is not an option"),
        ("stale_after_minutes = 5", 1, "did you mean age.stale_after_minutes?"),
        ('[x]\n"y z" = 1\n', 2, "x.y z is not an option. `ullage config` lists them"),
        ("[[source]]\na = 1\n", 1, "source is"),
        ("source = { name = 1 }", 1, "source.name is not an option"),
        ('segment.shwo = "left"', 1, "segment.shwo is not an option; did you mean segment.show?"),
        ('"\\u001b[31mred" = 1', 0, "[31mred is not an option"),
    ],
)
def test_an_unknown_key_is_said_with_its_line_and_the_nearest_known_one(
    path: str, text: str, line: int, words: str
) -> None:
    [(found, message)] = wrong(path, text)
    assert words in message
    assert "\x1b" not in message
    assert found == line


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param(
            '[segment]\ntemplate = "{5h}"\n[segment.templates]\nplain = 3\n', [4], id="a table within a table"
        ),
        pytest.param("[segment]\ntemplates.plain = 3\n", [2], id="dotted"),
        pytest.param("[segment]\ntemplates = { plain = 3 }\n", [2], id="inline"),
        pytest.param('[ "segment" ]\n  show   = 3  # =\n', [2], id="spaces and quotes"),
        pytest.param('[colors]\n# red = "rde"\nwarning = "red"\ncritical = "rde"\n', [4], id="comments"),
        pytest.param("[age]\nstale_after_minutes = 0\nexpire_after_minutes = 0\n", [2, 3], id="two"),
    ],
)
def test_the_line_is_the_one_that_sets_the_key(path: str, text: str, lines: list[int]) -> None:
    assert [line for line, _ in wrong(path, text)] == lines


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('source = "auto"\nshow left\n', 2),
        ("\n\n[segment\n", 3),
        ('source = "auto"\nsource = "oauth"\n', 2),
        ("age = 2026-13-45\n", 1),
        (b'source = "\xff"\n', 1),
        (b"\x00" * 64, 1),
        ("n = " + "9" * 5000, 0),
        ("n = " + "[" * 20_000, 0),
    ],
)
def test_what_is_no_toml_is_said_and_changes_nothing(path: str, text: str | bytes, line: int) -> None:
    values, [issue] = config.read(write(path, text))
    assert issue.line == line
    assert any(words in issue.message for words in ("TOML", "nested too deeply", "UTF-8"))
    assert values == DEFAULTS


@given(st.binary(max_size=100) | st.text(max_size=100).map(str.encode))
def test_no_bytes_raise(data: bytes) -> None:
    values, _ = file.check_file(data, dict(DEFAULTS))
    assert set(values) == set(DEFAULTS)


def make_directory(path: Path) -> None:
    path.mkdir()


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_dangling_link(path: Path) -> None:
    path.symlink_to(path.parent / "gone")


def make_huge(path: Path) -> None:
    path.write_bytes(b"#" * ((1 << 20) + 1))


def make_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.posix(reason="FIFOs, devices and links")
@pytest.mark.parametrize("make", [make_directory, make_fifo, make_dangling_link, make_huge, make_device])
def test_what_is_no_file_to_read_is_said_and_not_waited_for(tmp_path: Path, make: Any) -> None:
    path = tmp_path / "config.toml"
    make(path)
    values, [issue] = config.read(str(path))
    assert issue == Issue(line=0, message="cannot be read: it is no regular file, too large, or not yours to read")
    assert values == DEFAULTS


def test_the_default_text_says_everything_and_changes_nothing(path: str) -> None:
    text = write_default()
    assert config.read(write(path, text)) == (DEFAULTS, ())
    for option in OPTIONS:
        assert option.explanation.splitlines()[0] in text


def test_the_default_text_uncommented_says_the_defaults(path: str) -> None:
    lines = write_default().splitlines()
    names = tuple(f"# {option.key.rpartition('.')[2]} = " for option in OPTIONS)
    text = "\n".join(line[2:] if line.startswith(names) else line for line in lines)
    assert len(list(file.list_options(tomllib.loads(text)))) == len(OPTIONS)
    assert config.read(write(path, text)) == (DEFAULTS, ())


@pytest.mark.parametrize("value", ["", 'a "quoted" \\ text', "ünï↺", "{5h} # [x]", 75, 0.5])
def test_values_are_written_as_toml_reads_them(value: object) -> None:
    assert tomllib.loads(f"x = {write_value(value)}") == {"x": value}


@pytest.mark.parametrize(("glyphs", "ascii_only"), [("unicode", False), ("ascii", True)])
def test_glyphs_by_configuration(path: str, glyphs: str, ascii_only: bool) -> None:
    write(path, f'segment.glyphs = "{glyphs}"')
    assert config.load({"ULLAGE_CONFIG": path, "LC_ALL": "C"})[0].ascii_only is ascii_only


def test_no_palette_means_no_colour_whatever_the_levels_are_given(path: str, environ: dict[str, str]) -> None:
    write(path, '[colors]\npalette = "none"\ncritical = "red"\n')
    assert config.load(environ)[0].palette == {}


@pytest.mark.posix(reason="the directories of XDG and HOME")
def test_the_environment_goes_before_the_files_source(path: str, environ: dict[str, str]) -> None:
    write(path, 'source = "auto"')
    assert config.load({**environ, "ULLAGE_SOURCE": "oauth"})[0].source == "oauth"
    assert config.load({**environ, "ULLAGE_SOURCE": ""})[0].source == "auto"
    unknown, _ = config.load({**environ, "ULLAGE_SOURCE": "guess"})
    assert "ULLAGE_SOURCE is 'guess'; it can be auto, statusline," in str(config.find_wrong_source(unknown))


def test_where_the_file_lies() -> None:
    assert config.locate_config({"ULLAGE_CONFIG": "/etc/x.toml"}) == "/etc/x.toml"
    assert config.locate_config({}).replace(os.sep, "/").endswith("/ullage/config.toml")


@pytest.mark.posix(reason="paths with slashes alone")
@pytest.mark.parametrize("given", ["x.toml", "./x.toml", "~/x.toml"])
def test_a_path_that_depends_on_where_one_stands_is_refused(given: str) -> None:
    with pytest.raises(UsageError, match=r"ULLAGE_CONFIG must be an absolute path; it is '.*'\. Set it to the full"):
        config.load({"ULLAGE_CONFIG": given})
    with pytest.raises(UsageError, match="ULLAGE_STATE_DIR must be an absolute path"):
        config.locate_state({"ULLAGE_STATE_DIR": given})
    for lies in (config.locate_config, config.locate_state):
        with pytest.raises(UsageError, match="HOME must be an absolute path"):
            lies({"HOME": "here"})


_RATES = "input = 3\noutput = 15\ncache_write_5m = 1\ncache_write_1h = 1\ncache_read = 1\n"


def test_a_mistake_in_prices_names_its_line_and_spares_the_other_models(path: str) -> None:
    text = (
        f'[tokens.prices."right"]\n{_RATES}\n'
        '[tokens.prices."claude-3.5[1m]"] # a note ]\ninput = 1\noutput = "x"\n\n'
        "[tokens.prices.tier]\ninput = 1\n[tokens.prices.tier.above_200k]\ninput = 2\n\n"
        "[tokens.prices]\nalso_right = { input = 2 }\ninline = { input = 1, outptu = 3 }\nnothing = 5\n"
    )
    values, issues = config.read(write(path, text))
    assert set(values["tokens.prices"]) == {"right", "also_right"}
    lines = text.splitlines()
    assert [(lines[issue.line - 1], issue.message.split(" gives")[0][:40]) for issue in issues] == [
        ('output = "x"', "tokens.prices of claude-3.5[1m]"),
        ("[tokens.prices.tier.above_200k]", "tokens.prices of tier must hold the numb"),
        ("inline = { input = 1, outptu = 3 }", "tokens.prices of inline holds 'outptu'; "),
        ("nothing = 5", "tokens.prices of nothing holds no table "),
    ]


def test_many_mistakes_are_cut_short_and_what_is_right_after_them_counts(path: str) -> None:
    values, issues = config.read(write(path, "".join(f"x{n} = 1\n" for n in range(99)) + 'source = "oauth"\n'))
    assert len(issues) == 20
    assert values["source"] == "oauth"
