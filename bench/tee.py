"""`ullage tee` in the place of `cat` in a pipe, with what `claude -p --output-format stream-json` writes."""

from __future__ import annotations

import itertools
import json
import os
import time
from functools import partial
from pathlib import Path

from bench import world
from bench.figures import compared, figure
from bench.processes import interleaved, peak, seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.figures import Figure

TITLE = "A pipe"
_ROUNDS = 30
_MEGABYTES = 400
_DOCS = Path(__file__).parents[1] / "docs"
_SCRIPTS = os.path.dirname(world.PROMPT[0])
# At least 0.8 of the throughput.
_AIM = 1.25


def measure() -> list[Figure]:
    with world.home() as environ:
        stream = _stream(environ)
        programs = {"cat": "cat", "ullage tee": f"{_SCRIPTS}/ullage tee"}
        command = 'cat "$0" | {} | cat >/dev/null'
        piped = {what: ["/bin/sh", "-c", command.format(program), stream] for what, program in programs.items()}
        times = interleaved({what: partial(seconds, line, environ) for what, line in piped.items()}, _ROUNDS)
        alone = ["/bin/sh", "-c", 'exec "$1" tee <"$0" >/dev/null', stream, f"{_SCRIPTS}/ullage"]
        note = f"{_MEGABYTES} MB between two cats"
        rows = [
            figure("cat", times["cat"], note=note),
            figure("ullage tee", times["ullage tee"], peak=peak(alone, environ), note=note),
        ]
        return compared(rows, {"ullage tee": "cat"}, {"ullage tee": _AIM})


def _stream(environ: Mapping[str, str]) -> str:
    """Write a file of messages in pieces of all lengths, with an event in front; return its path."""
    text = "".join(path.read_text("utf-8") for path in sorted(_DOCS.glob("*.md")))
    delta = {"type": "stream_event", "session_id": "5e000000", "event": {"type": "content_block_delta", "index": 0}}
    lengths, start, lines = itertools.cycle((20, 50, 75, 750)), 0, []
    while start < len(text):
        end = start + next(lengths)
        lines.append({**delta, "delta": {"type": "text_delta", "text": text[start:end]}})
        start = end
    window = {"utilization": 0.37, "resetsAt": int(time.time()) + 7200}
    event = {
        "type": "rate_limit_event",
        "rate_limit_info": {"status": "allowed", "unifiedWindows": {"five_hour": window}},
        "uuid": "5e000001",
        "session_id": "5e000000",
    }
    some = "".join(f"{json.dumps(line)}\n" for line in lines).encode()
    path = os.path.join(environ["HOME"], "stream.jsonl")
    with open(path, "wb") as file:
        file.write(f"{json.dumps(event)}\n".encode())
        file.writelines(itertools.repeat(some, _MEGABYTES * 1_000_000 // len(some)))
    return path
