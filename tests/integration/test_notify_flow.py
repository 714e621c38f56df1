"""notify's handlers, ledger and sender on real MongoDB, with a relay that behaves as told."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from services.notify.app import INDEXES, Wired, wire
from services.notify.domain.customers import Customer
from services.notify.domain.limits import minute_of
from services.notify.domain.view import TicketView
from services.notify.outgoing import Row, to_document
from services.notify.settings import Settings
from services.notify.store import Store
from shared.blobs import Blobs
from shared.bus import Outgoing, Received
from shared.clock import SystemClock
from shared.config import load_desk
from shared.contracts import directory, topics
from shared.contracts import ticket as events
from shared.contracts.base import Attachment, Meta
from shared.contracts.delivery import MailDeferred, MailFailed, MailSent
from shared.contracts.requests import CommandReceipt, LineResult, ReportMail
from shared.mongo import Database, connect, ensure_indexes
from tests.actors.sink import DROP, OK, Sink
from tests.bus_records import until
from tests.ticket_history import History, received
from tests.unit.notify.cases import ANA, EMMA, ROOT, field, parsed, text_of

pytestmark = pytest.mark.stack


@dataclass
class Desk:
    """A running notify without Kafka: records are handed to the handlers."""

    wired: Wired
    sink: Sink
    database: Database
    blobs: Blobs
    context: Any
    told: list[Outgoing]

    async def hears(self, told: History) -> None:
        await self.wired.handlers.on_ticket_events(received(*told.events))

    async def knows(self, entries: Sequence[tuple[str, Any]]) -> None:
        await self.wired.handlers.on_directory(_received(entries, topics.DIRECTORY.name))

    async def asks(self, request: Any) -> None:
        one = _received([(request.to, request)], topics.MAIL_REQUESTS.name)
        await self.wired.requests.on_requests(one)

    async def file(self, name: str, data: bytes) -> Attachment:
        blob = await self.blobs.put("in-1", data)
        return Attachment(
            name=name, content_type="application/pdf", size_bytes=len(data), blob=blob
        )

    async def rows(self, **wanted: Any) -> list[dict[str, Any]]:
        return await self.database["outgoing"].find(wanted).sort("created_at", 1).to_list(None)


def _received(entries: Sequence[tuple[str, Any]], topic: str) -> list[Received[Any]]:
    return [
        Received(
            record=record,
            meta=Meta(id=f"{topic}.{number}", source="postdesk/tests", time=SystemClock().now()),
            topic=topic,
            partition=0,
            offset=number,
            key=key,
        )
        for number, (key, record) in enumerate(entries)
    ]


class _Publisher:
    def __init__(self) -> None:
        self.told: list[Outgoing] = []

    async def publish(self, outgoing: Sequence[Outgoing]) -> None:
        self.told += outgoing


@pytest.fixture
async def desk(mongo: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with Sink() as sink, running_desk(mongo, tmp_path, sink) as one:
        yield one


@asynccontextmanager
async def running_desk(uri: str, folder: Path, sink: Sink, **settings: Any) -> AsyncIterator[Desk]:
    client = connect(uri)
    database = client.get_database(f"notify_{uuid4().hex[:12]}")
    await ensure_indexes(database, INDEXES)
    keys = folder / "keys.json"
    keys.write_text(
        '{"current": 1, "keys": {"1": "' + "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=" + '"}}'
    )
    context: Any = SimpleNamespace(
        settings=Settings(relay=sink.address, keys=keys, **settings),
        clock=SystemClock(),
        client=client,
        database=database,
        blobs=Blobs(client),
        desk=load_desk(ROOT / "deploy" / "presets" / "demo.yaml"),
        owner=f"notify-{uuid4().hex[:6]}",
    )
    publisher = _Publisher()
    wired = wire(context, publisher)
    parts: list[Any] = [wired.outbox, wired.sender, wired.notices]
    for part in parts:
        await part.start()
    try:
        yield Desk(wired, sink, database, context.blobs, context, publisher.told)
    finally:
        for part in reversed(parts):
            await part.stop()
        await client.drop_database(database.name)
        client.close()


def a_new_ticket(*, files: Sequence[Attachment] = (), **state: Any) -> History:
    number = uuid4().int % 10**9 + 1
    told = History(ticket_id=f"T-{number}", requester_name="Emma Brand", **state)
    told.customer_writes(
        "2026-11-20 09:00",
        from_addr=EMMA,
        from_name="Emma Brand",
        reply_text="There is no dial tone.",
        message_id="first@harbour-bakery.example",
        attachments=[file.model_dump() for file in files],
        event={"acknowledge": True},
    )
    told.assigned("2026-11-20 09:00", ANA)
    return told


async def test_a_new_ticket_is_acknowledged_and_told_to_its_agent(desk: Desk) -> None:
    await desk.hears(a_new_ticket())

    assert await desk.sink.wait_until(lambda: len(desk.sink.taken) == 2, within_s=30)
    assert {mail.recipient for mail in desk.sink.taken} == {EMMA, ANA}
    await until(lambda: len(desk.told) == 2)
    assert all(isinstance(one.record, MailSent) for one in desk.told)
    assert {row["state"] for row in await desk.rows()} == {"sent"}


async def test_only_a_requesters_first_ticket_has_no_history(desk: Desk) -> None:
    store = Store.of(desk.database)
    told = a_new_ticket(account_id="")
    name = told.opened.ticket_id
    await desk.hears(told)
    first = await store.without_history((await store.views([name])).values())

    await desk.hears(a_new_ticket(account_id=""))
    later = await store.without_history((await store.views([name])).values())

    assert (first, later) == ({name}, set())


async def test_the_same_events_twice_send_nothing_twice(desk: Desk) -> None:
    told = a_new_ticket()

    await desk.hears(told)
    await desk.hears(told)

    await until(lambda: _all_ended(desk, 2))
    assert len(desk.sink.taken) == 2


async def test_text_and_message_id_of_what_was_sent_are_told(desk: Desk) -> None:
    await desk.hears(a_new_ticket())

    await until(lambda: len(desk.told) == 2)
    sent = {mail.message_id for mail in desk.sink.taken}
    assert {one.record.message_id for one in desk.told} == sent
    texts = {one.record.kind: one.record.text_blob for one in desk.told}
    assert (await desk.blobs.get(texts["notice"])).startswith(b"T-")
    assert texts["acknowledgement"] is None


async def test_a_refusal_for_now_is_sent_later_with_the_same_bytes(desk: Desk) -> None:
    answers = iter(["451 4.3.0 later"])
    desk.sink.verdict = lambda mail: next(answers, OK) if mail.recipient == EMMA else OK
    await desk.hears(a_new_ticket())
    await until(lambda: any(isinstance(one.record, MailDeferred) for one in desk.told))

    await desk.database["outgoing"].update_many(
        {"state": "deferred"}, {"$set": {"next_try_at": SystemClock().now()}}
    )
    desk.wired.sender.wake()

    await until(lambda: _all_ended(desk, 2))
    [refused] = desk.sink.refused
    assert refused.raw in [mail.raw for mail in desk.sink.taken]


async def test_an_answer_that_was_not_heard_brings_the_same_bytes_again(desk: Desk) -> None:
    answers = iter([DROP])
    desk.sink.verdict = lambda mail: next(answers, OK) if mail.recipient == EMMA else OK

    await desk.hears(a_new_ticket())

    await until(lambda: _all_ended(desk, 2))
    copies = [mail.raw for mail in desk.sink.taken if mail.recipient == EMMA]
    assert len(copies) == 2
    assert copies[0] == copies[1]


async def test_a_refusal_for_good_is_told_to_tickets(desk: Desk) -> None:
    desk.sink.verdict = lambda mail: "550 5.1.1 nobody" if mail.recipient == EMMA else OK

    await desk.hears(a_new_ticket())

    await until(lambda: len(desk.told) == 2)
    [failed] = [one.record for one in desk.told if isinstance(one.record, MailFailed)]
    assert (failed.recipient, failed.reply) == (EMMA, "550 5.1.1 nobody")


def _reported(told: History, row: dict[str, Any], **more: Any) -> None:
    told.happens(
        events.DeliveryNoted,
        "2026-11-20 10:00",
        by="system:delivery",
        **{
            "outcome": "bounced",
            "recipient": EMMA,
            "message_id": row["message_id"],
            "detail": "5.1.1 no such user",
            "dead": True,
            **more,
        },
    )


def _has_taken(desk: Desk, words: bytes) -> bool:
    return any(words in mail.raw for mail in desk.sink.taken)


async def _a_dead_emma(desk: Desk) -> History:
    told = a_new_ticket()
    told.agent_answers("2026-11-20 09:30", ANA, reply_text="We look into it.")
    await desk.hears(told)
    await until(lambda: _all_ended(desk, 3))
    [answer] = await desk.rows(kind="reply")
    _reported(told, answer)
    await desk.hears(told)
    return told


async def test_a_reported_address_gets_no_more_mail_and_tickets_hear_of_each(desk: Desk) -> None:
    told = await _a_dead_emma(desk)
    [answer] = await desk.rows(kind="reply")
    assert (answer["state"], answer["report"]["detail"]) == ("bounced", "5.1.1 no such user")
    taken = [mail for mail in desk.sink.taken if mail.recipient == EMMA]

    told.agent_answers("2026-11-20 10:30", ANA, reply_text="Are you there?")
    await desk.hears(told)

    await until(lambda: any(isinstance(one.record, MailFailed) for one in desk.told))
    [failed] = [one.record for one in desk.told if isinstance(one.record, MailFailed)]
    assert failed.recipient == EMMA
    assert failed.reply.startswith("not sent: the address is dead since 2026-11-20: 5.1.1")
    assert [mail for mail in desk.sink.taken if mail.recipient == EMMA] == taken
    assert [row["state"] for row in await desk.rows(kind="reply")] == ["bounced", "suppressed"]


async def test_who_writes_again_gets_mail_again(desk: Desk) -> None:
    told = await _a_dead_emma(desk)
    told.customer_writes("2026-11-20 11:00", from_addr=EMMA, reply_text="A new mailbox, same name")
    told.agent_answers("2026-11-20 11:30", ANA, reply_text="Welcome back.")

    await desk.hears(told)

    assert await desk.sink.wait_until(lambda: _has_taken(desk, b"Welcome back"), within_s=30)
    assert await desk.database["addresses"].count_documents({}) == 0


@pytest.mark.parametrize("doubt", ["unverified", "automated"])
async def test_a_doubtful_mail_brings_no_address_back(desk: Desk, doubt: str) -> None:
    told = await _a_dead_emma(desk)

    told.customer_writes("2026-11-20 11:00", from_addr=EMMA, reply_text="Hello?", **{doubt: True})
    await desk.hears(told)

    assert await desk.database["addresses"].count_documents({"_id": EMMA}) == 1


async def test_a_report_about_a_mail_that_was_never_sent_silences_nobody(desk: Desk) -> None:
    told = a_new_ticket()
    await desk.hears(told)
    await until(lambda: _all_ended(desk, 2))

    _reported(told, {"message_id": "t1.x.y@desk.example"}, recipient="jonas@mail.example")
    await desk.hears(told)

    assert await desk.database["addresses"].count_documents({}) == 0
    assert not await desk.rows(state="bounced")


async def test_a_delay_marks_no_row(desk: Desk) -> None:
    told = a_new_ticket()
    await desk.hears(told)
    await until(lambda: _all_ended(desk, 2))
    [sent] = await desk.rows(recipient=EMMA)

    _reported(told, sent, outcome="deferred", dead=False)
    await desk.hears(told)

    assert [row["state"] for row in await desk.rows(recipient=EMMA)] == ["sent"]


async def test_an_operator_lifts_an_address_and_a_running_desk_sends_at_once(desk: Desk) -> None:
    told = await _a_dead_emma(desk)

    await desk.database["addresses"].delete_one({"_id": EMMA})
    told.agent_answers("2026-11-20 11:30", ANA, reply_text="Once more.")
    await desk.hears(told)

    assert await desk.sink.wait_until(lambda: _has_taken(desk, b"Once more"), within_s=30)


async def test_a_lead_lifts_an_address_with_the_answer_that_goes_there(desk: Desk) -> None:
    told = await _a_dead_emma(desk)

    told.happens(events.AddressLifted, "2026-11-20 11:30", by=f"agent:{ANA}", recipient=EMMA)
    told.agent_answers("2026-11-20 11:30", ANA, reply_text="Once more.")
    await desk.hears(told)

    assert await desk.sink.wait_until(lambda: _has_taken(desk, b"Once more"), within_s=30)
    assert await desk.database["addresses"].count_documents({}) == 0


async def test_another_process_learns_of_dead_addresses(desk: Desk) -> None:
    other = wire(desk.context, _Publisher()).dead
    await other.look()
    await _a_dead_emma(desk)
    assert not other.knows(EMMA)

    await other.look()

    assert other.knows(EMMA)
    assert "5.1.1" in await other.why(EMMA)


async def test_an_agent_who_asks_for_something_by_mail_lives(desk: Desk) -> None:
    told = a_new_ticket()
    await desk.hears(told)
    await until(lambda: _all_ended(desk, 2))
    [notice] = await desk.rows(recipient=ANA)
    _reported(told, notice, recipient=ANA)
    await desk.hears(told)
    assert desk.wired.dead.knows(ANA)

    await desk.asks(
        CommandReceipt(request_id="r-9", to=ANA, outcome="done", in_reply_to="a@desk.example")
    )

    await until(lambda: _all_ended(desk, 3))
    assert desk.sink.taken[-1].recipient == ANA
    assert not desk.wired.dead.knows(ANA)


async def test_a_relay_that_is_away_is_waited_for_and_found_again(
    mongo: str, tmp_path: Path
) -> None:
    sink = Sink()
    async with sink:
        pass  # its port is free now
    async with running_desk(mongo, tmp_path, sink) as desk:
        await desk.hears(a_new_ticket())
        await until(lambda: "does not answer" in desk.wired.sender.trouble)
        assert {row["state"] for row in await desk.rows()} <= {"planned", "queued", "sending"}

        async with sink:
            await until(lambda: _all_ended(desk, 2))
            assert desk.wired.sender.trouble == ""
            assert len(sink.taken) == 2


async def test_a_process_takes_back_what_its_predecessor_had_in_hand(desk: Desk) -> None:
    await desk.wired.sender.stop()
    await desk.hears(a_new_ticket())
    await desk.database["outgoing"].update_many(
        {"state": "queued"},
        {
            "$set": {
                "state": "sending",
                "lease_owner": desk.context.owner,
                "next_try_at": SystemClock().now() + timedelta(hours=1),
            }
        },
    )

    successor = wire(desk.context, _Publisher()).sender
    await successor.start()

    await until(lambda: _all_ended(desk, 2))
    await successor.stop()
    assert len(desk.sink.taken) == 2


async def test_news_within_a_short_time_are_one_mail(desk: Desk) -> None:
    told = a_new_ticket()
    await desk.hears(told)
    await until(lambda: _all_ended(desk, 2))
    for minute in (10, 11, 12):
        told.customer_writes(f"2026-11-20 09:{minute}", from_addr=EMMA, reply_text=f"at {minute}")
    await desk.hears(told)

    await desk.database["outgoing"].update_many(
        {"state": "planned"}, {"$set": {"not_before": SystemClock().now()}}
    )
    desk.wired.notices.wake()

    await until(lambda: _all_ended(desk, 5))
    notices = [mail for mail in desk.sink.taken if mail.recipient == ANA]
    assert len(notices) == 2
    assert all(f"at {minute}".encode() in notices[1].raw for minute in (10, 11, 12))
    assert [row["state"] for row in await desk.rows(reason="customer-answered")].count(
        "bundled"
    ) == 2
    assert notices[0].message_id in field(notices[1].raw, "References")


async def test_known_clocks_end_the_wait_of_the_first_notice(desk: Desk) -> None:
    told = a_new_ticket()
    await desk.hears(told)
    [waiting] = await desk.rows(state="planned", until_clocks=True)
    later = {"$set": {"not_before": SystemClock().now() + timedelta(hours=1)}}
    await desk.database["outgoing"].update_one({"_id": waiting["_id"]}, later)

    told.happens(events.ClocksUpdated, "2026-11-20 09:00", by="system:sla")
    await desk.hears(told)

    await until(lambda: _all_ended(desk, 2))


async def test_an_address_over_its_cap_gets_no_more_and_the_row_says_why(desk: Desk) -> None:
    now = SystemClock().now()
    most = 1000  # of the demo's configuration
    await desk.database["counters"].insert_one(
        {"_id": EMMA, "kinds": {"ack": [[minute_of(now), most]]}, "last_at": now}
    )

    await desk.hears(a_new_ticket())

    await until(lambda: _all_ended(desk, 2))
    [row] = await desk.rows(kind="acknowledgement")
    assert (row["state"], row["detail"]) == ("suppressed", f"cap: ack {EMMA}")
    assert {mail.recipient for mail in desk.sink.taken} == {ANA}


async def test_a_notice_over_its_cap_waits_instead_of_being_lost(desk: Desk) -> None:
    now = SystemClock().now()
    told = a_new_ticket()
    earlier = {"recipient": ANA, "ticket_id": told.opened.ticket_id, "mail_class": "notice"}
    await desk.database["outgoing"].insert_many(
        [{**_a_sent_row(now), **earlier, "_id": f"earlier-{n}"} for n in range(10)]
    )

    async def is_said() -> bool:
        return any(line["event"] == "notices wait: a cap is full" for line in logged)

    with capture_logs() as logged:
        await desk.hears(told)
        await until(is_said)

    [row] = await desk.rows(recipient=ANA, state="planned")
    assert row["not_before"] > now + timedelta(minutes=50)
    assert [line["outgoing_id"] for line in logged if "outgoing_id" in line] == [row["_id"]]


def _a_sent_row(now: datetime) -> dict[str, Any]:
    row = Row(
        id="",
        kind="notice",
        mail_class="notice",
        reason="assigned",
        recipient="",
        ticket_id="",
        event_id="",
        correlation_id="",
        seq=1,
        created_at=now,
        state="sent",
    )
    return to_document(row)


async def test_a_customers_file_goes_with_the_notice_and_an_agents_with_the_answer(
    desk: Desk,
) -> None:
    told = a_new_ticket(files=[await desk.file("meter.jpg", b"picture" * 9)])
    plan = await desk.file("plan.pdf", b"%PDF" + b"x" * 400_000)
    told.agent_answers(
        "2026-11-20 09:30", ANA, reply_text="See the plan.", attachments=[plan.model_dump()]
    )

    await desk.hears(told)

    await until(lambda: _all_ended(desk, 3))
    names = {
        mail.recipient: [part.get_filename() for part in parsed(mail.raw).iter_attachments()]
        for mail in desk.sink.taken
    }
    assert names[ANA] == ["meter.jpg"]
    [answer] = await desk.rows(kind="reply")
    assert answer["raw_blob"], "a large mail is kept as a blob"
    assert b'filename="plan.pdf"' in b"".join(mail.raw for mail in desk.sink.taken)


async def test_the_notice_knows_the_customer_from_the_directory(desk: Desk) -> None:
    entries: list[Any] = [
        directory.Account(id="A-100", name="Harbour Bakery"),
        directory.Service(id="S-1", account_id="A-100", name="Business Fibre 500"),
        directory.Invoice(
            id="2026-1031", account_id="A-100", date="2026-10-31", amount="148.90", currency="EUR"
        ),
        directory.Service(id="S-2", account_id="A-100", name="Gone"),
    ]
    await desk.knows([(entry.key, entry) for entry in entries])
    await desk.knows([("service:S-2", None)])
    earlier = a_new_ticket()
    await desk.hears(earlier)

    await desk.hears(a_new_ticket())

    await until(lambda: _all_ended(desk, 4))
    text = " ".join(text_of([m for m in desk.sink.taken if m.recipient == ANA][-1].raw).split())
    assert "Harbour Bakery (A-100)" in text
    assert "Active services: Business Fibre 500 Recent" in text
    assert "2026-1031 of 2026-10-31, 148.90 EUR, open" in text
    assert earlier.opened.ticket_id in text


async def test_a_receipt_that_is_asked_for_twice_is_sent_once(desk: Desk) -> None:
    told = a_new_ticket()
    await desk.hears(told)
    request = CommandReceipt(
        request_id="r-1",
        to=ANA,
        ticket_id=told.opened.ticket_id,
        outcome="held",
        lines=[LineResult(line="#closs", ok=False, code="E01", message="unknown command")],
        in_reply_to="command@desk-team.example",
    )

    await desk.asks(request)
    await desk.asks(request)

    await until(lambda: _all_ended(desk, 3))
    [receipt] = [mail for mail in desk.sink.taken if b"NOT DONE" in mail.raw]
    assert receipt.sender == ""
    assert field(receipt.raw, "In-Reply-To") == "<command@desk-team.example>"
    assert field(receipt.raw, "Subject") == f"[{told.opened.ticket_id}] No dial tone"


async def test_a_report_brings_its_chart_and_table(desk: Desk) -> None:
    html = await desk.blobs.put("r-2", b'<html><body>Report<img src="cid:chart"></body></html>')
    chart = await desk.file("chart.png", b"\x89PNG")
    table = await desk.file("report.csv", b"a,b\n")
    request = ReportMail(
        request_id="r-2",
        to="marta@desk-team.example",
        subject="October",
        text="Report",
        html_blob=html,
        attachments=[chart.model_copy(update={"content_id": "chart", "inline": True}), table],
    )

    await desk.asks(request)

    await until(lambda: _all_ended(desk, 1))
    [report] = desk.sink.taken
    assert [part.get_filename() for part in parsed(report.raw).iter_attachments()] == ["report.csv"]
    assert b"Content-ID: <chart>" in report.raw


async def test_one_notice_that_cannot_be_written_holds_up_no_other(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, fine = a_new_ticket(), a_new_ticket()
    customer = Store.customer

    async def fails(store: Store, view: TicketView) -> Customer:
        if view.ticket_id == broken.opened.ticket_id:
            raise ValueError("a bug")
        return await customer(store, view)

    monkeypatch.setattr(Store, "customer", fails)

    await desk.hears(broken)
    await desk.hears(fine)

    async def is_told() -> bool:
        return bool(await desk.rows(ticket_id=fine.opened.ticket_id, recipient=ANA, state="sent"))

    await until(is_told)
    [row] = await desk.rows(ticket_id=broken.opened.ticket_id, recipient=ANA)
    assert row["state"] == "planned"


async def _all_ended(desk: Desk, count: int) -> bool:
    states = [row["state"] for row in await desk.rows()]
    return len(states) == count and set(states) <= {
        "sent",
        "failed",
        "bounced",
        "suppressed",
        "bundled",
    }
