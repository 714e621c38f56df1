"""The present services go on with data and records of the release before, and can be rolled."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient

from deploy.local import maildir
from deploy.local.correspondent import Correspondent, Letter
from deploy.local.providers.choice import choose
from tests.acceptance.company import ticket_id, until
from tests.own_desk import SERVICES, OwnDesk
from tests.upgrade import golden
from tests.upgrade.golden import Golden

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

WITHIN_S = 90.0


class Upgraded:
    """The desk of the golden state, run by the present code."""

    def __init__(
        self, desk: OwnDesk, kafka: str, client: MongoClient[Any], story: dict[str, Any]
    ) -> None:
        self.desk = desk
        self.kafka = kafka
        self.story = story
        self._client = client
        self.emma = desk.person("emma@harbour-bakery.example", "Emma Brand")
        self.ana = desk.person("ana@desk-team.example")

    def rows(self, service: str, collection: str, **wanted: Any) -> list[dict[str, Any]]:
        return list(self._client[f"postdesk_{service}"][collection].find(wanted))

    def types_of(self, number: str) -> list[str]:
        events = self.rows("tickets", "events", ticket_id=number)
        return [event["type"] for event in sorted(events, key=lambda event: event["seq"])]

    def state_of(self, number: str) -> dict[str, Any]:
        return self.rows("tickets", "tickets", _id=number)[0]["state"]

    def opened(self, subject: str) -> list[dict[str, Any]]:
        return self.rows("tickets", "tickets", **{"state.subject": subject})

    def put_into_mailboxes(self) -> None:
        """What was sent before the upgrade lies in its readers' mailboxes."""
        for row in self.rows("notify", "outgoing", state="sent"):
            folder = self.desk.folder / "mailboxes"
            maildir.deliver(folder, row["recipient"], row["raw"], sender="")
        self.emma.skip_old()
        self.ana.skip_old()

    def letter(self, who: Correspondent, words: str) -> Letter:
        """One that arrived before the upgrade."""
        return next(x for x in who.letters() if words in f"{x.subject}\n{x.text}")

    def message_ids(self) -> Counter[tuple[str, str]]:
        """How often each mail lies in each mailbox."""
        folders = (self.desk.folder / "mailboxes").iterdir()
        people = [self.desk.person(folder.name) for folder in folders]
        return Counter((p.address, x.message_id) for p in people for x in p.letters())


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upgraded]:
    """On a Kafka and a MongoDB of its own: the databases have the names of every desk's."""
    folder = tmp_path_factory.mktemp("upgraded")
    state = Golden()
    backends = choose(folder / "backends")
    backends.start()
    try:
        kafka, mongo = backends.kafka.address, backends.mongo.address
        state.into_mongo(mongo)
        asyncio.run(state.into_kafka(kafka))
        desk = OwnDesk(folder, kafka=kafka, mongo=mongo, config=golden.CONFIG, keys=golden.KEYS)
        with desk, MongoClient(mongo, tz_aware=True) as client:
            upgraded = Upgraded(desk, kafka, client, state.story)
            upgraded.put_into_mailboxes()
            desk.start()
            yield upgraded
    finally:
        backends.stop()


def test_work_that_was_under_way_is_finished(upgraded: Upgraded) -> None:
    for subject in upgraded.story["unread"]:
        ack = upgraded.emma.wait_for(lambda x, s=subject: s in x.subject, within_s=WITHIN_S)  # type: ignore[misc]
        (ticket,) = upgraded.opened(subject)
        assert (ticket_id(ack), ticket["state"]["messages"]) == (ticket["_id"], 1)

    answer = upgraded.emma.wait_for(lambda x: "on its way" in x.text, within_s=WITHIN_S)
    (row,) = upgraded.rows("notify", "outgoing", kind="reply", ticket_id=upgraded.story["answered"])
    assert answer.path.read_bytes().endswith(row["raw"].replace(b"\r\n", b"\n"))


def test_clocks_tell_what_they_have_not_told_before(upgraded: Upgraded) -> None:
    soon, missed = upgraded.story["soon"], upgraded.story["missed"]
    breach = "ticket.sla-breached"

    until(lambda: upgraded.types_of(soon).count(breach) == 2, WITHIN_S)

    assert upgraded.types_of(soon).count("ticket.sla-warned") <= 2
    assert upgraded.types_of(missed).count(breach) == 2


def test_old_tickets_are_worked_on_by_mail_as_before(upgraded: Upgraded) -> None:
    pending, held = upgraded.story["pending"], upgraded.story["held"]

    upgraded.emma.answer(upgraded.letter(upgraded.emma, f"[{pending}]"), "It is number 4711.")
    upgraded.ana.answer(upgraded.letter(upgraded.ana, "NOT DONE"), "#close\nDear Emma, it is done.")

    upgraded.emma.wait_for(lambda x: "it is done" in x.text, within_s=WITHIN_S)
    until(lambda: upgraded.state_of(held)["status"] == "closed", WITHIN_S)
    until(lambda: upgraded.state_of(pending)["status"] == "open", WITHIN_S)
    assert upgraded.state_of(pending)["account_id"] == "A-100"


def test_each_service_is_rolled_while_mail_flows(upgraded: Upgraded) -> None:
    subjects = []
    for name in SERVICES:
        subjects += [f"Before {name} is rolled", f"While {name} is rolled"]
        write(upgraded.emma, subjects[-2])
        upgraded.desk.services[name].stop()
        if name == "ingest":
            upgraded.desk.start(name)
            write(upgraded.emma, subjects[-1])
        else:
            write(upgraded.emma, subjects[-1])
            upgraded.desk.start(name)

    for subject in subjects:
        upgraded.emma.wait_for(lambda x, s=subject: s in x.subject, within_s=WITHIN_S)  # type: ignore[misc]
        assert len(upgraded.opened(subject)) == 1
    until(lambda: not upgraded.rows("notify", "outgoing", state={"$in": ["queued", "planned"]}), 30)
    seqs: dict[str, list[int]] = {}
    for event in upgraded.rows("tickets", "events"):
        seqs.setdefault(event["ticket_id"], []).append(event["seq"])
    assert all(sorted(of_one) == list(range(1, len(of_one) + 1)) for of_one in seqs.values())
    assert {count for _, count in upgraded.message_ids().most_common(1)} == {1}
    assert [
        r for r in asyncio.run(golden.records(upgraded.kafka)) if r.topic.endswith("-dlq")
    ] == []


def write(who: Correspondent, subject: str) -> None:
    who.write("support@desk.example", subject, "Is anybody there?")
