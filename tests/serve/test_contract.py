"""The OpenAPI document, held against the running server by schemathesis: whatever it allows is answered as it says."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import jsonschema
import pytest

from tests.support.tools import REPOSITORY, SCRIPTS, run
from ullage.serve import app
from ullage.serve.routes import ROUTES, describe_api

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.serving import Served

_EXAMPLES = 40


def test_every_route_has_an_answer_and_a_line_in_the_guide() -> None:
    assert [route.path for route in ROUTES] == list(app.ANSWERS)
    guide = (REPOSITORY / "docs" / "serve.md").read_text()
    for route in ROUTES:
        assert f"| `{route.method} {route.path}` |" in guide
        for parameter in route.parameters:
            assert f"`{parameter.name}`" in guide


def test_the_document_is_served_as_it_is_made(shared: Served) -> None:
    assert shared.ask("/openapi.json").json == describe_api()


def test_every_schema_is_json_schema() -> None:
    document = describe_api()
    assert document["openapi"].startswith("3.1")
    for name, schema in document["components"]["schemas"].items():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["type"] == "object", name


@pytest.mark.skipif(sys.platform == "win32", reason="the server is driven on POSIX systems")
def test_schemathesis_finds_nothing(shared: Served, tmp_path: Path) -> None:
    base = f"http://127.0.0.1:{shared.port}"
    # A stream never ends by itself, which schemathesis would wait for; test_endpoints follows it.
    found = run(
        [
            # It keeps what it has found where it is started.
            *("sh", "-c", 'cd "$HOME" && exec "$@"', "sh"),
            *(str(SCRIPTS / "schemathesis"), "run", f"{base}/openapi.json", "--url", base),
            *("--header", f"Authorization: Bearer {shared.token()}", "--exclude-path", "/v1/events"),
            *("--max-examples", str(_EXAMPLES), "--seed", "1", "--generation-database", "none", "--no-color"),
            *("--checks", "all", "--request-timeout", "30"),
        ],
        {"PATH": shared.environ["PATH"], "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"},
        seconds=600,
    )
    assert found.returncode == 0, found.stdout[-6000:] + found.stderr[-2000:]
    assert "No issues found" in found.stdout
