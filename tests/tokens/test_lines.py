"""What one line says: times and counts in every form, and names of any length."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.transcript import MODEL, amounts_of, count, line, write
from ullage.tokens import lines, reading
from ullage.tokens.task import Task

if TYPE_CHECKING:
    from pathlib import Path

    from ullage.tokens.task import Piece

_AT = 1_795_168_800_000


@pytest.mark.parametrize(
    "told",
    [
        "2026-11-20T10:00:00.000Z",
        "2026-11-20T10:00:00Z",
        "2026-11-20T11:30:00+01:30",
        "2026-11-20T10:00:00",
        "2026-11-20 10:00Z",
        _AT / 1000,
        _AT,
    ],
)
def test_a_time_counts_in_every_form(tmp_path: Path, told: object) -> None:
    write(tmp_path, "p/a.jsonl", line(timestamp=told))
    (amount,) = amounts_of(tmp_path)
    assert (amount.first_at, amount.last_at, amount.responses) == (_AT, _AT, 1)


@pytest.mark.parametrize("told", ["yesterday", "0001-01-01T00:00:00Z", "2026-13-20T10:00:00Z", True, [], {}, None])
def test_a_line_without_a_time_leaves_the_others_of_its_response(tmp_path: Path, told: object) -> None:
    write(tmp_path, "p/a.jsonl", line(output=50) + line(output=900, timestamp=told))
    total, skipped = count(tmp_path)
    assert (total.counts[1], skipped) == (50, {"clockless_lines": 1})


@pytest.mark.parametrize("output", [-1, 10**12 + 1, 1.5, "many"])
def test_what_is_no_count_breaks_its_line_alone(tmp_path: Path, output: object) -> None:
    write(tmp_path, "p/a.jsonl", line(output=50) + line(usage={"output_tokens": output}))
    total, skipped = count(tmp_path)
    assert (total.counts[1], skipped) == (50, {"broken_lines": 1})


def test_a_line_in_other_bytes_with_an_unusual_time_counts(tmp_path: Path) -> None:
    strange = line(timestamp=_AT, gitBranch="m?in").encode().replace(b"m?in", b"m\xffin")
    write(tmp_path, "p/a.jsonl", strange)
    total, skipped = count(tmp_path)
    assert (total.counts[1], skipped) == (100, {"mended_lines": 1})


def test_of_equal_lines_the_first_in_time_counts_whatever_their_zones(tmp_path: Path) -> None:
    later, earlier, naive = "2026-11-20T12:00:00Z", "2026-11-20T11:00:00+01:00", "2026-11-20T11:00:00"
    write(tmp_path, "p/a.jsonl", "".join(line(timestamp=told) for told in (later, naive, earlier, later)))
    (amount,) = amounts_of(tmp_path)
    assert (amount.first_at, amount.responses) == (_AT, 1)


def test_long_names_are_not_held_until_a_file_ends(tmp_path: Path) -> None:
    long = "x" * (1 << 20)
    lines = [line(f"msg_{number}{long}", request=f"r{number}", branch=long) for number in range(30)]
    path = write(tmp_path, "p/a.jsonl", "".join(lines))
    pieces = [
        piece for piece in reading.read_transcript(Task(number=1, path=str(path), project="p")) if piece[0] == "rows"
    ]
    rows = [sum(map(len, piece[2].values())) for piece in pieces]
    assert sum(rows) == 30
    assert max(rows) <= 10


def iteration(kind: str, model: str | None, output: int) -> dict[str, object]:
    return {"type": kind, "model": model, "input_tokens": 10, "output_tokens": output}


@pytest.mark.parametrize(
    ("iterations", "counted"),
    [
        ([iteration("message", MODEL, 60), iteration("message", MODEL, 40)], {MODEL: 100}),
        ([iteration("message", "other", 0), iteration("fallback_message", MODEL, 100)], {MODEL: 100}),
        ([iteration("message", "other", 7), iteration("fallback_message", MODEL, 100)], {MODEL: 100, "other": 7}),
        (
            [
                iteration("message", "a", 7),
                iteration("fallback_message", "b", 8),
                iteration("fallback_message", MODEL, 9),
            ],
            {MODEL: 100, "a": 7, "b": 8},
        ),
        ([iteration("message", None, 7), iteration("fallback_message", MODEL, 100)], {MODEL: 100}),
        ([iteration("compaction", None, 50), iteration("message", MODEL, 100)], {MODEL: 150}),
        ([iteration("something_new", "other", 50)], {MODEL: 100}),
    ],
)
def test_each_attempt_counts_for_the_model_that_ran_it(
    iterations: list[dict[str, object]], counted: dict[str, int]
) -> None:
    parsed = lines.read_line(line(usage={"iterations": iterations}).encode(), "s1", ("file", 0))
    assert parsed is not None
    output: dict[str, int] = {}
    for _, said in parsed[0]:
        output[said[4]] = output.get(said[4], 0) + said[6][1]
    assert output == counted
    assert len({key for key, _ in parsed[0]}) == len(parsed[0])


@pytest.mark.parametrize(
    ("parts", "written"),
    [((1226, 0), (3722, 0)), ((0, 0), (3722, 0)), ((0, 3000), (722, 3000)), ((4000, 0), (4000, 0))],
)
def test_what_the_parts_of_a_cache_write_do_not_tell_is_written_for_five_minutes(
    parts: tuple[int, int], written: tuple[int, int]
) -> None:
    created = dict(zip(("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"), parts, strict=True))
    usage = {"cache_creation_input_tokens": 3722, "cache_creation": created}
    parsed = lines.read_line(line(usage=usage).encode(), "s1", ("file", 0))
    assert parsed is not None
    assert parsed[0][0][1][6][2:4] == written


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_are_found_alike_with_and_without_the_search_of_the_c_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    quoted = line(content=line("msg_quoted"))
    other = '{"type":"user","message":{"content":"' + "x" * 300_000 + '"}}\n'
    texts = [
        line(),
        quoted,
        other,
        line("msg_2", request="req_2", pad="y" * 300_000),
        "\n",
        line("msg_3", request="req_3", usage={"iterations": [iteration("advisor_message", "other", 7)]}),
        line("msg_4", request="req_4").replace('":', '": '),
        line("msg_5", request="req_5")[:-20],
    ]
    path = write(tmp_path, "p/a.jsonl", "".join(texts * 2).replace("\n", end))

    def read() -> list[Piece]:
        return list(reading.read_transcript(Task(number=1, path=str(path), project="p")))

    found = read()
    monkeypatch.setattr(reading, "_memmem", None)
    assert read() == found
    (rows,) = (piece[2] for piece in found if piece[0] == "rows")
    assert sum(map(len, rows.values())) == 5
