"""Simulate the provider on a loopback address: the usage endpoint in its real wire format, with scripted days.

For tests, the demo and manual trials. It has one invented account and accepts no real token.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from ullage.base.errors import UsageError
from ullage.simulate import org, web
from ullage.simulate.reply import Moment, Reply, refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator
    from typing import Any

__all__ = ["ACCOUNT_ID", "SCENARIOS", "TOKEN", "Moment", "Reply", "Simulator", "write_account"]

TOKEN = "sk-ant-oat01-SIMULATED"  # noqa: S105  # opens nothing but this simulator
ACCOUNT_ID = web.ACCOUNT_ID
USAGE_PATH = "/api/oauth/usage"
PROFILE_PATH = "/api/oauth/profile"
MESSAGES_PATH = "/v1/messages"

_SESSION = timedelta(hours=5)
_WEEK = timedelta(days=7)
_STALL_SECONDS = 120
# How often the server checks for its shutdown; socketserver's default of half a second would slow every test.
_END_SECONDS = 0.02


def _busy(elapsed: timedelta) -> tuple[float, float]:
    """Return the session's and the week's percentage; the day begins 2 hours into a session, 3 days into a week."""
    in_session = ((elapsed + timedelta(hours=2)) % _SESSION) / _SESSION
    in_week = ((elapsed + timedelta(days=3)) % _WEEK) / _WEEK
    return round(92 * in_session, 1), round(100 * in_week, 1)


def _window(percent: float, resets_at: str | None) -> dict[str, Any]:
    empty = dict.fromkeys(("limit_dollars", "used_dollars", "remaining_dollars"))
    return {"utilization": percent, "resets_at": resets_at, **empty}


def _limit(kind: str, percent: float, resets_at: str | None, model: str | None = None, *, active: bool = False) -> Any:
    return {
        "kind": kind,
        "group": "session" if kind == "session" else "weekly",
        "percent": math.floor(percent),
        "severity": "critical" if percent >= 90 else "warning" if percent >= 75 else "normal",
        "resets_at": resets_at,
        "scope": {"model": {"id": None, "display_name": model}, "surface": None} if model is not None else None,
        "is_active": active,
    }


def _body(moment: Moment, session: float, week: float, models: dict[str, float], **more: Any) -> Reply:
    session_reset = moment.resets_at(_SESSION, timedelta(hours=2))
    week_reset = moment.resets_at(_WEEK, timedelta(days=3))
    body = {
        "five_hour": _window(session, session_reset),
        "seven_day": _window(week, week_reset),
        "seven_day_oauth_apps": None,
        "seven_day_opus": None,
        "seven_day_sonnet": None,
        "cinder_cove": None,
        "extra_usage": {"is_enabled": False, "monthly_limit": None, "used_credits": None, "utilization": None},
        "limits": [
            _limit("session", session, session_reset, active=session >= week),
            _limit("weekly_all", week, week_reset, active=week > session),
            *(_limit("weekly_scoped", percent, week_reset, model) for model, percent in models.items()),
        ],
        "member_dashboard_available": False,
        **more,
    }
    return Reply(body=json.dumps(body).encode())


def _busy_day(moment: Moment) -> Reply:
    session, week = _busy(moment.elapsed)
    return _body(moment, session, week, {"Fable": round(week / 2, 1)})


def _models(moment: Moment) -> Reply:
    session, week = _busy(moment.elapsed)
    return _body(moment, session, week, {"Fable": 82, "Opus": 64, "Sonnet": 12})


def _credits(moment: Moment) -> Reply:
    def money(amount: int) -> dict[str, Any]:
        return {"amount_minor": amount, "currency": "USD", "exponent": 2}

    extra = {"is_enabled": True, "monthly_limit": 5000, "used_credits": 1234.0, "utilization": 24.68}
    return _body(
        moment,
        100.0,
        61.0,
        {},
        extra_usage={**extra, "currency": "USD", "decimal_places": 2},
        spend={"used": money(1234), "limit": money(5000), "percent": 24, "severity": "normal", "enabled": True},
    )


def _over_limit(moment: Moment) -> Reply:
    return _body(moment, 104.0, 88.0, {"Fable": 100.0})


def _storm(moment: Moment) -> Reply:
    if moment.request == 1:
        return _busy_day(moment)
    return refuse(429, "rate_limit_error", "Rate limited. Please try again later.", **{"Retry-After": "600"})


def _storm_without_header(moment: Moment) -> Reply:
    return _storm(moment).replace(headers={})


def _outage(moment: Moment) -> Reply:
    return _busy_day(moment) if moment.request == 1 else refuse(503, "api_error", "Service unavailable")


def _flaky(moment: Moment) -> Reply:
    faults = (
        refuse(429, "rate_limit_error", "Rate limited. Please try again later.", **{"Retry-After": "1"}),
        refuse(500, "api_error", "Internal server error"),
    )
    return _busy_day(moment) if moment.request % 3 == 0 else faults[moment.request % 3 - 1]


def _hostile(moment: Moment) -> Reply:
    name = "A$(touch pwned)`touch pwned`%n%F{red}\\u#S#(touch pwned)\x1b]0;t\x07\n\u202e\x9b31m<b>"
    return _body(moment, 20.0, 30.0, {name: 95.0})


def _scope(_moment: Moment) -> Reply:
    error = {
        "type": "permission_error",
        "message": "OAuth token does not meet scope requirement user:profile",
        "details": {"error_code": "oauth_scope_insufficient"},
    }
    return Reply(status=403, body=json.dumps({"type": "error", "error": error}).encode())


SCENARIOS: dict[str, Callable[[Moment], Reply]] = {
    "busy-day": _busy_day,
    "models": _models,
    "credits": _credits,
    "over-limit": _over_limit,
    "429-storm": _storm,
    "429-storm-no-header": _storm_without_header,
    "outage": _outage,
    "hostile-names": _hostile,
    "leaked-epoch": lambda moment: _body(moment, 1.78e9, 30.0, {}),
    "revoked": lambda moment: refuse(401, "authentication_error", "Invalid bearer token"),
    "scope": _scope,
    "redirect": lambda moment: Reply(status=302, headers={"Location": "http://127.0.0.1:9/elsewhere"}),
    "html": lambda moment: Reply(headers={"Content-Type": "text/html"}, body=b"<!doctype html><title>Sign in</title>"),
    "empty": lambda moment: Reply(body=b"{}"),
    "truncated": lambda moment: _busy_day(moment).replace(fault="truncate"),
    "cut": lambda moment: _busy_day(moment).replace(fault="cut"),
    "stalled": lambda moment: _busy_day(moment).replace(fault="stall"),
    "silent": lambda moment: Reply(fault="silence"),
    "drip": lambda moment: _busy_day(moment).replace(fault="drip"),
    "huge": lambda moment: Reply(body=b" " * (3 << 20)),
    "flaky": _flaky,
    "429-storm-at-once": lambda moment: _storm(moment.replace(request=2)),
    "outage-at-once": lambda moment: _outage(moment.replace(request=2)),
    "in-band": lambda moment: Reply(body=b'{"error": {"type": "api_error", "message": "Overloaded"}}'),
    "cloudflare": lambda moment: web.CLOUDFLARE,
}


def _profile() -> Reply:
    account = {"uuid": ACCOUNT_ID, "email": web.ADDRESS, "display_name": "Sim", "has_claude_max": True}
    organization = {
        "uuid": web.ORGANIZATION_ID,
        "organization_type": "claude_max",
        "rate_limit_tier": "default_claude_max_20x",
    }
    return Reply(body=json.dumps({"account": account, "organization": organization}).encode())


def _message(usage: Reply) -> Reply:
    """Return a model's answer as a stream of events, with the usage body's windows in its headers, as for Fable."""
    body = json.loads(usage.body)
    scoped = [limit for limit in body.get("limits") or () if limit.get("kind") == "weekly_scoped"]
    windows = {"5h": body["five_hour"], "7d": body["seven_day"]}
    if scoped:
        windows["7d_oi"] = {**scoped[0], "utilization": scoped[0]["percent"]}
    headers = {"Content-Type": "text/event-stream", "anthropic-ratelimit-unified-status": "allowed"}
    for short, window in windows.items():
        prefix = f"anthropic-ratelimit-unified-{short}"
        headers[f"{prefix}-status"] = "allowed"
        headers[f"{prefix}-utilization"] = str(window["utilization"] / 100)
        headers[f"{prefix}-reset"] = str(math.floor(datetime.fromisoformat(window["resets_at"]).timestamp()))
    tokens = {"input_tokens": 10, "output_tokens": 3}
    message = {"id": "msg_simulated", "type": "message", "role": "assistant", "model": "simulated", "content": []}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {**message, "stop_reason": None, "usage": tokens}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Simulated."}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": tokens},
        {"type": "message_stop"},
    ]
    stream = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
    return Reply(headers=headers, body=stream.encode())


def write_account(directory: str) -> None:
    """Write the invented account's credentials into a configuration directory; raise UsageError if it has some."""
    os.makedirs(directory, mode=0o700, exist_ok=True)
    credentials = {
        "accessToken": TOKEN,
        "refreshToken": "sk-ant-ort01-SIMULATED",
        "expiresAt": int((time.time() + 8 * 3600) * 1000),
        "scopes": ["user:inference", "user:profile"],
        "subscriptionType": "max",
        "rateLimitTier": "default_claude_max_20x",
    }
    account = {"accountUuid": ACCOUNT_ID, "emailAddress": web.ADDRESS, "organizationUuid": web.ORGANIZATION_ID}
    for name, content in (
        (".credentials.json", {"claudeAiOauth": credentials}),
        (".claude.json", {"oauthAccount": account}),
    ):
        path = os.path.join(directory, name)
        try:
            with open(path, "x", encoding="utf-8", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
                json.dump(content, file)
        except FileExistsError as error:
            raise UsageError(
                f"{path} is there already and is not touched. Name a directory that does not exist."
            ) from error


class Simulator(ThreadingHTTPServer):
    """The simulated server; `address` is the value for ULLAGE_API_BASE."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, scenario: str, *, port: int = 0, speed: float = 1.0, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.scenario = SCENARIOS[scenario]
        self.speed = speed
        self.started = datetime.now(UTC)
        self.requests = 0
        self.largest_page = 1440
        self.organizations: list[dict[str, Any]] = list(web.ORGANIZATIONS)
        self.web_account = {"uuid": ACCOUNT_ID, "email_address": web.ADDRESS}
        self.address = f"{'https' if tls else 'http'}://127.0.0.1:{self.server_port}"
        self._count_lock = threading.Lock()

    def next_moment(self) -> Moment:
        """Count a request and return its moment."""
        with self._count_lock:
            self.requests += 1
            return self.this_moment()

    def this_moment(self) -> Moment:
        """Return the scenario's present moment, without counting a request."""
        elapsed = (datetime.now(UTC) - self.started) * self.speed
        return Moment(started=self.started, elapsed=elapsed, speed=self.speed, request=self.requests)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print no traceback for a client that goes away."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    @contextlib.contextmanager
    def running(self) -> Iterator[Simulator]:
        """Serve in a thread until the block ends."""
        thread = threading.Thread(target=self.serve_forever, args=(_END_SECONDS,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.shutdown()
            self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Simulator

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path.startswith(org.PREFIX):
            self._send(org.answer_admin(self.server, path, query, self.headers.get("x-api-key", "")))
        elif path.startswith(("/api/organizations", "/api/account")) and "Authorization" not in self.headers:
            self._send(web.answer_web(self.server, path, self.headers.get("Cookie", "")))
        elif path not in (USAGE_PATH, PROFILE_PATH):
            self._send(refuse(404, "not_found_error", "Not found"))
        elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._send(refuse(401, "authentication_error", "Invalid bearer token"))
        else:
            self._send(_profile() if path == PROFILE_PATH else self.server.scenario(self.server.next_moment()))

    def do_POST(self) -> None:
        """Answer a message to the model with one word, and any other request with 404."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.partition("?")[0] == MESSAGES_PATH:
            self._send(_message(_busy_day(self.server.this_moment())))
        else:
            self._send(refuse(404, "not_found_error", "Not found"))

    def _send(self, reply: Reply) -> None:
        """Send a reply with its fault: half of the body, one cut off or stalled half-way, or a byte a second."""
        if reply.fault == "silence":
            time.sleep(_STALL_SECONDS)
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.headers.get("Content-Type", "application/json"))
        for name, value in reply.headers.items():
            if name != "Content-Type":
                self.send_header(name, value)
        half = len(reply.body) // 2
        body = reply.body[:half] if reply.fault == "truncate" else reply.body
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if reply.fault in ("stall", "cut"):
            self.wfile.write(body[:half])
            self.wfile.flush()
            time.sleep(_STALL_SECONDS if reply.fault == "stall" else 0)
            self.close_connection = True
        elif reply.fault == "drip":
            for byte in body:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(1)
        else:
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Print no access log: the terminal belongs to the command that started the simulator."""
