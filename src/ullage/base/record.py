"""Immutable records that cost nothing to import.

The standard library's dataclasses and msgspec's structs take 12 to 23 ms to import, more than the rest of what
`ullage statusline` does; the model is built from these instead.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, ClassVar, Self, dataclass_transform
else:

    def dataclass_transform(**_options):
        return lambda record: record


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Record:
    """A frozen value whose fields are its class's annotations; built by keyword, compared by value."""

    _fields: tuple[str, ...] = ()
    # Each field's default, None for a field without one; the given values replace them, in the fields' order.
    _defaults: ClassVar[dict[str, Any]] = {}
    _needed: frozenset[str] = frozenset()

    def __init_subclass__(cls) -> None:
        cls._fields = tuple(name for name in cls.__annotations__ if not name.startswith("_"))
        cls._defaults = {name: getattr(cls, name, None) for name in cls._fields}
        cls._needed = frozenset(name for name in cls._fields if not hasattr(cls, name))

    def __init__(self, **values: Any) -> None:
        filled = {**self._defaults, **values}
        if len(filled) > len(self._fields) or not self._needed <= values.keys():
            raise _misfit(type(self).__name__, self._fields, self._needed, values)
        self.__dict__.update(filled)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((type(self), *self.__dict__.values()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.__dict__.items())})"

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed."""
        return type(self)(**{**self.__dict__, **changes})


def _misfit(kind: str, fields: tuple[str, ...], needed: frozenset[str], values: Mapping[str, object]) -> TypeError:
    strange = [name for name in values if name not in fields]
    if strange:
        return TypeError(f"{kind} has no {', '.join(strange)}")
    return TypeError(f"{kind} needs {', '.join(name for name in fields if name in needed and name not in values)}")
