"""Check where data may be sent, by the address alone: names are not resolved, as they could mean any host. Pure."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from ullage.base.text import clean

_LONGEST_SHOWN = 200


def find_wrong(address: str, *, plain_http: bool) -> str | None:
    """Return in words what is wrong with an address of the user's, without a secret that may be in it; or None.

    Only https, and http to a loopback address, unless the user trusts the network between. A password in an address
    would show up in process lists, logs and error messages.
    """
    try:
        parts = urlsplit(address)
        port_is_wrong = parts.port == 0
    except ValueError:
        return "is no address: its host or port cannot be read"
    if parts.scheme not in ("http", "https") or not parts.hostname or port_is_wrong:
        return "is no address of the form https://host"
    if parts.username is not None or parts.password is not None:
        return "holds a name or a password, which others would see; metrics.auth_file is the place for them"
    if parts.query or parts.fragment or not address.isprintable() or not address.isascii() or " " in address:
        return "holds more than a host, a port and a path"
    if not plain_http and not is_private(parts.scheme, parts.hostname):
        host = clean(parts.hostname, 100)
        return f"would go to {host} unencrypted; use https://, or set plain_http = true under [metrics] in config.toml"
    return None


def hide_secrets(address: str) -> str:
    """Return an address to show or to keep: without the name, the password and the query that may be in it."""
    scheme, separator, rest = address.partition("?")[0].partition("#")[0].partition("://")
    return clean(f"{scheme}{separator}{rest.rpartition('@')[2]}", _LONGEST_SHOWN)


def is_private(scheme: str, host: str) -> bool:
    """Say whether what is sent to a host stays on this machine or is encrypted on the way."""
    return scheme == "https" or (scheme == "http" and is_loopback(host))


def is_loopback(host: str) -> bool:
    """Say whether a host is a loopback address; `localhost` is a name, which could mean anything."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
