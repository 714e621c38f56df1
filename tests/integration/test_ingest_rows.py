"""The collection ``inbound`` on a real MongoDB: one row for a mail, and leases that hold."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from deploy.local.errors import StackError
from deploy.local.quarantine import Quarantine
from services.ingest import records
from services.ingest.backlog import Backlog, pipeline
from services.ingest.quarantine import Quarantine as KeptQuarantine
from services.ingest.quarantine_mail import DIGESTS, QuarantineMail
from services.ingest.spool import Spool
from services.ingest.store import INBOUND, INDEXES, LEASE_S, WAITING, InboundRows
from shared import mongo as database
from shared.bus import Outgoing
from shared.clock import FrozenClock
from shared.config.door import Door
from shared.config.models import Desk
from shared.health import Health
from tests.builders import (
    ANA,
    MARTA,
    NOON,
    a_desk,
    a_token,
    an_address_book,
    an_agents_mail,
)
from tests.bus_records import until

pytestmark = pytest.mark.stack


@pytest.fixture
async def collection(mongo: str) -> AsyncIterator[database.Collection]:
    client = database.connect(mongo)
    db = client[f"ingest_{uuid4().hex}"]
    await database.ensure_indexes(db, INDEXES)
    yield db[INBOUND]
    await client.drop_database(db.name)
    client.close()


def a_row(name: str, **more: Any) -> dict[str, Any]:
    given = {"_id": name, "state": "received", "received_at": NOON, "raw": b"x" * 100}
    return {**given, "lease_until": NOON, "lease": "", "attempts": 0, **more}


async def test_of_many_sessions_each_mail_is_stored_once(collection: database.Collection) -> None:
    spool = Spool(collection)
    running = asyncio.create_task(spool.run())

    stored = await asyncio.gather(*(spool.store([a_row(str(n % 40))], 100) for n in range(100)))
    running.cancel()

    assert sum(len(new) for new in stored) == 40
    assert await collection.count_documents({}) == 40


async def test_rows_are_journaled_on_a_majority(collection: database.Collection) -> None:
    concern = collection.write_concern.document

    assert (concern["w"], concern["j"]) == ("majority", True)


async def test_two_readers_never_hold_the_same_row(collection: database.Collection) -> None:
    await collection.insert_many([a_row(str(n)) for n in range(60)])
    clock = FrozenClock(NOON)
    readers = [InboundRows(collection, clock, f"reader-{n}") for n in range(6)]

    claimed = await asyncio.gather(*(reader.claim(20, ()) for reader in readers))

    ids = [row["_id"] for rows in claimed for row in rows]
    assert len(ids) == len(set(ids))
    assert ids


async def test_a_lease_that_is_renewed_holds_and_one_that_runs_out_frees_the_row(
    collection: database.Collection,
) -> None:
    await collection.insert_many([a_row("kept"), a_row("lost")])
    clock = FrozenClock(NOON)
    one, other = (InboundRows(collection, clock, name) for name in ("one", "other"))
    await one.claim(2, ())
    clock.advance(timedelta(seconds=LEASE_S - 1))

    await one.renew(["kept"])
    clock.advance(timedelta(seconds=2))

    assert [(row["_id"], row["attempts"]) for row in await other.claim(2, ())] == [("lost", 2)]


async def test_what_a_dead_process_held_is_free_when_it_starts_again(
    collection: database.Collection,
) -> None:
    await collection.insert_many([a_row("a"), a_row("b")])
    clock = FrozenClock(NOON)
    await InboundRows(collection, clock, "one").claim(1, ())
    again = InboundRows(collection, clock, "one")

    await again.release_all()

    assert len(await again.claim(2, ())) == 2


async def test_rows_in_hand_are_not_claimed_again(collection: database.Collection) -> None:
    await collection.insert_many([a_row("a"), a_row("b")])

    claimed = await InboundRows(collection, FrozenClock(NOON), "one").claim(2, {"a"})

    assert [row["_id"] for row in claimed] == ["b"]


async def test_settled_rows_are_left_alone_and_quarantine_is_visible(
    collection: database.Collection,
) -> None:
    await collection.insert_many([a_row("a"), a_row("b"), a_row("c")])
    rows = InboundRows(collection, FrozenClock(NOON), "one")
    await rows.announced(["a"])
    await rows.quarantined("b", "parser ended by signal 27")

    claimed = await rows.claim(9, ())

    assert [row["_id"] for row in claimed] == ["c"]
    quarantined = await collection.find_one({"state": "quarantined"})
    assert quarantined is not None
    assert (quarantined["_id"], quarantined["announced_at"]) == ("b", NOON)


async def test_a_long_backlog_is_seen_and_its_end_too(collection: database.Collection) -> None:
    limits = Door(max_waiting=10, max_waiting_age=600)
    clock, health = FrozenClock(NOON), Health()
    backlog = Backlog(collection, lambda: limits, clock, health)
    await collection.insert_many([a_row(str(n)) for n in range(10)])
    await collection.insert_one(a_row("read", state="announced"))

    await backlog.look()
    assert not backlog.is_too_long

    await collection.insert_one(a_row("11th"))
    await backlog.look()
    assert backlog.is_too_long
    assert (health.checks["backlog"].is_ok, health.is_ready) == (False, True)

    await collection.delete_one({"_id": "11th"})
    await backlog.look()
    assert backlog.is_too_long  # until there is some distance

    await collection.update_one({"_id": "1"}, {"$set": {"state": "announced"}})
    await backlog.look()
    assert not backlog.is_too_long
    assert health.checks["backlog"].is_ok

    clock.advance(timedelta(seconds=601))
    await backlog.look()
    assert backlog.is_too_long


async def test_what_waits_is_counted_without_fetching_a_mail(
    collection: database.Collection,
) -> None:
    await collection.insert_many([a_row(str(n)) for n in range(50)])

    plan = await collection.database.command(
        {
            "explain": {
                "aggregate": INBOUND,
                "pipeline": pipeline(1000),
                "hint": WAITING,
                "cursor": {},
            },
            "verbosity": "executionStats",
        }
    )

    said = str(plan)
    assert "'totalKeysExamined': 50" in said
    assert "'totalDocsExamined': 0" in said


async def test_what_operators_decide_about_quarantined_mail_happens_once_and_leaves_a_trace(
    mongo: str,
) -> None:
    client = database.connect(mongo)
    await client.drop_database("postdesk_ingest")
    await client.drop_database("postdesk_operators")
    db = database.database(client, "ingest")
    await database.ensure_indexes(db, INDEXES)
    facts = {"mailbox": "support@desk.example", "recipient": "support@desk.example"}
    facts |= {"envelope_from": "e@x.example", "message_id": "m@x.example", "client": "::1"}
    rows = [a_row(f"{n}-mail", size_bytes=100, unreadable="too deep", **facts) for n in "abc"]
    await db[INBOUND].insert_many([{**row, "state": "quarantined"} for row in rows])
    quarantine = Quarantine(client)
    waiting = await quarantine.entries()

    for decision, entry in zip(("retried", "released", "dropped"), waiting, strict=True):
        assert await quarantine.decide([entry], decision, "a test")
        assert await quarantine.decide([await quarantine.chosen(entry["id"])], decision, "") == []

    [again] = await InboundRows(db[INBOUND], FrozenClock(NOON + timedelta(days=999)), "r").claim(
        9, ()
    )
    told = records.announcement(again, records.bare(again, "x"), [], None, an_address_book())
    everything = await quarantine.entries(every=True)
    assert told.meta.id == "a-mail.1"
    assert await quarantine.entries() == []
    assert [e["state"] for e in everything] == ["received", "announced", "dropped"]
    assert [[d["action"] for d in e["decisions"]] for e in everything] == [
        ["retried"], ["released"], ["dropped"],
    ]  # fmt: skip
    assert await quarantine.original(everything[2]) == b"x" * 100
    with pytest.raises(StackError, match="quarantine list"):
        await quarantine.chosen("z")
    await client.drop_database("postdesk_ingest")
    client.close()


async def test_orders_by_mail_are_done_once_and_a_digest_comes_once_in_its_interval(
    mongo: str,
) -> None:
    client = database.connect(mongo)
    for name in ("ingest", "operators"):
        await client.drop_database(f"postdesk_{name}")
    db = database.database(client, "ingest")
    await database.ensure_indexes(db, INDEXES)
    facts = {"mailbox": "support@desk.example", "recipient": "support@desk.example"}
    facts |= {"envelope_from": "e@x.example", "message_id": "m@x.example", "client": "::1"}
    rows = [a_row(f"{n}0000", size_bytes=9, unreadable="too deep", **facts) for n in "ab"]
    await db[INBOUND].insert_many([{**r, "state": "quarantined", "untold": True} for r in rows])
    clock, told, kept = FrozenClock(NOON), Published(), KeptQuarantine(client)
    by_mail = QuarantineMail(
        kept,
        db[DIGESTS],
        desk=an_admins_desk,
        publish=told.publish,
        blob=no_blob,
        clock=clock,
    )
    order = an_agents_mail(
        "#quarantine retry a000 why a test",
        from_addr=MARTA,
        token=a_token(None, MARTA, purpose="desk"),
        inbound_id="order",
    )

    await by_mail.tell()
    await by_mail.tell()
    await by_mail.obey([order])
    await by_mail.obey([order])  # read again after a crash
    await InboundRows(db[INBOUND], clock, "r").quarantined("a0000", "still too deep")
    await until(kept.untold)  # that mark is not waited for
    await by_mail.tell()
    clock.advance(timedelta(hours=2))
    await by_mail.tell()

    assert [r.title for r in told.requests] == [
        "2 mails new in quarantine", "1 mail retried", "1 mail retried", "1 mail new in quarantine",
    ]  # fmt: skip
    assert told.requests[1] == told.requests[2]
    assert {r.to for r in told.requests} == {MARTA}
    entry = await Quarantine(client).chosen("a000")
    assert [d["by"] for d in entry["decisions"]] == [f"agent:{MARTA}"]
    for name in ("ingest", "operators"):
        await client.drop_database(f"postdesk_{name}")
    client.close()


class Published:
    """Keeps what is asked for by mail."""

    def __init__(self) -> None:
        self.requests: list[Any] = []

    async def publish(self, outgoing: Sequence[Outgoing]) -> None:
        self.requests += [one.record for one in outgoing]


async def no_blob(_: str) -> bytes:
    return b""


def an_admins_desk() -> Desk:
    agents = [{"address": MARTA, "name": "Marta Nowak", "role": "admin"}]
    agents += [{"address": ANA, "name": "Ana Lopez"}]
    teams = [{"name": name, "members": [ANA]} for name in ("support", "billing")]
    return a_desk(agents=agents, teams=teams)
