"""Long texts from outside are read in time that grows with them, not with their square.

Nothing is timed: what grows with the square of such a length does not end before the test's process is given up.
"""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.support.tools import PYTHON, run

# The text is made in a process of its own, which can be ended while a regular expression runs.
READ = """
import sys
from datetime import UTC, datetime
from ullage.config import file
from ullage.doctor import redact
from ullage.base.errors import UllageError
from ullage.quota.model import Account
from ullage.sources import usage_text

piece, kind = sys.argv[1].encode().decode("unicode_escape"), sys.argv[2]
if kind == "usage":
    try:
        usage_text.parse(piece * (2 << 20), account=Account(), source="a test", as_of=datetime.now(UTC))
    except UllageError as error:
        print("no percentage" in str(error))
elif kind == "redact":
    print(len(redact.redact([piece * (4 << 20)], {"HOME": "/h"})[0]) < 10_000)
else:
    print(file.check_file(b"bad = 1\\n# [" + piece.encode() * 60_000 + b"\\n[" + piece.encode() * 60_000, {})[1] != ())
"""


@pytest.mark.parametrize(
    ("kind", "piece"),
    [
        *(("usage", piece) for piece in (" ", "\\n", "Current ", "9", "\\n\\t", "Current week (")),
        *(("redact", piece) for piece in ("a", "a.", "9", "0123456789abcdef", "eyJ.", "://", "sk-", "a@", "/h/")),
        *(("config", piece) for piece in (" ", "a", "[", "a ")),
    ],
)
def test_a_long_text_is_read_to_its_end(kind: str, piece: str) -> None:
    try:
        done = run([PYTHON, "-c", READ, piece, kind], os.environ, seconds=300)
    except subprocess.TimeoutExpired:
        pytest.fail(f"{piece!r} again and again was not read in five minutes")
    assert (done.stdout, done.stderr) == ("True\n", "")
