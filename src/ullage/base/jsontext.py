"""JSON text into values and back, without the 6 ms that the standard library's json takes to import.

json spends them on regular expressions, for its fallback in Python; the scanner in C that does its work stands alone.
"""

from __future__ import annotations

from ullage.base.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class _Options:
    """What the scanner asks of a decoder; NaN and the infinities, which are no JSON, become None."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    array_hook = None
    parse_float = float
    parse_int = int

    @staticmethod
    def parse_constant(_name: str) -> None:
        return None


def _scanner() -> Callable[[str, int], tuple[Any, int]]:
    try:
        from _json import make_scanner

        scan: Callable[[str, int], tuple[Any, int]] = make_scanner(_Options())  # type: ignore[arg-type]  # duck-typed
    except (ImportError, AttributeError):
        # Another implementation of Python has no such scanner, or a later one asks for more options.
        from json import JSONDecoder

        scan = JSONDecoder().raw_decode
    return scan


def find_top_level_object(data: bytes, key: str) -> dict[str, Any] | None:
    """Return the object under a key of a large JSON document in Claude Code's own layout, without reading the rest.

    None where that layout, two spaces before each of the outermost keys, does not show such a key.
    """
    at = data.find(f'\n  "{key}": {{'.encode())
    if at < 0:
        return None
    start = data.index(b"{", at)
    end = data.find(b"\n  }", start)
    try:
        value = loads(data[start : end + 4])
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


# An empty list takes two bytes as text and 70 in memory, so megabytes of text would take hundreds of megabytes.
_MOST_VALUES = 1_500_000


def has_too_many_values(data: bytes | str) -> bool:
    """Say whether a JSON text may hold more values than any honest one, by counting its commas and brackets.

    Those in strings count too, so a text of megabytes that is mostly one long string of commas may be refused.
    """
    if len(data) <= _MOST_VALUES:
        return False
    marks: tuple[str, ...] | tuple[bytes, ...] = (",", "[", "{") if isinstance(data, str) else (b",", b"[", b"{")
    return sum(map(data.count, marks)) > _MOST_VALUES  # type: ignore[arg-type]  # both are of one kind


_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_WHITE_SPACE = " \t\n\r"


def loads(data: bytes | str) -> Any:
    """Return the value of a JSON text in UTF-8; raise ValueError for anything else, however deep or large."""
    if has_too_many_values(data):
        raise ValueError("too many values")
    text = data.removeprefix(_BYTE_ORDER_MARK).decode() if isinstance(data, bytes) else data
    start = len(text) - len(text.lstrip(_WHITE_SPACE))
    try:
        value, end = _scanner()(text, start)
    except (StopIteration, RecursionError, SystemError) as error:
        # The scanner takes its kind of error from json, and fails for want of it where that was never imported.
        raise ValueError("not JSON") from error
    if text[end:].strip(_WHITE_SPACE):
        raise ValueError("more than one JSON value")
    return value


def dumps(value: object) -> str:
    """Return a value as JSON text in ASCII, as json does: dictionaries with texts for keys, sequences, scalars.

    A float that is no number becomes null. Raises TypeError for anything else.
    """
    if isinstance(value, str):
        return _quote(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return float.__repr__(value) if value - value == 0 else "null"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(dumps, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_quote(key)}: {dumps(item)}' for key, item in value.items())}}}"
    raise TypeError(f"{type(value).__name__} is no JSON")


def dumps_line(value: object) -> str:
    """Return a value as JSON text on one line, as `dumps` does; characters stand for themselves, numbers are finite.

    By the encoder in C, where there is one: for long reports.
    """
    try:
        from _json import encode_basestring, make_encoder
    except ImportError:
        # Another implementation of Python.
        from json import dumps as encode

        return encode(value, ensure_ascii=False)
    return "".join(make_encoder(None, _refuse, encode_basestring, None, ": ", ", ", False, False, False)(value, 0))


def _refuse(value: object) -> object:
    raise TypeError(f"{type(value).__name__} is no JSON")


def indented(value: object, before: str = "\n") -> str:
    """Return a value as JSON text over several lines, each level a space further in; a Record is its fields.

    Characters stand for themselves. Raises TypeError as `dumps` does.
    """
    if isinstance(value, Record):
        value = vars(value)
    if isinstance(value, str):
        return _quote_in_unicode(value)
    if not value or not isinstance(value, list | tuple | dict):
        return dumps(value)
    within = f"{before} "
    if isinstance(value, dict):
        items = [f"{_quote_in_unicode(key)}: {indented(item, within)}" for key, item in value.items()]
        return f"{{{within}{f',{within}'.join(items)}{before}}}"
    items = [indented(item, within) for item in value]
    return f"[{within}{f',{within}'.join(items)}{before}]"


def _quote_in_unicode(text: str) -> str:
    try:
        from _json import encode_basestring as quote
    except ImportError:
        # Another implementation of Python.
        from json.encoder import py_encode_basestring as quote
    return quote(text)


def _quote(text: str) -> str:
    try:
        from _json import encode_basestring_ascii as quote
    except ImportError:
        # Another implementation of Python.
        from json.encoder import py_encode_basestring_ascii as quote
    return quote(text)
