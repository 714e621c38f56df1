"""Who the client is: PROXY headers from listed peers only, IPv6, and how connections are counted."""

import socket
import struct

import pytest

from services.ingest.door import Timing
from tests.service.ingest.dialogue import Client, Mails, an_open_door, until

V2 = b"\r\n\r\n\x00\r\nQUIT\n"
TCP4, TCP6, UNSPEC = 0x11, 0x21, 0x00


def v2(command: int, family: int, body: bytes) -> bytes:
    return V2 + struct.pack("!BBH", 0x20 | command, family, len(body)) + body


def v2_tcp4(source: str) -> bytes:
    addresses = socket.inet_aton(source) + socket.inet_aton("192.0.2.1")
    return v2(1, TCP4, addresses + struct.pack("!HH", 4711, 25) + b"\x04\x00\x01\x00")


def v2_tcp6(source: str) -> bytes:
    addresses = socket.inet_pton(socket.AF_INET6, source) * 2
    return v2(1, TCP6, addresses + struct.pack("!HH", 4711, 25))


HEADERS = {
    "version 1, IPv4": (b"PROXY TCP4 198.51.100.7 192.0.2.1 4711 25\r\n", "198.51.100.7"),
    "version 1, IPv6": (b"PROXY TCP6 2001:db8::7 2001:db8::1 4711 25\r\n", "2001:db8::7"),
    "version 1, unknown": (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
    "version 2, IPv4 and more": (v2_tcp4("198.51.100.7"), "198.51.100.7"),
    "version 2, IPv6": (v2_tcp6("2001:db8::7"), "2001:db8::7"),
    "version 2, IPv4 written as IPv6": (v2_tcp6("::ffff:198.51.100.7"), "198.51.100.7"),
    "version 2, the proxy itself": (v2(0, UNSPEC, b""), "127.0.0.1"),
    "version 2, the proxy itself, with an address":
        (v2(0, TCP4, v2_tcp4("198.51.100.7")[16:28]), "127.0.0.1"),
}  # fmt: skip
BROKEN = [
    b"EHLO client.example\r\n",
    b"PROXY TCP4 198.51.100.7\r\n",
    b"PROXY TCP4 1.2.3.999 192.0.2.1 1 25\r\n",
    b"PROXY TCP9 198.51.100.7 192.0.2.1 1 25\r\n",
    b"PROXY " + b"x" * 200 + b"\r\n",
    b"\r\n\r\n\x00\r\nQUIT\r" + b"\x21\x11\x00\x0c" + b"\x00" * 12,
    v2(1, TCP4, b"\x01\x02"),
    v2(9, TCP4, b"\x00" * 12),
]


@pytest.fixture
def mails() -> Mails:
    return Mails()


async def deliver(client: Client) -> None:
    await client.begin()
    await client.play("C: DATA\nS: 354\nC: x\\r\\n.\nS: 250 2.0.0 queued")


@pytest.mark.parametrize("name", HEADERS)
async def test_a_listed_proxy_tells_who_the_client_is(mails: Mails, name: str) -> None:
    header, client_address = HEADERS[name]
    async with an_open_door(mails, proxies=["127.0.0.0/8"]) as (_, port):
        client = await Client.connect(port)
        client.send(header)
        await deliver(client)

    assert mails.only.client == client_address


@pytest.mark.parametrize("header", BROKEN)
async def test_a_listed_proxy_that_says_something_else_is_left(mails: Mails, header: bytes) -> None:
    async with an_open_door(mails, proxies=["127.0.0.1"]) as (door, port):
        client = await Client.connect(port)
        client.send(header)

        assert await client.reply() == ""
        await until(lambda: not door._sessions)


async def test_a_listed_proxy_that_says_nothing_is_left(mails: Mails) -> None:
    timing = Timing(proxy_s=0.05)
    async with an_open_door(mails, proxies=["127.0.0.1"], timing=timing) as (_, port):
        client = await Client.connect(port)

        assert await client.reply() == ""


async def test_nobody_else_can_claim_an_address(mails: Mails) -> None:
    async with an_open_door(mails, proxies=["127.0.0.1"]) as (_, port):
        client = await Client.connect(port, source="127.0.0.2")
        await client.play("S: 220\nC: PROXY TCP4 198.51.100.7 192.0.2.1 4711 25\nS: 500 5.5.2")
        await client.play("C: EHLO x\nS: 250\nC: MAIL FROM:<a@b.example>\nS: 250")
        await client.play("C: RCPT TO:<support@desk.example>\nS: 250\nC: DATA\nS: 354")
        await client.play("C: x\\r\\n.\nS: 250")

    assert mails.only.client == "127.0.0.2"


async def test_behind_a_proxy_each_client_is_counted_by_itself(mails: Mails) -> None:
    limits = {"proxies": ["127.0.0.1"], "max_connections_per_address": 1}

    clients = []

    async def greeting(port: int, source: str) -> str:
        client = await Client.connect(port)
        clients.append(client)
        client.send(b"PROXY TCP4 %s 192.0.2.1 4711 25\r\n" % source.encode())
        return await client.reply()

    async with an_open_door(mails, **limits) as (door, port):
        said = [await greeting(port, f"198.51.100.{n}") for n in (1, 2, 1)]
        assert [reply[:9] for reply in said] == ["220 desk.", "220 desk.", "421 4.7.0"]
        await until(lambda: len(door._sessions) == 2)
        assert sorted(door._by_address) == ["198.51.100.1", "198.51.100.2"]


async def test_a_client_over_ipv6(mails: Mails) -> None:
    async with an_open_door(mails, host="::1", max_connections_per_address=1) as (_, port):
        client = await Client.connect(port, host="::1")
        await deliver(client)

        assert (await (await Client.connect(port, host="::1")).reply()).startswith("421 4.7.0")
    assert mails.only.client == "::1"
