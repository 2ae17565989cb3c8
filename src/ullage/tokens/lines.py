"""Decode what counts of a transcript's line: numbers, ids, model, folder, branch and time; never the conversation.

One response of the API is several lines with the same message id, each with the usage known so far. A response of an
advisor model stands inside its caller's usage, and is a response of its own.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import Meta, Struct, field

from ullage.base.hashes import blake2b
from ullage.base.values import parse_time
from ullage.config.rates import ABOVE_100K, ABOVE_200K, FAST, US_ONLY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    # Identifies a response: the message id, or a hash where an id is not unique; the request id; 1 for a side chain.
    Key = tuple[str | int, str | None, int]
    # What one line states of a response: its rank (total tokens, output), time, session, branch, model, usage, counts.
    Said = tuple[tuple[int, int], datetime, str, str, str, "_Counts", tuple[int, ...]]
    # What a response belongs to: session, branch, model, variant.
    Context = tuple[str, str, str, int]
    # Hashes of the message and of the request, 1 for a side chain, milliseconds since the epoch, then the counts in
    # the order of `COUNTS`.
    Row = tuple[int, ...]

# The name of every count of tokens in and out ends so; inside a quoted text a backslash would stand before the quote.
# A longer needle is found faster.
NEEDLE = b'put_tokens":'

_LONGEST_NAME = 300
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

_HASH = struct.Struct(">q")

_Count = Annotated[int, Meta(ge=0, le=10**12)]
_Time = TypeVar("_Time")


class _Created(Struct, gc=False):
    ephemeral_5m_input_tokens: _Count | None = None
    ephemeral_1h_input_tokens: _Count | None = None


class _Tools(Struct, gc=False):
    web_search_requests: _Count | None = None


class _Details(Struct, gc=False):
    thinking_tokens: _Count | None = None


class _Counts(Struct, gc=False):
    input_tokens: _Count | None = None
    output_tokens: _Count | None = None
    cache_creation_input_tokens: _Count | None = None
    cache_read_input_tokens: _Count | None = None
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


# Lines of other kinds use the same field names for values of these types.
_Other = str | int | float | bool | list[object] | None


class _Inner(Struct, Generic[_Time], gc=False):
    """A line of an agent's own transcript, repeated inside a progress line of its caller."""

    message: _Message | _Other = None
    timestamp: _Time | None = None
    request: str | None = field(name="requestId", default=None)
    is_sidechain: bool | None = field(name="isSidechain", default=None)


class _Progress(Struct, Generic[_Time], gc=False):
    message: _Inner[_Time] | _Other = None


class _Line(Struct, Generic[_Time], gc=False):
    message: _Message | _Other = None
    timestamp: _Time | None = None
    session: str | None = field(name="sessionId", default=None)
    request: str | None = field(name="requestId", default=None)
    is_sidechain: bool | None = field(name="isSidechain", default=None)
    folder: str | None = field(name="cwd", default=None)
    branch: str | None = field(name="gitBranch", default=None)
    data: _Progress[_Time] | _Other = None


# msgspec decodes the times that Claude Code writes at little cost; `_Line[object]` accepts any other form.
_decode = msgspec.json.Decoder(_Line[datetime]).decode
_decode_any = msgspec.json.Decoder(_Line[object]).decode
Unreadable = (msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError)


class Clockless(Exception):  # noqa: N818  # a line without a time is no fault of the program
    """The line has usage but no valid timestamp."""


def read_line(
    line: bytes | bytearray, session: str, place: tuple[str, int]
) -> tuple[list[tuple[Key, Said]], str | None, bool] | None:
    """Return a line's responses, its working directory, and whether invalid bytes were replaced; None without usage.

    `session` is the session of a line that names none; `place`, path and offset, identifies a line without an id.
    Raises one of `Unreadable` for a line that cannot be decoded, and Clockless.
    """
    is_mended = False
    try:
        decoded: _Line[Any] = _decode(line)
    except (msgspec.ValidationError, UnicodeDecodeError):
        decoded, is_mended = _decoded_otherwise(line)
    entry: _Line[Any] | _Inner[Any] = decoded
    message = decoded.message
    if not isinstance(message, _Message) or message.usage is None:
        if not isinstance(decoded.data, _Progress) or not isinstance(decoded.data.message, _Inner):
            return None
        entry = decoded.data.message
        message = entry.message
        if not isinstance(message, _Message) or message.usage is None:
            return None
    own, sidechain = decoded.session or session, 1 if entry.is_sidechain else 0
    found: list[tuple[Key, Said]] = []
    for part, model, usage in _parts(message.model, message.usage):
        counts = _counts(usage)
        if any(counts):
            moment = _moment(entry.timestamp)
            name = f"{message.id}:{part}" if message.id and part else message.id
            key: Key
            if name and (entry.request or name.startswith("msg_")):
                key = (name, entry.request or None, sidechain)
            else:
                key = (_nameless(name, own, moment, place, part), None, sidechain)
            rank = (counts[0] + counts[1] + counts[2] + counts[3] + counts[4], counts[1])
            found.append((key, (rank, moment, own, decoded.branch or "", model or "", usage, counts)))
    return (found, decoded.folder, is_mended) if found else None


def counts_more(said: Said, known: Said) -> bool:
    """Say whether `said` replaces `known` for one response: a larger total, then a larger output, then an earlier time.

    Each line repeats the usage known so far, so the largest is the final one.
    """
    return said[0] > known[0] or (said[0] == known[0] and said[1] < known[1])


def identify_response(key: Key, said: Said) -> tuple[Context, Row]:
    """Return the context of a response, and the row that the index keeps of it."""
    name, request, sidechain = key
    rank, moment, session, branch, model, usage, counts = said
    whole = name if isinstance(name, int) else _hash(f"message\0{name}")
    asked = _hash(f"request\0{name}\0{request}") if request else whole
    context = (
        session[:_LONGEST_NAME],
        branch[:_LONGEST_NAME],
        model[:_LONGEST_NAME],
        _variant(usage, rank[0] - rank[1]),
    )
    return context, (whole, asked, sidechain, _milliseconds(moment), *counts)


def _decoded_otherwise(line: bytes | bytearray) -> tuple[_Line[Any], bool]:
    """Decode a line with another form of time, or with invalid UTF-8; return it, and whether bytes were replaced."""
    try:
        return _decode_any(line), False
    except UnicodeDecodeError:
        # Only a name may hold the invalid bytes; the numbers are sound then.
        return _decode_any(bytes(line).decode("utf-8", "replace")), True


def _parts(model: str | None, usage: _Usage) -> Iterable[tuple[str, str | None, _Counts]]:
    """Return a response's own usage, then the billed usage that it leaves out, each with a name and its model.

    Left out are advisors, compactions, and after a fallback each attempt by another model that gave output: the
    outermost counts cover only the model that served the response in the end.
    """
    if not usage.iterations:
        return (("", model, usage),)
    parts: list[tuple[str, str | None, _Counts]] = [("", model, usage)]
    fell_back = any(one.type == "fallback_message" for one in usage.iterations)
    numbers: dict[str, int] = {}
    for one in usage.iterations:
        kind = _KINDS.get(one.type or "", "")
        if kind == "attempt" and not (fell_back and one.output_tokens and one.model not in (None, model)):
            continue
        if kind and (one.model or kind == "compaction"):
            numbers[kind] = numbers.get(kind, 0) + 1
            parts.append((f"{kind}:{numbers[kind]}", one.model or model, one))
    return parts


_KINDS = {
    "advisor_message": "advisor",
    "compaction": "compaction",
    "message": "attempt",
    "fallback_message": "attempt",
}


def _moment(timestamp: object) -> datetime:
    """Return a line's time with its zone; raise Clockless where it has none, or one outside of 2001 to 2199."""
    moment = timestamp if isinstance(timestamp, datetime) else parse_time(timestamp)
    if moment is None or not 2000 < moment.year < 2200:
        raise Clockless
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MILLISECOND


def _nameless(message: str | None, session: str, moment: datetime, place: tuple[str, int], part: str) -> int:
    """Return a hash that identifies a response whose ids do not.

    A gateway may give every response the same message id, so its session and time are hashed with it. A response
    without any id is identified by its place: path, offset and part.
    """
    if message:
        return _hash(f"gateway\0{message}\0{session[:_LONGEST_NAME]}\0{_milliseconds(moment)}")
    path, offset = place
    return _hash(f"place\0{path}:{offset}:{part}")


def _hash(text: str) -> int:
    number: int
    (number,) = _HASH.unpack(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())
    return number


def _counts(usage: _Counts) -> tuple[int, int, int, int, int, int, int]:
    written, five_minutes, hour = usage.cache_creation_input_tokens or 0, 0, 0
    if (created := usage.cache_creation) is not None:
        five_minutes, hour = created.ephemeral_5m_input_tokens or 0, created.ephemeral_1h_input_tokens or 0
    if five_minutes + hour < written:
        # The parts may not add up to what was written: five minutes are the default of a cache write.
        five_minutes = written - hour
    fresh, output, read = usage.input_tokens or 0, usage.output_tokens or 0, usage.cache_read_input_tokens or 0
    details, tools = usage.output_tokens_details, usage.server_tool_use
    thinking = min(details.thinking_tokens or 0, output) if details else 0
    searches = (tools.web_search_requests or 0) if tools else 0
    return fresh, output, five_minutes, hour, read, thinking, searches


def _variant(usage: _Counts, size: int) -> int:
    variant = 0
    if size > 100_000:
        variant = ABOVE_100K if size <= 200_000 else ABOVE_100K | ABOVE_200K
    if usage.speed == "fast":
        variant |= FAST
    return variant | US_ONLY if usage.inference_geo == "us" else variant
