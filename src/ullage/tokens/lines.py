"""What of a transcript's line counts: numbers, ids, model, folder, branch and time; never a word of the talk.

One response of the API is several lines with the same message id, each with the usage known so far. A response of an
advisor model stands inside its caller's usage, and is a response of its own.
"""

from __future__ import annotations

from hashlib import blake2b

import msgspec
from msgspec import Struct, field

from ullage.model import parse_time
from ullage.tokens.counts import ABOVE_100K, ABOVE_200K, FAST, US_ONLY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Row = tuple[int, int, int, int, str, str, str, int, int, int, int, int, int, int, int]

# Every line that counts holds it; a quoted one, inside a text, has backslashes between.
NEEDLE = b'"usage":'

# A row is: hashes of the message and of the request, whether it is a side chain's, milliseconds since the epoch,
# session, branch, model, variant, then the counts in their order.
_SIZES = ((200_000, ABOVE_100K | ABOVE_200K), (100_000, ABOVE_100K))

_LARGEST_COUNT = 10**12
_LONGEST_NAME = 300


class _Created(Struct):
    ephemeral_5m_input_tokens: int | None = None
    ephemeral_1h_input_tokens: int | None = None


class _Tools(Struct):
    web_search_requests: int | None = None


class _Details(Struct):
    thinking_tokens: int | None = None


class _Counts(Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation: _Created | None = None
    server_tool_use: _Tools | None = None
    output_tokens_details: _Details | None = None
    speed: str | None = None
    inference_geo: str | None = None


class _Iteration(_Counts):
    type: str | None = None
    model: str | None = None


class _Usage(_Counts):
    iterations: list[_Iteration] | None = None


class _Message(Struct):
    usage: _Usage | None = None
    id: str | None = None
    model: str | None = None


# What else may have one of these names, in a line of another kind.
_Other = str | int | float | bool | list[object] | None


class _Inner(Struct):
    """What an agent's progress repeats of its own transcript."""

    message: _Message | _Other = None
    timestamp: object = None
    request: str | None = field(name="requestId", default=None)
    is_sidechain: bool | None = field(name="isSidechain", default=None)


class _Progress(Struct):
    message: _Inner | _Other = None


class _Line(Struct):
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


class Usage:
    """What a line says: the rows that it counts for, the folder of its session, whether bytes had to be replaced."""

    __slots__ = ("folder", "mended", "rows")

    def __init__(self, rows: list[Row], folder: str | None, *, mended: bool) -> None:
        self.rows, self.folder, self.mended = rows, folder, mended


def read(line: bytes | bytearray, session: str, place: str) -> Usage | None:
    """Return what a line counts for, None for a line that counts for nothing.

    `session` is whose line it is where it names none, `place` what tells it from all others where it has no id.
    Raises one of `Unreadable` for what is no such line, and Clockless.
    """
    mended = False
    try:
        decoded = _decode(line)
    except UnicodeDecodeError:
        # A name may hold bytes that are no UTF-8, and the numbers be sound.
        decoded, mended = _decode(bytes(line).decode("utf-8", "replace")), True
    entry: _Line | _Inner = decoded
    if not _has_usage(decoded) and isinstance(decoded.data, _Progress) and isinstance(decoded.data.message, _Inner):
        entry = decoded.data.message
    if not _has_usage(entry):
        return None
    assert isinstance(entry.message, _Message)
    rows = list(_rows(entry.message, entry, decoded, session, place))
    return Usage(rows, decoded.folder, mended=mended) if rows else None


def _has_usage(entry: _Line | _Inner) -> bool:
    return isinstance(entry.message, _Message) and entry.message.usage is not None


def _rows(message: _Message, entry: _Line | _Inner, line: _Line, session: str, place: str) -> Iterator[Row]:
    usage = message.usage
    assert usage is not None
    at = None
    session = (line.session or session)[:_LONGEST_NAME]
    advisors = [one for one in usage.iterations or () if one.type == "advisor_message" and one.model]
    for number, counted in enumerate((usage, *advisors)):
        counts = _counts(counted)
        if not any(counts):
            continue
        if at is None:
            moment = parse_time(entry.timestamp)
            if moment is None:
                raise Clockless
            at = round(moment.timestamp() * 1000)
        model = (counted.model if isinstance(counted, _Iteration) else message.model) or ""
        name = f"{message.id}:advisor:{number}" if message.id and number else message.id
        yield (
            *_identity(name, entry.request, session, at, f"{place}:{number}"),
            int(entry.is_sidechain is True),
            at,
            session,
            (line.branch or "")[:_LONGEST_NAME],
            model[:_LONGEST_NAME],
            _variant(counted, counts),
            *counts,
        )


def _identity(message: str | None, request: str | None, session: str, at: int, place: str) -> tuple[int, int]:
    """Return the hashes that tell a response from others: of its message, and of its message and request.

    Without a request a message id of the provider's own form is unique by itself; a gateway's may be the same for every
    response, which the session and the time then tell apart.
    """
    if not message:
        whole = _hash("place", place)
        return whole, whole
    if request:
        return _hash("message", message), _hash("request", message, request)
    if message.startswith("msg_"):
        whole = _hash("message", message)
        return whole, whole
    whole = _hash("gateway", message, session, str(at))
    return whole, whole


def _hash(*parts: str) -> int:
    text = "\0".join(parts).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big", signed=True)


def _counts(usage: _Counts) -> tuple[int, int, int, int, int, int, int]:
    created = usage.cache_creation
    five_minutes, hour = usage.cache_creation_input_tokens or 0, 0
    if created is not None:
        five_minutes, hour = created.ephemeral_5m_input_tokens or 0, created.ephemeral_1h_input_tokens or 0
    output = usage.output_tokens or 0
    details, tools = usage.output_tokens_details, usage.server_tool_use
    thinking = (details.thinking_tokens or 0) if details else 0
    searches = (tools.web_search_requests or 0) if tools else 0
    counts = (
        usage.input_tokens or 0,
        output,
        five_minutes,
        hour,
        usage.cache_read_input_tokens or 0,
        thinking,
        searches,
    )
    if min(counts) < 0 or max(counts) > _LARGEST_COUNT:
        raise ValueError("not a count")
    return (*counts[:5], min(thinking, output), searches)


def _variant(usage: _Counts, counts: tuple[int, ...]) -> int:
    context = counts[0] + counts[2] + counts[3] + counts[4]
    variant = next((bits for size, bits in _SIZES if context > size), 0)
    return variant | (FAST if usage.speed == "fast" else 0) | (US_ONLY if usage.inference_geo == "us" else 0)
