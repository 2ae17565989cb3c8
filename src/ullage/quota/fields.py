"""What a field of a JSON document may hold: as a type to mypy, as a schema to msgspec."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

Percent = Annotated[float, Meta(ge=0, description="0 to 100; more than 100 when the limit was passed")]
Moment = Annotated[str, Meta(description="UTC, ISO 8601", pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
State = Literal["fresh", "stale", "expired", "none"]
Severity = Literal["normal", "warning", "critical", "exhausted"]
