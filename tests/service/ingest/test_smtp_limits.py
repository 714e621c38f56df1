"""What the door does to clients that take too much: memory, connections, time."""

import asyncio
import ssl
from pathlib import Path

import psutil
import pytest

from services.ingest.door import Timing
from tests.service.ingest.certificate import self_signed
from tests.service.ingest.dialogue import Client, Mails, an_open_door, until


@pytest.fixture
def mails() -> Mails:
    return Mails()


async def test_a_hundred_recipients_are_taken_and_the_next_is_for_later(mails: Mails) -> None:
    async with an_open_door(mails, max_recipients=100) as (_, port):
        client = await Client.connect(port)
        await client.play("S: 220\nC: EHLO x\nS: 250\nC: MAIL FROM:<a@b.example>\nS: 250")
        for number in range(101):
            client.send(b"RCPT TO:<support+%d@desk.example>\r\n" % number)

        replies = [await client.reply() for _ in range(101)]

    assert all(reply.startswith("250 2.1.5") for reply in replies[:100])
    assert replies[100].startswith("452 4.5.3")


async def test_who_guesses_mailboxes_is_cut_off(mails: Mails) -> None:
    async with an_open_door(mails) as (_, port):
        client = await Client.connect(port)
        await client.play("S: 220\nC: EHLO x\nS: 250\nC: MAIL FROM:<a@b.example>\nS: 250")
        for number in range(21):
            client.send(b"RCPT TO:<guess%d@desk.example>\r\n" % number)

        replies = [await client.reply() for _ in range(21)]

    assert {reply[:9] for reply in replies[:20]} == {"550 5.1.1"}
    assert replies[20].startswith("421 4.7.0")


async def test_a_command_too_often_ends_the_session(mails: Mails) -> None:
    async with an_open_door(mails) as (_, port):
        client = await Client.connect(port)
        await client.reply()
        client.send(b"NOOP\r\n" * 101)

        replies = [await client.reply() for _ in range(101)]

    assert replies[99].startswith("250")
    assert replies[100].startswith("421 4.7.0")


async def test_connections_of_one_address_are_limited(mails: Mails) -> None:
    async with an_open_door(mails, max_connections_per_address=2) as (door, port):
        clients = [await Client.connect(port) for _ in range(2)]
        for client in clients:
            assert (await client.reply()).startswith("220")
        third = await Client.connect(port)

        assert (await third.reply()).startswith("421 4.7.0")
        assert await third.reply() == ""

        await clients[0].close()
        await until(lambda: len(door._sessions) == 1)
        assert (await (await Client.connect(port)).reply()).startswith("220")


async def test_known_relays_are_not_limited_by_address_but_in_all(mails: Mails) -> None:
    limits = {"max_connections_per_address": 1, "max_connections": 3, "exempt": ["127.0.0.1"]}
    async with an_open_door(mails, **limits) as (_, port):
        clients = [await Client.connect(port) for _ in range(4)]
        replies = [await client.reply() for client in clients]

    assert [reply[:3] for reply in replies] == ["220", "220", "220", "421"]


async def test_a_mail_for_which_there_is_no_room_is_for_later(mails: Mails) -> None:
    async with an_open_door(mails, memory_bytes=1_048_576) as (door, port):
        client = await Client.connect(port)
        await client.play(
            "S: 220\nC: EHLO x\nS: 250\nC: MAIL FROM:<a@b.example> SIZE=2000000\nS: 452 4.3.1"
        )
        await client.play(
            "C: MAIL FROM:<a@b.example>\nS: 250\nC: RCPT TO:<support@desk.example>\nS: 250"
        )
        await client.play("C: DATA\nS: 354")
        client.send(b"x" * 2_000_000 + b"\r\n.\r\n")

        assert (await client.reply()).startswith("452 4.3.1")
        assert door.budget.used_bytes == 0
        assert mails.stored == []


async def test_a_body_without_end_does_not_grow_the_memory(mails: Mails) -> None:
    process = psutil.Process()
    async with an_open_door(mails, max_bytes=400_000_000, memory_bytes=1_048_576) as (_, port):
        client = await Client.connect(port)
        await client.begin()
        await client.play("C: DATA\nS: 354")
        before, block = process.memory_info().rss, b"x" * 1_000_000
        for _ in range(200):
            client.send(block)
            await client.writer.drain()
        grown = process.memory_info().rss - before
        client.send(b"\r\n.\r\n")

        assert (await client.reply()).startswith("452")
    assert grown < 40_000_000


async def test_a_mail_that_comes_too_slowly_is_cut_off(mails: Mails) -> None:
    async with an_open_door(mails, timing=Timing(pace_s=0.05)) as (_, port):
        client = await Client.connect(port)
        await client.begin()
        await client.play("C: DATA\nS: 354\nC: drip\nS: 421 4.4.2")

        assert await client.reply() == ""


async def test_a_mail_that_takes_too_long_in_all_is_cut_off(mails: Mails) -> None:
    timing = Timing(data_s=0.2, pace_s=0.05, least_octets_per_s=1)
    async with an_open_door(mails, timing=timing) as (_, port):
        client = await Client.connect(port)
        await client.begin()
        await client.play("C: DATA\nS: 354")
        reply = asyncio.create_task(client.reply())
        while not reply.done():
            client.send(b"line\r\n")
            await asyncio.sleep(0.01)

    assert reply.result().startswith("421 4.4.2")


async def test_a_silent_client_is_told_that_its_time_is_over(mails: Mails) -> None:
    async with an_open_door(mails, timing=Timing(idle_s=0.05)) as (_, port):
        client = await Client.connect(port)

        await client.play("S: 220\nS: 421 4.4.2")

        assert await client.reply() == ""


async def test_a_client_that_goes_on_has_its_time_anew_with_each_command(mails: Mails) -> None:
    idle_s = 0.5
    async with an_open_door(mails, timing=Timing(idle_s=idle_s)) as (_, port):
        client = await Client.connect(port)
        await client.begin()
        loop = asyncio.get_running_loop()
        end = loop.time() + 1.5 * idle_s
        while loop.time() < end:
            await client.play("C: RCPT TO:<support@desk.example>\nS: 250 2.1.5")
            await asyncio.sleep(idle_s / 20)
        await client.play("S: 421 4.4.2")


async def test_closing_sends_idle_clients_away_and_finishes_the_mail_in_flight(
    mails: Mails,
) -> None:
    async with an_open_door(mails) as (door, port):
        idle, busy = await Client.connect(port), await Client.connect(port)
        await idle.reply()
        await busy.begin()
        await busy.play("C: DATA\nS: 354\nC: x")

        closing = asyncio.create_task(door.close())
        assert (await idle.reply()).startswith("421 4.3.2")
        await busy.play("C: y\\r\\n.\nS: 250 2.0.0 queued\nS: 421 4.3.2")
        await asyncio.wait_for(closing, 10)

    assert mails.only.body.read() == b"x\r\ny\r\n"


async def test_starttls_encrypts_and_forgets_what_was_sent_in_clear(
    mails: Mails, tmp_path: Path
) -> None:
    certificate = self_signed(tmp_path)
    async with an_open_door(mails, certificate=str(certificate)) as (_, port):
        client = await Client.connect(port)
        await client.play("S: 220\nC: EHLO x\nS: 250 STARTTLS")
        client.send(b"STARTTLS\r\nMAIL FROM:<injected@evil.example>\r\n")
        assert (await client.reply()).startswith("220 2.0.0")

        trusting = ssl.create_default_context(cafile=certificate)
        await client.writer.start_tls(trusting, server_hostname="desk.example")
        await client.play(
            """
            C: EHLO again
            S: 250 ENHANCEDSTATUSCODES
            C: STARTTLS
            S: 503 5.5.1
            C: RCPT TO:<support@desk.example>
            S: 503 5.5.1
            C: MAIL FROM:<a@b.example>
            S: 250
            C: RCPT TO:<support@desk.example>
            S: 250
            C: DATA
            S: 354
            C: x\\r\\n.
            S: 250 2.0.0 queued
            C: QUIT
            S: 221
            """
        )

    assert mails.only.is_encrypted
    assert mails.only.sender == "a@b.example"
