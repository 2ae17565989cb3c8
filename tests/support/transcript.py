"""Lines and files of transcripts for tests, and the shortest way to what they come to."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ullage.tokens import index, prices, report, scan, transcripts

if TYPE_CHECKING:
    from pathlib import Path

    from ullage.tokens.amounts import Amount
    from ullage.tokens.index import Index
    from ullage.tokens.report import Total

NOW = datetime(2026, 11, 22, 10, 38, 49, tzinfo=UTC)
MODEL = "claude-opus-4-6"


def line(
    message: str | None = "msg_1",
    *,
    request: str | None = "req_1",
    session: str = "s1",
    at: str | None = "2026-11-20T10:00:00.000Z",
    model: str | None = MODEL,
    sidechain: bool = False,
    fresh: int = 10,
    output: int = 100,
    write_5m: int = 0,
    write_1h: int = 0,
    read: int = 0,
    usage: dict[str, Any] | None = None,
    **more: Any,
) -> str:
    """Return one line about a response, as Claude Code writes it, with its end."""
    counted = {
        "input_tokens": fresh,
        "cache_creation_input_tokens": write_5m + write_1h,
        "cache_read_input_tokens": read,
        "output_tokens": output,
        "cache_creation": {"ephemeral_5m_input_tokens": write_5m, "ephemeral_1h_input_tokens": write_1h},
        "service_tier": "standard",
        **(usage or {}),
    }
    entry: dict[str, Any] = {
        "type": "assistant",
        "timestamp": at,
        "sessionId": session,
        "requestId": request,
        "isSidechain": sidechain,
        "cwd": "/home/ada/p",
        "gitBranch": "main",
        "version": "2.1.330",
        "message": {"id": message, "role": "assistant", "model": model, "content": [], "usage": counted},
        **more,
    }
    entry = {name: value for name, value in entry.items() if value is not None}
    entry["message"] = {name: value for name, value in entry["message"].items() if value is not None}
    return json.dumps(entry, separators=(",", ":")) + "\n"


def write(config: Path, name: str, text: str | bytes) -> Path:
    """Write a transcript below a configuration directory's projects."""
    path = config / "projects" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def amounts_of(
    config: Path,
    path: str = ":memory:",
    *,
    since: int | None = None,
    until: int | None = None,
    by_quarter: bool = False,
    skipped: dict[str, int] | None = None,
    workers: int | None = None,
) -> list[Amount]:
    """Return what the transcripts below a configuration directory hold, and tell what was skipped."""
    found = transcripts.list_transcripts([transcripts.choose_root(str(config))])
    kept: list[Amount] = []

    def work(opened: Index) -> None:
        opened.update(found, lambda tasks, sizes: scan.read_all(tasks, sizes, lambda done, whole: None, workers))
        kept[:] = opened.sum_amounts(since, until, keep=("session", "project", "branch"), by_quarter=by_quarter)
        for kind, number in (*found.skipped.items(), *opened.count_skipped().items()):
            if skipped is not None:
                skipped[kind] = skipped.get(kind, 0) + number

    assert index.work_with_index(path, work, NOW) is None
    return kept


def count(config: Path, path: str = ":memory:", *, workers: int | None = None) -> tuple[Total, dict[str, int]]:
    """Return what the transcripts below a configuration directory come to, and what was skipped."""
    skipped: dict[str, int] = {}
    amounts = amounts_of(config, path, skipped=skipped, workers=workers)
    return report.sum_groups(report.group_amounts(amounts, lambda amount: (), prices.load_bundled())), skipped


def sums(config: Path, path: str = ":memory:") -> list[int]:
    """Return the counts alone."""
    return list(count(config, path)[0].counts)
