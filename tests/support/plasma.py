"""Plasma's widget in Qt's own engine, without Plasma: modules of the same names stand in for its parts.

QML starts no process, and asks the test by HTTP to do so: the command lines run in a shell, as Plasma would run them.
"""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from PIL import Image

from tests.support.bars import Screen
from tests.support.tools import REPOSITORY, need, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PARTS = REPOSITORY / "tests" / "support" / "standins" / "plasma"
_QML = "/usr/lib/qt6/bin/qml"


class Widget:
    """A widget that runs; `commands` are the command lines that it has had run."""

    def __init__(self, environ: dict[str, str], folder: Path) -> None:
        self.environ, self.screen = environ, Screen(self._grab)
        self.commands: list[str] = []
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.questions: queue.Queue[str] = queue.Queue()
        self.answers: queue.Queue[Any] = queue.Queue()
        self.process: subprocess.Popen[str]
        self._folder = folder

    def evaluate(self, code: str) -> Any:
        """Return what JavaScript beside the widget comes to."""
        self.questions.put(code)
        wait_until(lambda: not self.answers.empty() or self.process.poll() is not None, what=f"an answer to {code}")
        assert self.process.poll() is None, "the engine has ended"
        return self.answers.get()

    def labels(self, form: str) -> list[dict[str, Any]]:
        """Return the texts of the widget's `small` or `large` form that can be seen."""
        return list(self.evaluate(f"labels(widget.{form})"))

    def shows(self, form: str, text: str) -> None:
        """Wait until a text can be seen."""
        wait_until(lambda: text in [label["text"] for label in self.labels(form)], what=f"{text!r} in {form}")

    def _grab(self) -> Image.Image:
        shot = str(self._folder / "shot.png")
        assert self.evaluate(f"picture {shot}")
        return Image.open(shot)


@contextlib.contextmanager
def running(environ: dict[str, str], folder: Path, main: Path) -> Iterator[Widget]:
    """Run a widget until the end of the context, and hold Qt's engine to have had nothing to say about it."""
    widget = Widget(environ, folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Answers", (_Answers,), {"widget": widget}))
    thread = threading.Thread(target=server.serve_forever, args=[0.02])
    thread.start()
    command = [need(_QML), "-I", str(_PARTS), str(_PARTS / "Desktop.qml"), "--", str(main)]
    inside = environ | {"QT_QPA_PLATFORM": "offscreen", "QT_QUICK_BACKEND": "software", "XDG_RUNTIME_DIR": str(folder)}
    inside |= {"QML_DISABLE_DISK_CACHE": "1", "QT_FORCE_STDERR_LOGGING": "1"}
    address = f"http://127.0.0.1:{server.server_port}"
    with subprocess.Popen([*command, address], env=inside, stderr=subprocess.PIPE, text=True) as process:
        widget.process = process
        try:
            yield widget
        finally:
            process.terminate()
            _, said = process.communicate()
            # Whoever still waits for a question or for a program's end.
            widget.questions.put("")
            for program in list(widget.running.values()):
                program.terminate()
            server.shutdown()
            thread.join()
            server.server_close()
    assert said == ""


class _Answers(BaseHTTPRequestHandler):
    widget: Widget

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.path == "/next":
            self._answer(self.widget.questions.get())
        elif self.path == "/answer":
            self.widget.answers.put(json.loads(text))
            self._answer("")
        elif self.path.startswith("/end/"):
            number = self.path.rpartition("/")[2]
            wait_until(lambda: number in self.widget.running, what=f"program {number}")
            self.widget.running[number].terminate()
            self._answer("")
        else:
            self._answer(json.dumps(self._run(text)))

    def _run(self, command: str) -> dict[str, object]:
        """Run a command line until it ends, or is ended."""
        self.widget.commands.append(command)
        with subprocess.Popen(["/bin/sh", "-c", command], env=self.widget.environ, stdout=subprocess.PIPE) as process:
            self.widget.running[self.path.rpartition("/")[2]] = process
            output, _ = process.communicate()
        return {"exit code": process.returncode, "stdout": output.decode()}

    def _answer(self, text: str) -> None:
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass
