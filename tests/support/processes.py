"""Which tests start a process: seen in what they call before they run, and held to that while they do.

`make quick` runs the others. A test that starts a process by way of our own code alone cannot be seen beforehand: it
says `@pytest.mark.process`, and fails there with that advice where it does not.
"""

from __future__ import annotations

import functools
import inspect
import sys
import types
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Modules that tests use for nothing else, and functions of `os`.
STARTERS = {"build", "multiprocessing", "pexpect", "playwright", "pty", "subprocess"}
# Where our own code starts what a person named, and what goes on in the background.
OUR_STARTERS = {"ullage.system.detach", "ullage.system.programs"}
OS_STARTERS = {"execve", "execvpe", "fork", "forkpty", "popen", "posix_spawn", "posix_spawnp", "spawnv", "system"}
# What Python says when a process begins (`sys.audit`).
EVENTS = {
    *("os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.startfile", "os.system"),
    *("pty.spawn", "subprocess.Popen"),
}

_started: list[str] = []


def watch() -> None:
    """Note every process that this one starts from now on; Python has no way to end that."""

    def note(event: str, arguments: tuple[object, ...]) -> None:
        if event in EVENTS:
            _started.append(f"{event} {arguments[0] if arguments else ''}".strip())

    sys.addaudithook(note)


def mark(items: Iterable[pytest.Item]) -> None:
    """Put the marker on every test that calls something that starts a process, itself or by a fixture."""
    for item in items:
        if isinstance(item, pytest.Function) and starts_processes(_functions(item)):
            item.add_marker(pytest.mark.process)


def hold(item: pytest.Item) -> Iterator[None]:
    """Fail a test that starts a process and has no marker; to be wrapped around it."""
    _started.clear()
    yield
    if _started and item.get_closest_marker("process") is None:
        pytest.fail(f"It starts a process ({_started[0]}): mark it with @pytest.mark.process", pytrace=False)


def _functions(item: pytest.Function) -> Iterator[object]:
    yield item.function
    # What a parameter brings along, such as a shell of ours.
    yield from item.callspec.params.values() if hasattr(item, "callspec") else ()
    # The fixtures that the test asks for, with those that they ask for themselves.
    for fixtures in item._fixtureinfo.name2fixturedefs.values():
        yield from (fixture.func for fixture in fixtures)


# What was looked at to the end and starts none, and what starts some: the parameters of a test share its functions.
# Held, so that no other object gets its id.
_harmless: dict[int, object] = {}
_starters: dict[int, object] = {}


def starts_processes(values: Iterable[object]) -> bool:
    """Say whether functions and objects of the tests refer to something that starts a process, by whatever others."""
    for value in values:
        if id(value) in _starters:
            return True
        if _leads_to_a_starter(value):
            _starters[id(value)] = value
            return True
    return False


def _leads_to_a_starter(first: object) -> bool:
    seen: dict[int, object] = {}
    waiting = [first]
    while waiting:
        value = waiting.pop()
        if id(value) in seen or id(value) in _harmless:
            continue
        seen[id(value)] = value
        if _is_starter(value):
            return True
        waiting += _referred_to(value)
    _harmless.update(seen)
    return False


def _is_starter(value: object) -> bool:
    module = value.__name__ if inspect.ismodule(value) else getattr(value, "__module__", None)
    if not isinstance(module, str):
        return False
    if module in {"os", "posix", "nt"}:
        return getattr(value, "__name__", "") in OS_STARTERS
    return module in OUR_STARTERS or module.partition(".")[0] in STARTERS


def _referred_to(value: Any) -> Iterable[object]:
    """Return what a value of the tests refers to: a function's globals, an object's class, what a container holds."""
    value = inspect.unwrap(value) if callable(value) else value
    found: Iterable[object] = ()
    if isinstance(value, dict):
        found = value.values()
    elif isinstance(value, list | tuple | set | frozenset):
        found = value
    elif isinstance(value, functools.partial):
        found = [value.func]
    elif isinstance(value, types.MethodType | classmethod | staticmethod):
        found = [value.__func__]
    elif isinstance(value, property):
        found = [value.fget]
    elif not _is_ours(value if isinstance(value, type | types.FunctionType) else type(value)):
        pass
    elif isinstance(value, types.FunctionType):
        found = [*_names(value), *(cell.cell_contents for cell in value.__closure__ or ())]
    else:
        found = vars(value).values() if isinstance(value, type) else [type(value)]
    return found


def _names(function: types.FunctionType) -> Iterator[object]:
    for code in _codes(function.__code__):
        for name in code.co_names:
            # What is imported within a function is no global of its module.
            found = function.__globals__.get(name, sys.modules.get(name) if name in STARTERS else None)
            yield found
            if inspect.ismodule(found):
                # `subprocess.run`, `tools.run`, `os.fork`: whichever of its names stand in the same code.
                yield from (vars(found)[other] for other in code.co_names if other in vars(found))


def _is_ours(value: Any) -> bool:
    return str(value.__module__).partition(".")[0] in {"bench", "tests"}


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)
