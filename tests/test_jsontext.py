"""JSON without the standard library's json, held against it."""

from __future__ import annotations

import json
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tools import PYTHON, run

from ullage import jsontext

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
PROPERTY = settings(deadline=None, max_examples=60)


@PROPERTY
@given(VALUES, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_it_reads_what_json_writes(value: object, indent: int | str | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert jsontext.loads(f" \r\n{text}\t") == value
    assert jsontext.loads(text.encode()) == value


@PROPERTY
@given(st.text(max_size=30) | st.binary(max_size=30))
def test_it_refuses_what_json_refuses(data: str | bytes) -> None:
    try:
        expected = json.loads(data if isinstance(data, str) else data.decode())
    except ValueError:
        with pytest.raises(ValueError, match=r"."):
            jsontext.loads(data)
    else:
        assert jsontext.loads(data) == expected or expected != expected


@pytest.mark.parametrize(
    "data", [b"", b"{} {}", b"[1", b"{'a': 1}", b"\xff", b"[" * 200_000, b'{"a":' * 200_000, b"tru"]
)
def test_what_is_no_json_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        jsontext.loads(data)


def test_a_mark_of_the_byte_order_is_passed_over() -> None:
    assert jsontext.loads(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


def test_numbers_that_are_none_are_none() -> None:
    assert jsontext.loads("[NaN, -Infinity]") == [None, None]


STATE = {
    "history": [{"oauthAccount": {"accountUuid": "decoy"}}],
    "oauthAccount": {"accountUuid": "x", "more": {"a": []}},
}


def test_one_object_is_found_in_a_large_document() -> None:
    data = json.dumps(STATE, indent=2).encode()
    assert jsontext.top_level_object(data, "oauthAccount") == STATE["oauthAccount"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        json.dumps(STATE).encode(),
        json.dumps(STATE, indent=1).encode(),
        json.dumps({"oauthAccount": None}, indent=2).encode(),
        json.dumps(STATE, indent=2).encode()[:-30],
        json.dumps({"text": '\n  "oauthAccount": {"accountUuid": "decoy"\n  }'}, indent=2).encode(),
    ],
)
def test_another_layout_shows_nothing(data: bytes) -> None:
    assert jsontext.top_level_object(data, "oauthAccount") is None


@pytest.mark.parametrize(
    "text", ["{", '{"a"', '{"a": 1', '{"a": 1,', "{1: 2}", "[1", '["', '"', '"\n"', "[1 2]", '"\\x"']
)
def test_what_is_cut_off_is_no_json_where_json_was_never_imported(text: str) -> None:
    code = (
        "import sys; from ullage import jsontext\n"
        "try: jsontext.loads(sys.argv[1])\n"
        "except ValueError: sys.exit(7 if 'json' in sys.modules else 0)\n"
        "sys.exit(8)"
    )
    command = [PYTHON, "-I", "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}; {code}", text]
    assert run(command, {}).returncode == 0
