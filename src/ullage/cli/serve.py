"""`ullage serve`."""

from __future__ import annotations

import contextlib
import os
import sys
from datetime import UTC, datetime

import click

from ullage import config
from ullage.base.errors import UsageError
from ullage.base.text import quote
from ullage.cli import options
from ullage.cli.parameters import OneOf, Subcommands, parse_port, parse_with
from ullage.cli.say import say
from ullage.serve import access_tokens, listen, running
from ullage.serve.extra import check_extra

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Iterator

    from ullage.serve.access_tokens import Scope, Token
    from ullage.serve.listen import Place

_PORT = 7733
_DEFAULT = "-"
# What the list of tokens is headed by, and what a narrow terminal leaves out first.
_TOKEN_COLUMNS = {"id": 6, "kind": 4, "scope": 3, "made": 2, "until": 1, "name": 5}


@click.group(name="serve", cls=Subcommands, invoke_without_command=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    default=str(_PORT),
    show_default=True,
    callback=parse_with(parse_port),
    metavar="NUMBER",
    help="0 takes a free one.",
)
@click.option(
    "--unix",
    is_flag=False,
    flag_value=_DEFAULT,
    metavar="[PATH]",
    help="Listen on a Unix socket instead, which nobody else can connect to and which needs no token.",
)
@click.option("--tls-cert", metavar="FILE", help="Serve TLS with this certificate chain (PEM).")
@click.option("--tls-key", metavar="FILE", help="The certificate's private key (PEM).")
@click.option(
    "--allowed-host", multiple=True, metavar="NAME", help="A further name by which browsers reach this server."
)
@click.option("--open", "open_browser", is_flag=True, help="Open the page in a browser.")
@options.add_profile_option
@click.pass_context
def command(
    context: click.Context,
    host: str,
    port: int,
    unix: str | None,
    tls_cert: str | None,
    tls_key: str | None,
    allowed_host: tuple[str, ...],
    open_browser: bool,
) -> None:
    """Serve what is known over HTTP until interrupted: JSON, events, metrics, and a page for people.

    A loopback port asks for a token (`ullage serve token create`), or lets a browser in by a link that works once; a
    Unix socket asks for none. Any other address needs TLS and a token.
    """
    if context.invoked_subcommand is not None:
        return
    if bool(tls_cert) != bool(tls_key):
        raise click.UsageError("--tls-cert and --tls-key belong together.")
    if unix == "":
        raise click.BadParameter("it is empty. Name a socket, or leave the path out.", param_hint="'--unix'")
    if unix is not None and (tls_cert or open_browser or _is_given(context, "host") or _is_given(context, "port")):
        raise click.UsageError("--unix excludes --host, --port, --tls-cert and --open.")
    tls = listen.load_tls_context(tls_cert, tls_key) if tls_cert and tls_key else None
    with _listener(host, port, unix, tls, allowed_host) as listener:
        _serve(listener, unix is not None, host, tls, allowed_host, open_browser=open_browser)


def _is_given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT


@contextlib.contextmanager
def _listener(
    host: str, port: int, unix: str | None, tls: ssl.SSLContext | None, allowed: tuple[str, ...]
) -> Iterator[socket.socket]:
    if unix is not None:
        path = listen.choose_unix_path(os.environ, config.locate_state(os.environ)) if unix == _DEFAULT else unix
        with listen.listen_on_unix(path) as listener:
            yield listener
        return
    place = listen.choose_place(host, port)
    if not place.is_loopback:
        _check_public(place, tls, allowed)
    with listen.open_port(place) as listener:
        yield listener


def _check_public(place: Place, tls: ssl.SSLContext | None, allowed: tuple[str, ...]) -> None:
    host = place.host
    if tls is None:
        raise UsageError(
            f"{host} can be reached from other machines, so it needs TLS: --tls-cert and --tls-key. For this machine "
            "alone: --host 127.0.0.1, or --unix."
        )
    directory = access_tokens.locate_directory(os.environ)
    if not any(not token.link for token in access_tokens.load(directory, datetime.now(UTC))):
        raise UsageError(
            f"{host} can be reached from other machines, so it needs a token: `ullage serve token create`."
        )
    if not allowed and place.is_every_address:
        raise UsageError(f"{host} is every address of this machine. Name the one that clients use with --allowed-host.")


def _serve(
    listener: socket.socket,
    is_unix: bool,
    host: str,
    tls: ssl.SSLContext | None,
    allowed: tuple[str, ...],
    *,
    open_browser: bool,
) -> None:
    check_extra()
    from ullage.serve import app, server
    from ullage.serve.access import Access
    from ullage.serve.feed import Feed
    from ullage.serve.knowledge import Knowledge

    knowledge = Knowledge(dict(os.environ))
    scheme = "https" if tls else "http"
    port = 0 if is_unix else listener.getsockname()[1]
    directory = None if is_unix else access_tokens.locate_directory(os.environ)
    hosts = listen.list_hosts(("localhost", *allowed) if is_unix else (host, *allowed), port, scheme)
    feed = Feed(knowledge, [directory] if directory else [])
    access = Access(directory, hosts, scheme)
    announced: contextlib.AbstractContextManager[None] = contextlib.nullcontext()
    if is_unix:
        say(f"Serving on {listener.getsockname()}; Ctrl-C ends it.")
    else:
        # `localhost` may have two addresses, and another user may listen on the address that is not bound.
        named = listener.getsockname()[0] if host.lower() == "localhost" else host
        base = f"{scheme}://{listen.show_address(named)}:{port}"
        say(f"Serving at {base}; Ctrl-C ends it.")
        _offer_link(base, open_browser=open_browser)
        announced = running.announce(access_tokens.locate_directory(os.environ), base)
    sys.stdout.flush()
    with announced:
        server.run(app.build_application(knowledge, access, feed), feed, listener, tls)


def _offer_link(base: str, *, open_browser: bool) -> None:
    """Open the page or print a link on a terminal; elsewhere print no link, since it would be a secret in a log."""
    if open_browser:
        from ullage.serve import browser

        named = config.load(os.environ)[0].key_variables
        if not browser.open_page(base, _new_link(base), access_tokens.locate_directory(os.environ), named):
            say("No browser could be started. `ullage serve link` makes a link for one.", err=True)
    elif sys.stdout.isatty():
        say(f"The page, for ten minutes and one browser: {_new_link(base)}")
    else:
        say("For the page: `ullage serve link`. For programs: `ullage serve token create`.")


def _new_link(base: str) -> str:
    secret, _ = access_tokens.create(
        access_tokens.locate_directory(os.environ), "link", "read", datetime.now(UTC), link=base
    )
    # After the #: browsers send this part to no server and in no Referer header.
    return f"{base}/#link={secret}"


@command.command(short_help="Make a link that opens the page in one browser, once.")
@click.option("--base", metavar="URL", help=f"Where it serves. Else where it runs now, or http://127.0.0.1:{_PORT}.")
def link(base: str | None) -> None:
    """Make a link that opens the page in one browser, once, within ten minutes."""
    if base is None:
        base = running.find_base(access_tokens.locate_directory(os.environ))
        if base is None:
            check_extra()
            base = f"http://127.0.0.1:{_PORT}"
            say("No server runs here now; the link is for one that `ullage serve` starts.", err=True)
    if not base.startswith(("http://", "https://")):
        raise click.BadParameter(
            f"{quote(base)} is no address such as http://127.0.0.1:{_PORT}.", param_hint="'--base'"
        )
    if base.split("/")[2].rpartition("@")[2].partition(":")[0].lower() == "localhost":
        raise click.BadParameter(
            "localhost is two addresses, and the link works for any program that listens on the first one tried. "
            "Name the one that `ullage serve` has said: 127.0.0.1 or [::1].",
            param_hint="'--base'",
        )
    click.echo(_new_link(base.rstrip("/")))


@command.group()
def token() -> None:
    """Make, list and revoke the tokens that programs send."""


@token.command(short_help="Make a token and print it, this once.")
@click.option(
    "--scope", type=OneOf(access_tokens.SCOPES), default="read", show_default=True, help="read is everything."
)
@click.option("--name", default="", help="What it is for, so that you know it in the list.")
def create(scope: Scope, name: str) -> None:
    """Make a token and print it, this once: what is stored cannot be turned back into it."""
    secret, made = access_tokens.create(access_tokens.locate_directory(os.environ), name, scope, datetime.now(UTC))
    say(f"Token {made.id} for {scope}; it is shown this once. `ullage serve token revoke {made.id}` ends it.", err=True)
    click.echo(secret)


@token.command(name="list", short_help="List the tokens, and the browsers that came by a link.")
def list_() -> None:
    """List the tokens, and the browsers that came by a link; what is listed opens nothing."""
    known = access_tokens.load(access_tokens.locate_directory(os.environ), datetime.now(UTC))
    if not known:
        say("There are no tokens. `ullage serve token create` makes one.", err=True)
        return
    # Imported late: few list them.
    from ullage.cli.say import say_lines
    from ullage.cli.settings import load_terminal_settings
    from ullage.render import columns
    from ullage.system.streams import measure_terminal

    rows = tuple(
        (one.id, _kind(one), one.scope, _clock(one.created_at), _clock(one.expires_at), one.name) for one in known
    )
    heads = tuple(
        columns.Column(heading=heading, is_text=True, worth=worth, is_faint=heading in ("made", "until"))
        for heading, worth in _TOKEN_COLUMNS.items()
    )
    table = columns.Table(columns=heads, rows=rows)
    settings = load_terminal_settings(config.load(os.environ)[0])
    say_lines(columns.lay_out(table, measure_terminal(), ascii_only=settings.ascii_only)[0], settings.palette)


def _kind(token: Token) -> str:
    return "token" if not token.link else "browser" if token.used_at else "link"


def _clock(moment: datetime | None) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M}" if moment else ""


@token.command(short_help="Revoke the token with this id or NAME.")
@click.argument("name")
def revoke(name: str) -> None:
    """Revoke the token with this id or NAME: from now on it opens nothing, and its streams end."""
    gone = access_tokens.revoke(access_tokens.locate_directory(os.environ), name, datetime.now(UTC))
    say(f"Revoked {gone.id}.")
