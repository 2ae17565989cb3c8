"""The C library's search finds what Python's finds, and nothing outside of the bytes that it is given."""

from __future__ import annotations

import random
import sys

import pytest

from ullage.base.search import choose_find, load_memmem

NEEDLE = b'put":'


@pytest.mark.parametrize("is_native", [True, False])
def test_it_finds_the_first_occurrence_in_each_range(is_native: bool) -> None:
    chance = random.Random(7)
    for _ in range(200):
        buffer = bytearray(b"".join(chance.choices((b"p", b"put", NEEDLE, b'":', b"\0", b"\xff\n"), k=20)))
        find = choose_find(buffer, load_memmem() if is_native else None)
        for _ in range(20):
            at, stop = sorted(chance.choices(range(len(buffer) + 1), k=2))
            assert find(NEEDLE, at, stop) == buffer.find(NEEDLE, at, stop)


def test_a_buffer_can_grow_once_its_search_is_let_go_of() -> None:
    buffer = bytearray(b"put" * 9)
    find = choose_find(buffer, load_memmem())
    assert find(b"tp", 0, len(buffer)) == 2
    del find
    buffer += b"more"
    assert buffer.endswith(b"more")


@pytest.mark.skipif(sys.platform != "linux", reason="every C library of Linux has it")
def test_linux_has_it() -> None:
    memmem = load_memmem()
    assert memmem is not None
    assert memmem(b"any bytes", 9, b"none", 4) is None
