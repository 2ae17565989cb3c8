"""JSON without the standard library's json, held against it."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.tools import PYTHON, run
from ullage.base import jsontext

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_it_reads_what_json_writes(value: object, indent: int | str | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert jsontext.loads(f" \r\n{text}\t") == value
    assert jsontext.loads(text.encode()) == value


@given(st.text(max_size=30) | st.binary(max_size=30))
@example("Infinity")
@example("-NaN")
def test_it_refuses_what_json_refuses(data: str | bytes) -> None:
    try:
        # NaN and the infinities are no JSON, whatever `json` takes.
        expected = json.loads(data if isinstance(data, str) else data.decode(), parse_constant=lambda _: None)
    except ValueError:
        with pytest.raises(ValueError, match=r"."):
            jsontext.loads(data)
    else:
        assert jsontext.loads(data) == expected


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
    assert jsontext.find_top_level_object(data, "oauthAccount") == STATE["oauthAccount"]


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
    assert jsontext.find_top_level_object(data, "oauthAccount") is None


@pytest.mark.parametrize(
    "text", ["{", '{"a"', '{"a": 1', '{"a": 1,', "{1: 2}", "[1", '["', '"', '"\n"', "[1 2]", '"\\x"']
)
def test_what_is_cut_off_is_no_json_where_json_was_never_imported(text: str) -> None:
    code = (
        "import sys; from ullage.base import jsontext\n"
        "if 'json' in sys.modules: sys.exit(7)\n"
        "try: jsontext.loads(sys.argv[1])\n"
        "except ValueError: sys.exit(0)\n"
        "sys.exit(8)"
    )
    command = [PYTHON, "-I", "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}; {code}", text]
    assert run(command, {}).returncode == 0


LARGE: dict[str, Callable[[int], bytes]] = {
    "empty lists": lambda size: b"[" + b"[]," * (size // 3) + b"[]]",
    "empty objects": lambda size: b'{"data":[' + b"{}," * (size // 3) + b"{}]}",
    "objects in objects": lambda size: b'{"a":' * (size // 5),
    "lists in lists": lambda size: b"[" * size,
    "numbers": lambda size: b"[" + b"0," * (size // 2) + b"0]",
    "keys": lambda size: b"{" + b",".join(b'"%x":[]' % number for number in range(size // 12)) + b"}",
    "digits": lambda size: b"7" * size,
}


MEASURE = """
import resource, sys
from ullage.base import jsontext
from ullage.base.errors import SourceError
from ullage.system import http

data = open(sys.argv[1], "rb").read()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for decode in (jsontext.loads, lambda data: http.decode_body(http.Response(200, {}, data), "a host")):
    try:
        decode(data)
    except (ValueError, SourceError):
        continue
    sys.exit("it was taken")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell how much memory a process has used")
@pytest.mark.parametrize("kind", LARGE)
def test_megabytes_of_nothing_are_refused_in_little_memory(kind: str, tmp_path: Path) -> None:
    (tmp_path / "large.json").write_bytes(LARGE[kind](24 << 20))
    done = run([PYTHON, "-c", MEASURE, str(tmp_path / "large.json")], os.environ)
    assert done.stderr == ""
    used_kib = int(done.stdout) // (1024 if sys.platform == "darwin" else 1)
    assert used_kib < (100 << 10)


def test_a_long_text_with_few_values_is_read() -> None:
    text = "x" * (8 << 20)
    assert jsontext.loads(json.dumps({"a": text})) == {"a": text}


@given(VALUES)
def test_it_writes_what_json_writes(value: object) -> None:
    assert jsontext.dumps(value) == json.dumps(value)


def test_what_is_no_json_is_not_written() -> None:
    assert jsontext.dumps([float("nan"), float("inf"), (1, 2)]) == "[null, null, [1, 2]]"
    with pytest.raises(TypeError, match="bytes is no JSON"):
        jsontext.dumps({"a": b"x"})


@pytest.mark.parametrize(
    "value", [{"a": [1, 2.5, None, True, "ä\n\u2028"], "b": {}, "c": [[], {"d": -0.0}]}, [], "x", 0]
)
def test_a_value_on_one_line_or_several_is_that_of_json(value: object) -> None:
    assert jsontext.dumps_line(value) == json.dumps(value, ensure_ascii=False)
    assert jsontext.indented(value) == json.dumps(value, ensure_ascii=False, indent=1)


@pytest.mark.parametrize("dumps", [jsontext.dumps_line, jsontext.indented])
@pytest.mark.parametrize("value", [object(), {"a": b"x"}, [{1, 2}]])
def test_what_is_no_json_is_refused(dumps: Callable[[object], str], value: object) -> None:
    with pytest.raises(TypeError):
        dumps(value)
