"""What the standard library's contextlib has for `with`, without the 3 ms that it takes to import.

contextlib spends them on abstract classes and collections, which nothing of ours asks for.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import contextmanager, suppress
else:

    class _Managed:
        def __init__(self, steps):
            self._steps = steps

        def __enter__(self):
            return next(self._steps)

        def __exit__(self, kind, error, trace):
            try:
                if error is None:
                    next(self._steps)
                else:
                    self._steps.throw(error)
            except StopIteration as end:
                # The body itself has raised this StopIteration: it must reach the caller.
                return end is not error
            except BaseException as raised:
                if raised is error or (isinstance(error, StopIteration) and raised.__cause__ is error):
                    return False
                raise
            raise RuntimeError("it goes on after the `with`")

    def contextmanager(function):
        """Make a context manager of a generator that yields once; usable in `with` alone."""

        def begin(*arguments, **named):
            return _Managed(function(*arguments, **named))

        begin.__name__, begin.__doc__ = function.__name__, function.__doc__
        return begin

    class suppress:  # noqa: N801  # the standard library's name
        """Let errors of these kinds pass in silence."""

        def __init__(self, *kinds):
            self._kinds = kinds

        def __enter__(self):
            return None

        def __exit__(self, kind, error, trace):
            return kind is not None and issubclass(kind, self._kinds)


__all__ = ["contextmanager", "suppress"]
