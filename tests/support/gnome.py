"""A GNOME Shell of the tests' own: headless, on buses of its own, looked into by its own interpreter."""

from __future__ import annotations

import ast
import contextlib
import json
import os
from typing import TYPE_CHECKING, Any

from PIL import Image

from tests.support import desktop
from tests.support.bars import Screen, running
from tests.support.tools import need, run, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SIZE = "900x600"
# Where a login manager is said to be, the shell asks for it, and the tests' bus has none.
_ALONE = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", 'mount -t tmpfs none /run/systemd; exec "$@"']

_POINTER = """
(global.ullagePointer = imports.gi.Clutter.get_default_backend().get_default_seat().create_virtual_device(
    imports.gi.Clutter.InputDeviceType.POINTER_DEVICE), true)
"""
_MOVE = """
(() => {{
    const actor = {actor};
    const [x, y] = actor.get_transformed_position();
    const now = imports.gi.GLib.get_monotonic_time();
    global.ullagePointer.notify_absolute_motion(now, x + actor.width / 2, y + actor.height / 2);
    return true;
}})()
"""
_PRESS = """
(() => {
    for (const state of [1, 0])
        global.ullagePointer.notify_button(imports.gi.GLib.get_monotonic_time(), 1, state);
    return true;
})()
"""


class Shell:
    """A shell that runs; `environ` is that of its session."""

    def __init__(self, environ: dict[str, str], folder: Path) -> None:
        self.environ, self._folder = environ, folder
        self.screen = Screen(self._grab)

    def evaluate(self, code: str) -> Any:
        """Return what JavaScript in the shell comes to; None while the shell does not answer."""
        answer = self._call("org.gnome.Shell", "/org/gnome/Shell", "org.gnome.Shell.Eval", f"JSON.stringify({code})")
        if answer is None:
            return None
        succeeded, _, quoted = answer.partition(", ")
        # GVariant quotes as Python does; in the quotes is the shell's JSON of our JSON.
        text = ast.literal_eval(f"({quoted}")
        assert succeeded == "(true", text
        return json.loads(json.loads(text)) if text else None

    def click(self, actor: str) -> None:
        """Click on what a piece of JavaScript names."""
        assert all(self.evaluate(step) for step in (_MOVE.format(actor=actor), _PRESS))

    def _grab(self) -> Image.Image:
        shot = self._folder / "shot.png"
        service, path = "org.gnome.Shell.Screenshot", "/org/gnome/Shell/Screenshot"
        done = self._call(service, path, f"{service}.Screenshot", "false", "false", str(shot))
        return Image.new("RGB", (1, 1)) if done is None else Image.open(shot)

    def _call(self, name: str, path: str, method: str, *arguments: str) -> str | None:
        call = ["gdbus", "call", "--session", "--dest", name, "--object-path", path, "--method", method]
        done = run([*call, *arguments], self.environ)
        return done.stdout if done.returncode == 0 else None


@contextlib.contextmanager
def shell(environ: dict[str, str], folder: Path) -> Iterator[Shell]:
    """Run a shell with the extensions that this home has, until the end of the context."""
    program, runtime = need("gnome-shell"), folder / "run"
    for directory in (runtime, folder / "system-bus", folder / "session-bus"):
        directory.mkdir(mode=0o700)
    alone = [*_ALONE, "sh"] if os.path.isdir("/run/systemd") else []
    with (
        desktop.running(folder / "system-bus", service=False) as system,
        desktop.running(folder / "session-bus", service=False) as session,
    ):
        environ |= {"XDG_RUNTIME_DIR": str(runtime), "GSETTINGS_BACKEND": "keyfile"}
        environ |= {"DBUS_SYSTEM_BUS_ADDRESS": system.address, "DBUS_SESSION_BUS_ADDRESS": session.address}
        command = [*alone, program, "--headless", "--virtual-monitor", _SIZE, "--unsafe-mode", "--no-x11"]
        with running(command, environ, folder=folder):
            started = Shell(environ, folder)
            wait_until(lambda: started.evaluate("Main.layoutManager._startingUp") is False, what="GNOME Shell")
            hidden = "(Main.overview.hide(), !Main.overview.visible)"
            wait_until(lambda: started.evaluate(hidden), what="the desk")
            assert started.evaluate(_POINTER)
            yield started
