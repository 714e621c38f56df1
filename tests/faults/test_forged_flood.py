"""A flood of forged mail makes the desk write to nobody who did not write, and to few too often."""

import random
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pymongo import MongoClient

from deploy.local.offsets import topic_states
from shared.bus import Bus, Outgoing
from shared.contracts.base import Meta
from shared.contracts.commands import Reopen, Resolve, TicketCommand
from shared.contracts.topics import TICKET_COMMANDS
from tests.actors.desk import RunningDesk
from tests.actors.mails import Mail, Writer
from tests.actors.sink import Delivery
from tests.actors.source import Source
from tests.name_server import NameServer, a_key, a_name_server, signed

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

VICTIMS = 1_000
PER_HOUR = 5
"""Acknowledgements to one address, as the desk below is configured."""
PER_TICKET_AND_HOUR = 10
"""Automatic mails about one ticket to one address (services.notify.domain.limits)."""
SUPPORT = ["support@desk.example"]
GENUINE = "ann@genuine.example"
REJECT = "v=DMARC1; p=reject"


@pytest.fixture(scope="module")
def names() -> Iterator[NameServer]:
    with a_name_server() as server:
        server.publish("genuine.example", dmarc=REJECT, key=a_key()[1])
        server.publish("evil.example", spf="v=spf1 +all", key=a_key()[1])
        yield server


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, names: NameServer) -> Iterator[RunningDesk]:
    settings = {
        "customers": {"acknowledge": "authenticated", "acknowledgements_per_hour": PER_HOUR},
        "authentication": {"resolver": names.address},
        "notices": {"bundle": "1s", "hold": "1s"},
    }
    with RunningDesk(tmp_path_factory.mktemp("flood"), settings=settings) as running:
        yield running


def forged(writer: Writer, number: int, names: NameServer) -> Mail:
    """In the name of somebody whose domain forbids it, says nothing, or is not the signer's."""
    domain = f"victim{number}.example"
    mail = writer.plain(f"victim@{domain}", SUPPORT, kind="forged")
    if number % 3 == 0:
        names.publish(domain, spf="v=spf1 -all", dmarc=REJECT)
    if number % 3 == 1:
        raw = signed(mail.raw, "evil.example")
        return replace(mail, raw=raw, envelope_from=f"bounce{number}@evil.example")
    return mail


def genuine(writer: Writer) -> Mail:
    mail = writer.plain(GENUINE, SUPPORT, kind="genuine")
    return replace(mail, raw=signed(mail.raw, "genuine.example"))


def wait(desk: RunningDesk, holds: Callable[[], bool], within_s: int = 180) -> None:
    for _ in range(within_s):
        if holds():
            return
        desk.tend(1.0)
    raise AssertionError("the condition did not come true in time")


def is_quiet(desk: RunningDesk) -> bool:
    """All records are read, and no mail is on its way; what a cap postpones is not."""
    states = desk.play(topic_states(desk.facts.kafka))
    with MongoClient(desk.facts.mongo) as client:
        on_its_way = {"state": {"$in": ["queued", "sending"]}}
        waiting = client["postdesk_notify"]["outgoing"].count_documents(on_its_way)
    return not waiting and not any(lag for state in states for lag in state.lag.values())


def tickets(desk: RunningDesk, **wanted: str) -> list[str]:
    with MongoClient(desk.facts.mongo) as client:
        found = (
            client["postdesk_tickets"]["tickets"].find(wanted, {"_id": 1}).sort("state.opened_at")
        )
        return [ticket["_id"] for ticket in found]


def to(desk: RunningDesk, is_wanted: Callable[[str], bool]) -> list[Delivery]:
    return [one for one in desk.sink.taken if is_wanted(one.recipient)]


def test_a_thousand_forged_mails_get_no_answer_and_one_sender_gets_few(
    desk: RunningDesk, names: NameServer
) -> None:
    chance = random.Random(1)
    writer, source = Writer(chance), Source(desk.facts.smtp, sessions=20)
    mails = [forged(writer, number, names) for number in range(VICTIMS)]
    mails += [genuine(writer) for _ in range(4 * PER_HOUR)]
    chance.shuffle(mails)

    desk.play(source.deliver_all(mails, every_s=0.005))
    wait(desk, lambda: len(tickets(desk)) == len(mails))
    wait(desk, lambda: is_quiet(desk))

    assert len(source.accepted) == len(mails)
    assert to(desk, lambda address: "victim" in address or "evil" in address) == []
    assert 0 < len(to(desk, lambda address: address == GENUINE)) <= PER_HOUR


def test_one_ticket_sends_its_requester_few_automatic_mails_in_an_hour(
    desk: RunningDesk, names: NameServer
) -> None:
    names.publish("turning.example", dmarc=REJECT, key=a_key()[1])
    mail = Writer(random.Random(2), run="r2").plain("bob@turning.example", SUPPORT)
    mail = replace(mail, raw=signed(mail.raw, "turning.example"))
    source = Source(desk.facts.smtp)
    desk.play(source.deliver_all([mail]))
    wait(desk, lambda: bool(to(desk, lambda address: address == mail.sender)))
    (number,) = tickets(desk, **{"state.requester": mail.sender})

    desk.play(turn_round(desk, number, 2 * PER_TICKET_AND_HOUR))
    wait(desk, lambda: is_quiet(desk) and len(resolutions(desk, number)) == 2 * PER_TICKET_AND_HOUR)

    acknowledgement_and_resolutions = to(desk, lambda address: address == mail.sender)
    assert 1 < len(acknowledgement_and_resolutions) <= 1 + PER_TICKET_AND_HOUR


def resolutions(desk: RunningDesk, number: str) -> list[object]:
    wanted = {"ticket_id": number, "type": "ticket.resolved"}
    with MongoClient(desk.facts.mongo) as client:
        return list(client["postdesk_tickets"]["events"].find(wanted))


async def turn_round(desk: RunningDesk, number: str, times: int) -> None:
    """A system that resolves and reopens a ticket in turns."""
    bus = Bus(kafka=desk.facts.kafka, service="shop")
    turns: list[type[TicketCommand]] = [Resolve, Reopen]
    try:
        for kind in turns * times:
            command = kind.model_validate(
                {"version": 1, "actor": "system:shop", "ticket_id": number}
            )
            meta = Meta(id=uuid.uuid4().hex, source="shop", time=datetime.now(UTC))
            await bus.publish([Outgoing(TICKET_COMMANDS, number, command, meta)])
    finally:
        await bus.stop()
