"""The label `account`: the same from every machine, and from it nothing of the account."""

from __future__ import annotations

from ullage.metrics.names import Names

UUID = "5e000000-0000-4000-8000-00000000cafe"


def test_every_machine_of_an_account_agrees_on_its_pseudonym() -> None:
    assert Names(install="one").name_account(UUID, None) == Names(install="other", user="sam").name_account(
        UUID, "/profile"
    )
    assert Names().name_account(UUID, None) == Names().name_account(UUID.upper(), None)
    # Part of the interface: another pseudonym would break every graph in two.
    assert Names().name_account(UUID, None) == "1768cfa9b6341dec"


def test_a_key_makes_other_pseudonyms() -> None:
    keyed = {Names(key=key).name_account(UUID, None) for key in (b"", b"one", b"other")}
    assert len(keyed) == 3


def test_a_pseudonym_holds_nothing_of_the_account() -> None:
    assert not set(UUID.split("-")) & {Names().name_account(UUID, None)}


def test_profiles_without_an_account_are_told_apart_by_installation_and_path() -> None:
    named = {Names(install=install).name_account(None, profile) for install in ("a", "b") for profile in (None, "/x")}
    assert len(named) == 4
    assert all(name.startswith("unnamed-") for name in named)


def test_an_address_is_used_for_the_account_that_it_belongs_to_alone() -> None:
    names = Names(addresses={UUID: "sam@example.com"})
    assert names.name_account(UUID, None) == "sam@example.com"
    assert names.name_account("another", None) == Names().name_account("another", None)
