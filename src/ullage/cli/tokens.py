"""`ullage tokens`: count tokens in this machine's transcripts, and show or update the prices that cost them."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import click

from ullage import config
from ullage.base import moments
from ullage.base.errors import UsageError
from ullage.base.text import quote
from ullage.cli import options, tokens_report
from ullage.cli.parameters import OneOf, Subcommands, parse_with
from ullage.cli.say import remark, say_lines
from ullage.cli.settings import load_settings, load_terminal_settings, print_issues
from ullage.config.wishes import find_zone
from ullage.system.streams import measure_terminal
from ullage.tokens import document, prices, tally, transcripts
from ullage.tokens import words as render
from ullage.tokens.report import GROUPINGS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import tzinfo

    from ullage.tokens.transcripts import Root


def _zone(text: str) -> tzinfo:
    zone = find_zone(text)
    if zone is None:
        raise UsageError(f"{quote(text)} is no time zone; Europe/Berlin and UTC are.")
    return zone


def _root(text: str) -> Root:
    name, equals, directory = text.partition("=")
    if not equals or not name.strip() or not os.path.isdir(directory):
        raise UsageError(f"{quote(text)} is not NAME=DIR with a directory that is there.")
    return transcripts.choose_root(os.path.abspath(directory), name.strip())


@click.group(name="tokens", cls=Subcommands, invoke_without_command=True)
@click.option(
    "--by",
    type=OneOf(tuple(GROUPINGS)),
    default=tokens_report.DEFAULT_GROUPING,
    show_default=True,
    help="How to group.",
)
@click.option("--since", metavar="WHEN", help=f"From when on: {moments.FORMS}; else: from the first.")
@click.option("--until", metavar="WHEN", help=f"Until when: {moments.FORMS}; a day counts to its end.")
@click.option(
    "--timezone",
    "zone",
    metavar="NAME",
    callback=parse_with(_zone),
    help="Whose days, such as Europe/Berlin; else: yours.",
)
@click.option(
    "--root",
    "machines",
    metavar="NAME=DIR",
    multiple=True,
    callback=parse_with(_root),
    help="Transcripts of another machine that lie here, such as a synced ~/.claude. May be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, with a line of headings.")
@options.add_profile_option
@click.pass_context
def command(
    context: click.Context,
    by: str,
    since: str | None,
    until: str | None,
    zone: tzinfo | None,
    machines: tuple[Root, ...],
    as_json: bool,
    as_csv: bool,
) -> int:
    """Count the tokens in Claude Code's transcripts on this machine, and what an API would have asked for them.

    Tokens are not the percentage of the quota: that is the server's own, in `ullage usage`. Every configuration
    directory is read, or with --profile that one. Exits with 3 when there is no transcript.
    """
    if context.invoked_subcommand is not None:
        return 0
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other.")
    now = datetime.now(UTC)
    is_chosen = options.is_profile_named()
    only = (os.environ.get("CLAUDE_CONFIG_DIR") or os.path.expanduser("~/.claude")) if is_chosen else None
    question = tally.TokenQuery(
        by=by,
        roots=(*tally.list_roots(os.environ, only=only), *machines),
        since=_moment("--since", since, now, zone),
        until=_moment("--until", until, now, zone),
        zone=zone,
    )
    if question.since and question.until and question.since >= question.until:
        raise click.UsageError("--since must lie before --until.")
    return tokens_report.show(question, now, tokens_report.Form(as_json=as_json, as_csv=as_csv))


def _moment(option: str, text: str | None, now: datetime, zone: tzinfo | None) -> datetime | None:
    if text is None:
        return None
    try:
        read = moments.parse_beginning if option == "--since" else moments.parse_end
        return read(text, now, zone)
    except UsageError as error:
        raise click.BadParameter(str(error), param_hint=f"'{option}'") from error


@command.command(name="prices", short_help="Show the list prices that costs go by, or update them.")
@click.option("--update", "source", metavar="FILE|URL", help="Put these in force: ullage's format or LiteLLM's table.")
@click.option("--bundled", is_flag=True, help="Go back to the prices that ullage came with.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show_prices(source: str | None, bundled: bool, as_json: bool) -> int:
    """Show the list prices that costs are reckoned by, with their date and source; or update them.

    An update is checked whole before it replaces anything. Of URLs, https and loopback addresses are taken.
    """
    if source is not None and bundled:
        raise click.UsageError("--update and --bundled exclude each other.")
    directory = config.locate_state(os.environ)
    if source is not None:
        from ullage.tokens.price_update import fetch

        fetch(source, directory, os.environ, datetime.now(UTC))
    elif bundled and os.path.lexists(prices.locate_update(directory)):
        os.unlink(prices.locate_update(directory))
    settings, issues = load_settings()
    print_issues(issues)
    shown, notice = tally.load_prices(os.environ, settings.prices)
    if notice:
        remark(notice)
    if as_json:
        plain = {model: prices.describe_price(price) for model, price in shown.models.items()}
        combined = {
            "schema": 1,
            "format": prices.FORMAT,
            "date": shown.date,
            "source": shown.source,
            "currency": "USD",
            "unit": "a million tokens",
            "web_search": shown.web_search,
            "overridden": list(shown.overridden),
            "models": plain,
        }
        click.echo(document.encode(combined).encode())
        return 0
    settings = load_terminal_settings(settings)
    say_lines(render.list_prices(shown, measure_terminal(), ascii_only=settings.ascii_only), settings.palette)
    return 0
