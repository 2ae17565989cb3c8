"""Where the server listens: ports that are taken, sockets that were left over, places that are not safe."""

from __future__ import annotations

import socket
import stat
from typing import TYPE_CHECKING

import pytest

from tests.support.serving import serving
from tests.support.tools import put_in_place, ullage
from ullage.base.errors import UsageError
from ullage.serve import ServeError, listen

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("command", ["serve", "simulate"])
def test_a_port_that_is_taken_is_said(environ: dict[str, str], command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        refused = ullage(command, "--port", port, environ=environ)
    assert (refused.returncode, refused.stdout) == (5, "")
    assert refused.stderr == (
        f"ullage: Port {port} on 127.0.0.1 is taken, perhaps by another `ullage {command}`. "
        "Name another with --port, or 0.\n"
    )


def test_a_socket_is_its_owners_alone_and_needs_no_token(known: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "run" / "serve.sock"
    with serving(known, "--unix", str(path)) as served:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert served.ask("/v1/usage", Host="localhost").json["state"] == "fresh"
        assert served.ask("/v1/usage", Host="evil.example").status == 421
        second = ullage("serve", "--unix", str(path), environ=known)
        assert (second.returncode, "Another `ullage serve` has" in second.stderr) == (5, True)
        assert served.ask("/healthz", Host="localhost").status == 200
    assert not path.exists()


def test_a_socket_without_a_name_lies_in_the_sessions_own_directory(known: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "runtime").mkdir(mode=0o700)
    known["XDG_RUNTIME_DIR"] = str(tmp_path / "runtime")
    with serving(known, "--unix") as served:
        assert served.path == str(tmp_path / "runtime" / "ullage" / "serve.sock")


def test_a_socket_that_was_left_over_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "mine" / "left.sock"
    path.parent.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    with listen.listen_on_unix(str(path)) as listener:
        assert listener.getsockname() == str(path)
    assert list(path.parent.iterdir()) == [], "no socket and no lock stays behind"


def test_a_socket_that_another_program_listens_on_stays(tmp_path: Path) -> None:
    path = tmp_path / "mine" / "other.sock"
    path.parent.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        with pytest.raises(ServeError, match="Another program listens"), listen.listen_on_unix(str(path)):
            pass
    assert path.is_socket()


@pytest.mark.parametrize("kind", ["directory", "fifo", "link", "file"])
def test_what_is_no_socket_stays(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "mine" / "thing"
    path.parent.mkdir(mode=0o700)
    if kind == "file":
        path.write_text("precious")
    else:
        put_in_place(kind, path)
    with pytest.raises(ServeError, match="is no socket; it stays"), listen.listen_on_unix(str(path)):
        pass
    assert path.is_symlink() or path.exists()


def test_a_socket_is_not_put_where_others_may_come(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o755)
    with pytest.raises(ServeError, match="yours alone"), listen.listen_on_unix(str(tmp_path / "open" / "s")):
        pass
    (tmp_path / "open").chmod(0o777)
    with pytest.raises(ServeError, match="yours alone"), listen.listen_on_unix(str(tmp_path / "open" / "s")):
        pass


def test_a_path_that_is_too_long_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="too long for a socket"), listen.listen_on_unix(str(tmp_path / ("x" * 120))):
        pass


@pytest.mark.parametrize(
    ("host", "loopback"), [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("0.0.0.0", False), ("::", False)]
)
def test_loopback_is_told_from_the_rest(host: str, loopback: bool) -> None:
    assert listen.choose_place(host, 0).is_loopback is loopback


def test_a_name_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [("127.0.0.1", 0), ("0.0.0.0", 0)]  # what must not be bound
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", answers.pop(0))]
    )
    found = listen.choose_place("changing.example", 0)
    assert found.is_loopback
    with listen.open_port(found) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


@pytest.mark.parametrize(
    ("names", "port", "scheme", "expected"),
    [
        (("127.0.0.1",), 7733, "http", {"127.0.0.1:7733", "localhost:7733", "[::1]:7733"}),
        (("::1",), 80, "http", {"127.0.0.1", "localhost", "[::1]", "127.0.0.1:80", "localhost:80", "[::1]:80"}),
        (("10.1.2.3", "Quota.Example"), 443, "https", {"10.1.2.3", "quota.example"}),
        (("localhost",), 0, "http", {"127.0.0.1", "localhost", "[::1]"}),
    ],
)
def test_the_names_that_a_server_goes_by(names: tuple[str, ...], port: int, scheme: str, expected: set[str]) -> None:
    wanted = expected | ({f"{name}:443" for name in expected} if port == 443 else set())
    assert listen.list_hosts(names, port, scheme) == wanted


def test_a_missing_extra_is_said_in_a_sentence(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "uvicorn.py").write_text("raise ImportError('hidden')\n")
    refused = ullage("serve", "--port", "0", environ={**environ, "PYTHONPATH": str(tmp_path / "hidden")})
    assert (refused.returncode, "pip install h11 starlette uvicorn" in refused.stderr) == (2, True)
    # A link to a server that cannot be started here would lead nowhere.
    linked = ullage("serve", "link", environ={**environ, "PYTHONPATH": str(tmp_path / "hidden")})
    assert (linked.returncode, linked.stdout) == (2, "")
    assert "pip install h11 starlette uvicorn" in linked.stderr
    # Nor would a service ever start.
    setup = ullage("setup", "service", "--yes", environ={**environ, "PYTHONPATH": str(tmp_path / "hidden")})
    assert (setup.returncode, setup.stdout) == (2, "")
    assert "pip install h11 starlette uvicorn" in setup.stderr


def test_a_link_leads_to_the_address_that_is_bound(environ: dict[str, str]) -> None:
    with serving(environ, "--host", "localhost") as served:
        shown = served.first_line
        assert "localhost" not in shown
        assert f"://127.0.0.1:{served.port}" in shown or f"://[::1]:{served.port}" in shown
    refused = ullage("serve", "link", "--base", "http://localhost:7733", environ=environ)
    assert (refused.returncode, "localhost is two addresses" in refused.stderr) == (2, True)
