"""From a delivery to its rows and the reply."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from services.ingest.accept import INLINE_BYTES, Acceptance
from services.ingest.body import Body
from services.ingest.door import Delivery
from services.ingest.measures import LONG_LINES
from services.ingest.recipients import Recipient
from services.ingest.spool import Spool
from shared.clock import FrozenClock
from tests.builders import BILLING, NOON, SUPPORT
from tests.service.ingest.memory import BlobsInMemory, Rows

RAW = b"Message-ID: <m@x.example>\r\nSubject: x\r\n\r\nhello\r\n"


class Reader:
    """Takes rows, or says that it has no room."""

    def __init__(self) -> None:
        self.rows: list[str] = []

    def lease(self, rows: int) -> dict[str, object]:
        return {"lease": "me", "leased_with": rows}

    def hand_over(self, rows: list[dict[str, object]]) -> None:
        self.rows += [str(row["_id"]) for row in rows]


@pytest.fixture
def rows() -> Rows:
    return Rows()


@pytest.fixture
def blobs() -> BlobsInMemory:
    return BlobsInMemory()


@pytest.fixture
def reader() -> Reader:
    return Reader()


@pytest.fixture
async def acceptance(rows: Rows, blobs: BlobsInMemory, reader: Reader) -> AsyncIterator[Acceptance]:
    spool = Spool(rows)
    task = asyncio.create_task(spool.run())
    yield Acceptance(spool, blobs.put, FrozenClock(NOON), reader, limit_s=0.2)
    task.cancel()


def a_delivery(raw: bytes = RAW, *recipients: str, sender: str = "ann@example.com") -> Delivery:
    boxes = [
        Recipient(BILLING if address.startswith("billing") else SUPPORT, address)
        for address in recipients or (SUPPORT,)
    ]
    body = Body(is_roomy=lambda: True)
    body.write(raw)
    return Delivery(body, sender, boxes, "192.0.2.1", "client.example", is_encrypted=False)


async def test_the_reply_names_the_row(acceptance: Acceptance, rows: Rows, reader: Reader) -> None:
    reply, *_ = await acceptance.store(a_delivery())

    (row,) = rows.rows.values()
    assert reply == f"250 2.0.0 queued as {row['_id']}"
    assert (row["state"], row["raw"], row["message_id"]) == ("received", RAW, "m@x.example")
    assert (row["envelope_from"], row["client"], row["received_at"]) == (
        "ann@example.com",
        "192.0.2.1",
        NOON,
    )
    assert reader.rows == [row["_id"]]


async def test_the_same_mail_again_is_one_row_and_the_same_promise(
    acceptance: Acceptance, rows: Rows, reader: Reader
) -> None:
    first = await acceptance.store(a_delivery())
    again = await acceptance.store(a_delivery(b"Received: by another way\r\n" + RAW))

    assert first == again
    assert len(rows.rows) == len(reader.rows) == 1


async def test_the_same_id_with_other_content_is_another_row(
    acceptance: Acceptance, rows: Rows
) -> None:
    await acceptance.store(a_delivery())
    await acceptance.store(a_delivery(RAW + b"more\r\n"))

    assert len(rows.rows) == 2


async def test_a_mail_to_two_mailboxes_is_two_rows_and_the_token_wins(
    acceptance: Acceptance, rows: Rows
) -> None:
    tagged = "support+token@desk.example"

    await acceptance.store(a_delivery(RAW, SUPPORT, BILLING, tagged))

    assert [(r["mailbox"], r["recipient"]) for r in rows.rows.values()] == [
        (SUPPORT, tagged),
        (BILLING, BILLING),
    ]


async def test_a_mail_that_goes_in_circles_is_refused(acceptance: Acceptance, rows: Rows) -> None:
    reply, *_ = await acceptance.store(a_delivery(b"Received: x\r\n" * 101 + RAW))

    assert reply.startswith("554 5.4.6")
    assert not rows.rows
    assert (await acceptance.store(a_delivery(b"Received: x\r\n" * 100 + RAW)))[0].startswith("250")


async def test_lone_line_ends_are_stored_whole_and_marked(
    acceptance: Acceptance, rows: Rows
) -> None:
    await acceptance.store(a_delivery(b"Subject: x\n\nhello\n"))

    (row,) = rows.rows.values()
    assert (row["raw"], row["is_normalised"]) == (b"Subject: x\r\n\r\nhello\r\n", True)


async def test_a_large_mail_is_a_blob_before_it_is_a_row(
    acceptance: Acceptance, rows: Rows, blobs: BlobsInMemory
) -> None:
    raw = RAW + b"x" * INLINE_BYTES

    await acceptance.store(a_delivery(raw))

    (row,) = rows.rows.values()
    assert row["raw"] == b""
    assert blobs.contents[row["raw_blob"]] == raw


async def test_a_database_that_is_away_is_a_passing_failure(
    acceptance: Acceptance, rows: Rows
) -> None:
    rows.is_down = True
    assert await acceptance.store(a_delivery()) == ["451 4.3.0 try again later"]

    rows.is_down = False
    assert (await acceptance.store(a_delivery()))[0].startswith("250")


async def test_a_database_that_does_not_answer_is_a_passing_failure_in_time(
    acceptance: Acceptance, rows: Rows, reader: Reader
) -> None:
    rows.may_finish.clear()

    assert (await acceptance.store(a_delivery()))[0].startswith("451")
    assert reader.rows == []
    rows.may_finish.set()


@pytest.mark.parametrize(("octets", "counted"), [(998, 0), (999, 1), (50_000, 1)])
async def test_long_lines_are_taken_and_counted(
    acceptance: Acceptance, octets: int, counted: int
) -> None:
    before = LONG_LINES._value.get()

    reply, *_ = await acceptance.store(a_delivery(RAW + b"x" * octets + b"\r\nend\r\n" * 500))

    assert reply.startswith("250")
    assert LONG_LINES._value.get() - before == counted
