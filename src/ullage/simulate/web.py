"""Simulate claude.ai: the account of a session key, its organisations, and the usage of the one with a plan."""

from __future__ import annotations

import json

from ullage.simulate.reply import Reply, refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ullage.simulate.reply import Provider

SESSION_KEY = "sk-ant-sid01-SIMULATED"
ACCOUNT_ID = "5e000000-0000-4000-8000-00000000cafe"
ORGANIZATION_ID = "5e000000-0000-4000-8000-0000000000aa"
ADDRESS = "simulated@example.com"

CLOUDFLARE = Reply(
    status=403,
    headers={"Content-Type": "text/html; charset=UTF-8", "cf-mitigated": "challenge", "Server": "cloudflare"},
    body=b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body></body></html>",
)
ORGANIZATIONS: list[dict[str, Any]] = [
    {"uuid": "5e000000-0000-4000-8000-0000000000bb", "name": "An API organisation", "capabilities": ["api"]},
    {
        "uuid": ORGANIZATION_ID,
        "name": "Sim's Organization",
        "capabilities": ["chat", "claude_max"],
        "raven_type": None,
        "rate_limit_tier": "default_claude_max_20x",
    },
]


def answer_web(simulator: Provider, path: str, cookies: str) -> Reply:
    """Answer a request to claude.ai; the usage page follows the simulator's scenario."""
    if simulator.scenario(simulator.this_moment()) == CLOUDFLARE:
        # Cloudflare's challenge comes before every address, whatever the session key.
        return CLOUDFLARE
    if f"sessionKey={SESSION_KEY}" not in cookies.split("; "):
        details = {"error_visibility": "user_facing", "error_code": "account_session_invalid"}
        fault = {"type": "permission_error", "message": "Invalid authorization", "details": details}
        return Reply(status=403, body=json.dumps({"type": "error", "error": fault}).encode())
    if path == "/api/organizations":
        return Reply(body=json.dumps(simulator.organizations).encode())
    if path == "/api/account":
        return Reply(body=json.dumps({**simulator.web_account, "memberships": []}).encode())
    if path == f"/api/organizations/{ORGANIZATION_ID}/usage":
        return simulator.scenario(simulator.next_moment())
    return refuse(404, "not_found_error", "Not found")
