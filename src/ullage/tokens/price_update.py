"""Read a new price list from a file or an address, and check it whole before it replaces the list in force."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from ullage.base.errors import SourceError, UsageError
from ullage.base.text import clean
from ullage.system import addresses
from ullage.system.files import read_regular
from ullage.tokens import litellm, prices

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST = 200


def fetch(source: str, directory: str, environ: Mapping[str, str], now: datetime) -> None:
    """Put the price list at `source`, a path or an https:// address, in force; on UllageError the old list stays."""
    if not source.strip():
        raise UsageError("--update names nothing. Name a file with prices, or an https:// address.")
    named = addresses.hide_secrets(source) if "://" in source else clean(source, _LONGEST)
    if "://" in source:
        data, date = _downloaded(source), now
    else:
        data, date = _read(source), datetime.fromtimestamp(os.stat(source).st_mtime, UTC)
    try:
        document = prices.decode_prices(data)
        if isinstance(document, dict) and "format" not in document:
            before, _ = prices.load(directory)
            document = litellm.convert_prices(document, before, f"{date:%Y-%m-%d}", named)
        prices.save(directory, document, environ)
    except UsageError as error:
        words = f"{named}: {error} The prices stay as they were."
        # The user can mend a file (wrong usage, exit 2), but not what an address answers (a failed source, exit 5).
        raise (SourceError("no_prices", words) if "://" in source else UsageError(words)) from error


def _read(path: str) -> bytes:
    data = read_regular(path, prices.LARGEST_FILE)
    if data is None:
        raise UsageError(
            f"{clean(path, _LONGEST)} cannot be read: it is not there, no regular file, larger than "
            f"{prices.LARGEST_FILE >> 20} MiB, or not yours to read. Name a file with prices, or an https:// address."
        )
    return data


def _downloaded(address: str) -> bytes:
    # Imported late: counting tokens needs no network.
    from ullage.system import http

    url = http.check_address(address)
    answer = http.get_response(url, "", {}, largest=prices.LARGEST_FILE)
    if answer.status != 200:
        raise SourceError(
            "no_prices",
            f"{addresses.hide_secrets(address)} answered with status {answer.status}. Is the address right? "
            "The prices stay as they were.",
        )
    return answer.body
