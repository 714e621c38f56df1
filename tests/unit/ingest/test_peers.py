"""Addresses of clients."""

import pytest

from services.ingest.peers import counted_as, is_listed, written


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:0DB8:0::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("", "local"),
        ("somewhere", "local"),
    ],
)
def test_an_address_is_written_in_one_way(given: str, expected: str) -> None:
    assert written(given) == expected


def test_addresses_of_one_ipv6_site_are_counted_together() -> None:
    assert counted_as("2001:db8:1:2::3") == counted_as("2001:db8:1:2:ffff::9")
    assert counted_as("2001:db8:1:2::3") != counted_as("2001:db8:1:3::3")
    assert counted_as("192.0.2.1") != counted_as("192.0.2.2")


@pytest.mark.parametrize(
    ("address", "listed", "expected"),
    [
        ("192.0.2.7", ["192.0.2.0/24"], True),
        ("192.0.2.7", ["192.0.2.7"], True),
        ("192.0.2.7", ["192.0.2.8", "2001:db8::/32"], False),
        ("2001:db8::9", ["2001:db8::/32"], True),
        ("192.0.2.7", [], False),
        ("local", ["0.0.0.0/0"], False),
    ],
)
def test_lists_have_addresses_and_networks(address: str, listed: list[str], expected: bool) -> None:
    assert is_listed(address, listed) is expected
