"""`ullage simulate`."""

from __future__ import annotations

import math
import os
import shlex
import ssl

import click

from ullage.base.errors import ServeError, UsageError
from ullage.cli.parameters import OneOf
from ullage.cli.say import say
from ullage.serve.listen import explain_refused
from ullage.simulate import SCENARIOS, Simulator, org, web, write_account


@click.command(name="simulate")
@click.option(
    "--scenario",
    type=OneOf(list(SCENARIOS)),
    metavar="NAME",
    default="busy-day",
    show_default=True,
    help=f"What the provider does: {', '.join(SCENARIOS)}.",
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0 takes a free one.")
@click.option(
    "--speed", type=click.FloatRange(0, 100_000, min_open=True), default=1.0, help="Simulated seconds a second."
)
@click.option("--certificate", type=click.Path(exists=True), help="Serve TLS with this certificate chain.")
@click.option("--key", type=click.Path(exists=True), help="The certificate's private key.")
@click.option("--account", type=click.Path(), help="Write the invented account's files into this new directory.")
def command(
    scenario: str, port: int, speed: float, certificate: str | None, key: str | None, account: str | None
) -> None:
    """Serve the provider's usage endpoints on a loopback address, with scripted numbers, until interrupted.

    The account is invented: no real token is accepted, none is asked for.
    """
    if math.isnan(speed):
        raise click.BadParameter("nan is no number. Name one such as 60.", param_hint="'--speed'")
    if key and not certificate:
        raise click.UsageError("--key is for --certificate.")
    if account == "":
        raise click.BadParameter("it is empty. Name a new directory.", param_hint="'--account'")
    tls = None
    if certificate:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            tls.load_cert_chain(certificate, key)
        except ssl.SSLError as error:
            raise UsageError(
                f"{certificate} and its key do not make a certificate: {error.reason or 'it is not PEM'}."
            ) from error
    try:
        simulator = Simulator(scenario, port=port, speed=speed, tls=tls)
    except OSError as error:
        raise ServeError(explain_refused(error, "127.0.0.1", port, "ullage simulate")) from error
    if account:
        try:
            write_account(account)
        except OSError as error:
            raise UsageError(f"Cannot write in {account}: {error.strerror}. Name another new directory.") from error
    say(f"Simulating {scenario} at {simulator.address}; nothing here is real. Ctrl-C ends it.")
    if account:
        profile = f"CLAUDE_CONFIG_DIR={shlex.quote(os.path.abspath(account))}"
        say(f"{profile} ULLAGE_SOURCE=oauth ULLAGE_API_BASE={simulator.address} ullage usage")
    else:
        say("It accepts its own invented account only: --account DIR makes that one, for CLAUDE_CONFIG_DIR.")
    say(f"claude.ai is ULLAGE_WEB_BASE={simulator.address}, with the session key {web.SESSION_KEY}.")
    say(f"An organisation's keys are ANTHROPIC_ADMIN_KEY={org.ADMIN_KEY}, ANTHROPIC_ANALYTICS_KEY={org.ANALYTICS_KEY}.")
    with simulator:
        simulator.serve_forever()
