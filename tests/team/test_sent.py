"""The page on exactly what is sent, held to the bytes that a real program sends."""

from __future__ import annotations

import json
import os
import platform
import re
import socket
from typing import TYPE_CHECKING

import pytest

from tests.support.receivers import Receiver
from tests.support.tools import REPOSITORY, ullage
from ullage import __version__, simulate
from ullage.metrics.samples import METRICS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.support.receivers import Request
    from ullage.simulate import Simulator

PAGE = (REPOSITORY / "team" / "README.md").read_text("utf-8")
EXAMPLE = re.search(r"## Exactly what is sent.*?```\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def sent(environ: dict[str, str], simulate: Callable[..., Simulator]) -> Request:
    simulate("busy-day")
    assert ullage("refresh", environ=environ).returncode == 0
    with Receiver().running() as gateway:
        assert ullage("metrics", "--push", gateway.address, environ=environ).returncode == 0
    (request,) = gateway.requests
    return request


def lines(text: str) -> set[str]:
    """Each sample without the value at its end and the version in its labels: those are another day's."""
    told = text.replace(f'version="{__version__}"', 'version="…"').splitlines()
    return {line.rpartition(" ")[0] for line in told if not line.startswith("#")}


def test_the_page_shows_every_line_that_is_sent(sent: Request) -> None:
    assert EXAMPLE is not None
    shown, told = lines(EXAMPLE.group(1)), lines(sent.body.decode())
    assert told <= shown
    # Whether a week is going to run out depends on the moment.
    assert all("exhausts" in line or "projected" in line for line in shown - told)


def test_the_words_between_are_those_of_the_table(sent: Request) -> None:
    known = {metric.name: metric.help for metric in METRICS}
    for line in sent.body.decode().splitlines():
        if line.startswith("# HELP"):
            _, _, name, words = line.split(" ", 3)
            assert known[name] == words
        elif line.startswith("#"):
            assert re.fullmatch(r"# TYPE \w+ gauge", line)


def test_the_request_is_the_one_on_the_page(sent: Request) -> None:
    assert re.fullmatch(r"/metrics/job/ullage/instance/[0-9a-f]{16}", sent.path)
    assert sent.method == "PUT"
    named = set(re.findall(r"`([A-Z][a-z]+(?:-[A-Z][a-z]+)?)[:`]", PAGE[PAGE.index("As a request:") :]))
    besides = {"Accept", "Accept-Encoding", "Connection"}
    assert set(sent.headers) <= named | besides
    assert sent.headers["User-Agent"] == f"ullage/{__version__}"


def secrets_of(environ: Mapping[str, str]) -> list[str]:
    """Everything that would tell who and where this is."""
    with open(os.path.join(environ["CLAUDE_CONFIG_DIR"], ".claude.json"), encoding="utf-8") as file:
        account = json.load(file)["oauthAccount"]
    words = [value for value in account.values() if isinstance(value, str)]
    return [*words, simulate.ACCOUNT_ID, simulate.TOKEN, platform.node(), socket.gethostname(), environ["HOME"]]


def test_nothing_that_is_not_on_the_page_is_in_it(sent: Request, environ: dict[str, str]) -> None:
    whole = (sent.path + repr(sent.headers)).encode() + sent.body
    told = [secret for secret in secrets_of(environ) if secret.encode() in whole]
    assert told == []
