"""What `ullage tokens` answers programs without the command line's library is what it answers with it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.tools import PYTHON, ULLAGE, run, ullage
from tests.support.transcript import line, write
from ullage.tokens.report import GROUPINGS

if TYPE_CHECKING:
    from collections.abc import Mapping

IN_FULL = "import sys; from ullage.cli import run; sys.exit(run(['tokens', *sys.argv[1:]]))"


@pytest.fixture
def used(environ: dict[str, str]) -> dict[str, str]:
    text = line() + line("msg_2", request="req_2", at="2026-11-21T08:00:00Z", gitBranch="fix", read=1000)
    write(Path(environ["HOME"], ".claude"), "-home-ada-p/s1.jsonl", text)
    return environ


def in_full(*arguments: str, environ: Mapping[str, str]) -> tuple[int, str, str]:
    done = run([PYTHON, "-c", IN_FULL, *arguments], environ)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("form", [[], ["--json"], ["--csv"], ["--json", "--csv"]])
@pytest.mark.parametrize("by", [*GROUPINGS, "nonsense"])
def test_both_ways_answer_alike(used: dict[str, str], by: str, form: list[str]) -> None:
    told = ullage("tokens", "--by", by, *form, environ=used)
    assert (told.returncode, told.stdout, told.stderr) == in_full("--by", by, *form, environ=used)


@pytest.mark.parametrize("form", [[], ["--json"], ["--csv"]])
def test_both_ways_say_that_there_is_nothing(environ: dict[str, str], form: list[str]) -> None:
    told = ullage("tokens", *form, environ=environ)
    assert told.returncode == 3
    assert (told.returncode, told.stdout, told.stderr) == in_full(*form, environ=environ)


def test_the_library_of_the_command_line_is_not_imported(used: dict[str, str]) -> None:
    imported = "import sys; from ullage.__main__ import main; main(); sys.exit('click' in sys.modules)"
    assert run([PYTHON, "-c", imported, "tokens", "--json"], used).returncode == 0


def test_a_wrong_price_is_one_sentence(used: dict[str, str]) -> None:
    Path(used["ULLAGE_CONFIG"]).write_text('[tokens.prices."nobody-knows-it"]\ninput = 3\n')
    told = ullage("tokens", "--json", environ=used)
    assert (told.returncode, told.stdout, told.stderr) == in_full("--json", environ=used)
    assert told.returncode == 2
    assert told.stderr.startswith("ullage: config.toml: tokens.prices.nobody-knows-it")


def test_a_full_disk_is_said_and_a_reader_who_has_left_is_not(used: dict[str, str]) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run([ULLAGE, "tokens"], env=used, stdout=full, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (5, b"ullage: output: No space left on device\n")
    reads, writes = os.pipe()
    os.close(reads)
    with open(writes, "wb") as closed:
        done = subprocess.run([ULLAGE, "tokens"], env=used, stdout=closed, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
