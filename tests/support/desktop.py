"""A desktop of the tests' own: a D-Bus session bus with a notification service that keeps what it is sent."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import threading
from typing import TYPE_CHECKING

from tests.support.tools import need

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dbus_fast import Message

_NAME = "org.freedesktop.Notifications"
_INTERFACE = f"""
<node><interface name="{_NAME}">
  <method name="Notify">
    <arg type="s" direction="in"/><arg type="u" direction="in"/><arg type="s" direction="in"/>
    <arg type="s" direction="in" name="summary"/><arg type="s" direction="in" name="body"/>
    <arg type="as" direction="in"/><arg type="a{{sv}}" direction="in" name="hints"/><arg type="i" direction="in"/>
    <arg type="u" direction="out"/>
  </method>
  <method name="GetCapabilities"><arg type="as" direction="out"/></method>
  <method name="GetServerInformation">
    <arg type="s" direction="out"/><arg type="s" direction="out"/><arg type="s" direction="out"/>
    <arg type="s" direction="out"/>
  </method>
</interface></node>
"""


class Desktop:
    """What was shown, as (application, summary, body), and the address to reach it by."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.shown: list[tuple[str, str, str]] = []

    def answer(self, message: Message) -> Message | bool:
        """Reply to a call of the notification service."""
        from dbus_fast import Message, MessageType

        if message.message_type is not MessageType.METHOD_CALL:
            return False
        if message.member == "Introspect":
            return Message.new_method_return(message, "s", [_INTERFACE])
        if message.member == "GetCapabilities":
            return Message.new_method_return(message, "as", [["body", "body-markup"]])
        if message.member == "GetServerInformation":
            return Message.new_method_return(message, "ssss", ["a test", "ullage", "1", "1.2"])
        if message.member == "Notify":
            self.shown.append((message.body[0], message.body[3], message.body[4]))
            return Message.new_method_return(message, "u", [len(self.shown)])
        return False


@contextlib.contextmanager
def running(directory: Path, *, service: bool = True) -> Iterator[Desktop]:
    """Run a session bus, with the service or without one."""
    socket = directory / "bus"
    (directory / "bus.conf").write_text(
        '<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"\n'
        ' "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">\n'
        f"<busconfig><type>session</type><listen>unix:path={socket}</listen><auth>EXTERNAL</auth>"
        '<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>'
        '<allow own="*"/></policy></busconfig>'
    )
    command = [need("dbus-daemon"), f"--config-file={directory / 'bus.conf'}", "--print-address", "--nofork"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as daemon:
        assert daemon.stdout is not None
        desktop = Desktop(daemon.stdout.readline().strip())
        try:
            with _served(desktop) if service else contextlib.nullcontext():
                yield desktop
        finally:
            daemon.terminate()


@contextlib.contextmanager
def _served(desktop: Desktop) -> Iterator[None]:
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_until_complete, args=[_serve(desktop, ready)])
    thread.start()
    assert ready.wait(90)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(_STOPS.pop(desktop).set)
        thread.join()
        loop.close()


_STOPS: dict[Desktop, asyncio.Event] = {}


async def _serve(desktop: Desktop, ready: threading.Event) -> None:
    from dbus_fast.aio import MessageBus

    _STOPS[desktop] = asyncio.Event()
    bus = await MessageBus(bus_address=desktop.address).connect()
    bus.add_message_handler(desktop.answer)
    await bus.request_name(_NAME)
    ready.set()
    await _STOPS[desktop].wait()
    bus.disconnect()
    await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]  # the library has types for all but this
