"""The table of routes, from which the router, the checks of parameters and the OpenAPI document are made."""

from __future__ import annotations

import re

from ullage import __version__
from ullage.base.record import Record
from ullage.quota import schemas
from ullage.serve import documents
from ullage.serve.middleware import FaultError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Literal

MOST_SAMPLES = 10_000


class Parameter(Record):
    """A query parameter: a text that `pattern` matches as a whole, or an integer within `numbers`."""

    name: str
    explanation: str
    pattern: str = ".{1,200}"
    numbers: tuple[int, int] | None = None
    default: str | None = None
    required: bool = False


class Route(Record):
    """One route: `answer` names its document; None where it answers with another `media` type.

    `scope` is the scope that an access token needs, None where no token is needed; with `link` a link's secret is
    accepted too.
    """

    path: str
    summary: str
    media: str = "application/json"
    other_media: str | None = None
    answer: str | None = None
    method: Literal["GET", "POST"] = "GET"
    scope: Literal["read", "metrics"] | None = "read"
    link: bool = False
    parameters: tuple[Parameter, ...] = ()
    faults: tuple[int, ...] = ()


_PROFILE = Parameter(
    name="profile",
    explanation="A configuration directory as `/v1/profiles` names it, or `default`; else the one of the server.",
)
_WINDOW = Parameter(name="window", explanation="The id of a window, such as five_hour.")
_SINCE = Parameter(
    name="since",
    explanation="How far back: minutes, hours, days or weeks, such as 90m, 12h, 7d, 2w.",
    pattern="[0-9]{1,3}[mhdw]",
    default="7d",
)
_LIMIT = Parameter(name="limit", explanation="The newest so many.", numbers=(1, MOST_SAMPLES), default="2000")

ROUTES = (
    Route(
        path="/v1/usage",
        summary="What every window stands at: the document of `ullage usage --json`",
        answer="UsageDocument",
        parameters=(_PROFILE,),
        faults=(404,),
    ),
    Route(
        path="/v1/profiles",
        summary="Every account once: the document of `ullage usage --all --json`",
        answer="ProfilesDocument",
    ),
    Route(
        path="/v1/history",
        summary="What the windows stood at, reading by reading",
        answer="SamplesDocument",
        parameters=(_WINDOW, _SINCE, _LIMIT, _PROFILE),
        faults=(404,),
    ),
    Route(
        path="/v1/burnup",
        summary="The course of a window until now, and what is expected until its reset",
        answer="BurnupDocument",
        parameters=(_WINDOW.replace(required=True), _PROFILE),
        faults=(404,),
    ),
    Route(
        path="/v1/events",
        summary="Server-sent events: `usage` with the document of /v1/usage, now and after every change",
        media="text/event-stream",
        parameters=(_PROFILE,),
        faults=(404,),
    ),
    Route(
        path="/v1/session",
        summary="Exchange a token, or a link's secret once, for a secret that ends with the server",
        answer="SessionDocument",
        method="POST",
        link=True,
    ),
    Route(
        path="/metrics",
        summary="Every account for Prometheus, or as OpenMetrics where that is accepted",
        media="text/plain",
        other_media="application/openmetrics-text",
        scope="metrics",
    ),
    Route(
        path="/openapi.json",
        summary="This document",
        scope=None,
    ),
    Route(path="/healthz", summary="Whether the server answers", answer="HealthDocument", scope=None),
    Route(path="/", summary="The page for people", media="text/html", scope=None),
)


def read_arguments(route: Route, given: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return a query's values with the defaults; raise FaultError for unknown, repeated, missing or wrong ones."""
    found: dict[str, str] = {}
    known = {parameter.name: parameter for parameter in route.parameters}
    for name, value in given:
        if name not in known:
            takes = f"It takes {', '.join(known)}." if known else "It takes none."
            raise FaultError(400, f"{route.path} has no such parameter. {takes}")
        if name in found:
            raise FaultError(400, f"{name} is given twice.")
        found[name] = _checked(known[name], value)
    for parameter in route.parameters:
        if parameter.name not in found and parameter.required:
            raise FaultError(400, f"{route.path} needs {parameter.name}. {parameter.explanation}")
        if parameter.default is not None:
            found.setdefault(parameter.name, parameter.default)
    return found


def _checked(parameter: Parameter, value: str) -> str:
    if parameter.numbers is not None:
        lowest, highest = parameter.numbers
        if re.fullmatch("[0-9]{1,9}", value, re.ASCII) and lowest <= int(value) <= highest:
            return value
        raise FaultError(400, f"{parameter.name} must be a whole number from {lowest} to {highest}.")
    if re.fullmatch(parameter.pattern, value):
        return value
    raise FaultError(400, f"{parameter.name} is not as it should be. {parameter.explanation}")


# What any request may meet; what only some meet stands with their routes.
_FAULTS = {
    400: "The request cannot be understood",
    401: "No token, or one that is not valid (any more)",
    403: "The token does not allow this, or a page of another origin asks",
    404: "There is no such profile or window, or nothing to show of it",
    413: "The request has a body",
    414: "The target is too long",
    421: "The Host header names another host",
    431: "The headers are too long or too many",
    503: "Too many connections or streams, or what is known cannot be read",
}
_EVERYWHERE = (400, 413, 414, 421, 431, 503)


def describe_api() -> dict[str, Any]:
    """Return the OpenAPI document."""
    paths: dict[str, Any] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ullage",
            "version": __version__,
            "description": "How much of a Claude plan's quota is used, from the cache of this machine. Fields are "
            "added, never renamed; a client ignores those that it does not know.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": paths,
        "components": {
            "schemas": schemas.build_components(documents.DOCUMENTS),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{route.answer}"} if route.answer else {}
    schema = schema or {"type": "object" if route.media == "application/json" else "string"}
    refused = {401, 403} if route.scope is not None else {403}
    fault = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/FaultDocument"}}}
    content = {media: {"schema": schema} for media in (route.media, route.other_media) if media}
    answers: dict[str, Any] = {"200": {"description": "Done", "content": content}}
    for status in sorted({*_EVERYWHERE, *refused, *route.faults}):
        answers[str(status)] = {"description": _FAULTS[status], "content": fault}
    return {
        "operationId": re.sub(r"\W+", "_", f"{route.method.lower()}{route.path}").strip("_"),
        "summary": route.summary,
        "parameters": [_parameter(parameter) for parameter in route.parameters],
        "security": [{"token": []}] if route.scope is not None else [],
        "responses": answers,
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string", "pattern": f"^{parameter.pattern}$"}
    if parameter.numbers is not None:
        schema = {"type": "integer", "minimum": parameter.numbers[0], "maximum": parameter.numbers[1]}
    if parameter.default is not None:
        schema["default"] = int(parameter.default) if parameter.numbers else parameter.default
    return {
        "name": parameter.name,
        "in": "query",
        "required": parameter.required,
        "description": parameter.explanation,
        "schema": schema,
    }
