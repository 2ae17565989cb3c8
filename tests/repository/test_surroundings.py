"""The tests expect the same wherever they run."""

from __future__ import annotations

from tests.support.tools import PYTHON, REPOSITORY, run


def test_local_time_is_the_same_in_every_zone() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(REPOSITORY)!r}); import tests.conftest, time; print(time.localtime(0)[3])"
    )
    done = run([PYTHON, "-c", code], {"TZ": "Asia/Kolkata"})
    assert (done.stdout, done.stderr) == ("0\n", "")
