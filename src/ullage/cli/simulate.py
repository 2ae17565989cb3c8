"""`ullage simulate`."""

from __future__ import annotations

import os
import shlex
import ssl
from contextlib import suppress

import click

from ullage.base.errors import UsageError
from ullage.base.text import quote
from ullage.cli.parameters import OneOf, parse_port, parse_with
from ullage.cli.say import say
from ullage.serve import ServeError
from ullage.serve.listen import explain_refused
from ullage.simulate import SCENARIOS, Simulator, org, web, write_account

_FASTEST = 100_000


def _speed(text: str) -> float:
    with suppress(ValueError):
        speed = float(text)
        if 0 < speed <= _FASTEST:
            return speed
    raise UsageError(f"{quote(text)} is no number above 0 and up to {_FASTEST}. Name one such as 60.")


@click.command(name="simulate")
@click.option(
    "--scenario",
    type=OneOf(list(SCENARIOS)),
    metavar="NAME",
    default="busy-day",
    show_default=True,
    help=f"What the provider does: {', '.join(SCENARIOS)}.",
)
@click.option("--port", default="0", callback=parse_with(parse_port), metavar="NUMBER", help="0 takes a free one.")
@click.option("--speed", default="1", callback=parse_with(_speed), metavar="NUMBER", help="Simulated seconds a second.")
@click.option("--certificate", type=click.Path(exists=True), help="Serve TLS with this certificate chain.")
@click.option("--key", type=click.Path(exists=True), help="The certificate's private key.")
@click.option("--account", type=click.Path(), help="Write the invented account's files into this new directory.")
def command(
    scenario: str, port: int, speed: float, certificate: str | None, key: str | None, account: str | None
) -> None:
    """Serve the provider's usage endpoints on a loopback address, with scripted numbers, until interrupted.

    The account is invented: no real token is accepted, none is asked for.
    """
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
