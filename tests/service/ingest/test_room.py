"""Too little free disk, or too much that waits, is said at MAIL and passes by itself."""

from pathlib import Path

from prometheus_client import REGISTRY

from services.ingest.room import Disk, Room, disk_of
from shared.config.door import Door as Limits
from shared.health import Health
from shared.mongo import MongoError
from tests.service.ingest.dialogue import Client, Mails, an_open_door

MIB = 1024 * 1024
LIMITS = Limits(max_bytes=10 * MIB, min_free_bytes=0)


class ADisk:
    """Says what it is told to say."""

    def __init__(self, free_bytes: int | None) -> None:
        self.free = free_bytes
        self.is_away = False

    async def free_bytes(self) -> int | None:
        if self.is_away:
            raise MongoError("gone")
        return self.free


def a_room(disk: ADisk, limits: Limits = LIMITS, health: Health | None = None) -> Room:
    return Room(lambda: limits, [Disk("mongo", disk.free_bytes)], health)


async def test_free_room_is_one_and_a_half_of_the_largest_mail_and_the_mail_itself() -> None:
    room = a_room(ADisk(15 * MIB + 1000))
    await room.look()

    assert room.fits(1000)
    assert not room.fits(1001)


async def test_the_low_water_mark_may_be_set_higher() -> None:
    room = a_room(ADisk(99 * MIB), Limits(max_bytes=10 * MIB, min_free_bytes=100 * MIB))
    await room.look()

    assert not room.fits(1)


async def test_what_was_taken_since_the_last_look_is_not_free() -> None:
    disk = ADisk(16 * MIB)
    room = a_room(disk)
    await room.look()
    room.took(2 * MIB)

    assert not room.fits(1)

    await room.look()
    assert room.fits(1)


async def test_every_disk_must_have_room(tmp_path: Path) -> None:
    far = ADisk(1 << 60)
    tight = Limits(min_free_bytes=1 << 50)
    room = Room(lambda: tight, [Disk("mongo", far.free_bytes), disk_of(tmp_path)])
    await room.look()

    assert not room.fits(1)


async def test_a_disk_that_cannot_be_asked_is_believed_to_be_as_it_was() -> None:
    disk = ADisk(1)
    room = a_room(disk)
    disk.is_away = True
    await room.look()
    assert room.fits(1)

    disk.is_away = False
    await room.look()
    disk.is_away = True
    await room.look()
    assert not room.fits(1)


async def test_a_disk_without_figures_refuses_nothing() -> None:
    room = a_room(ADisk(None))
    await room.look()

    assert room.fits(1)


async def test_health_and_metric_tell_but_the_process_stays_ready() -> None:
    health = Health()
    disk = ADisk(3 * MIB)
    room = a_room(disk, health=health)
    await room.look()

    check = health.checks["disk"]
    assert (check.is_ok, health.is_ready) == (False, True)
    assert check.detail == "free on mongo: 3 MiB; below 15 MiB mail is answered 452"
    assert REGISTRY.get_sample_value("postdesk_ingest_free_bytes", {"disk": "mongo"}) == 3 * MIB

    disk.free = 30 * MIB
    await room.look()
    assert health.checks["disk"].is_ok


async def test_mail_is_refused_for_now_and_taken_when_there_is_room_again() -> None:
    disk, mails = ADisk(15 * MIB + 50_000), Mails()
    room = a_room(disk)
    await room.look()
    async with an_open_door(mails, room=room) as (_, port):
        client = await Client.connect(port)
        await client.play(
            """
            S: 220
            C: EHLO x
            S: 250
            C: MAIL FROM:<a@b.example> SIZE=50001
            S: 452 4.3.1 not enough room
            C: MAIL FROM:<a@b.example> SIZE=50000
            S: 250 2.1.0
            C: RSET
            S: 250
            """
        )
        disk.free = MIB
        await room.look()
        await client.play("C: MAIL FROM:<a@b.example>\nS: 452 4.3.1\nC: DATA\nS: 503")

        disk.free = 100 * MIB
        await room.look()
        await client.play(
            "C: MAIL FROM:<a@b.example>\nS: 250\nC: RCPT TO:<support@desk.example>\nS: 250\n"
            "C: DATA\nS: 354\nC: x\\r\\n.\nS: 250 2.0.0 queued"
        )


async def test_mail_is_refused_while_too_much_waits_to_be_read() -> None:
    behind = [True]
    async with an_open_door(Mails(), is_behind=lambda: behind[0]) as (_, port):
        client = await Client.connect(port)
        await client.play("S: 220\nC: EHLO x\nS: 250\nC: MAIL FROM:<a@b.example>\nS: 452 4.3.2")

        behind[0] = False
        await client.play("C: MAIL FROM:<a@b.example>\nS: 250 2.1.0")
