"""Addresses of clients: how they are written, counted, and found in the configuration's lists."""

import functools
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

LOCAL = "local"
"""Stands for a client without an IP address."""
SITE_BITS = 64
"""One customer of an IPv6 provider has all addresses of such a network (RFC 6177)."""


def written(address: object) -> str:
    """Write an address in its shortest form, an IPv4 one always as such."""
    try:
        parsed = ip_address(str(address).partition("%")[0])
    except ValueError:
        return LOCAL
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(parsed)


def counted_as(address: str) -> str:
    """Give the name under which a client's connections are counted."""
    if ":" not in address:
        return address
    return str(ip_network((address, SITE_BITS), strict=False))


def is_listed(address: str, listed: Iterable[str]) -> bool:
    """Say whether the address is one of those listed, or in one of the networks listed."""
    if address == LOCAL:
        return False
    parsed: IPv4Address | IPv6Address = ip_address(address)
    return any(parsed in _network(one) for one in listed)


_network = functools.lru_cache(1_000)(ip_network)  # the same few lists are asked for each client
