"""What an error says: what to do next."""

from __future__ import annotations

import pytest

from ullage.base import errors


@pytest.mark.parametrize(
    ("prefix", "command"),
    [
        ("/home/a/.local/share/pipx/venvs/ullage", "pipx inject ullage h11 starlette uvicorn"),
        (
            "/home/a/.local/share/uv/tools/ullage",
            "uv pip install --python '/home/a/.local/share/uv/tools/ullage' h11 starlette uvicorn",
        ),
        ("C:\\Users\\a\\pipx\\venvs\\ullage", "pipx inject ullage h11 starlette uvicorn"),
        ("/home/a/project/.venv", "/home/a/project/.venv/bin/python -m pip install h11 starlette uvicorn"),
        ("/home/a b/.venv", "'/home/a b/.venv/bin/python' -m pip install h11 starlette uvicorn"),
    ],
)
def test_an_extra_comes_the_way_that_ullage_came(monkeypatch: pytest.MonkeyPatch, prefix: str, command: str) -> None:
    monkeypatch.setattr("sys.prefix", prefix)
    monkeypatch.setattr("sys.executable", f"{prefix}/bin/python")
    assert errors.needs_extra("serve", "h11 starlette uvicorn").endswith(f": {command}")
