"""Clients that break off, fall silent, never end or do not listen: nothing of them stays."""

import asyncio
import gc
import weakref
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
import pytest

from services.ingest.door import Door, Timing
from services.ingest.lane import MIB, acquaintances
from services.ingest.reception import MOST_PATIENT_S, STRANGERS_PER_S
from tests.actors.attackers import attacked
from tests.bench.hostile import good_mails
from tests.service.ingest.certificate import self_signed
from tests.service.ingest.dialogue import Client, Mails, an_open_door, until

STAGES = {
    "before a word": "",
    "in a command": "S: 220\nC: EHLO x\nS: 250\nC: MAIL FROM:<a@b.example",
    "in the envelope": "S: 220\nC: EHLO x\nS: 250\nC: MAIL FROM:<a@b.example>\nS: 250",
    "in the mail": "S: 220\nC: EHLO x\nS: 250\nC: MAIL FROM:<a@b.example>\nS: 250\n"
    "C: RCPT TO:<support@desk.example>\nS: 250\nC: DATA\nS: 354\nC: half",
}
UNREAD = 40_000_000
"""Octets, more than the buffers of a connection hold."""
Leave = Callable[[Client], Awaitable[None]]


async def by_reset(client: Client) -> None:
    client.reset()


async def by_closing(client: Client) -> None:
    await client.close()


async def by_half_closing(client: Client) -> None:
    client.writer.write_eof()


@pytest.fixture
def mails() -> Mails:
    return Mails()


def is_empty(door: Door) -> bool:
    return not (door._sessions or door._by_address or door.budget.used_bytes or door.in_data)


@pytest.mark.parametrize("leave", [by_reset, by_closing, by_half_closing])
@pytest.mark.parametrize("stage", STAGES)
async def test_who_breaks_off_leaves_nothing(mails: Mails, stage: str, leave: Leave) -> None:
    async with an_open_door(mails) as (door, port):
        client = await Client.connect(port)
        await client.play(STAGES[stage])
        await until(lambda: bool(door._sessions))

        await leave(client)

        await until(lambda: is_empty(door))
    assert mails.stored == []


async def test_who_has_said_all_may_still_listen(mails: Mails) -> None:
    mails.may_finish.clear()
    async with an_open_door(mails) as (door, port):
        client = await Client.connect(port)
        client.send(
            b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<support@desk.example>\r\nDATA\r\n"
        )
        client.send(b"hello\r\n.\r\nQUIT\r\n")
        client.writer.write_eof()
        await asyncio.wait_for(mails.began.wait(), 10)
        mails.may_finish.set()

        said = [await client.reply() for _ in range(8)]

        assert [line[:3] for line in said] == ["220", "250", "250", "250", "354", "250", "221", ""]
        await until(lambda: is_empty(door))
    assert mails.only.body.read() == b"hello\r\n"


async def test_a_command_without_end_is_cut_off(mails: Mails) -> None:
    process = psutil.Process()
    async with an_open_door(mails) as (door, port):
        client = await Client.connect(port)
        await client.reply()
        before = process.memory_info().rss
        client.send(b"x" * (3 * acquaintances().buffer_octets))

        assert (await client.reply()).startswith("421 4.7.0")
        await until(lambda: is_empty(door))
    assert process.memory_info().rss - before < 20_000_000


async def test_a_command_too_long_is_refused_and_the_session_goes_on(mails: Mails) -> None:
    async with an_open_door(mails) as (_, port):
        client = await Client.connect(port)
        await client.play("S: 220\nC: NOOP " + "x" * 3000 + "\nS: 500 5.5.2\nC: NOOP\nS: 250")


async def test_nonsense_has_an_end(mails: Mails) -> None:
    async with an_open_door(mails) as (_, port):
        client = await Client.connect(port)
        await client.reply()
        client.send(b"FNORD\r\n" * 30)

        said = [await client.reply() for _ in range(22)]

    assert {reply[:9] for reply in said[:20]} == {"500 5.5.2"}
    assert [said[20][:9], said[21]] == ["421 4.7.0", ""]


async def test_a_relay_may_pass_on_many_errors(mails: Mails) -> None:
    async with an_open_door(mails, exempt=["127.0.0.0/8"]) as (_, port):
        client = await Client.connect(port)
        await client.play("S: 220\nC: EHLO x\nS: 250\nC: MAIL FROM:<a@b.example>\nS: 250")
        for _ in range(30):
            await client.play("C: RCPT TO:<nobody@desk.example>\nS: 550 5.1.1")


async def test_who_does_not_listen_is_left(mails: Mails) -> None:
    timing = Timing(idle_s=0.2, farewell_s=0.1)
    async with an_open_door(mails, timing=timing, exempt=["127.0.0.1"]) as (door, port):
        client = await Client.connect(port)
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        for _ in range(99_999):
            client.send(b"RCPT TO:<nobody@desk.example>\r\n")

        await until(lambda: is_empty(door))


async def test_when_all_places_are_taken_who_was_silent_for_longest_makes_place(
    mails: Mails,
) -> None:
    timing = Timing(crowded_idle_s=0.05)
    async with an_open_door(mails, timing=timing, max_connections=2) as (_, port):
        silent, busy = await Client.connect(port), await Client.connect(port)
        await silent.reply()
        await busy.begin()
        await busy.play("C: DATA\nS: 354\nC: x")
        await asyncio.sleep(0.1)

        newcomer = await Client.connect(port)

        assert (await newcomer.reply()).startswith("220")
        assert (await silent.reply()).startswith("421 4.4.2")
        await busy.play("C: .\nS: 250 2.0.0 queued")


async def test_when_all_places_are_taken_and_used_the_next_is_for_later(mails: Mails) -> None:
    async with an_open_door(mails, max_connections=1) as (_, port):
        first = await Client.connect(port)
        await first.reply()

        assert (await (await Client.connect(port)).reply()).startswith("421 4.7.0")


async def test_a_failed_handshake_ends_that_connection_alone(mails: Mails, tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)
    async with an_open_door(mails, certificate=str(certificate)) as (door, port):
        client = await Client.connect(port)
        await client.play("S: 220\nC: EHLO x\nS: 250\nC: STARTTLS\nS: 220 2.0.0")
        client.send(b"this is no handshake\r\n" * 10)
        await until(lambda: is_empty(door))

        assert (await (await Client.connect(port)).reply()).startswith("220")


async def test_who_comes_again_and_again_in_vain_waits_to_be_sent_away(mails: Mails) -> None:
    timing = Timing(in_vain_s=0.5)
    async with an_open_door(mails, timing=timing, max_in_vain_per_minute=3, max_connections=2) as (
        door,
        port,
    ):
        for _ in range(3):
            client = await Client.connect(port)
            await client.play("S: 220\nC: QUIT\nS: 221")
            await until(lambda: is_empty(door))

        held = [await Client.connect(port) for _ in range(2)]
        await until(lambda: len(door.held) == 2)
        one_too_many = await Client.connect(port)
        assert (await one_too_many.reply()).startswith("421 4.7.0")
        elsewhere = await Client.connect(port, source="127.0.0.2")
        assert (await elsewhere.reply()).startswith("220")
        assert not any(client.reader._buffer for client in held)

        for client in held:
            assert (await client.reply()).startswith("421 4.7.0")
            assert await client.reply() == ""
        assert not door.held


async def test_who_waits_to_be_sent_away_does_not_hold_up_the_end(mails: Mails) -> None:
    async with an_open_door(mails, max_in_vain_per_minute=1) as (door, port):
        await (await Client.connect(port)).close()
        await until(lambda: is_empty(door) and door.comes_in_vain("127.0.0.1"))
        held = await Client.connect(port)
        await until(lambda: door.held)

        await door.close(0.5)

        assert (await held.reply()).startswith("421 4.7.0")


async def test_who_leaves_mails_may_come_as_often_as_they_like(mails: Mails) -> None:
    async with an_open_door(mails, max_in_vain_per_minute=2) as (door, port):
        for _ in range(4):
            client = await Client.connect(port)
            await client.begin()
            await client.play("C: DATA\nS: 354\nC: x\\r\\n.\nS: 250\nC: QUIT\nS: 221")
            await until(lambda: is_empty(door))
            await (await Client.connect(port)).close()
            await until(lambda: is_empty(door))

    assert len(mails.stored) == 4


async def test_many_strangers_wait_their_turn_and_who_has_left_a_mail_does_not(
    mails: Mails,
) -> None:
    async with an_open_door(mails) as (door, port):
        known = await Client.connect(port, source="127.0.0.9")
        await known.begin()
        await known.play("C: DATA\nS: 354\nC: x\\r\\n.\nS: 250\nC: QUIT\nS: 221")
        await until(lambda: is_empty(door))

        door.newcomers.wait_s(MOST_PATIENT_S * STRANGERS_PER_S / 5)
        stranger = await Client.connect(port, source="127.0.0.2")
        stranger.send(b"EHLO hasty.example\r\n")
        known = await Client.connect(port, source="127.0.0.9")
        assert (await known.reply()).startswith("220")
        assert not stranger.reader._buffer

        door.newcomers.wait_s(MOST_PATIENT_S * STRANGERS_PER_S)
        late = await Client.connect(port, source="127.0.0.3")
        assert (await late.reply()).startswith("421 4.7.0")
        await stranger.play("S: 220\nS: 250")


async def test_of_a_stranger_who_waits_nothing_is_lost_and_little_is_read(mails: Mails) -> None:
    async with an_open_door(mails) as (door, port):
        known = await Client.connect(port, source="127.0.0.9")
        await known.begin()
        await known.play("C: DATA\nS: 354\nC: x\\r\\n.\nS: 250")

        door.newcomers.wait_s(STRANGERS_PER_S)
        silent = await Client.connect(port, source="127.0.0.2")
        silent.send(b"EHLO hasty.example\r\nNOOP\r\n")
        silent.writer.write_eof()
        endless = await Client.connect(port, source="127.0.0.3")
        endless.send(b"x" * UNREAD)
        await known.play("C: NOOP\nS: 250\nC: NOOP\nS: 250\nC: NOOP\nS: 250")

        assert endless.writer.transport.get_write_buffer_size() > UNREAD / 2
        assert (await endless.reply()).startswith("220")
        assert (await endless.reply()).startswith("421 4.7.0")
        await silent.play("S: 220\nS: 250\nS: 250")


async def test_who_does_not_wait_to_be_let_in_has_come_in_vain(mails: Mails) -> None:
    async with an_open_door(mails, max_in_vain_per_minute=2) as (door, port):
        door.newcomers.wait_s(STRANGERS_PER_S)
        for _ in range(2):
            (await Client.connect(port, source="127.0.0.2")).reset()

        await until(lambda: door.comes_in_vain("127.0.0.2"))


@pytest.mark.parametrize("leave", [by_reset, by_closing])
@pytest.mark.parametrize("stage", STAGES)
async def test_a_session_that_is_over_needs_no_collector(
    mails: Mails, stage: str, leave: Leave
) -> None:
    """A thousand of them would keep it busy for a tenth of a second, and all sessions waiting."""
    async with an_open_door(mails) as (door, port):
        client = await Client.connect(port)
        await client.play(STAGES[stage])
        await until(lambda: bool(door._sessions))
        gc.collect()
        gc.disable()
        try:
            sessions = [weakref.ref(session) for session in door._sessions]
            await leave(client)
            await until(lambda: not any(session() for session in sessions))
        finally:
            gc.enable()


async def test_a_strangers_long_mail_waits_and_that_of_who_has_left_one_does_not(
    mails: Mails,
) -> None:
    long = (b"x" * 78 + b"\r\n") * 3_000 + b".\r\n"
    async with an_open_door(mails) as (door, port):
        known = await Client.connect(port, source="127.0.0.9")
        await known.begin()
        await known.play(
            "C: DATA\nS: 354\nC: x\\r\\n.\nS: 250\nC: MAIL FROM:<ann@example.com>\nS: 250"
        )
        await known.play("C: RCPT TO:<support@desk.example>\nS: 250\nC: DATA\nS: 354")
        stranger = await Client.connect(port, source="127.0.0.2")
        await stranger.begin()
        await stranger.play("C: DATA\nS: 354")

        door.pace_for("127.0.0.2").octets.wait_s(16 * MIB)  # others take two seconds of it
        stranger.send(long)
        known.send(long)

        assert (await known.reply()).startswith("250")
        assert not stranger.reader._buffer
        assert (await stranger.reply()).startswith("250")


async def test_large_mails_leave_a_quarter_of_the_room_to_small_ones(mails: Mails) -> None:
    limits = {"memory_bytes": 8_000_000, "max_bytes": 20_000_000}
    async with an_open_door(mails, **limits) as (door, port):
        large = await Client.connect(port)
        await large.begin()
        await large.play("C: DATA\nS: 354")
        large.send(b"x" * 5_900_000)
        await until(lambda: door.budget.used_bytes >= 5_800_000)

        small = await Client.connect(port)
        await small.play("S: 220\nC: EHLO x\nS: 250")
        await small.play("C: MAIL FROM:<a@b.example> SIZE=1500000\nS: 452 4.3.1")
        await small.play("C: MAIL FROM:<a@b.example>\nS: 250")
        await small.play("C: RCPT TO:<support@desk.example>\nS: 250\nC: DATA\nS: 354")
        small.send(b"y" * 900_000 + b"\r\n.\r\n")
        assert (await small.reply()).startswith("250 2.0.0 queued")

        large.send(b"x" * 500_000 + b"\r\n.\r\n")
        assert (await large.reply()).startswith("452 4.3.1")


async def test_under_attack_every_good_mail_is_taken_and_nothing_stays_behind(
    mails: Mails,
) -> None:
    """A small version of the bench's row ``hostile``, which also looks at the time it takes."""
    process = psutil.Process()
    before = process.memory_info().rss  # of all that the tests before have left behind
    async with an_open_door(mails, max_bytes=5_000_000) as (door, port):
        with attacked(port, 40, seed=1):
            took = await good_mails(port, 40, "good", pause_s=0.0)
            grown = process.memory_info().rss
        await until(lambda: is_empty(door))

    assert len(took) == 40
    assert sum(mail.sender == "ann@example.com" for mail in mails.stored) == 40
    assert grown - before < 100_000_000
