"""Simulate the organisation's reports in their documented shapes: paged, with numbers computed from the day alone."""

from __future__ import annotations

import json
import urllib.parse
from datetime import UTC, datetime, timedelta

from ullage.simulate.reply import Reply, refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ullage.simulate.reply import Provider

    Parameters = dict[str, list[str]]

ADMIN_KEY = "sk-ant-admin01-SIMULATED"
ANALYTICS_KEY = "sk-ant-api01-SIMULATED-ANALYTICS"
PREFIX = "/v1/organizations/"
_ANALYTICS = f"{PREFIX}analytics/"
_USAGE, _COST, _CLAUDE_CODE = (
    f"{PREFIX}{name}" for name in ("usage_report/messages", "cost_report", "usage_report/claude_code")
)
_PEOPLE_USAGE, _PEOPLE_COST = (f"{_ANALYTICS}{name}" for name in ("user_usage_report", "user_cost_report"))
_WIDTHS = {
    "1d": (timedelta(days=1), 7, 31),
    "1h": (timedelta(hours=1), 24, 168),
    "1m": (timedelta(minutes=1), 60, 1440),
}
_VALUES = {
    "model": ("claude-opus-5", "claude-sonnet-5"),
    "workspace_id": ("wrkspc_SIM1", None),
    "api_key_id": ("apikey_SIM1", "apikey_SIM2"),
    "service_tier": ("standard", "batch"),
    "context_window": ("0-200k", "200k-1M"),
    "inference_geo": ("global",),
    "speed": ("standard",),
    "description": ("Claude Opus 5 Usage - Input Tokens", "Claude Opus 5 Usage - Output Tokens"),
    "product": ("chat", "claude_code"),
    "rbac_group_id": ("rbac_group_SIM",),
    "slack_channel_id": (None,),
}
_PEOPLE_GROUPS = (
    *("product", "model", "context_window", "inference_geo", "speed", "rbac_group_id", "slack_channel_id"),
)
_GROUPS = {
    _USAGE: ("model", "workspace_id", "api_key_id", "service_tier", "context_window", "inference_geo", "speed"),
    _COST: ("workspace_id", "description"),
    _PEOPLE_USAGE: _PEOPLE_GROUPS,
    _PEOPLE_COST: _PEOPLE_GROUPS,
}
_PEOPLE = ("ada@example.com", "grace@example.com", "=SUM(A1)\x1b[31m\u202e@example.com", "deploy bot")


class _WrongQuestionError(ValueError):
    """The provider would answer 400."""


def answer_admin(simulator: Provider, path: str, query: str, key: str) -> Reply:
    """Answer a request for a report; a scenario that is a fault answers in its place."""
    if key != (ANALYTICS_KEY if path.startswith(_ANALYTICS) else ADMIN_KEY):
        return refuse(401, "authentication_error", "invalid x-api-key")
    fault = simulator.scenario(simulator.next_moment())
    if fault.status != 200 or fault.fault or not fault.body.startswith(b'{"'):
        is_empty = (fault.status, fault.body) == (200, b"{}")
        return Reply(body=b'{"data": [], "has_more": false, "next_page": null}') if is_empty else fault
    try:
        parameters = urllib.parse.parse_qs(query, keep_blank_values=True, strict_parsing=True)
        page = _page(path, parameters, simulator)
    except (_WrongQuestionError, ValueError) as wrong:
        return refuse(400, "invalid_request_error", str(wrong))
    return Reply(body=json.dumps(page).encode()) if page else refuse(404, "not_found_error", "Not found")


def _page(path: str, parameters: Parameters, simulator: Provider) -> dict[str, Any] | None:
    if path == _CLAUDE_CODE:
        return _cut(
            [_developer(person, parameters["starting_at"][0]) for person in _PEOPLE], parameters, 20, 1000, simulator
        )
    if path not in _GROUPS:
        return None
    groups = parameters.get("group_by[]", [])
    unknown = [group for group in groups if group not in _GROUPS[path]]
    if unknown:
        raise _WrongQuestionError(f"group_by.0: Input should be one of {', '.join(_GROUPS[path])}")
    width, usual, most = _WIDTHS[parameters.get("bucket_width", ["1d"])[0]]
    begins, ends = (datetime.fromisoformat(parameters[name][0]) for name in ("starting_at", "ending_at"))
    if path.startswith(_ANALYTICS):
        return _people(path, begins, ends, groups, parameters, simulator)
    buckets = []
    while begins < min(ends, datetime.now(UTC)):
        results = [_result(path, begins, number, labels) for number, labels in enumerate(_combinations(groups))]
        buckets.append({"starting_at": _rfc(begins), "ending_at": _rfc(begins + width), "results": results})
        begins += width
    return _cut(buckets, parameters, usual, most, simulator)


def _people(
    path: str, begins: datetime, ends: datetime, groups: list[str], parameters: Parameters, simulator: Provider
) -> dict[str, Any]:
    now = datetime.now(UTC)
    if ends - begins > timedelta(days=31) or begins < now - timedelta(days=366) or begins.year < 2026:
        raise _WrongQuestionError("starting_at: must be within the last 365 days, and the range at most 31 days")
    rows = []
    while begins < min(ends, now):
        for number, person in enumerate(_PEOPLE[:3]):
            actor = {
                "type": "user_actor",
                "user_id": f"user_{number}",
                "email": person,
                "name": person,
                "deleted": False,
            }
            for labels in _combinations(groups):
                bucket = {"starting_at": _rfc(begins), "ending_at": _rfc(begins + timedelta(days=1))}
                rows.append({"actor": actor, **bucket, **_result(path, begins, number, labels)})
        begins += timedelta(days=1)
    page = _cut(rows, parameters, 20, 1000, simulator)
    return {**page, "data_refreshed_at": _rfc(now - timedelta(hours=6)), "organization_id": "org_SIM"}


def _cut(entries: list[Any], parameters: Parameters, usual: int, most: int, simulator: Provider) -> dict[str, Any]:
    limit = int(parameters.get("limit", [str(usual)])[0])
    if not 1 <= limit <= most:
        raise _WrongQuestionError(f"limit: Input should be from 1 to {most}")
    limit = min(limit, simulator.largest_page)
    at = int(parameters.get("page", ["page_0"])[0].removeprefix("page_"))
    has_more = at + limit < len(entries)
    return {
        "data": entries[at : at + limit],
        "has_more": has_more,
        "next_page": f"page_{at + limit}" if has_more else None,
    }


def _combinations(groups: list[str]) -> list[dict[str, str | None]]:
    found: list[dict[str, str | None]] = [dict.fromkeys(_VALUES)]
    for group in groups:
        found = [{**labels, group: value} for labels in found for value in _VALUES[group]]
    return found


def _result(path: str, at: datetime, number: int, labels: dict[str, str | None]) -> dict[str, Any]:
    size = at.day * 10 + number
    if path in (_COST, _PEOPLE_COST):
        # Cents, as a decimal string.
        money = {"amount": f"{size * 1000 + 1}.78912", "currency": "USD"}
        return {**labels, **money, **({"list_amount": "1", "requests": size} if path == _PEOPLE_COST else {})}
    tokens = {
        "uncached_input_tokens": size * 100,
        "cache_creation": {"ephemeral_1h_input_tokens": size, "ephemeral_5m_input_tokens": size * 2},
        "cache_read_input_tokens": size * 1000,
        "output_tokens": size * 10,
        "server_tool_use": {"web_search_requests": number},
    }
    return {**labels, **tokens, **({"requests": size, "total_tokens": size * 1113} if path == _PEOPLE_USAGE else {})}


def _developer(person: str, day: str) -> dict[str, Any]:
    size = int(day[-2:]) + len(person)
    is_key = "@" not in person
    name = {"api_key_name": person} if is_key else {"email_address": person}
    return {
        "date": f"{day}T00:00:00Z",
        "actor": {"type": "api_actor" if is_key else "user_actor", **name},
        "organization_id": "5e000000-0000-4000-8000-0000000000aa",
        "customer_type": "api",
        "subscription_type": None,
        "terminal_type": "tmux",
        "core_metrics": {
            "num_sessions": size,
            "lines_of_code": {"added": size * 10, "removed": size * 3},
            "commits_by_claude_code": 2,
            "pull_requests_by_claude_code": 1,
        },
        "tool_actions": {"edit_tool": {"accepted": size, "rejected": 1}, "write_tool": {"accepted": 2, "rejected": 0}},
        "model_breakdown": [
            {
                "model": "claude-opus-5",
                "tokens": {
                    "input": size * 100,
                    "output": size * 20,
                    "cache_read": size * 500,
                    "cache_creation": size * 9,
                },
                "estimated_cost": {"currency": "USD", "amount": size * 7 + 0.5},
            }
        ],
    }


def _rfc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
