"""Open the listening socket: a loopback port, a Unix socket of the user's own, or a public address under TLS."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
import shlex
import socket
import ssl
import stat
import sys

from ullage.base.errors import CacheError, UsageError
from ullage.base.record import Record
from ullage.base.text import quote
from ullage.serve import ServeError
from ullage.system import addresses, directories
from ullage.system.files import remove_file
from ullage.system.lock import hold_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_BACKLOG = 1024
_LONGEST_UNIX_PATH = 104 if sys.platform == "darwin" else 108
_PATIENCE_SECONDS = 2.0


class Place(Record):
    """Where to listen: the host name that the user gave, and the address that it resolved to.

    The name is resolved once, so that the address that was checked is also the address that is bound.
    """

    host: str
    family: socket.AddressFamily
    address: tuple[str, int, int, int] | tuple[str, int]

    @property
    def is_loopback(self) -> bool:
        """Say whether only this machine can connect to the address."""
        return addresses.is_loopback(self.address[0].partition("%")[0])

    @property
    def is_every_address(self) -> bool:
        """Say whether the address is 0.0.0.0 or ::, which stands for all of the machine's and is in no Host header."""
        return ipaddress.ip_address(self.address[0]).is_unspecified


def choose_place(host: str, port: int) -> Place:
    """Resolve a host name or an address; raise UsageError where that fails."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise UsageError(f"There is no address {quote(host)}. Name one of this machine, such as 127.0.0.1.") from error
    family, _, _, _, address = found[0]
    return Place(host=host, family=family, address=address)  # type: ignore[arg-type]  # of an internet family


def open_port(place: Place) -> socket.socket:
    """Return a listening socket; raise ServeError when the port is taken or not permitted."""
    # asyncio turns Nagle's algorithm off only for sockets made with IPPROTO_TCP; else an answer takes 44 ms longer.
    listener = socket.socket(place.family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # Otherwise the old connections of a server that has just ended would keep the port taken.
        exclusive_use = getattr(socket, "SO_EXCLUSIVEADDRUSE", None)
        listener.setsockopt(socket.SOL_SOCKET, exclusive_use or socket.SO_REUSEADDR, 1)
        listener.bind(place.address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise ServeError(explain_refused(error, place.host, place.address[1], "ullage serve")) from error
    return listener


def explain_refused(error: OSError, host: str, port: int, command: str) -> str:
    """Return why a port cannot be listened on, and what to do; `command` is what else may have it."""
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is taken, perhaps by another `{command}`. Name another with --port, or 0."
    if error.errno == errno.EACCES:
        return f"Port {port} is not yours to take. Name one from 1024 on with --port."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is no address of this machine. Name one that is, such as 127.0.0.1."
    return f"Cannot listen on {host} port {port}: {error.strerror}. Name another with --port, or 0."


def choose_unix_path(environ: Mapping[str, str], state: str) -> str:
    """Return the default path of the Unix socket: in XDG_RUNTIME_DIR, else in the state directory."""
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    directory = os.path.join(runtime, "ullage") if os.path.isabs(runtime) else os.path.join(state, "serve")
    return os.path.join(directory, "serve.sock")


@contextlib.contextmanager
def listen_on_unix(path: str) -> Iterator[socket.socket]:
    """Listen on a Unix socket that only its owner can connect to; it is removed when the block ends.

    A socket that no server listens on any more is replaced, any other file is not. Raises ServeError when another
    server holds the path.
    """
    if not hasattr(socket, "AF_UNIX"):
        raise UsageError("This system has no Unix sockets for Python. Leave --unix out.")
    path = os.path.abspath(path)
    if len(os.fsencode(path)) >= _LONGEST_UNIX_PATH:
        raise UsageError(
            f"{path} is too long for a socket: {_LONGEST_UNIX_PATH - 1} bytes at most. Name a shorter one."
        )
    _make_private(os.path.dirname(path))
    with hold_lock(path + ".lock") as held:
        if not held:
            raise ServeError(f"Another `ullage serve` has {path}. Name another socket.")
        _remove_left_over(path)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(path)
            # Until this chmod the private directory keeps other users away.
            os.chmod(path, 0o600)
            listener.listen(_BACKLOG)
            identity = os.stat(path).st_ino
        except OSError as error:
            listener.close()
            raise ServeError(f"Cannot listen on {path}: {error.strerror}. Name another socket.") from error
        try:
            yield listener
        finally:
            listener.close()
            with contextlib.suppress(OSError):
                if os.lstat(path).st_ino == identity:
                    os.unlink(path)
            # A process that opened the lock before and takes it now finds a new socket, or a path already bound.
            remove_file(path + ".lock")


def _make_private(directory: str) -> None:
    """Make the socket's directory where it is missing; raise ServeError where another user can enter or replace it."""
    try:
        directories.make_missing(directory)
        directories.refuse_replaceable(os.path.realpath(directory))
        directories.refuse_strangers(directory, variable="--unix")
        is_open = os.stat(directory).st_mode & 0o011
    except CacheError as error:
        raise ServeError(f"The socket needs a directory that is yours alone. {error}") from error
    except OSError as error:
        raise ServeError(f"Cannot make {directory}: {error.strerror}. Name a socket elsewhere.") from error
    if is_open:
        raise ServeError(
            f"The socket needs a directory that is yours alone; others can enter {directory}. Name a socket in "
            f"another one, or run: chmod go= {shlex.quote(directory)}"
        )


def _remove_left_over(path: str) -> None:
    """Remove a socket that refuses connections; raise ServeError for a live one and for any other file."""
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise ServeError(f"{path} is there and is no socket; it stays as it is. Name another path.")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_PATIENCE_SECONDS)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
            return
        except OSError as error:
            raise ServeError(f"{path} cannot be tried: {error.strerror}. Name another path.") from error
    raise ServeError(f"Another program listens on {path}. Name another socket.")


def load_tls_context(certificate: str, key: str) -> ssl.SSLContext:
    """Return the server's TLS context; raise UsageError when certificate and key do not match or cannot be read."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    for path in (certificate, key):
        if not os.access(path, os.R_OK) or not os.path.isfile(path):
            raise UsageError(f"{path} is not there, or cannot be read. Name the certificate chain and its key in PEM.")
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except (ssl.SSLError, ValueError) as error:
        raise UsageError(
            f"{certificate} and {key} do not make a certificate with its key (PEM, without a password): "
            f"{getattr(error, 'reason', None) or error}."
        ) from error
    return context


def _no_password() -> str:
    raise ValueError("the key has a password")


def list_hosts(names: tuple[str, ...], port: int, scheme: str) -> frozenset[str]:
    """Return the allowed values of the Host header; a loopback server allows every name of loopback."""
    every = {show_address(name).lower() for name in names}
    if any(name == "localhost" or addresses.is_loopback(name) for name in names):
        every |= {"localhost", "127.0.0.1", "[::1]"}
    usual = {"http": 80, "https": 443}[scheme]
    with_port = {f"{name}:{port}" for name in every} if port else set()
    return frozenset(with_port | (every if port in (0, usual) else set()))


def show_address(host: str) -> str:
    """Return a host as it stands in a URL: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host
