"""What the user opts in to, and the files that hold what is nobody else's business."""

from __future__ import annotations

import json
import os
import platform
from typing import TYPE_CHECKING

import pytest

from tests.support.samples import reading, window
from tests.support.tools import PYTHON, run
from ullage.base.errors import CacheError, UsageError
from ullage.config.outside import Reporting
from ullage.metrics import identity
from ullage.metrics.names import Names
from ullage.quota.model import Account
from ullage.quota.schedule import Schedule
from ullage.store.overview import Overview

if TYPE_CHECKING:
    from pathlib import Path


def overview(account_id: str | None, profile: str | None = None) -> Overview:
    known = reading(window(), account=Account(id=account_id))
    return Overview(profile=profile, reading=known, schedule=Schedule(), samples={}, forecasts={})


def secret_file(path: Path, text: str, mode: int = 0o600) -> str:
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def test_an_installation_keeps_its_number(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    first = identity.identify_installation(environ)
    assert identity.identify_installation(environ) == first
    assert len(first) == 16
    assert [name for name in os.listdir(environ["ULLAGE_STATE_DIR"]) if name.endswith(".new")] == []
    assert platform.node() not in first
    monkeypatch.setattr(platform, "node", lambda: "a-copy-of-this-machine")
    assert identity.identify_installation(environ) != first


def test_two_installations_are_two(environ: dict[str, str], tmp_path: Path) -> None:
    other = {**environ, "ULLAGE_STATE_DIR": str(tmp_path / "other")}
    assert identity.identify_installation(environ) != identity.identify_installation(other)


def test_a_state_that_cannot_be_kept_is_told(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    environ["ULLAGE_STATE_DIR"] = str(tmp_path / "file" / "state")
    with pytest.raises(CacheError, match="ULLAGE_STATE_DIR"):
        identity.identify_installation(environ)


def test_a_state_without_room_is_left_as_it_was(environ: dict[str, str]) -> None:
    code = "import os; from ullage.metrics import identity; identity.identify_installation(os.environ)"
    told = run(["sh", "-c", 'ulimit -f 0; exec "$0" -c "$1"', PYTHON, code], environ)
    assert "MetricsError: Cannot keep a number" in told.stderr
    assert os.listdir(environ["ULLAGE_STATE_DIR"]) == []
    assert identity.identify_installation(environ)


def test_by_default_only_a_pseudonym_is_told(environ: dict[str, str], account: Path) -> None:
    names = identity.name_accounts(Reporting(), [overview("a1b2")], environ)
    assert names == Names()
    assert names.name_account("a1b2", None) == Names().name_account("a1b2", None)


def test_an_address_is_told_of_who_is_signed_in(environ: dict[str, str], tmp_path: Path) -> None:
    state = {"oauthAccount": {"accountUuid": "a1b2", "emailAddress": "sam@example.com"}}
    (tmp_path / ".claude.json").write_text(json.dumps(state))
    wishes = Reporting(account="address")
    names = identity.name_accounts(wishes, [overview("a1b2", str(tmp_path)), overview("c3d4", str(tmp_path))], environ)
    assert names.name_account("a1b2", None) == "sam@example.com"
    assert names.name_account("c3d4", None) == Names().name_account("c3d4", None)


def test_a_key_is_read_from_a_file_of_ones_own(environ: dict[str, str], tmp_path: Path) -> None:
    wishes = Reporting(key_file=secret_file(tmp_path / "key", "our team's key\n"))
    names = identity.name_accounts(wishes, [overview("a1b2")], environ)
    assert names.name_account("a1b2", None) == Names(key=b"our team's key").name_account("a1b2", None)


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [("key", 0o644, "chmod 600"), ("", 0o600, "one line"), ("a\nb", 0o600, "one line"), ("ü", 0o600, "one line")],
)
def test_without_its_key_nothing_is_told(
    environ: dict[str, str], tmp_path: Path, text: str, mode: int, words: str
) -> None:
    wishes = Reporting(key_file=secret_file(tmp_path / "key", text, mode))
    with pytest.raises(UsageError, match=words):
        identity.name_accounts(wishes, [overview("a1b2")], environ)
    with pytest.raises(UsageError, match="is not there"):
        identity.name_accounts(Reporting(key_file=str(tmp_path / "absent")), [], environ)
    with pytest.raises(UsageError, match="full path"):
        identity.name_accounts(Reporting(key_file="key"), [], environ)


def test_what_opens_a_gateway_is_a_password_or_a_token(environ: dict[str, str], tmp_path: Path) -> None:
    assert identity.build_authorization(Reporting(), environ) is None
    wishes = Reporting(auth_file=secret_file(tmp_path / "auth", "sam:open-sesame\n"))
    assert identity.build_authorization(wishes, environ) == "Basic c2FtOm9wZW4tc2VzYW1l"
    environ["ULLAGE_METRICS_AUTH"] = "a-token"
    assert identity.build_authorization(wishes, environ) == "Bearer a-token"
    environ["ULLAGE_METRICS_AUTH"] = "a\r\nX-Header: b"
    with pytest.raises(UsageError, match="one line"):
        identity.build_authorization(wishes, environ)
