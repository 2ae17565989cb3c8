"""`ullage guard` for its help and its errors; without those it runs without click (`quick`)."""

from __future__ import annotations

import click

from ullage.cli import guard_verdict, options
from ullage.cli.parameters import parse_with
from ullage.guard import Question
from ullage.guard.limits import parse_duration, parse_limit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import timedelta
    from typing import Any

    from ullage.guard.limits import Limit


@click.command(name="guard", context_settings={"allow_interspersed_args": False})
@click.option(
    "--max",
    "most",
    callback=parse_with(parse_limit),
    multiple=True,
    metavar="[WINDOW=]PERCENT",
    shell_complete=options.complete_limit,
    help="No room from this percentage on: of one window (five_hour=80, 5h=80%, fable=90) or of all (80). "
    "Without it: from 100 on.",
)
@click.option(
    "--need",
    callback=parse_with(parse_limit),
    multiple=True,
    metavar="[WINDOW=]PERCENT",
    shell_complete=options.complete_limit,
    help="Room that what comes will want: it must fit under the limit, beside what the pace so far lets expect.",
)
@click.option(
    "--max-age",
    callback=parse_with(parse_duration),
    metavar="AGE",
    help="How old a number may be that says there is room: 10m.",
)
@click.option(
    "--allow-credits",
    is_flag=True,
    help="A window that is used up leaves room while credits pay for what comes; limits below 100 hold all the same.",
)
@click.option("--refresh", is_flag=True, help="Ask for a new reading first, if one is due.")
@click.option(
    "--fail-open/--fail-closed",
    "fail_open",
    default=None,
    help="What it means when it cannot tell: room (0), or none (1). Otherwise the exit code says why.",
)
@click.option("--wait", "may_wait", is_flag=True, help="Wait until there is room, and refresh meanwhile.")
@click.option("--timeout", callback=parse_with(parse_duration), metavar="TIME", help="Wait no longer than this: 2h.")
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
@click.option("--quiet", "-q", is_flag=True, help="Say nothing when there is room.")
@options.add_profile_option
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND...]")
def command(
    most: tuple[Limit, ...], need: tuple[Limit, ...], max_age: timedelta | None, allow_credits: bool, **given: Any
) -> int:
    """Say by the exit code whether there is room, and run COMMAND if there is.

    Exits with 0 when there is room, 1 when a limit is reached; when it cannot tell, with 3 (nothing known), 4 (too old)
    or 5 (the source failed). One line on stderr says why. COMMAND takes this process's place, so that its exit code and
    signals are its own.
    """
    question = Question(most=most, need=need, max_age=max_age, allow_credits=allow_credits)
    call = guard_verdict.GuardCall(question=question, **given)
    wrong = guard_verdict.find_wrong(call)
    if wrong:
        raise click.UsageError(wrong)
    return guard_verdict.answer(call)
