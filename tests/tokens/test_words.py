"""What the report says to people has words for whatever it may have to say."""

from __future__ import annotations

from ullage.tokens import words
from ullage.tokens.task import LASTING, MENDED, SKIPPED


def test_there_are_words_for_each_kind_that_is_skipped_or_mended() -> None:
    kinds = (*SKIPPED, *MENDED)
    assert set(LASTING) <= set(kinds)
    one, two = (dict.fromkeys(kinds, number) for number in (1, 2))
    assert len(words.word_skipped(one).split(", ")) == len(SKIPPED)
    assert words.word_mended(one) == ["read all the same: 1 line with bytes that are no UTF-8"]
    assert words.word_mended(two) == ["read all the same: 2 lines with bytes that are no UTF-8"]
    assert words.word_skipped(dict.fromkeys(kinds, 0)) == ""
