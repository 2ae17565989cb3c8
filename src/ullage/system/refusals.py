"""What an answer without numbers means: the words and codes that the sources share."""

from __future__ import annotations

from ullage.base.errors import SourceError
from ullage.system import http

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime


def build_refusal(answer: http.Response, host: str, now: datetime, *, sent: str) -> SourceError:
    """Return the error for a status that is not 200; `sent` is what was sent along, such as `token`."""
    status = answer.status
    retry_at = http.read_retry_after(answer.headers, now) if status == 429 or status >= 500 else None
    code, message = "unexpected_status", f"{host} answered {status}, which ullage does not know. It will ask again."
    if status == 429:
        code = "rate_limited"
        message = (
            "The server asks for fewer questions; that says nothing about your plan's limits. "
            "ullage waits and asks again by itself."
        )
    elif 300 <= status < 400:
        code = "redirected"
        message = f"{host} points elsewhere, and ullage does not follow with a {sent}. Check the network."
    elif status >= 500:
        code, message = "server_error", f"{host} has a fault of its own ({status}). ullage asks again by itself."
    return SourceError(code, message, reached_server=True, retry_at=retry_at)
