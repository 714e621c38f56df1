"""Addresses on this machine: free ports, and whether somebody listens."""

import random
import socket

LOOPBACK = "127.0.0.1"
# Below the range from which the system takes ports of outgoing connections (32768 on Linux), so
# that no client can take the port between the choice and the server's start.
CHOICE = range(15000, 32000)
_chosen: set[int] = set()


def free_port() -> int:
    """Return a port of the loopback address on which nobody listens at the moment.

    No port is returned twice by one process, as a server may start, or start again, much later.
    """
    while True:
        port = random.choice(CHOICE)  # noqa: S311 - nobody is to be surprised
        if port not in _chosen and is_free(LOOPBACK, port):
            _chosen.add(port)
            return port


def is_free(host: str, port: int) -> bool:
    """Say whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def is_open(host: str, port: int, *, timeout_s: float = 0.5) -> bool:
    """Say whether a server accepts connections there."""
    try:
        socket.create_connection((host, port), timeout=timeout_s).close()
    except OSError:
        return False
    return True


def split_address(address: str, *, default_host: str = LOOPBACK) -> tuple[str, int]:
    """Read ``host:port``, ``[v6]:port`` or ``:port``.

    Raises:
        ValueError: there is no port, or it is not a number of 0 to 65535.
    """
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:  # noqa: PLR2004 - RFC 9293, 3.1
        raise ValueError(f"{address!r} is not HOST:PORT")
    return host.strip("[]") or default_host, int(port)
