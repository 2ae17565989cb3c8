"""Which user a connection comes from, where the system tells it: Linux, over loopback and Unix sockets."""

from __future__ import annotations

import re
import socket
import struct
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio.trsock import TransportSocket

# What has been read serves all connections that wait to be taken; a port goes to another user meanwhile only where it
# is used again within that time.
_TABLE_SECONDS = 0.25
# /proc/net/tcp: number, local and remote address, state, two queues, timer, retransmissions, uid.
_LINE = re.compile(rb"^ *\d+: ([0-9A-F]+:[0-9A-F]{4}) ([0-9A-F]+:[0-9A-F]{4}) 01 \S+ \S+ \S+ +(\d+) ", re.MULTILINE)


class Peers:
    """Finds the users of connections by the system's table of sockets, which is read anew when it is old."""

    def __init__(self) -> None:
        self._users: dict[tuple[bytes, bytes], int] = {}
        self._read_at = float("-inf")

    def find_user(self, connection: TransportSocket) -> int | None:
        """Return the uid of the other end; None where it is not of this machine, or the system does not tell."""
        if sys.platform != "linux":
            return None
        try:
            if connection.family == socket.AF_UNIX:
                data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
                return int(struct.unpack("3i", data)[1])
            ends = _show_end(connection.getpeername()), _show_end(connection.getsockname())
            if ends not in self._users and time.monotonic() - self._read_at > _TABLE_SECONDS:
                self._read()
        except OSError:
            return None
        # Once: the next connection from that port may be another user's.
        return self._users.pop(ends, None)

    def _read(self) -> None:
        self._users = {}
        for path in ("/proc/net/tcp", "/proc/net/tcp6"):
            try:
                with open(path, "rb") as file:
                    table = file.read()
            except OSError:
                continue
            self._users.update({(local, remote): int(uid) for local, remote, uid in _LINE.findall(table)})
        self._read_at = time.monotonic()


def _show_end(address: tuple[str, int] | tuple[str, int, int, int]) -> bytes:
    """Return an address as /proc/net/tcp has it: words of four bytes in the order of this machine."""
    host, port = address[0].partition("%")[0], address[1]
    packed = socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
    words = struct.unpack(f"={len(packed) // 4}I", packed)
    return b"%s:%04X" % (b"".join(b"%08X" % word for word in words), port)
