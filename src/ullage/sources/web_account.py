"""Whose numbers a claude.ai session key shows: the account, as the other sources name it, and the organisation. Pure.

`/api/organizations` = `[{uuid, name, capabilities: ["chat", "claude_max", …], raven_type, rate_limit_tier}]`;
`/api/account` = `{uuid?, email_address, memberships}`. The server counts by account and organisation, so numbers are
given to the account that is signed in in Claude Code only where both are known to be the same.
"""

from __future__ import annotations

import hashlib

from ullage.base.errors import SourceError
from ullage.base.record import Record
from ullage.base.text import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

_MOST_LISTED = 8
_LONGEST_ID = 64


class Identity(Record):
    """An account's id, as readings name it, and the organisation to ask about, with its plan as far as that is told."""

    account_id: str
    organization: str
    plan: str | None = None
    tier: str | None = None


def identify(organizations: object, account: object, signed_in: Mapping[str, Any], wanted: str) -> Identity:
    """Choose the organisation and identify the account; raise SourceError where that is not clear.

    `signed_in` is Claude Code's `oauthAccount`, empty where nobody is; `wanted` the organisation that the user named.
    """
    with_plan = [entry for entry in _entries(organizations) if _plan(entry)]
    chosen = _chosen(_entries(organizations) if wanted else with_plan, wanted, clean(signed_in.get("organizationUuid")))
    organization = _id(chosen.get("uuid"))
    return Identity(
        account_id=_account_id(account, signed_in, organization, is_only_one=len(with_plan) == 1),
        organization=organization,
        plan=_plan(chosen) or None,
        tier=clean(chosen.get("rate_limit_tier")) or None,
    )


def _entries(organizations: object) -> list[dict[str, Any]]:
    listed = organizations if isinstance(organizations, list) else []
    return [entry for entry in listed if isinstance(entry, dict) and _id(entry.get("uuid"))]


def _id(value: object) -> str:
    """Return an id that is safe in a URL's path; an empty text for anything else."""
    is_plain = isinstance(value, str) and all(c.isascii() and (c.isalnum() or c in "-_") for c in value)
    return str(value) if is_plain and len(str(value)) <= _LONGEST_ID else ""


def _plan(entry: Mapping[str, Any]) -> str:
    """Return the plan's word: `max` for the capability claude_max, `team` for an organisation of that type."""
    listed = entry.get("capabilities")
    words = [clean(word) for word in listed] if isinstance(listed, list) else []
    plans = [word.removeprefix("claude_") for word in words if word.startswith("claude_")]
    kind = clean(entry.get("raven_type")) or ("team" if "raven" in words else "")
    return kind or next(iter(plans), "")


def _chosen(entries: Sequence[dict[str, Any]], wanted: str, signed_in_with: str) -> dict[str, Any]:
    by_id = {_id(entry["uuid"]): entry for entry in entries}
    if wanted:
        if wanted in by_id:
            return by_id[wanted]
        raise SourceError(
            "organization_unknown",
            f"Your claude.ai account has no organisation {wanted}; it has {_listed(entries)}. Correct [web] "
            "organization in config.toml.",
        )
    if signed_in_with in by_id:
        return by_id[signed_in_with]
    if len(by_id) == 1:
        return entries[0]
    if not by_id:
        raise SourceError(
            "no_plan_limits", "Your claude.ai account has no organisation with a plan, so it has no windows to show."
        )
    raise SourceError(
        "several_organizations",
        f"Your claude.ai account has a plan in several organisations: {_listed(entries)}. Name one in config.toml: "
        "[web] organization.",
    )


def _listed(entries: Sequence[Mapping[str, Any]]) -> str:
    shown = [f"{_id(entry['uuid'])} ({clean(entry.get('name')) or 'unnamed'})" for entry in entries[:_MOST_LISTED]]
    return ", ".join(shown) or "none"


def _account_id(account: object, signed_in: Mapping[str, Any], organization: str, *, is_only_one: bool) -> str:
    told = account if isinstance(account, dict) else {}
    person, address = clean(told.get("uuid")), clean(told.get("email_address"), 200).lower()
    if not person and not address:
        raise SourceError(
            "unexpected_shape",
            "claude.ai did not say whose session key this is, so its numbers cannot be kept apart from another "
            "account's. Look for a newer ullage.",
            reached_server=True,
        )
    own = clean(signed_in.get("accountUuid"))
    if not own:
        return person or hashlib.sha256(address.encode()).hexdigest()[:32]
    own_address = clean(signed_in.get("emailAddress"), 200).lower()
    is_same_person = person == own if person else address == own_address
    own_organization = clean(signed_in.get("organizationUuid"))
    is_same_organization = organization == own_organization if own_organization else is_only_one
    if is_same_person and is_same_organization:
        return own
    raise SourceError(
        "other_account",
        "The session key shows another account or organisation than the one that Claude Code is signed in with here, "
        "and the two are never mixed. Use the key of the same one, or a profile of its own: CLAUDE_CONFIG_DIR.",
    )
