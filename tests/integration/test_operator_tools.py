"""What the operators' commands rest on, against a real MongoDB: comparing, resending, set aside."""

from collections.abc import AsyncIterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from deploy.local import dead_letters, reconciling, resending, tracing
from deploy.local.dead_letters import Letter, Place
from services.notify.requests import row_id
from shared import mongo as database
from shared.bus.outbox import NEVER
from tests.builders import NOON

pytestmark = pytest.mark.stack

EARLIER = NOON - timedelta(hours=1)
OLD = NOON - timedelta(days=40)


@pytest.fixture
async def client(mongo: str) -> AsyncIterator[Any]:
    """A client whose databases are this test's own."""
    real, mine = database.connect(mongo), f"tools_{uuid4().hex[:8]}"
    yield SimpleNamespace(get_database=lambda name: real.get_database(f"{mine}_{name}"))
    for name in await real.list_database_names():
        if name.startswith(mine):
            await real.drop_database(name)
    real.close()


def of(client: Any, service: str, collection: str) -> database.Collection:
    return database.database(client, service)[collection]


async def unpublished(rows: database.Collection) -> set[str]:
    return {row["_id"] async for row in rows.find({"published_at": None})}


def a_mail(name: str, state: str = "announced") -> dict[str, Any]:
    return {"_id": name, "state": state, "received_at": EARLIER, "announced_at": EARLIER}


async def test_mails_that_no_conversation_holds_are_found_wherever_they_are_in_the_order(
    client: Any,
) -> None:
    await of(client, "ingest", "inbound").insert_many([a_mail(name) for name in "abcdefg"])
    filed = [{"_id": f"m{name}", "inbound_id": name} for name in "bcf"]
    others = [{"_id": "out", "inbound_id": ""}, {"_id": "older", "inbound_id": "bb"}]
    await of(client, "tickets", "messages").insert_many([*filed, *others])

    found = await reconciling.filing(client)

    assert sorted(row["_id"] for row in found.unfiled) == ["a", "d", "e", "g"]
    assert (found.accepted, found.filed) == (7, 3)


async def test_mails_that_are_withheld_are_not_missing(client: Any) -> None:
    withheld = [{**a_mail(name, name), "withheld": "spam"} for name in ("withheld", "dropped")]
    await of(client, "ingest", "inbound").insert_many([*withheld, a_mail("lost", "dropped")])

    found = await reconciling.filing(client)

    assert [row["_id"] for row in found.unfiled] == ["lost"]
    assert (found.accepted, found.filed, found.withheld) == (3, 0, 2)


async def test_unfiled_mails_are_read_again_and_filed_ones_are_not(client: Any) -> None:
    inbound = of(client, "ingest", "inbound")
    await inbound.insert_many([a_mail("filed"), a_mail("lost"), a_mail("bad", "quarantined")])
    await inbound.insert_one({**a_mail("new", "received"), "lease": "somebody"})
    await of(client, "tickets", "messages").insert_one({"_id": "1", "inbound_id": "filed"})

    told = await resending.resend(client, NOON)

    rows = {row["_id"]: row async for row in inbound.find()}
    assert told["mails"] == 2
    assert {name for name, row in rows.items() if row["state"] == "received"} == {
        "lost", "bad", "new",
    }  # fmt: skip
    assert (rows["lost"]["lease"], rows["lost"]["attempts"]) == ("", 0)
    assert rows["new"]["lease"] == "somebody"


async def test_events_that_a_reader_lacks_are_announced_in_order_before_later_ones(
    client: Any,
) -> None:
    tickets = of(client, "tickets", "tickets")
    await tickets.insert_many([{"_id": "T-1", "seq": 12}, {"_id": "T-2", "seq": 2}])
    await of(client, "tickets", "events").insert_many(
        [
            {"_id": f"{name}.{seq}", "ticket_id": name, "seq": seq, "order": 100 + seq}
            for name, last in (("T-1", 12), ("T-2", 2))
            for seq in range(1, last + 1)
        ]
    )
    for service, collection, known in (
        ("notify", "tickets", 8), ("sla", "cases", 12), ("reports", "tickets", 12),
    ):  # fmt: skip
        rows = [{"_id": "T-1", "seq": known}, {"_id": "T-2", "seq": 2}]
        await of(client, service, collection).insert_many(rows)

    told = await resending.resend(client, NOON)
    again = await resending.resend(client, NOON)

    rows = await of(client, "tickets", "announcements").find().to_list(None)
    assert told["events"] == again["events"] == 4
    assert [row["events"] for row in rows] == [["T-1.9", "T-1.10", "T-1.11", "T-1.12"]]
    assert (rows[0]["order"], rows[0]["published_at"]) == (109, None)


async def test_news_that_tickets_has_not_handled_is_told_again_and_the_rest_is_not(
    client: Any,
) -> None:
    def a_row(name: str, *parts: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {"_id": name, "parts": list(parts), "published_at": EARLIER, **more}

    def clock(name: str) -> dict[str, Any]:
        return {"_id": name, "ticket_id": "T-1"}

    def mail(name: str, ticket_id: str | None = "T-1") -> dict[str, Any]:
        return {"_id": name, "record": {"ticket_id": ticket_id}}

    await of(client, "sla", "outbox").insert_many(
        [
            a_row("done", clock("c1")),
            a_row("half", clock("c1"), clock("c2")),
            a_row("old", clock("c3"), published_at=OLD),
            a_row("aside", clock("c4"), published_at=NEVER),
        ]
    )
    await of(client, "notify", "outbox").insert_many(
        [
            a_row("sent", mail("o1.sent")),
            a_row("untold", mail("o2.sent")),
            a_row("failed", mail("o3.failed")),
            a_row("of nothing", mail("o4.sent", None)),
        ]
    )
    await of(client, "tickets", "handled").insert_many(
        [{"_id": "sla-events:c1"}, {"_id": "delivery-events:o3.failed"}]
    )
    await of(client, "tickets", "sent").insert_one({"_id": "o1"})

    told = await resending.resend(client, NOON)

    assert (told["clock news"], told["delivery news"]) == (1, 1)
    assert await unpublished(of(client, "sla", "outbox")) == {"half"}
    assert await unpublished(of(client, "notify", "outbox")) == {"untold"}


async def test_mails_that_were_asked_for_and_are_in_no_ledger_are_asked_for_again(
    client: Any,
) -> None:
    def asked(name: str) -> dict[str, str]:
        return {"type": "mail-request.answer", "request_id": name, "to": "a@b.example"}

    def a_row(name: str, **more: Any) -> dict[str, Any]:
        return {"_id": name, "data": asked(name), "published_at": EARLIER, **more}

    def a_result(name: str, **more: Any) -> dict[str, Any]:
        return {"_id": name, "topic": "command-results", "data": {}, **more}

    report = '{"type": "mail-request.report", "request_id": "r", "to": "m@b.example"}'
    await of(client, "tickets", "outbox").insert_many(
        [
            a_row("known", topic="mail-requests"),
            a_row("unknown", topic="mail-requests"),
            a_result("told", published_at=EARLIER),
            a_result("told long ago", published_at=NOON - timedelta(days=2)),
        ]
    )
    await of(client, "reports", "outbox").insert_one(a_row("report", data=report))
    written = row_id("mail-request.answer", "known", "a@b.example")
    await of(client, "notify", "outgoing").insert_one({"_id": written})

    told = await resending.resend(client, NOON)

    assert (told["mail requests"], told["command results"]) == (2, 1)
    assert await unpublished(of(client, "tickets", "outbox")) == {"unknown", "told"}
    assert await unpublished(of(client, "reports", "outbox")) == {"report"}


async def test_what_was_set_aside_is_listed_replayed_or_dropped(client: Any, kafka: str) -> None:
    rows, place = of(client, "tickets", "outbox"), Place(kafka, client)
    why = [{"part": "1", "reason": "RecordTooLargeError: 70000 bytes"}]
    aside = {"published_at": NEVER, "unpublishable": why, "data": {}, "at": EARLIER}
    await rows.insert_many([{"_id": "1", **aside}, {"_id": "2", **aside}])

    first, second = [one for one in await dead_letters.letters(place) if one.raw is None]
    replayed = await dead_letters.replay(place, [first], "mended")
    dropped = await dead_letters.drop(place, [second], "nobody wants it")
    known = {one.id: one for one in await dead_letters.letters(place)}
    again = await dead_letters.replay(place, [known[first.id]], "")

    assert "70000 bytes" in first.reason
    assert [one.id for one in replayed + dropped] == [first.id, second.id]
    assert [known[one.id].status for one in (first, second)] == ["replayed", "dropped"]
    assert known[second.id].decisions[0]["why"] == "nobody wants it"
    assert again == []
    stored = {row["_id"]: row async for row in rows.find()}
    assert stored["1"]["published_at"] is None
    assert "unpublishable" not in stored["1"]
    assert stored["2"]["dropped"] == second.reason
    # It cannot be published still: then it is open again, with its history.
    await rows.update_one({"_id": "1"}, {"$set": {"unpublishable": why, "published_at": NEVER}})
    back = {one.id: one for one in await dead_letters.letters(place)}[first.id]
    assert (back.status, len(back.decisions)) == ("open", 1)


@pytest.mark.parametrize(
    ("known", "service", "expected"),
    [(4, "notify", ""), (5, "notify", "passes over"), (6, "sla", "'postdesk rebuild sla'")],
)
async def test_a_replay_that_a_reader_passes_over_is_told_so(
    client: Any, known: int, service: str, expected: str
) -> None:
    collection = reconciling.READERS[service]
    await of(client, service, collection).insert_one({"_id": "T-1", "seq": known})
    letter = Letter(
        id="1", source="", origin="ticket-events/0/1", service=service, reason="",
        record_id="T-1.5",
    )  # fmt: skip

    said = await dead_letters.why_in_vain(client, letter)

    assert expected in said
    assert bool(said) == bool(expected)


async def test_a_story_tells_of_quarantine_bounces_and_what_was_set_aside(client: Any) -> None:
    row = {
        **a_mail("in1", "quarantined"), "message_id": "m1@a.example", "mailbox": "support@d.example",
        "recipient": "support@d.example", "envelope_from": "a@a.example", "size_bytes": 9,
        "unreadable": "parser timeout",
    }  # fmt: skip
    noted = {
        "ticket_id": "T-1", "outcome": "bounced", "message_id": "out1@d.example",
        "recipient": "a@a.example", "detail": "5.1.1 no such user",
    }  # fmt: skip
    await of(client, "ingest", "inbound").insert_one(row)
    message = {"_id": "T-1.m1", "inbound_id": "in1", "ticket_id": "T-1", "number": 1, "at": EARLIER}
    await of(client, "tickets", "messages").insert_one(message)
    await of(client, "tickets", "events").insert_many(
        [
            {
                "_id": "T-1.1", "ticket_id": "T-1", "seq": 1, "type": "ticket.opened",
                "at": EARLIER, "data": {}, "correlation_id": "in1",
            },
            {
                "_id": "T-1.2", "ticket_id": "T-1", "seq": 2, "type": "ticket.delivery-noted",
                "at": NOON, "data": noted, "correlation_id": "in2",
            },
        ]
    )  # fmt: skip
    await of(client, "notify", "outgoing").insert_one(
        {
            "_id": "o1", "kind": "acknowledgement", "recipient": "a@a.example", "state": "sent",
            "message_id": "out1@d.example", "ticket_id": "T-1", "event_id": "T-1.1",
            "correlation_id": "in1", "created_at": EARLIER, "settled_at": NOON,
        }
    )  # fmt: skip
    aside = Letter(
        id="1", source="", origin="tickets.announcements", service="tickets", reason="too large",
        at=NOON, parts=("T-1.1",),
    )  # fmt: skip

    story = (await tracing.trace(tracing.Stores.of(client), "out1@d.example", [aside]))[0]

    told = [state["state"] for state in story["states"]]
    assert told[:2] == ["stored, answered 250", "quarantined: parser timeout"]
    assert any("too large" in state for state in told)
    assert [state["state"] for state in story["caused"][0]["states"]] == [
        "planned", "sent", "bounced: 5.1.1 no such user",
    ]  # fmt: skip
    assert [letter["id"] for letter in story["dead_letters"]] == ["1"]
    assert (story["ticket"], story["mail"]["unreadable"]) == ("T-1", "parser timeout")
