"""Invented transcripts in the shape of Claude Code's: much text, some usage, every trap that counting twice lies in."""

from __future__ import annotations

import json
import os
import random
from datetime import UTC, datetime, timedelta

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    Line = dict[str, Any]

MODELS = (
    "claude-sonnet-4-5-20250929",
    "claude-opus-4-6",
    "claude-opus-4-8",
    "claude-haiku-4-5-20251001",
    "claude-sonnet-4-20250514",
)
_BRANCHES = ("main", "feature/index", "fix-empty", "")
_PROJECTS = 12
_BEGINS = datetime(2026, 10, 1, 8, 0, tzinfo=UTC)
_TEXT = "the file holds a list of names that nobody reads twice and so the test fails on every other day"
_WORDS = _TEXT.split()


def write(directory: str, size: int, seed: int = 1, *, file_size: int = 2 << 20) -> list[str]:
    """Write transcripts of about so many bytes under `directory`/projects; return their paths."""
    chance = random.Random(seed)
    text = " ".join(chance.choice(_WORDS) for _ in range(40_000))
    paths, written, number = [], 0, 0
    while written < size:
        project = f"-home-ada-project-{number % _PROJECTS}"
        session = f"{chance.getrandbits(64):016x}-{number:04x}"
        path = os.path.join(directory, "projects", project, f"{session}.jsonl")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        begins = _BEGINS + timedelta(hours=number * 7 % 1200, minutes=chance.randrange(60))
        wanted = min(size - written, int(file_size * chance.uniform(0.3, 1.7)))
        with open(path, "w", encoding="utf-8") as file:
            for line in session_lines(chance, text, session, number % _PROJECTS, begins):
                written += file.write(json.dumps(line, separators=(",", ":")) + "\n")
                if file.tell() >= wanted:
                    break
        paths.append(path)
        number += 1
    return paths


def session_lines(chance: random.Random, text: str, session: str, project: int, at: datetime) -> Iterator[Line]:
    """Yield the lines of one session without end: questions, answers in several lines each, results of tools."""
    cached = 0
    model = chance.choice(MODELS)
    branch = chance.choice(_BRANCHES)
    common = {
        "userType": "external",
        "cwd": f"/home/ada/project-{project}",
        "sessionId": session,
        "version": "2.1.228",
        "gitBranch": branch,
        "isSidechain": False,
    }
    while True:
        at += timedelta(seconds=chance.expovariate(1 / 40))
        yield {
            **common,
            "type": "user",
            **_stamp(chance, at),
            "message": {"role": "user", "content": _some(chance, text, 300)},
        }
        for answer in _answer(chance, text, model, cached):
            at += timedelta(seconds=chance.expovariate(1 / 4))
            yield {**common, "type": "assistant", **_stamp(chance, at), **answer}
        usage = answer["message"]["usage"]
        cached = (usage["cache_read_input_tokens"] + usage["cache_creation_input_tokens"]) % 180_000
        at += timedelta(seconds=chance.expovariate(1 / 3))
        result = _some(chance, text, chance.choice((800, 2_000, 12_000)))
        yield {
            **common,
            "type": "user",
            **_stamp(chance, at),
            "message": {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "toolu_x", "content": result}],
            },
            "toolUseResult": {"stdout": result, "stderr": "", "interrupted": False},
        }


def _answer(chance: random.Random, text: str, model: str, cached: int) -> Iterator[Line]:
    message, request = f"msg_{chance.getrandbits(96):024x}", f"req_{chance.getrandbits(96):024x}"
    created, output = chance.randrange(200, 6_000), chance.randrange(30, 4_000)
    hour = created if chance.random() < 0.5 else 0
    blocks = chance.choice((1, 2, 2, 3))
    for block in range(blocks):
        usage = {
            "input_tokens": chance.randrange(1, 12) if block == 0 else 3,
            "cache_creation_input_tokens": created,
            "cache_read_input_tokens": cached,
            "cache_creation": {"ephemeral_5m_input_tokens": created - hour, "ephemeral_1h_input_tokens": hour},
            "output_tokens": output if block == blocks - 1 else chance.randrange(1, 8),
            "service_tier": "standard",
        }
        content: Line = {"type": "text", "text": _some(chance, text, 500)}
        if block:
            content = {
                "type": "tool_use",
                "id": "toolu_x",
                "name": "Bash",
                "input": {"command": _some(chance, text, 300)},
            }
        yield {
            "requestId": request,
            "message": {
                "model": model,
                "id": message,
                "type": "message",
                "role": "assistant",
                "content": [content],
                "stop_reason": None if block < blocks - 1 else "tool_use",
                "stop_sequence": None,
                "usage": usage,
            },
        }


def _stamp(chance: random.Random, at: datetime) -> Line:
    return {
        "uuid": f"{chance.getrandbits(128):032x}",
        "parentUuid": f"{chance.getrandbits(128):032x}",
        "timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }


def _some(chance: random.Random, text: str, mean: int) -> str:
    length = int(chance.lognormvariate(0, 0.8) * mean)
    begins = chance.randrange(max(1, len(text) - length))
    return text[begins : begins + length]


def one_more(number: int) -> str:
    """Return one line more for a transcript, about a response of its own."""
    at = datetime.fromtimestamp(number / 1e9, UTC)
    answer = next(_answer(random.Random(number), "text " * 1000, MODELS[0], 1_000))
    line = {"type": "assistant", "sessionId": "one-more", **_stamp(random.Random(number), at), **answer}
    return json.dumps(line, separators=(",", ":")) + "\n"
