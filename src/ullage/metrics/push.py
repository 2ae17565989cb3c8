"""Send metrics to an address that the user named: a Pushgateway, or a receiver of OTLP/HTTP."""

from __future__ import annotations

from urllib.parse import urlsplit

from ullage.base.errors import SourceError, UsageError
from ullage.base.text import clean
from ullage.metrics import MetricsError
from ullage.metrics.formats import PLAIN_TYPE
from ullage.system import addresses, http

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ullage.system.http import Response

_LONGEST_WORDS = 200


class PushRoute:
    """How to send: whether plain HTTP is allowed, and the Authorization header."""

    def __init__(self, *, plain_http: bool = False, authorization: str | None = None) -> None:
        self.plain_http, self.authorization = plain_http, authorization


def push_to_gateway(address: str, text: bytes, installation: str, route: PushRoute) -> None:
    """Replace this installation's group in a Pushgateway, so that windows which no longer exist vanish there too.

    Raises UsageError for an address that is not allowed, and MetricsError when sending fails.
    """
    _send("PUT", _group(address, installation), text, PLAIN_TYPE, route)


def forget_pushed(address: str, installation: str, route: PushRoute) -> None:
    """Remove this installation's group from a Pushgateway; raises as `push_to_gateway` does."""
    _send("DELETE", _group(address, installation), b"", PLAIN_TYPE, route)


def push_to_receiver(address: str, message: bytes, content_type: str, route: PushRoute) -> None:
    """Send an OTLP message; raises as `push_to_gateway` does."""
    _send("POST", address, message, content_type, route)


def _group(address: str, installation: str) -> str:
    return f"{address.rstrip('/')}/metrics/job/ullage/instance/{installation}"


def _check(address: str, route: PushRoute) -> None:
    wrong = addresses.find_wrong(address, plain_http=route.plain_http)
    if wrong:
        raise UsageError(f"The address for metrics {wrong}.")
    parts = urlsplit(address)
    if route.authorization and not addresses.is_private(parts.scheme, parts.hostname or ""):
        raise UsageError("A password or a token for metrics is only sent by https:// or to a loopback address.")


def _send(method: str, url: str, body: bytes, content_type: str, route: PushRoute) -> None:
    _check(url, route)
    headers = {"Content-Type": content_type}
    if route.authorization:
        headers["Authorization"] = route.authorization
    try:
        answer = http.send_body(method, url, headers, body)
    except SourceError as error:
        done = "removed" if method == "DELETE" else "sent"
        raise MetricsError(f"The metrics were not {done}. {error}") from error
    if not 200 <= answer.status < 300:
        # The body of a refusal says what to mend, but may repeat the password: it is not shown where one was sent.
        said = "" if route.authorization else clean(answer.body.decode(errors="replace"), _LONGEST_WORDS)
        verb = "remove" if method == "DELETE" else "take"
        # Some servers answer 401 to a wrong password, as they do to a missing one.
        status = 403 if answer.status == 401 and route.authorization else answer.status
        raise MetricsError(f"{_refused(urlsplit(url).hostname or '', answer, said, verb)}{_advice(status)}")


def _refused(host: str, answer: Response, said: str, verb: str) -> str:
    words = f": {said.rstrip('.')}" if said and not said.startswith("<") else ""
    return f"{clean(host, 100)} did not {verb} the metrics: it answered {answer.status}{words}."


def _advice(status: int) -> str:
    if 300 <= status < 400:
        return " Redirects are not followed: name the address where it ends."
    return {
        401: " Set metrics.auth_file, or ULLAGE_METRICS_AUTH.",
        403: " What metrics.auth_file or ULLAGE_METRICS_AUTH holds does not open it.",
        404: " Is the path of the address right?",
    }.get(status, " Another attempt may do better." if status >= 500 else "")
