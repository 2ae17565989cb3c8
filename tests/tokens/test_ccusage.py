"""The same files, counted by npm's ccusage: the same tokens and dollars, or a difference that the docs explain."""

from __future__ import annotations

import json
import os
import random
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from bench import transcripts as invented
from tests.support.tools import REPOSITORY, need
from tests.support.transcript import MODEL, amounts_of, count, line, write
from ullage.system.lock import hold_lock
from ullage.tokens import windows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Ccusage = Callable[..., dict[str, Any]]

VERSION = "20.0.24"
DOCS = (REPOSITORY / "docs" / "tokens.md").read_text("utf-8")


@pytest.fixture(scope="session")
def program() -> str:
    """Install ccusage once, beside the virtual environment's packages."""
    npm = need("npm")
    home = REPOSITORY / ".venv" / f"ccusage-{VERSION}"
    found = home / "node_modules" / ".bin" / "ccusage"
    home.mkdir(parents=True, exist_ok=True)
    with hold_lock(str(home / "lock"), wait_seconds=300) as held:
        assert held
        if not found.exists():
            done = subprocess.run(
                [npm, "install", "--prefix", str(home), "--no-save", f"ccusage@{VERSION}"],
                capture_output=True,
                text=True,
                check=False,
                timeout=300,
            )
            assert found.exists(), done.stderr
    return str(found)


@pytest.fixture
def ccusage(program: str, tmp_path: Path) -> Ccusage:
    """Return what counts a configuration directory with ccusage's own prices: the totals of a report."""

    def run(config: Path, *arguments: str, command: str = "daily") -> dict[str, Any]:
        environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "CLAUDE_CONFIG_DIR": str(config), "TZ": "UTC"}
        done = subprocess.run(
            [program, "claude", command, "--json", "--offline", "--timezone", "UTC", *arguments],
            env=environ,
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        document = json.loads(done.stdout)
        assert isinstance(document, dict)
        return document

    return run


def compared(config: Path, document: dict[str, Any]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return input, output, cache writes, cache reads and dollars: ours, and ccusage's."""
    total, _ = count(config)
    ours = (total.counts[0], total.counts[1], total.counts[2] + total.counts[3], total.counts[4], total.cost or 0.0)
    theirs = document["totals"]
    names = ("inputTokens", "outputTokens", "cacheCreationTokens", "cacheReadTokens", "totalCost")
    return tuple(round(one, 6) for one in ours), tuple(round(theirs[name], 6) for name in names)


def test_invented_sessions_come_to_the_same(ccusage: Ccusage, tmp_path: Path) -> None:
    invented.write(str(tmp_path / "claude"), 3 << 20, seed=7, file_size=300_000)
    ours, theirs = compared(tmp_path / "claude", ccusage(tmp_path / "claude"))
    assert ours == theirs
    assert ours[1] > 100_000


MODELS = (
    "claude-opus-4-6",
    "claude-opus-4-6[1m]",
    "claude-opus-4-8",
    "claude-opus-5",
    "claude-sonnet-4-5-20250929",
    "claude-sonnet-4-20250514",
    "claude-haiku-4-5-20251001",
    "claude-3-5-haiku-20241022",
    "claude-fable-5-1",
    "a-model-that-nobody-knows",
)


@pytest.mark.parametrize("seed", range(6))
def test_resumed_sessions_side_chains_and_growing_answers_come_to_the_same(
    ccusage: Ccusage, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    config = tmp_path / "claude"
    texts: dict[str, list[str]] = {f"s{number}": [] for number in range(4)}
    for number in range(60):
        own = chance.choice(list(texts))
        model = chance.choice(MODELS)
        context = {
            "read": chance.randrange(80_000),
            "write_5m": chance.randrange(9_000),
            "write_1h": chance.randrange(9_000),
        }
        moment = f"2026-11-{chance.randrange(1, 20):02}T{chance.randrange(24):02}:{chance.randrange(60):02}:00.000Z"
        # One response is told in several lines, and what it came to stands in any of them.
        outputs = [chance.randrange(1, 2_000) for _ in range(chance.choice((1, 2, 3)))]
        fast = {"speed": "fast"} if model in ("claude-opus-4-6", "claude-opus-4-8") and chance.random() < 0.3 else {}
        told = [
            line(f"msg_{number}", request=f"req_{number}", session=own, at=moment, model=model, output=output,
                 sidechain=number % 7 == 0, usage=fast, **context)
            for output in outputs
        ]  # fmt: skip
        texts[own] += told
        if chance.random() < 0.3:
            # A session that is resumed begins with what the first one said.
            other = chance.choice(list(texts))
            texts[other] += [text.replace(f'"sessionId":"{own}"', f'"sessionId":"{other}"') for text in told]
        if chance.random() < 0.2:
            # A side chain repeats what its parent said, under a request of its own.
            texts[own].append(
                told[-1].replace(f"req_{number}", "req_again").replace('"isSidechain":false', '"isSidechain":true')
            )
    for name, lines in texts.items():
        write(config, f"-home-ada-{name}/{name}.jsonl", "".join(lines))
    ours, theirs = compared(config, ccusage(config))
    assert ours == theirs


def test_blocks_are_those_of_ccusage(ccusage: Ccusage, tmp_path: Path) -> None:
    config = tmp_path / "claude"
    invented.write(str(config), 2 << 20, seed=3, file_size=60_000)
    write(config, "p/late.jsonl", line("msg_late", session="late", at="2026-10-30T04:59:59.999Z"))
    document = ccusage(config, command="blocks")
    theirs = [
        (block["startTime"][:16], block["endTime"][:16], block["entries"], block["totalTokens"])
        for block in document["blocks"]
        if not block["isGap"]
    ]
    assert [(begins, ends, number, tokens) for begins, ends, number, tokens in estimated(config)] == theirs
    assert len(theirs) > 10


def estimated(config: Path) -> list[tuple[str, str, int, int]]:
    found = []
    for span, amounts in windows.estimate_windows(amounts_of(config, by_quarter=True)):
        begins, ends = (
            datetime.fromtimestamp(at / 1000, UTC).isoformat()[:16] for at in (span.starts_at, span.ends_at)
        )
        responses = sum(amount.responses for amount in amounts)
        found.append((begins, ends, responses, sum(sum(amount.counts[:5]) for amount in amounts)))
    return found


def test_days_and_models_are_those_of_ccusage(ccusage: Ccusage, tmp_path: Path) -> None:
    config = tmp_path / "claude"
    write(
        config,
        "p/a.jsonl",
        line("msg_1", at="2026-11-20T23:59:59.999Z") + line("msg_2", at="2026-11-21T00:00:00Z", output=7),
    )
    days = ccusage(config)["daily"]
    assert [(day["date"], day["outputTokens"]) for day in days] == [("2026-11-20", 100), ("2026-11-21", 7)]


# Where the two differ: the row of the docs, the files, and the totals (input, output, writes, reads, dollars) of each.
LONG = {"read": 250_000, "output": 1_000, "fresh": 0}


def tried(kind: str, model: str | None, output: int = 100) -> dict[str, object]:
    """Return one of a response's iterations."""
    return {"type": kind, "model": model, "input_tokens": 10, "output_tokens": output}


DIFFERENCES: dict[str, tuple[dict[str, str], tuple[float, ...], tuple[float, ...]]] = {
    "a side chain's repetition in another session": (
        {"s1": line(), "s2": line(session="s2", request="req_2", sidechain=True)},
        (10, 100, 0, 0, 0.00255),
        (20, 200, 0, 0, 0.0051),
    ),
    "a copy in another session, without a request id": (
        {"s1": line(request=None), "s2": line(session="s2", request=None)},
        (10, 100, 0, 0, 0.00255),
        (20, 200, 0, 0, 0.0051),
    ),
    "a request of more than 200k tokens": (
        {"s1": line(model="claude-sonnet-4-5", **LONG)},  # type: ignore[arg-type]
        (0, 1000, 0, 250_000, 0.1725),
        (0, 1000, 0, 250_000, 0.105),
    ),
    "web searches": (
        {"s1": line(usage={"server_tool_use": {"web_search_requests": 3}})},
        (10, 100, 0, 0, 0.03255),
        (10, 100, 0, 0, 0.00255),
    ),
    "inference in the US alone": (
        {"s1": line(usage={"inference_geo": "us"})},
        (10, 100, 0, 0, 0.002805),
        (10, 100, 0, 0, 0.00255),
    ),
    "fast mode of a model without a price for it": (
        {"s1": line(model="claude-sonnet-4-6", usage={"speed": "fast"})},
        (10, 100, 0, 0, 0.0),
        (10, 100, 0, 0, 0.00153),
    ),
    "an attempt that another model took over from": (
        {"s1": line(usage={"iterations": [tried("message", "claude-opus-4-8", 40), tried("fallback_message", MODEL)]})},
        (20, 140, 0, 0, 0.0036),
        (10, 100, 0, 0, 0.00255),
    ),
    "a compaction within a response": (
        {"s1": line(usage={"iterations": [tried("compaction", None, 50), tried("message", MODEL)]})},
        (20, 150, 0, 0, 0.00385),
        (10, 100, 0, 0, 0.00255),
    ),
    "cache writes whose parts do not add up to the total": (
        {
            "s1": line(
                usage={"cache_creation_input_tokens": 3722, "cache_creation": {"ephemeral_5m_input_tokens": 1226}}
            )
        },
        (10, 100, 3722, 0, 0.0258125),
        (10, 100, 1226, 0, 0.0102125),
    ),
    "a `costUSD` in the line": (
        {"s1": line(costUSD=9.0)},
        (10, 100, 0, 0, 0.00255),
        (10, 100, 0, 0, 9.0),
    ),
    "another provider's model": (
        {"s1": line(model="gpt-5")},
        (10, 100, 0, 0, 0.0),
        (10, 100, 0, 0, 0.0010125),
    ),
    "a model newer than its prices": (
        {"s1": line(model="claude-opus-5-5")},
        (10, 100, 0, 0, 0.00204),
        (10, 100, 0, 0, 0.0),
    ),
    "JSON with spaces": (
        {"s1": json.dumps(json.loads(line())) + "\n" + line("msg_2", request="req_2")},
        (20, 200, 0, 0, 0.0051),
        (10, 100, 0, 0, 0.00255),
    ),
    "a `version` that is no version": (
        {"s1": line(version="next") + line("msg_2", request="req_2")},
        (20, 200, 0, 0, 0.0051),
        (10, 100, 0, 0, 0.00255),
    ),
    "a `null` in place of an id": (
        {"s1": line().replace('"req_1"', "null") + line("msg_2", request="req_2")},
        (20, 200, 0, 0, 0.0051),
        (10, 100, 0, 0, 0.00255),
    ),
    "a line of more than 4 MiB": (
        {"s1": line(padding="x" * (5 << 20)) + line("msg_2", request="req_2")},
        (10, 100, 0, 0, 0.00255),
        (20, 200, 0, 0, 0.0051),
    ),
}


@pytest.mark.parametrize("what", DIFFERENCES)
def test_every_difference_is_explained(ccusage: Ccusage, tmp_path: Path, what: str) -> None:
    files, expected, other = DIFFERENCES[what]
    for session, text in files.items():
        write(tmp_path / "claude", f"-home-ada-p/{session}.jsonl", text)
    ours, theirs = compared(tmp_path / "claude", ccusage(tmp_path / "claude"))
    assert ours == pytest.approx(expected, abs=1e-6)
    assert theirs == pytest.approx(other, abs=1e-6)
    assert f"| {what} |" in DOCS


def test_no_difference_is_explained_that_there_is_none_of() -> None:
    section = DOCS[DOCS.index("## Against ccusage") :].split("\n## ")[0]
    rows = [row.split(" | ")[0].removeprefix("| ") for row in section.splitlines() if row.startswith("| ")]
    assert set(rows[1:]) == set(DIFFERENCES)


def test_what_it_is_told_in_the_line_can_be_left_out(ccusage: Ccusage, tmp_path: Path) -> None:
    write(tmp_path / "claude", "p/s1.jsonl", line(costUSD=9.0))
    ours, theirs = compared(tmp_path / "claude", ccusage(tmp_path / "claude", "--mode", "calculate"))
    assert ours == theirs


@pytest.mark.parametrize(
    "text",
    [
        line(None, request=None) + line(None, request=None),
        line("chatcmpl", request=None) + line("chatcmpl", request=None, at="2026-11-20T10:00:01Z"),
        line("msg_1", request="req_1") + line("msg_1", request="req_2"),
        line(usage={"cache_creation": None, "cache_creation_input_tokens": 700}),
        line(at=None) + line("msg_2", request="req_2"),
        line() + line("msg_2", request="req_2")[:-40],
        line() + line("msg_2", request="req_2").rstrip("\n"),
        line(usage={"iterations": [{"type": "advisor_message", "model": "claude-opus-4-8", "output_tokens": 9,
                                    "input_tokens": 5}]}),
        json.dumps({"type": "progress", "sessionId": "s1", "timestamp": "2026-11-20T10:00:00Z",
                    "data": {"message": json.loads(line(sidechain=True))}}, separators=(",", ":")) + "\n",
        line() + '{"type":"user","message":"text","toolUseResult":{"usage":{"input_tokens":5}}}\n',
    ],
    ids=["no ids", "a gateway's id", "two requests", "no lifetimes", "no clock", "half a line", "no last newline",
         "an advisor", "an agent's progress", "a tool's result"],
)  # fmt: skip
def test_odd_lines_come_to_the_same(ccusage: Ccusage, tmp_path: Path, text: str) -> None:
    write(tmp_path / "claude", "-home-ada-p/s1.jsonl", text)
    ours, theirs = compared(tmp_path / "claude", ccusage(tmp_path / "claude"))
    assert ours == theirs
