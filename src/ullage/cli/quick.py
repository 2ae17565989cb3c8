"""What scripts and hooks call, without click, which takes longer to import than they take to run.

The options are read here; what is done is the same function that the click command calls. Whatever is not plain, and
every error in what was typed, is left to click to explain.
"""

from __future__ import annotations

import os

from ullage.base.arguments import find_last_value, parse_options
from ullage.base.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def run(arguments: Sequence[str]) -> int | None:
    """Run a command and return its exit code; None where click must read the arguments."""
    if arguments in (["--help"], ["-h"]):
        from ullage.cli import listing
        from ullage.cli.say import find_painters, find_width

        print(listing.describe(*find_painters(), find_width()))
        return 0
    if arguments[:1] == ["usage"]:
        return _usage(arguments[1:])
    if arguments[:1] == ["doctor"]:
        return _doctor(arguments[1:])
    if arguments[:1] == ["tokens"]:
        return _tokens(arguments[1:])
    return _guard(arguments[1:]) if arguments[:1] == ["guard"] else None


def _usage(arguments: Sequence[str]) -> int | None:
    options = parse_options("usage", arguments)
    if options is None or {"--refresh", "--no-refresh"} <= options.keys() or {"--all", "--profile"} <= options.keys():
        return None
    if not _choose_profile(options):
        return None
    from ullage.cli import usage_report

    return usage_report.show(
        as_json="--json" in options, may_refresh="--no-refresh" not in options, every="--all" in options
    )


def _guard(arguments: Sequence[str]) -> int | None:
    options = parse_options("guard", arguments)
    if options is None or {"--fail-open", "--fail-closed"} <= options.keys():
        return None
    from ullage.cli import guard_verdict
    from ullage.guard import Question
    from ullage.guard.limits import parse_duration, parse_limit

    try:
        most, need = (tuple(map(parse_limit, options.get(name, ()))) for name in ("--max", "--need"))
        max_age, timeout = (
            None if value is None else parse_duration(value)
            for value in (find_last_value(options, "--max-age"), find_last_value(options, "--timeout"))
        )
    except UsageError:
        return None
    call = guard_verdict.GuardCall(
        question=Question(most=most, need=need, max_age=max_age, allow_credits="--allow-credits" in options),
        refresh="--refresh" in options,
        fail_open="--fail-open" in options if {"--fail-open", "--fail-closed"} & options.keys() else None,
        may_wait="--wait" in options,
        timeout=timeout,
        as_json="--json" in options,
        quiet="--quiet" in options or "-q" in options,
        command=options.get("--", ()),
    )
    if guard_verdict.find_wrong(call) or not _choose_profile(options):
        return None
    return guard_verdict.answer(call)


def _doctor(arguments: Sequence[str]) -> int | None:
    options = parse_options("doctor", arguments)
    if options is None or not _choose_profile(options):
        return None
    from ullage.cli import doctor_report

    return doctor_report.show(as_json="--json" in options, measured="--measure" in options)


def _tokens(arguments: Sequence[str]) -> int | None:
    """Count all tokens by day, the report that is asked for most; click reads whatever says more."""
    if arguments not in ([], ["--json"], ["--csv"]):
        return None
    from ullage.base.dates import UTC, datetime
    from ullage.cli import tokens_report
    from ullage.tokens import tally

    question = tally.TokenQuery(by=tokens_report.DEFAULT_GROUPING, roots=tally.list_roots(os.environ))
    form = tokens_report.Form(as_json="--json" in arguments, as_csv="--csv" in arguments)
    return tokens_report.show(question, datetime.now(UTC), form)


def _choose_profile(options: dict[str, list[str]]) -> bool:
    from ullage.cli import profiles

    return profiles.choose(find_last_value(options, "--profile"), os.environ) is None
