"""What of a transcript's line counts: numbers, ids, model, folder, branch and time; never a word of the talk.

One response of the API is several lines with the same message id, each with the usage known so far. A response of an
advisor model stands inside its caller's usage, and is a response of its own.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b

import msgspec
from msgspec import Struct, field

from ullage.model import parse_time
from ullage.tokens.counts import ABOVE_100K, ABOVE_200K, FAST, US_ONLY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    Row = tuple[int, int, int, int, str, str, str, int, int, int, int, int, int, int, int]

# Every line that counts holds it; a quoted one, inside a text, has backslashes between.
NEEDLE = b'"usage":'

# A row is: hashes of the message and of the request, whether it is a side chain's, milliseconds since the epoch,
# session, branch, model, variant, then the counts in their order.
_LARGEST_COUNT = 10**12
_LONGEST_NAME = 300
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class _Created(Struct, gc=False):
    ephemeral_5m_input_tokens: int | None = None
    ephemeral_1h_input_tokens: int | None = None


class _Tools(Struct, gc=False):
    web_search_requests: int | None = None


class _Details(Struct, gc=False):
    thinking_tokens: int | None = None


class _Counts(Struct, gc=False):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation: _Created | None = None
    server_tool_use: _Tools | None = None
    output_tokens_details: _Details | None = None
    speed: str | None = None
    inference_geo: str | None = None


class _Iteration(_Counts, gc=False):
    type: str | None = None
    model: str | None = None


class _Usage(_Counts, gc=False):
    iterations: list[_Iteration] | None = None


class _Message(Struct, gc=False):
    usage: _Usage | None = None
    id: str | None = None
    model: str | None = None


# What else may have one of these names, in a line of another kind.
_Other = str | int | float | bool | list[object] | None


class _Inner(Struct, gc=False):
    """What an agent's progress repeats of its own transcript."""

    message: _Message | _Other = None
    timestamp: object = None
    request: str | None = field(name="requestId", default=None)
    is_sidechain: bool | None = field(name="isSidechain", default=None)


class _Progress(Struct, gc=False):
    message: _Inner | _Other = None


class _Line(Struct, gc=False):
    message: _Message | _Other = None
    timestamp: object = None
    session: str | None = field(name="sessionId", default=None)
    request: str | None = field(name="requestId", default=None)
    is_sidechain: bool | None = field(name="isSidechain", default=None)
    folder: str | None = field(name="cwd", default=None)
    branch: str | None = field(name="gitBranch", default=None)
    data: _Progress | _Other = None


_decode = msgspec.json.Decoder(_Line).decode
Unreadable = (msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError)


class Clockless(Exception):  # noqa: N818  # a line without a time is no fault of the program
    """The line tells no time."""


def read(line: bytes | bytearray, session: str, place: tuple[str, int]) -> tuple[list[Row], str | None, bool] | None:
    """Return what a line counts for, the folder of its session, and whether bytes had to be replaced; None for nothing.

    `session` is whose line it is where it names none, `place` what tells it from all others where it has no id.
    Raises one of `Unreadable` for what is no such line, and Clockless.
    """
    is_mended = False
    try:
        decoded = _decode(line)
    except UnicodeDecodeError:
        # A name may hold bytes that are no UTF-8, and the numbers be sound.
        decoded, is_mended = _decode(bytes(line).decode("utf-8", "replace")), True
    entry: _Line | _Inner = decoded
    message = decoded.message
    if not isinstance(message, _Message) or message.usage is None:
        if not isinstance(decoded.data, _Progress) or not isinstance(decoded.data.message, _Inner):
            return None
        entry = decoded.data.message
        message = entry.message
        if not isinstance(message, _Message) or message.usage is None:
            return None
    rows = []
    for number, (model, usage) in enumerate(_parts(message.model, message.usage)):
        counts = _counts(usage)
        if any(counts):
            at = _milliseconds(entry.timestamp)
            own = (decoded.session or session)[:_LONGEST_NAME]
            name = f"{message.id}:advisor:{number}" if message.id and number else message.id
            if name and (entry.request or name.startswith("msg_")):
                whole, asked = _named(name, entry.request)
            else:
                whole = asked = _nameless(name, own, at, place, number)
            rows.append(
                (
                    whole,
                    asked,
                    1 if entry.is_sidechain else 0,
                    at,
                    own,
                    (decoded.branch or "")[:_LONGEST_NAME],
                    (model or "")[:_LONGEST_NAME],
                    _variant(usage, counts),
                    *counts,
                )
            )
    return (rows, decoded.folder, is_mended) if rows else None


def _parts(model: str | None, usage: _Usage) -> Sequence[tuple[str | None, _Counts]]:
    """Return a response's own usage, then that of each advisor it asked, with their models."""
    if not usage.iterations:
        return ((model, usage),)
    advisors = [(one.model, one) for one in usage.iterations if one.type == "advisor_message" and one.model]
    return [(model, usage), *advisors]


def _milliseconds(timestamp: object) -> int:
    """Return a line's time since the epoch; raise Clockless where it tells none."""
    moment = _in_utc(timestamp) or parse_time(timestamp)
    if moment is None:
        raise Clockless
    return (moment - _EPOCH) // _MILLISECOND


def _in_utc(timestamp: object) -> datetime | None:
    """Read a time as Claude Code writes it; None for what `parse_time` takes longer about."""
    try:
        moment = datetime.fromisoformat(timestamp)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo is UTC and 2000 < moment.year < 2200 else None


def _nameless(message: str | None, session: str, at: int, place: tuple[str, int], number: int) -> int:
    """Return the hash of a response that its ids do not tell from others.

    Without a request a message id of the provider's own form is unique by itself; a gateway's may be the same for every
    response, which the session and the time then tell apart.
    """
    if message:
        return _hash("gateway", message, session, str(at))
    path, offset = place
    return _hash("place", f"{path}:{offset}:{number}")


# The lines of one response follow each other.
@lru_cache(maxsize=64)
def _named(message: str, request: str | None) -> tuple[int, int]:
    whole = _hash("message", message)
    return whole, _hash("request", message, request) if request else whole


def _hash(*parts: str) -> int:
    text = "\0".join(parts).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big", signed=True)


def _counts(usage: _Counts) -> tuple[int, int, int, int, int, int, int]:
    created, details, tools = usage.cache_creation, usage.output_tokens_details, usage.server_tool_use
    if created is None:
        five_minutes, hour = usage.cache_creation_input_tokens or 0, 0
    else:
        five_minutes, hour = created.ephemeral_5m_input_tokens or 0, created.ephemeral_1h_input_tokens or 0
    fresh, output, read = usage.input_tokens or 0, usage.output_tokens or 0, usage.cache_read_input_tokens or 0
    thinking = (details.thinking_tokens or 0) if details else 0
    searches = (tools.web_search_requests or 0) if tools else 0
    counts = (fresh, output, five_minutes, hour, read, min(thinking, output), searches)
    if min(counts) < 0 or max(counts) > _LARGEST_COUNT:
        raise ValueError("not a count")
    return counts


def _variant(usage: _Counts, counts: tuple[int, ...]) -> int:
    context = counts[0] + counts[2] + counts[3] + counts[4]
    variant = 0
    if context > 100_000:
        variant = ABOVE_100K if context <= 200_000 else ABOVE_100K | ABOVE_200K
    if usage.speed == "fast":
        variant |= FAST
    return variant | US_ONLY if usage.inference_geo == "us" else variant
