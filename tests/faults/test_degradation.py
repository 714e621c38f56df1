"""Each row of the guide's table "what is down, what still works", on one small desk."""

import asyncio
import smtplib
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from ruamel.yaml import YAML

from deploy.local.keys import ensure_keys
from deploy.local.providers import choice
from deploy.local.topics import create_topics
from shared.bus import Bus, Outgoing
from shared.contracts.base import Meta
from shared.contracts.commands import OpenTicket
from shared.contracts.topics import TICKET_COMMANDS
from tests.acceptance.company import until
from tests.faults import degraded
from tests.faults.degraded import WITHIN_S, DegradedDesk, without
from tests.name_server import a_key, a_name_server
from tests.own_desk import OwnDesk

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

TARGETS = {"normal": {"first_response": "1h", "resolution": "1d"}}
TARGETS["flash"] = {"first_response": "1s", "resolution": "2s"}
DESK = {
    "name": "Nordlicht Telecom",
    "host": "desk.example",
    "priorities": ["normal", "flash"],
    "mailboxes": [
        {"address": "support@desk.example", "brand": "Nordlicht", "team": "support"},
        {
            "address": "alarm@desk.example",
            "brand": "Nordlicht",
            "team": "support",
            "priority": "flash",
        },
    ],
    "teams": [{"name": "support", "members": ["ana@desk-team.example"]}],
    "agents": [{"address": "ana@desk-team.example", "name": "Ana Lopez"}],
    "calendars": {"always": {"timezone": "UTC", "week": "always"}},
    "sla": {"policies": {"standard": {"calendar": "always", "targets": TARGETS}}},
    "customers": {"acknowledge": "all", "acknowledgements_per_hour": 1000},
    "agent_mail": {"trust": "token"},
    "notices": {"bundle": "1s", "hold": "1s"},
}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DegradedDesk]:
    """On servers of its own, which come back at the same address after they were killed."""
    folder: Path = tmp_path_factory.mktemp("degraded")
    config = folder / "desk.yaml"
    with config.open("w") as file:
        YAML(typ="safe").dump(DESK, file)
    with patch.object(choice, "_engine_answers", lambda: False):
        backends = choice.choose(folder / "backends")
    backends.start()
    try:
        kafka, mongo = backends.kafka.address, backends.mongo.address
        asyncio.run(create_topics(kafka))
        keys = ensure_keys(folder / "keys.json")
        with OwnDesk(folder, kafka=kafka, mongo=mongo, config=config, keys=keys) as own:
            own.start()
            yield DegradedDesk(own, backends, config)
    finally:
        backends.stop()


@without("MongoDB")
def test_without_mongodb_mail_is_put_off_and_taken_at_the_next_try(desk: DegradedDesk) -> None:
    with desk.dead(desk.backends.mongo):
        subject = desk.subject()
        with pytest.raises(smtplib.SMTPResponseException) as refusal:
            desk.emma.write("support@desk.example", subject, "Is anybody there?")
    assert refusal.value.smtp_code // 10 == 45

    def is_taken() -> bool:
        try:
            desk.emma.write("support@desk.example", subject, "Is anybody there?")
        except smtplib.SMTPException:
            return False
        return True

    until(is_taken, WITHIN_S)
    desk.is_acknowledged(subject)


@without("Kafka")
def test_without_kafka_mail_is_taken_and_answered_later(desk: DegradedDesk) -> None:
    with desk.dead(desk.backends.kafka):
        subject = desk.write()

    desk.is_acknowledged(subject)


@without("ingest")
def test_without_ingest_senders_keep_their_mail_and_the_bus_goes_on(desk: DegradedDesk) -> None:
    with desk.killed("ingest"):
        with pytest.raises(ConnectionRefusedError):
            desk.write()
        subject = asyncio.run(open_by_command(desk))
        desk.is_acknowledged(subject)
        desk.ana.wait_for(lambda x: subject in x.subject, within_s=WITHIN_S)

    desk.is_acknowledged(desk.write())


@without("tickets")
def test_without_tickets_mail_is_taken_and_answered_later(desk: DegradedDesk) -> None:
    with desk.killed("tickets"):
        subject = desk.write()
        until(
            lambda: all(row.get("announced_at") for row in desk.rows("ingest", "inbound")), WITHIN_S
        )
        assert desk.tickets(subject) == []

    desk.is_acknowledged(subject)


@pytest.mark.feature("S06")
@without("sla")
def test_without_sla_mail_flows_and_clocks_are_told_of_late(desk: DegradedDesk) -> None:
    with desk.killed("sla"):
        subject = desk.write("alarm@desk.example")
        desk.is_acknowledged(subject)
        desk.ana.wait_for(lambda x: subject in x.subject, within_s=WITHIN_S)
        number = desk.ticket(subject)["_id"]
        assert breaches(desk, number) == []

    until(lambda: len(breaches(desk, number)) == 2, WITHIN_S)
    assert all(event["data"]["due_at"] < event["at"] for event in breaches(desk, number))


@without("notify")
def test_without_notify_tickets_are_opened_and_mail_leaves_later(desk: DegradedDesk) -> None:
    with desk.killed("notify"):
        subject = desk.write()
        desk.ticket(subject)

    desk.is_acknowledged(subject)


@without("relay")
def test_without_the_relay_tickets_are_opened_and_mail_leaves_later(desk: DegradedDesk) -> None:
    with desk.without_relay():
        subject = desk.write()
        number = desk.ticket(subject)["_id"]
        until(lambda: desk.rows("notify", "outgoing", ticket_id=number, state="queued"), WITHIN_S)

    desk.is_acknowledged(subject)


@without("reports")
def test_without_reports_all_else_goes_on_and_the_figures_follow(desk: DegradedDesk) -> None:
    with desk.killed("reports"):
        subject = desk.write()
        desk.is_acknowledged(subject)
        number = desk.ticket(subject)["_id"]
        assert desk.rows("reports", "tickets", _id=number) == []

    until(lambda: desk.rows("reports", "tickets", _id=number), WITHIN_S)


@without("room on a disk")
def test_without_room_mail_is_put_off_and_work_goes_on(desk: DegradedDesk) -> None:
    earlier = desk.is_acknowledged(desk.write())
    everything = 2**60
    with desk.configured("ingest", door={"min_free_bytes": everything}):
        with pytest.raises(smtplib.SMTPSenderRefused) as refusal:
            desk.write()
        subject = asyncio.run(open_by_command(desk))
        desk.is_acknowledged(subject)
    assert refusal.value.smtp_code == 452

    desk.emma.answer(earlier, "Taken again.")
    desk.is_acknowledged(desk.write())


@without("DNS")
def test_without_dns_mail_is_taken_and_only_what_needs_proof_is_not_done(
    desk: DegradedDesk,
) -> None:
    domain = desk.emma.address.partition("@")[2]
    most = {"acknowledgements_per_hour": 1000}  # as before: notify follows the file too
    sections = {"customers": {"acknowledge": "authenticated", **most}}
    with a_name_server() as names:
        names.publish(domain, dmarc="v=DMARC1; p=reject", key=a_key()[1])
        sections["authentication"] = {"resolver": names.address}
        with desk.configured("ingest", "tickets", **sections):
            names.broken.add("example")
            unproven = desk.write_signed()
            number = desk.ticket(unproven)["_id"]
            desk.ana.wait_for(lambda x: unproven in x.subject, within_s=WITHIN_S)
            names.broken.clear()
            # A failure of DNS is remembered for some seconds.
            proven = until(lambda: signed_and_proven(desk), WITHIN_S)
            desk.is_acknowledged(proven)
    (message,) = desk.rows("tickets", "messages", ticket_id=number)
    assert "DNS did not answer" in message["trust"]
    assert [x for x in desk.emma.letters() if unproven in x.subject] == []


def test_each_row_of_the_guide_has_its_test() -> None:
    assert sorted(degraded.rows_of_the_guide()) == sorted(degraded.DRIVEN)


def signed_and_proven(desk: DegradedDesk) -> str:
    """The subject of a signed mail that is proven to be its sender's; empty where it is not."""
    subject = desk.write_signed()
    (message,) = desk.rows("tickets", "messages", ticket_id=desk.ticket(subject)["_id"])
    return subject if "sender verified" in message["trust"] else ""


def breaches(desk: DegradedDesk, number: str) -> list[dict[str, Any]]:
    return desk.rows("tickets", "events", ticket_id=number, type="ticket.sla-breached")


async def open_by_command(desk: DegradedDesk) -> str:
    """As a shop would; gives the subject."""
    subject, address = desk.subject(), desk.emma.address
    name = uuid.uuid4().hex
    command = OpenTicket(
        version=1,
        actor="system:shop",
        mailbox="support@desk.example",
        requester=address,
        subject=subject,
        text="Do you have it in blue?",
        source="form",
    )
    bus = Bus(kafka=desk.backends.kafka.address, service="shop")
    meta = Meta(id=name, source="shop", time=datetime.now(UTC))
    try:
        await bus.publish([Outgoing(TICKET_COMMANDS, address, command, meta)])
    finally:
        await bus.stop()
    return subject
