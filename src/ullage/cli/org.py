"""`ullage org`: an organisation's usage, cost, Claude Code activity and analytics, from its own reports."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime

import click

from ullage.base import moments
from ullage.base.record import Record
from ullage.base.text import quote
from ullage.cli.parameters import OneOf, Subcommands, parse_with
from ullage.cli.say import remark, say_csv, say_lines
from ullage.cli.settings import load_settings, load_terminal_settings, print_issues
from ullage.org import days, fetch, keys, output, reports
from ullage.system.streams import measure_terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date
    from typing import Any

    from ullage.org.reports import Report

    Command = Callable[..., Any]

_WORTH_TELLING_SECONDS = 3.0


@click.group(name="org", cls=Subcommands)
def command() -> None:
    """What an organisation used and pays, from its own reports, with a key of the organisation.

    These are tokens, activity and money, and no share of a plan's windows. Finished days are asked for once, and kept.
    """


def _day(text: str) -> date:
    return moments.parse_utc_day(text, datetime.now(UTC))


def _list_words(words: Sequence[str]) -> str:
    return f" ({', '.join(words)})" if words else ""


def _shared(report: Report) -> Callable[[Command], Command]:
    """Return the decorator that adds the options of every report, and one for each filter of this report."""

    def add(function: Command) -> Command:
        for name, filter in reversed(report.filters.items()):
            function = click.option(
                f"--{name}",
                f"filter_{name.replace('-', '_')}",
                multiple=True,
                type=OneOf(filter.words) if filter.words else str,
                metavar="NAME" if filter.words else "ID",
                help=f"Only this {name.replace('-', ' ')}{_list_words(filter.words)}; may be given several times.",
            )(function)
        for option in (
            click.option(
                "--openmetrics",
                is_flag=True,
                help="Print OpenMetrics; days are added up unless --by day.",
            ),
            click.option("--csv", "as_csv", is_flag=True, help="Print CSV, with a line of headings."),
            click.option("--json", "as_json", is_flag=True, help="Print JSON; money in it is text, to the last digit."),
            click.option(
                "--by",
                multiple=True,
                metavar="NAME",
                help=f"Add up by {', '.join(reports.list_reports(report))}; may be given several times. "
                f"Otherwise: {', '.join(report.default_by)}.",
            ),
            click.option(
                "--until",
                default="today",
                show_default=True,
                metavar="WHEN",
                callback=parse_with(_day),
                help=f"The last day (UTC), included: {moments.FORMS}.",
            ),
            click.option(
                "--since",
                default="7d",
                show_default=True,
                metavar="WHEN",
                callback=parse_with(_day),
                help=f"The first day (UTC): {moments.FORMS}.",
            ),
        ):
            function = option(function)
        return function

    return add


@command.command()
@_shared(reports.USAGE)
@click.option("--width", type=OneOf(list(reports.USAGE.page)), default="1d", show_default=True, help="Buckets.")
def usage(**given: Any) -> int:
    """Tokens of the organisation's API.

    By model, workspace, key, tier and more. Needs an Admin API key.
    """
    return _report(reports.USAGE, **given)


@command.command()
@_shared(reports.COST)
def cost(**given: Any) -> int:
    """What the organisation's API costs.

    By workspace or description. Needs an Admin API key.
    """
    return _report(reports.COST, **given)


@command.command(name="claude-code")
@_shared(reports.CLAUDE_CODE)
def claude_code(**given: Any) -> int:
    """What each person did with Claude Code.

    Sessions, lines, commits, tokens and estimated cost. Needs an Admin API key.
    """
    return _report(reports.CLAUDE_CODE, **given)


@command.command()
@_shared(reports.PEOPLE_USAGE)
@click.option("--cost", "of_money", is_flag=True, help="Money instead of tokens.")
def analytics(of_money: bool, **given: Any) -> int:
    """Tokens or cost of an Enterprise plan's people.

    Over all products: chat, Claude Code and others. Needs an Analytics API key.
    """
    return _report(reports.PEOPLE_COST if of_money else reports.PEOPLE_USAGE, **given)


def _pause(seconds: float) -> None:
    if seconds >= _WORTH_TELLING_SECONDS:
        remark(f"The server is busy or has a fault; asking again in {seconds:.0f} s.")
    time.sleep(seconds)


def _chosen(report: Report, by: Sequence[str], width: str) -> tuple[str, ...]:
    """Return the labels to add up by; for buckets shorter than a day, `at` takes the place of `day`."""
    names = {name: name for name in reports.list_reports(report)} | {
        name.removesuffix("_id"): name for name in report.groups
    }
    unknown = [name for name in by if name not in names]
    if unknown:
        raise click.BadParameter(
            f"{quote(unknown[0])} is none of {', '.join(reports.list_reports(report))}.", param_hint="'--by'"
        )
    chosen = dict.fromkeys(names[name] for name in by)
    return tuple("at" if name == "day" and width != "1d" else name for name in chosen)


def _filters(given: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    found = []
    for name, values in given.items():
        option = name.removeprefix("filter_").replace("_", "-")
        for value in values:
            if not value.isprintable() or not value:
                wrong = "holds characters that no id has." if value else "is empty."
                raise click.BadParameter(wrong, param_hint=f"'--{option}'")
            found.append((option, value))
    return tuple(found)


class _Wish(Record):
    """What a report is to hold and how it is printed, as the options that all reports share say."""

    since: date
    until: date
    by: Sequence[str]
    as_json: bool
    as_csv: bool
    openmetrics: bool
    width: str = "1d"


def _report(report: Report, **given: Any) -> int:
    wish = _Wish(**{name: given.pop(name) for name in _Wish._fields if name in given})
    if wish.as_json + wish.as_csv + wish.openmetrics > 1:
        raise click.UsageError("--json, --csv and --openmetrics exclude each other.")
    # With the day as a label, a metrics system would get new series every day.
    default = [name for name in report.default_by if not (wish.openmetrics and name == "day")]
    # What is left are the filters of this report.
    chosen, filters = _chosen(report, wish.by or default, wish.width), _filters(given)
    wanted = days.choose_days(wish.since, wish.until, report, wish.width, datetime.now(UTC).date())
    for note in wanted.notes:
        remark(note)
    settings, issues = load_settings()
    print_issues(issues)
    names = settings.admin if report.key == "admin" else settings.analytics
    others = set(settings.key_variables) - {names.variable}
    environ = {name: value for name, value in os.environ.items() if name not in others}
    asked = tuple(name for name in chosen if name in report.groups)
    query = reports.Query(report=report, width=wish.width, groups=asked, filters=filters)
    found = fetch.fetch_report(query, wanted, keys.fetch_key(report.key, names, environ), environ, pause=_pause)
    if wish.as_json:
        click.echo(json.dumps(output.build_document(report, wanted, found, chosen), indent=1))
    elif wish.as_csv:
        say_csv(output.lay_out_table(found, chosen))
    elif wish.openmetrics:
        click.echo(output.expose_report(report, wanted, found, chosen), nl=False)
    else:
        settings = load_terminal_settings(settings)
        room = measure_terminal()
        say_lines(output.lay_out(report, wanted, found, chosen, room, ascii_only=settings.ascii_only), settings.palette)
    return 0
