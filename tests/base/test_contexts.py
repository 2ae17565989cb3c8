"""Our context managers do what those of the standard library do."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from ullage.base import contexts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class OddError(Exception):
    """An error that a test raises."""


def noting(notes: list[str], stopped: type[BaseException] | None) -> Iterator[str]:
    """Note what comes, and stop errors of one kind."""
    notes.append("in")
    try:
        yield "given"
    except BaseException as error:
        notes.append(type(error).__name__)
        if stopped is None or not isinstance(error, stopped):
            raise
    finally:
        notes.append("out")


def use(manage: Callable[..., Any], raised: BaseException | None, stopped: type[BaseException] | None) -> list[str]:
    """Run a body that raises, and return what came of it."""
    notes: list[str] = []
    try:
        with manage(noting)(notes, stopped) as given:
            notes.append(given)
            if raised is not None:
                raise raised  # noqa: TRY301  # in the body is where it is to be raised
        notes.append("on")
    except BaseException as error:
        notes.append(f"raised {error!r} {error is raised}")
    return notes


@pytest.mark.parametrize("stopped", [None, OddError, BaseException])
@pytest.mark.parametrize(
    "raised", [None, OddError("x"), KeyboardInterrupt(), StopIteration("s"), GeneratorExit(), RuntimeError("r")]
)
def test_a_manager(raised: BaseException | None, stopped: type[BaseException] | None) -> None:
    assert use(contexts.contextmanager, raised, stopped) == use(contextlib.contextmanager, raised, stopped)


def test_a_manager_keeps_its_name() -> None:
    made = contexts.contextmanager(noting)
    assert (made.__name__, made.__doc__) == ("noting", noting.__doc__)


def test_a_manager_that_goes_on_is_wrong() -> None:
    @contexts.contextmanager
    def twice() -> Iterator[None]:
        yield
        yield

    with pytest.raises(RuntimeError), twice():
        pass


@pytest.mark.parametrize("kinds", [(), (OddError,), (ValueError, OddError), (Exception,)])
@pytest.mark.parametrize("raised", [None, OddError(), KeyError()])
def test_suppress(raised: Exception | None, kinds: tuple[type[Exception], ...]) -> None:
    passed = []
    for suppress in (contexts.suppress, contextlib.suppress):
        try:
            with suppress(*kinds):
                if raised is not None:
                    raise raised  # noqa: TRY301  # likewise
            passed.append(True)
        except Exception:
            passed.append(False)
    assert passed[0] == passed[1]
