"""The commands that scripts call: what they import, and that click does the same with the same words."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from bench import transcripts
from tests.support import tools
from tests.support.tools import modules
from ullage import refresh
from ullage.cli import group, quick
from ullage.store.cache import ProfileCache

if TYPE_CHECKING:
    from collections.abc import Callable

    from ullage.simulate import Simulator

    Simulate = Callable[..., Simulator]

HELP = modules(base="arguments errors text", cli="listing quick say", system="streams")
# What every command imports that knows the settings and the last reading.
READING = HELP - {"ullage.cli.listing"} | modules(
    base="dates jsontext record values",
    cli="asking profiles settings",
    config="checks palette settings wishes",
    quota="exits meters model pace pace.ahead pace.course pace.habits schedule serial timeline",
    refresh="",
    store="cache overview sign_in statements",
    system="files places",
)
HISTORY = modules(base="contexts", store="history", system="database directories")
GUARD = READING | modules(cli="guard_verdict known", guard="limits", render="words", sources="claude_state")
# A refresh that is not due looks whether another has signed in.
ASKING = READING | modules(sources="claude_state")
JSON = ASKING | HISTORY | modules(cli="usage_report", quota="contract")
TABLE = (
    ASKING
    | HISTORY
    | modules(cli="usage_report", config="template", render="burnup cells gauge rows segment surfaces usage words")
)
TOKENS = (
    READING
    | HISTORY
    | modules(
        cli="progress tokens_report",
        config="rates",
        tokens="amounts cost counts document index prices report scan tables tally task transcripts windows",
    )
)
OF_PYTHON = {"__future__", "_datetime", "_json", "itertools", "math"}
# What `_sqlite3` asks for itself differs between versions of Python: this is the most.
OF_SQLITE = {"_sqlite3", "collections", "collections.abc", "errno", "functools", "keyword", "operator", "reprlib"} | {
    *("_collections", "_functools", "_operator", "types", "_types")
}


@pytest.fixture
def known(environ: dict[str, str], simulate: Simulate) -> dict[str, str]:
    """An environment with a reading of just now."""
    simulate("busy-day")
    assert refresh.refresh(environ).result == "refreshed"
    return environ


@pytest.mark.parametrize(
    ("arguments", "own"),
    [
        (["--help"], HELP),
        (["guard", "--quiet"], GUARD),
        (["guard", "--quiet", "--need", "0"], GUARD | HISTORY),
        (["usage", "--json"], JSON),
        (["usage"], TABLE),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
@pytest.mark.process
def test_it_imports_these_and_no_others(arguments: list[str], own: set[str], known: dict[str, str]) -> None:
    _, imported = tools.imported(*arguments, environ=known)
    others = imported - own
    assert own <= imported
    assert {name for name in others if name.startswith("ullage")} == set()
    if own >= HISTORY:
        assert others <= OF_PYTHON | OF_SQLITE | {"unicodedata"}
    else:
        assert others == (OF_PYTHON if own is GUARD else {"__future__"})


@pytest.mark.process
def test_a_second_look_at_transcripts_reads_no_line(known: dict[str, str]) -> None:
    transcripts.write(known["CLAUDE_CONFIG_DIR"], 50_000)
    first, _ = tools.imported("tokens", "--json", environ=known)
    second, imported = tools.imported("tokens", "--json", environ=known)
    assert json.loads(first) == json.loads(second)
    assert json.loads(first)["total"]
    assert {name for name in imported if name.startswith("ullage")} <= TOKENS
    assert not {name for name in imported - TOKENS if name.startswith("ullage")}
    assert imported - TOKENS <= OF_PYTHON | OF_SQLITE | {"zlib", "gc", "marshal", "struct", "_struct"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["usage"],
        ["usage", "--no-refresh"],
        ["usage", "--json", "--refresh"],
        ["usage", "--all"],
        ["usage", "--all", "--json"],
        ["usage", "--profile", "default"],
        ["guard"],
        ["guard", "-q"],
        ["guard", "--json", "--max", "5h=1"],
        ["guard", "--max=1", "--fail-open", "--max", "99"],
        ["guard", "--need", "1%", "--max-age", "10m", "--fail-closed", "--allow-credits"],
        ["guard", "--wait", "--timeout", "1s", "--max", "1"],
        ["guard", "--max", "fable=90"],
        ["tokens"],
        ["tokens", "--csv"],
        pytest.param(["doctor"], marks=pytest.mark.process),
    ],
    ids=" ".join,
)
def test_both_ways_say_the_same(
    arguments: list[str], known: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in known.items():
        monkeypatch.setitem(os.environ, name, value)
    # Of three in turn, two that follow each other fall into one minute, and no number moves within it.
    told = []
    for way in (quick.run, group.run, quick.run):
        code = way(arguments)
        printed = capsys.readouterr()
        told.append((code, printed.out.partition('"age_seconds"')[0], printed.err.partition("resets in")[0]))
    assert told[1] in (told[0], told[2])


@pytest.mark.process
@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "utf-8"])
def test_json_is_utf_8_whatever_the_locale_says(encoding: str, known: dict[str, str]) -> None:
    cache = ProfileCache(known)
    [read] = cache.load_readings()
    cache.save_reading(read.replace(account=read.account.replace(organization="Łódź")))
    done = subprocess.run(
        [tools.ULLAGE, "usage", "--json", "--no-refresh"],
        env={**known, "PYTHONIOENCODING": encoding},
        stdout=subprocess.PIPE,
        check=True,
    )
    assert json.loads(done.stdout)["account"]["organization"] == "Łódź"
    assert "Łódź".encode() in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["usage", "--jsn"],
        ["usage", "--help"],
        ["usage", "much"],
        ["usage", "--refresh", "--no-refresh"],
        ["usage", "--all", "--profile", "default"],
        ["usage", "--profile", ""],
        ["usage", "--profile", "/nowhere/claude"],
        ["guard", "--max"],
        ["guard", "--max", "much"],
        ["guard", "--max-age", "soon"],
        ["guard", "--timeout", "1s"],
        ["guard", "--fail-open", "--fail-closed"],
        ["guard", "--json", "--", "true"],
        ["guard", "--", ""],
        ["tokens", "--csv", "--json"],
        ["tokens", "--by", "day"],
        ["doctor", "--nonsense"],
        ["tokens", "prices"],
        ["--version"],
        ["watch"],
        [],
    ],
    ids=" ".join,
)
def test_what_is_not_plain_is_left_to_click(arguments: list[str], environ: dict[str, str]) -> None:
    assert quick.run(arguments) is None
