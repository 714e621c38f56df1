import socket

import pytest

from deploy.local import ports


def test_a_free_port_can_be_listened_at() -> None:
    port = ports.free_port()

    with socket.create_server(("127.0.0.1", port)):
        assert not ports.is_free("127.0.0.1", port)
        assert ports.is_open("127.0.0.1", port)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:25", ("127.0.0.1", 25)),
        ("[::1]:25", ("::1", 25)),
        (":0", ("127.0.0.1", 0)),
        ("mail.example:2525", ("mail.example", 2525)),
    ],
)
def test_an_address_is_host_and_port(text: str, address: tuple[str, int]) -> None:
    assert ports.split_address(text) == address


@pytest.mark.parametrize("text", ["", "2525", "host:", "host:smtp", "host:65536", "host:-1"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="HOST:PORT"):
        ports.split_address(text)


def test_no_port_is_chosen_twice(monkeypatch) -> None:
    monkeypatch.setattr(ports, "CHOICE", range(15000, 15040))
    monkeypatch.setattr(ports, "_chosen", set())

    chosen = [ports.free_port() for _ in range(20)]

    assert len({*chosen}) == len(chosen)
