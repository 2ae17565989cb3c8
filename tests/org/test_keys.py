"""Where the organisation's key comes from."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import keyring
import keyring.backend
import keyring.errors
import pytest

from ullage.base.errors import MissingExtraError, SourceError
from ullage.config.outside import KeyNames
from ullage.org import keys

if TYPE_CHECKING:
    from collections.abc import Iterator

MARK = "sk-ant-admin01-MARKER"


class Ring(keyring.backend.KeyringBackend):
    """A keyring of this test's own."""

    priority = 1.0
    held: str | None = MARK
    is_locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.is_locked:
            raise keyring.errors.KeyringLocked(f"locked, and by the way {MARK}")
        return self.held if (service, username) == ("anthropic", "me") else None

    def set_password(self, service: str, username: str, password: str) -> None:
        pytest.fail("a key was stored")


@pytest.fixture
def ring() -> Iterator[Ring]:
    before = keyring.get_keyring()
    ring = Ring()  # type: ignore[no-untyped-call]  # keyring has no types
    keyring.set_keyring(ring)
    yield ring
    keyring.set_keyring(before)


IN_RING = KeyNames(keyring=("anthropic", "me"))


@pytest.mark.process
def test_a_variable_goes_before_a_command_and_that_before_the_keyring(environ: dict[str, str], ring: Ring) -> None:
    names = KeyNames(variable="MINE", command=("echo", "from-command"), keyring=("anthropic", "me"))
    assert keys.fetch_key("admin", names, {**environ, "MINE": "from-variable"}).reveal() == "from-variable"
    assert keys.fetch_key("admin", names, environ).reveal() == "from-command"
    assert keys.fetch_key("admin", names.replace(command=()), environ).reveal() == MARK


def test_without_a_key_it_is_said_how_to_name_one(environ: dict[str, str]) -> None:
    with pytest.raises(keys.NoKeyError, match="analytics_key_command") as caught:
        keys.fetch_key("analytics", KeyNames(variable="MINE"), environ)
    assert "MINE is not set here" in str(caught.value)
    assert caught.value.exit_code == 3


def test_a_keyring_that_is_locked_or_empty_is_said_without_what_it_said(environ: dict[str, str], ring: Ring) -> None:
    ring.is_locked = True
    with pytest.raises(SourceError, match="Unlock it") as caught:
        keys.fetch_key("admin", IN_RING, environ)
    assert MARK not in str(caught.value)
    ring.is_locked, ring.held = False, None
    with pytest.raises(keys.NoKeyError, match="keyring set"):
        keys.fetch_key("admin", IN_RING, environ)
    ring.held = f"{MARK} and more"
    with pytest.raises(SourceError, match="the key alone") as caught:
        keys.fetch_key("admin", IN_RING, environ)
    assert MARK not in str(caught.value)


def test_without_the_extra_it_is_said_how_to_install_it(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(MissingExtraError, match=r"pip install keyring"):
        keys.fetch_key("admin", IN_RING, environ)
