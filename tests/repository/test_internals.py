"""What reaches into a library: its version is bounded from above, and the parts in use are there as they are used."""

from __future__ import annotations

import importlib.util
import inspect
import subprocess
import sys
import tomllib
from asyncio.selector_events import BaseSelectorEventLoop
from asyncio.sslproto import SSLProtocol
from importlib.metadata import version
from pathlib import Path

import pytest
import uvicorn
from packaging.requirements import Requirement
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from ullage.serve.server import ClientConnection, Server

ROOT = Path(__file__).resolve().parents[2]
REACHED_INTO = ("uvicorn", "pystray", "httpx")
OF_CONNECTION = {
    *("connection_made", "data_received", "connection_lost", "pause_writing", "resume_writing", "shutdown"),
    *("on_response_complete", "timeout_keep_alive_handler", "send_400_response"),
}
OF_SERVER = {"main_loop", "shutdown", "capture_signals"}


def required(name: str) -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    return [found for found in map(Requirement, named) if found.name == name]


@pytest.mark.parametrize("name", REACHED_INTO)
def test_a_library_that_is_reached_into_is_bounded_from_above(name: str) -> None:
    for requirement in required(name):
        assert any(one.operator == "<" for one in requirement.specifier), requirement
        assert requirement.specifier.contains(version(name))
    assert required(name)


@pytest.mark.parametrize(
    ("ours", "theirs", "names"), [(ClientConnection, H11Protocol, OF_CONNECTION), (Server, uvicorn.Server, OF_SERVER)]
)
def test_what_is_overridden_of_uvicorn_is_there_and_takes_the_same(ours: type, theirs: type, names: set[str]) -> None:
    assert {name for name in vars(ours) if not name.startswith("_") and hasattr(theirs, name)} == names
    for name in names:
        parameters = [list(inspect.signature(getattr(kind, name)).parameters) for kind in (ours, theirs)]
        assert parameters[0] == parameters[1], name


def test_asyncio_makes_the_protocol_of_tls_as_ours_is_made() -> None:
    made = inspect.getsource(getattr(BaseSelectorEventLoop, "_make_ssl_transport"))  # noqa: B009  # its stub hides it
    assert "sslproto.SSLProtocol(" in made
    assert made.index("sslproto.SSLProtocol(") < made.index("_SelectorSocketTransport(")
    begins = inspect.getsource(SSLProtocol.__init__)
    assert "bytearray(self.max_size)" in begins
    assert list(inspect.signature(SSLProtocol.__init__).parameters)[1:5] == [
        "loop",
        "app_protocol",
        "sslcontext",
        "waiter",
    ]
    assert list(inspect.signature(uvicorn.Server.startup).parameters) == ["self", "sockets"]
    assert "config.http_protocol_class(" in inspect.getsource(uvicorn.Server.startup)


def test_uvicorn_calls_what_is_overridden_and_has_what_is_used() -> None:
    begins, handles = inspect.getsource(H11Protocol.__init__), inspect.getsource(H11Protocol.handle_events)
    for name in ("conn", "connections", "cycle", "loop", "scope", "transport"):
        assert f"self.{name} = " in begins or f"self.{name}: " in begins, name
    assert "self.send_400_response(" in handles
    assert "on_response=self.on_response_complete" in handles
    assert "self.timeout_keep_alive_handler" in inspect.getsource(H11Protocol)
    assert "self.response_complete = " in inspect.getsource(RequestResponseCycle.__init__)
    assert callable(H11Protocol._unset_keepalive_if_required)
    serves = inspect.getsource(uvicorn.Server)
    for call in ("self.capture_signals()", "self.main_loop()", "self.shutdown(", "self.force_exit"):
        assert call in serves


def test_pystray_has_what_is_used() -> None:
    # Its modules need a display where they are imported.
    spec = importlib.util.find_spec("pystray")
    assert spec and spec.submodule_search_locations
    places = Path(spec.submodule_search_locations[0])
    on_x = (places / "_xorg.py").read_text()
    for name in ("def _assert_docked(self)", "self._display = ", "self._window = ", "self._systray_manager = "):
        assert name in on_x
    on_windows = (places / "_win32.py").read_text()
    for name in ("def _on_notify(self, wparam, lparam)", "def _update_menu(self)", "win32.WM_NOTIFY: self._on_notify,"):
        assert name in on_windows
    assert "self._appindicator = " in (places / "_appindicator.py").read_text()
    assert "def mainloop(" in (places / "_util" / "gtk.py").read_text()


@pytest.mark.parametrize(
    ("hidden", "code"),
    [
        ("typing_extensions", "import msgspec; msgspec.json.decode(b'[1]', type=list[int])"),
        ("httpx._main", "import httpx; httpx.AsyncClient"),
    ],
)
def test_a_library_does_without_what_is_hidden_from_it(hidden: str, code: str) -> None:
    hiding = f"import sys; sys.modules[{hidden!r}] = None; {code}"
    done = subprocess.run([sys.executable, "-c", hiding], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
