"""Blocks in files of any bytes: in and out again is the identity."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ullage.setup import blocks

BODY = b"one\n  two\n"
NEWLINES = st.sampled_from([b"\n", b"\r\n"])
# Bytes of every kind, and the ones that editing trips over, next to each other.
CONTENT = (
    st.lists(
        st.one_of(
            st.binary(max_size=20), st.sampled_from([b"\n", b"\r\n", b"\r", b"\\", b"# >>> ", b"\xef\xbb\xbf", b"x"])
        )
    )
    .map(b"".join)
    .filter(lambda data: b"ullage setup" not in data)
)


@given(CONTENT, NEWLINES)
@example(b"", b"\n")
@example(b"x\r", b"\r\n")
@example(b"x\r", b"\n")
@example(b"\r\n", b"\n")
def test_in_and_out_again_is_the_identity(data: bytes, newline: bytes) -> None:
    inserted = blocks.insert(data, "bash", BODY, newline)
    found = blocks.find(inserted)
    assert found is not None
    assert blocks.has_body(found, BODY)
    assert inserted.startswith(data)
    assert inserted.endswith(b"\n")
    assert blocks.remove(inserted, found) == data


@given(CONTENT, CONTENT, CONTENT, NEWLINES)
def test_what_a_person_adds_around_the_block_stays(data: bytes, before: bytes, after: bytes, newline: bytes) -> None:
    edited = before + b"\n" + blocks.insert(data, "bash", BODY, newline) + after
    if not data.endswith(b"\n") and data:
        # Something follows, so the line above stays ended: a block between two lines must not glue them together.
        expected = before + b"\n" + data + (newline if after else b"") + after
    else:
        expected = before + b"\n" + data + after
    found = blocks.find(edited)
    assert found is not None
    assert blocks.remove(edited, found) == expected


def test_a_file_that_ullage_made_goes_away_unless_somebody_else_wrote_in_it() -> None:
    made = blocks.insert(None, "fish", BODY)
    found = blocks.find(made)
    assert found is not None
    assert blocks.remove(made, found) is None
    edited = made + b"mine\n"
    found = blocks.find(edited)
    assert found is not None
    assert blocks.remove(edited, found) == b"mine\n"


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_an_editor_that_changes_line_endings_does_not_hide_the_block(newline: bytes) -> None:
    inserted = blocks.insert(b"mine\n", "bash", BODY).replace(b"\n", newline)
    found = blocks.find(inserted)
    assert found is not None
    assert blocks.has_body(found, BODY)
    assert blocks.remove(inserted, found) == b"mine" + newline


def test_an_edited_body_is_told_from_ours() -> None:
    found = blocks.find(blocks.insert(b"", "bash", BODY).replace(b"two", b"three"))
    assert found is not None
    assert not blocks.has_body(found, BODY)


OPENING = b"# >>> ullage setup bash >>>\n"
CLOSING = b"# <<< ullage setup <<<\n"


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"a\n" + OPENING, "line 2"),
        (CLOSING, "line 1"),
        (CLOSING + OPENING, "lines 1, 2"),
        (2 * (OPENING + CLOSING), "lines 1, 2, 3, 4"),
        (OPENING + OPENING + CLOSING, "lines 1, 2, 3"),
    ],
)
def test_marks_that_do_not_pair_up_are_named_by_line(data: bytes, lines: str) -> None:
    with pytest.raises(blocks.TornBlockError, match=f"^{lines}$"):
        blocks.find(data)


def test_a_file_without_a_block() -> None:
    assert blocks.find(b"echo '# >>> ullage setup bash >>>'\n") is None


@pytest.mark.parametrize("data", [None, b"", b"mine", b"mine\n", b"mine\r\n"])
@pytest.mark.parametrize("order", [("one", "two"), ("two", "one")])
def test_several_blocks_come_out_in_any_order(data: bytes | None, order: tuple[str, str]) -> None:
    edited: bytes | None = data
    for name in ("one", "two"):
        edited = blocks.insert(edited, name, BODY)
    for name in order:
        found = blocks.find_named(edited or b"", name)
        assert found is not None
        edited = blocks.remove(edited or b"", found)
    assert edited == data
