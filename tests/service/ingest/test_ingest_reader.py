"""Rows become records: in groups, once Kafka is there, and whatever the parser does."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from services.ingest.children import OUT_OF_TIME
from services.ingest.parsing import MAX_ATTEMPTS, PRESSING_MAILS, QUEUE_MAILS, MailReader
from services.ingest.tools import Tools
from tests.builders import an_address_book
from tests.service.ingest.dialogue import until
from tests.service.ingest.memory import (
    BlobsInMemory,
    Leases,
    NoLimits,
    Orders,
    Parsers,
    Senders,
    Topic,
    WithholdingIntake,
    a_row,
)


class Bench:
    """A reader and all that it works with."""

    def __init__(self) -> None:
        self.leases, self.parsers, self.topic = Leases(), Parsers(), Topic()
        self.blobs, self.senders = BlobsInMemory(), Senders()
        self.intake, self.limits, self.orders = WithholdingIntake(), NoLimits(), Orders()
        tools = Tools(
            rows=self.leases, parsers=self.parsers, blobs=self.blobs, bus=self.topic,
            book=an_address_book(), trusted=lambda: (), senders=self.senders,
            intake=self.intake, limits=self.limits, orders=self.orders,
        )  # fmt: skip
        self.reader = MailReader(tools, workers=1)

    async def settled(self, count: int) -> None:
        await until(lambda: len(self.leases.states) == count)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    yield made
    await made.reader.stop()


async def test_mails_handed_over_are_read_together_and_announced(bench: Bench) -> None:
    bench.reader.hand_over([a_row("a"), a_row("b")])
    await bench.reader.start()

    await bench.settled(2)

    assert bench.parsers.groups == [[b"a", b"b"]]
    assert bench.topic.ids == ["a", "b"]
    assert bench.orders.seen == ["a", "b"]
    assert bench.leases.states == {"a": "announced", "b": "announced"}
    assert await bench.reader.waiting() == 0


async def test_while_many_come_a_mail_waits_for_others() -> None:
    bench = Bench()
    await bench.reader.start()
    bench.reader.hand_over([a_row(str(n)) for n in range(PRESSING_MAILS)])
    await bench.settled(PRESSING_MAILS)

    bench.reader.hand_over([a_row("d")])
    for _ in range(10):  # the worker has its turn, and more than one
        await asyncio.sleep(0)
    bench.reader.hand_over([a_row("e")])
    await bench.settled(PRESSING_MAILS + 2)
    await bench.reader.stop()

    assert [len(group) for group in bench.parsers.groups] == [PRESSING_MAILS, 2]


async def test_while_few_come_a_mail_waits_for_nobody(bench: Bench) -> None:
    bench.reader.hand_over([a_row("a"), a_row("b")])
    await bench.reader.start()
    await bench.settled(2)

    bench.reader.hand_over([a_row("c")])
    for _ in range(10):
        await asyncio.sleep(0)
    bench.reader.hand_over([a_row("d")])
    await bench.settled(4)

    assert bench.parsers.groups == [[b"a", b"b"], [b"c"], [b"d"]]


async def test_rows_of_others_are_found_by_looking(bench: Bench) -> None:
    bench.leases.free = [a_row("a")]

    await bench.reader.start()

    await bench.settled(1)
    assert bench.topic.ids == ["a"]


async def test_rows_stored_without_a_lease_are_left_to_the_poll(bench: Bench) -> None:
    bench.reader.hand_over([a_row("a") | {"lease": ""}])

    assert await bench.reader.waiting() == 0


async def test_a_full_queue_leases_nothing_more(bench: Bench) -> None:
    assert bench.reader.lease(1)["lease"] == "me"

    bench.reader.hand_over([a_row(str(n)) for n in range(QUEUE_MAILS)])

    assert bench.reader.lease(1)["lease"] == ""


async def test_while_kafka_is_away_mails_wait_and_then_go(bench: Bench) -> None:
    bench.topic.failures = 2
    bench.reader.hand_over([a_row("a")])
    await bench.reader.start()

    await until(lambda: bool(bench.reader.trouble))
    assert bench.leases.states == {}
    await bench.settled(1)

    assert bench.topic.ids == ["a"]
    assert bench.reader.trouble == ""


async def test_a_mail_that_kills_the_parser_does_not_hold_up_the_others(bench: Bench) -> None:
    bench.reader.hand_over([a_row("a"), a_row("bomb"), a_row("c")])
    await bench.reader.start()

    await bench.settled(3)

    assert sorted(bench.topic.ids) == ["a", "bomb", "c"]
    assert bench.leases.states["bomb"] == "quarantined: parser ended by signal 9"
    assert bench.leases.states["c"] == "announced"


async def test_a_mail_that_killed_the_parser_once_is_read_the_second_time(bench: Bench) -> None:
    bench.parsers.bombs_that_kill = 1
    bench.reader.hand_over([a_row("bomb")])
    await bench.reader.start()

    await bench.settled(1)

    assert bench.leases.states == {"bomb": "announced"}


async def test_a_mail_that_used_up_its_time_is_not_given_it_again(bench: Bench) -> None:
    bench.parsers.failure = OUT_OF_TIME
    bench.reader.hand_over([a_row("bomb")])
    await bench.reader.start()

    await bench.settled(1)

    assert bench.parsers.groups == [[b"bomb"], [b"bomb"]]  # whole, then its headers
    assert bench.leases.states == {"bomb": f"quarantined: parser {OUT_OF_TIME}"}


async def test_a_mail_whose_headers_kill_too_is_announced_from_its_envelope(bench: Bench) -> None:
    bench.parsers.headers_kill = True
    bench.reader.hand_over([a_row("bomb")])
    await bench.reader.start()

    await bench.settled(1)

    record = bench.topic.records[0].record
    assert record.from_addr == "ann@example.com"
    assert record.raw_blob
    assert bench.blobs.contents[record.raw_blob] == b"bomb"


async def test_a_row_that_was_tried_too_often_is_read_by_its_headers_alone(bench: Bench) -> None:
    bench.leases.free = [a_row("a", attempts=MAX_ATTEMPTS + 1)]
    await bench.reader.start()

    await bench.settled(1)

    assert bench.leases.states == {"a": "quarantined: parser tried too often"}


async def test_a_reading_that_no_record_can_carry_is_announced_as_unreadable(bench: Bench) -> None:
    bench.reader.hand_over([a_row("odd"), a_row("b")])
    await bench.reader.start()

    await bench.settled(2)

    assert bench.leases.states["odd"].startswith("quarantined: no valid reading")
    assert bench.leases.states["b"] == "announced"


async def test_a_large_mail_is_fetched_from_its_blob(bench: Bench) -> None:
    name = await bench.blobs.put("a", b"large")
    bench.reader.hand_over([a_row("a", b"") | {"raw_blob": name}])
    await bench.reader.start()

    await bench.settled(1)

    assert bench.parsers.groups == [[b"large"]]


async def test_stopping_frees_what_is_not_announced(bench: Bench) -> None:
    bench.topic.failures = 1_000
    bench.reader.hand_over([a_row("a")])
    await bench.reader.start()
    await until(lambda: bool(bench.reader.trouble))

    await bench.reader.stop()

    assert bench.leases.released == ["a"]


async def test_a_mail_whose_sender_is_being_checked_holds_up_no_other(bench: Bench) -> None:
    bench.reader.hand_over([a_row("doubt"), a_row("b")])
    await bench.reader.start()

    await bench.settled(1)
    bench.reader.hand_over([a_row("c")])
    await bench.settled(2)
    assert bench.topic.ids == ["b", "c"]
    assert await bench.reader.waiting() == 1
    bench.senders.may_finish.set()
    await bench.settled(3)

    assert bench.topic.records[2].record.authentication.dmarc == "pass"


async def test_mails_whose_checks_end_together_are_announced_together(bench: Bench) -> None:
    bench.reader.hand_over([a_row(f"doubt {n}") for n in range(5)])
    await bench.reader.start()
    await until(lambda: len(bench.reader._checks) == 5)

    bench.senders.may_finish.set()
    await bench.settled(5)

    assert bench.topic.publications == 1


async def test_a_check_that_breaks_keeps_no_mail_back(bench: Bench) -> None:
    bench.senders.is_broken = True
    bench.senders.may_finish.set()
    bench.reader.hand_over([a_row("doubt")])
    await bench.reader.start()

    await bench.settled(1)

    assert bench.topic.records[0].record.authentication.dmarc == "none"


async def test_mails_whose_senders_are_being_checked_are_freed_at_the_end(bench: Bench) -> None:
    bench.reader.hand_over([a_row("doubt")])
    await bench.reader.start()
    await until(lambda: bool(bench.reader._checks))
    bench.reader._waits.trouble = "in a hurry"

    await bench.reader.stop()

    assert bench.leases.released == ["doubt"]
    assert bench.topic.ids == []


async def test_what_is_more_than_its_sender_may_write_is_withheld(bench: Bench) -> None:
    bench.limits.reasons = {"b": "limit of shop.example: 1 an hour"}
    bench.reader.hand_over([a_row("a"), a_row("b")])
    await bench.reader.start()

    await bench.settled(2)

    assert bench.topic.ids == ["a"]
    assert bench.leases.states["b"] == "withheld: limit of shop.example: 1 an hour"


async def test_what_is_withheld_is_marked_and_told_to_nobody(bench: Bench) -> None:
    bench.intake.reasons = {"a": "x-spam-flag: YES"}
    bench.reader.hand_over([a_row("a"), a_row("b")])
    await bench.reader.start()

    await bench.settled(2)

    assert bench.topic.ids == ["b"]
    assert bench.leases.states == {"a": "withheld: x-spam-flag: YES", "b": "announced"}
    assert await bench.reader.waiting() == 0
