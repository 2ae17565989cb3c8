"""`ullage metrics`."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import partial

import click

from ullage.base.errors import UllageError, UsageError
from ullage.cli.say import remark
from ullage.cli.settings import load_settings, print_issues

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ullage.config import Settings


@click.command(name="metrics")
@click.option("--textfile", metavar="DIR", help="Write ullage.prom there, whole, for node_exporter.")
@click.option("--push", metavar="URL", help="Send them to a Pushgateway, in place of what this machine sent before.")
@click.option("--otlp", metavar="URL", help="Send them to an OTLP/HTTP receiver (needs ullage[otel]).")
@click.option("--forget", metavar="URL", help="Remove from a Pushgateway what this installation has sent there.")
@click.option("--send", "as_configured", is_flag=True, help="Send them now to wherever config.toml says.")
@click.option("--openmetrics", is_flag=True, help="Print OpenMetrics instead of Prometheus' own text format.")
def command(
    textfile: str | None,
    push: str | None,
    otlp: str | None,
    forget: str | None,
    as_configured: bool,
    openmetrics: bool,
) -> int:
    """Print what is known of every account as metrics for Prometheus, or send them.

    Nobody is asked for new numbers. These bytes are all that is ever sent. [metrics] in config.toml has them sent after
    each refresh, and says how accounts are called; a password or a token comes from metrics.auth_file or
    ULLAGE_METRICS_AUTH. Each way is tried, whatever became of the others; a line on stderr says which failed.
    """
    # Imported late: prometheus_client takes a tenth of a second, which `ullage --help` need not pay.
    from ullage.metrics import formats, report
    from ullage.metrics.gathering import gather

    given = {way: where for way, where in (("textfile", textfile), ("push", push), ("otlp", otlp)) if where is not None}
    if openmetrics and (given or as_configured or forget is not None):
        raise click.UsageError("--openmetrics is for what is printed; what is sent has the format of where it goes.")
    settings, issues = load_settings()
    print_issues(issues)
    now = datetime.now(UTC)
    codes = [_tried(way, partial(report.send, way, where, settings, os.environ, now)) for way, where in given.items()]
    if forget is not None:
        codes.append(_tried("forget", partial(report.forget_last, forget, settings, os.environ)))
    if as_configured:
        codes.append(_tried("send", partial(_send_as_configured, settings)))
    if not codes:
        click.echo(formats.encode(gather(settings, os.environ, now), openmetrics=openmetrics), nl=False)
        _tell_problems(settings)
    return max(codes, default=0)


def _tried(option: str, attempt: Callable[[], int | None]) -> int:
    try:
        return attempt() or 0
    except UllageError as error:
        remark(f"--{option}: {error}")
        return error.exit_code


def _send_as_configured(settings: Settings) -> int:
    from ullage.metrics import report

    if not settings.reporting.is_wanted:
        raise UsageError("config.toml names no place: set textfile, push or otlp under [metrics].")
    sent = report.send_all(os.environ)
    for one in sent:
        click.echo(f"{one.way:8} {one.problem or 'sent'}", err=bool(one.problem))
    if not sent:
        remark("Another process is sending them.")
    return 5 if not sent or any(one.problem for one in sent) else 0


def _tell_problems(settings: Settings) -> None:
    from ullage.metrics import outcomes

    for one in outcomes.load_last(os.environ):
        # Failures of a way that is not configured any more are not shown.
        if one.problem and getattr(settings.reporting, one.way):
            remark(f"metrics.{one.way}: {one.problem}")
