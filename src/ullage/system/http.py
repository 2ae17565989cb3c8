"""Requests, the polite and suspicious way: the only module that imports httpx.

No redirect is followed, no body is read past a limit, no call outlives its deadline, and what is asked with a secret is
asked of the provider's own host or of a loopback address.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import ssl
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from ullage import __version__
from ullage.base import jsontext
from ullage.base.errors import SourceError, UsageError
from ullage.base.text import clean, quote
from ullage.system import addresses

# The program that httpx brings along imports click, rich and pygments, half of what httpx takes; httpx does without.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
import httpx  # noqa: E402

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any, Self

PROVIDER = "https://api.anthropic.com"
CONNECT_SECONDS = 5.0
WHOLE_CALL_SECONDS = 20.0
LARGEST_BODY = 1 << 20
USER_AGENT = f"ullage/{__version__}"


class Response:
    """A status, its headers and a body of bounded size."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body


def choose_api_base(environ: Mapping[str, str]) -> httpx.URL:
    """Return the address of the provider's API to ask; raise SourceError unless it is its own or a loopback one."""
    return check_base(environ.get("ULLAGE_API_BASE") or PROVIDER, PROVIDER)


def check_base(base: str, provider: str, variable: str = "ULLAGE_API_BASE") -> httpx.URL:
    """Return the base address when it is the provider's own or a loopback address; else raise SourceError."""
    try:
        url = httpx.URL(base)
    except (httpx.InvalidURL, ValueError) as error:
        raise _base_refused(provider, variable, f"holds no address: {clean(str(error), 200)}") from error
    bare = (
        not url.userinfo and not url.query and not url.fragment and url.path in ("", "/") and (url.port or 0) < 1 << 16
    )
    if bare and (
        str(url).rstrip("/") == provider or (url.scheme in ("http", "https") and addresses.is_loopback(url.host))
    ):
        return url
    raise _base_refused(provider, variable, f"names {quote(url.host)}")


def check_address(address: str) -> httpx.URL:
    """Return an address that a person named, when it is an https or a loopback one; else raise UsageError."""
    try:
        url = httpx.URL(address)
    except (httpx.InvalidURL, ValueError) as error:
        # What the library says of it would repeat parts of it.
        raise UsageError(f"{quote(addresses.hide_secrets(address))} is no address that can be read.") from error
    if url.port is not None and not 0 < url.port < 1 << 16:
        raise UsageError(
            f"{quote(addresses.hide_secrets(address))} names a port that there is not. Ports are 1 to 65535."
        )
    if not addresses.is_private(url.scheme, url.host) or not url.host or url.userinfo:
        raise UsageError(
            f"{quote(addresses.hide_secrets(address))} is neither an https:// address nor a loopback one such as "
            "http://127.0.0.1:8000, without a name and password in it."
        )
    return url


def _base_refused(provider: str, variable: str, what: str) -> SourceError:
    return SourceError(
        "base_refused",
        f"ullage asks {provider} or a loopback address such as http://127.0.0.1:8000, and nobody else; "
        f"{variable} {what}. Unset it.",
    )


def get_response(
    base: httpx.URL,
    path: str,
    headers: Mapping[str, str],
    seconds: float = WHOLE_CALL_SECONDS,
    *,
    largest: int = LARGEST_BODY,
) -> Response:
    """Make a request and return the response of any status; raise SourceError when there is none.

    `seconds` bounds the whole call where less is left than one call may take.
    """
    with Connection(base, largest=largest) as connection:
        return connection.get(path, headers, seconds)


def get_from_socket(
    path: str, target: str, headers: Mapping[str, str], seconds: float, *, largest: int = LARGEST_BODY
) -> Response:
    """Ask a server that listens on a Unix socket, as `get_response` does; raise SourceError when there is no answer."""
    with Connection(httpx.URL("http://localhost"), largest=largest, socket_path=path) as connection:
        return connection.get(target, headers, seconds)


def send_body(method: str, address: str, headers: Mapping[str, str], content: bytes) -> Response:
    """Send a body to an address that the user named, under the same limits; it holds no secret of the provider's."""
    url = httpx.URL(address)
    with Connection(url) as connection:
        return connection.request(method, url, headers, content)


class Connection:
    """A connection that is kept open for several questions. Use as a context manager."""

    def __init__(self, base: httpx.URL, *, largest: int = LARGEST_BODY, socket_path: str | None = None) -> None:
        self._base, self._largest, self._socket_path = base, largest, socket_path

    def __enter__(self) -> Self:
        self._client = _client(self._base, self._socket_path)
        self._loop = asyncio.Runner()
        self._loop.get_loop().set_default_executor(_Unawaited())
        return self

    def __exit__(self, *_error: object) -> None:
        try:
            self._loop.run(self._client.aclose())
        finally:
            self._loop.close()

    def get(self, path: str, headers: Mapping[str, str], seconds: float = WHOLE_CALL_SECONDS) -> Response:
        """Ask once, as `get` does."""
        return self.request("GET", self._base.join(path), headers, seconds=seconds)

    def request(
        self,
        method: str,
        url: httpx.URL,
        headers: Mapping[str, str],
        content: bytes = b"",
        *,
        seconds: float = WHOLE_CALL_SECONDS,
    ) -> Response:
        """Make a request and return the answer, whatever its status; raise SourceError when there is none."""
        limit = min(seconds, WHOLE_CALL_SECONDS)
        with _translated(self._socket_path or url.host, limit):
            return self._loop.run(self._exchange(method, url, headers, content, limit))

    async def _exchange(
        self, method: str, url: httpx.URL, headers: Mapping[str, str], content: bytes, limit: float
    ) -> Response:
        async with (
            asyncio.timeout(limit),
            self._client.stream(method, url, headers=dict(headers), content=content) as response,
        ):
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > self._largest:
                    raise SourceError(
                        "too_large",
                        f"{self._socket_path or url.host} sent more than {self._largest >> 20} MiB, which is not what "
                        "was asked for.",
                        reached_server=True,
                    )
            return Response(response.status_code, response.headers, bytes(body))


@contextlib.contextmanager
def _translated(host: str, seconds: float) -> Iterator[None]:
    """Turn what httpx raises into SourceErrors that say what to do."""
    try:
        yield
    except TimeoutError as error:
        raise _unreachable("timeout", f"{host} did not finish its answer in {seconds:.0f} s") from error
    except httpx.ConnectTimeout as error:
        raise _unreachable("connect_timeout", f"{host} did not take the connection") from error
    except httpx.TimeoutException as error:
        raise _unreachable("timeout", f"{host} fell silent in the middle of its answer") from error
    except httpx.ConnectError as error:
        raise _connect_error(host, error) from error
    except httpx.ProxyError as error:
        raise _proxy_refused(host, error) from error
    except (httpx.HTTPError, OSError) as error:
        raise SourceError(
            "connection_broken",
            f"The connection to {host} broke off. Another attempt may do better.",
            reached_server=True,
        ) from error


class _Unawaited(ThreadPoolExecutor):
    """Resolves names in threads that are not joined, as a resolver that never answers cannot be stopped."""

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()

        def run() -> None:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(work(*arguments, **named))
                except BaseException as error:
                    future.set_exception(error)

        threading.Thread(target=run, daemon=True).start()
        return future


def _client(base: httpx.URL, socket_path: str | None = None) -> httpx.AsyncClient:
    try:
        trusted = _trust(base)
    except OSError as error:
        raise SourceError(
            "bad_certificate",
            "SSL_CERT_FILE or SSL_CERT_DIR names no certificates that can be read. Correct or unset it.",
        ) from error
    try:
        return httpx.AsyncClient(
            verify=trusted,
            # A loopback address is never asked through a proxy, which would see the secret.
            trust_env=not addresses.is_loopback(base.host) and socket_path is None,
            transport=httpx.AsyncHTTPTransport(uds=socket_path) if socket_path is not None else None,
            follow_redirects=False,
            timeout=httpx.Timeout(WHOLE_CALL_SECONDS, connect=CONNECT_SECONDS),
            headers={"User-Agent": USER_AGENT, "Accept": "application/json", "Accept-Encoding": "identity"},
        )
    except (httpx.InvalidURL, ValueError, ImportError) as error:
        raise SourceError(
            "proxy_unusable",
            "HTTPS_PROXY or ALL_PROXY names a proxy that ullage cannot use: it speaks to http:// and https:// proxies. "
            "Set HTTPS_PROXY to one of these, or unset both.",
        ) from error


def _trust(base: httpx.URL) -> ssl.SSLContext:
    """Return whom a TLS connection trusts; raise OSError where the environment names what cannot be read."""
    named = os.environ.get("SSL_CERT_FILE")
    if named and not os.path.isfile(named):
        raise FileNotFoundError(named)
    if base.scheme == "http" and addresses.is_loopback(base.host):
        # No TLS is spoken there and no redirect followed, so no certificates are needed: to read them takes 30 ms.
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx.create_ssl_context()


def _proxy_refused(host: str, error: httpx.ProxyError) -> SourceError:
    status = clean(str(error), 100)
    if status.startswith("407"):
        return SourceError(
            "proxy_wants_password",
            f"The proxy on the way to {host} wants a name and a password (407). Put them into the address in "
            "HTTPS_PROXY: http://name:password@proxy:port",
        )
    return SourceError(
        "proxy_refused",
        f"The proxy on the way to {host} does not let ullage through ({status}). HTTPS_PROXY or ALL_PROXY names it.",
    )


def _unreachable(code: str, what: str) -> SourceError:
    return SourceError(code, f"{what}. Check the network.", reached_server=code == "timeout")


def _connect_error(host: str, error: httpx.ConnectError) -> SourceError:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return SourceError(
                "bad_certificate",
                f"{host} did not show a certificate that this machine trusts, so nothing was sent. If a proxy of your "
                "organisation opens TLS, name its CA file in SSL_CERT_FILE.",
            )
        if isinstance(cause, socket.gaierror):
            return _unreachable("dns_failure", f"The name {host} could not be looked up")
        cause = cause.__cause__ or cause.__context__
    return _unreachable("unreachable", f"{host} could not be reached")


def read_retry_after(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """Return the time that a Retry-After header names, in seconds or as a date (RFC 9110); None without one."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit() and len(value) < 10:
        return now + timedelta(seconds=int(value))
    try:
        parsed = parsedate_to_datetime(value)
        # A zone may carry the last day that there is beyond the calendar.
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def decode_body(answer: Response, host: str, number: Callable[[str], object] = float) -> object:
    """Return the decoded body, its fractions read by `number`; raise SourceError that tells a page from a torn body."""
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise SourceError("not_json", f"{host} sent a compressed answer that was not asked for.", reached_server=True)
    if jsontext.has_too_many_values(answer.body):
        raise SourceError("too_large", f"{host} sent far more than what was asked for.", reached_server=True)
    try:
        return json.loads(answer.body, parse_float=number)
    except (ValueError, RecursionError, ArithmeticError) as error:
        if answer.body.lstrip()[:1] == b"<" or "html" in answer.headers.get("content-type", ""):
            raise SourceError(
                "not_json",
                f"{host} answered with a web page instead of numbers; a proxy or a sign-in page of the network may "
                "stand in between. Open a browser to see it.",
                reached_server=True,
            ) from error
        raise SourceError(
            "truncated",
            f"The answer of {host} is not whole. Another attempt may do better.",
            reached_server=True,
        ) from error
