"""A name server that does not answer: what a mail waits for it, and that no other mail does."""

import time
from collections.abc import AsyncIterator, Iterator

import pytest

from services.ingest.children import Allowance, Children
from services.ingest.intake import Intake
from services.ingest.parsing import MailReader
from services.ingest.senders import SenderChecks
from services.ingest.tools import Tools
from tests.builders import a_desk, an_address_book
from tests.name_server import NameServer, a_key, a_name_server, signed
from tests.service.ingest.dialogue import until
from tests.service.ingest.memory import BlobsInMemory, Leases, NoLimits, Orders, Topic, a_row

STRANGER = {"client": "192.0.2.7", "helo": "mx.example.com"}


@pytest.fixture
def names() -> Iterator[NameServer]:
    with a_name_server() as server:
        yield server


class Bench:
    """The real reader, children and check; rows, blobs and topic are in memory."""

    def __init__(self, names: NameServer) -> None:
        desk = a_desk(authentication={"resolver": names.address}, door={"exempt": []})
        self.children, self.checkers = Children(1), Children(1, Allowance(cpu_s=3, wall_s=60))
        self.leases, self.topic = Leases(), Topic()
        senders = SenderChecks(lambda: desk, self.checkers)
        tools = Tools(
            rows=self.leases, parsers=self.children, blobs=BlobsInMemory(), bus=self.topic,
            book=an_address_book(), trusted=lambda: (), senders=senders,
            intake=Intake(a_desk, an_address_book()),
            limits=NoLimits(), orders=Orders(),
        )  # fmt: skip
        self.reader = MailReader(tools, workers=1)

    def take(self, name: str, sender: str, *, sign: bool = False) -> None:
        raw = f"From: {sender}\r\nSubject: {name}\r\n\r\n{name}\r\n".encode()
        if sign:
            raw = signed(raw, sender.rpartition("@")[2])
        self.reader.hand_over([a_row(name, raw) | STRANGER | {"envelope_from": sender}])

    def verdicts(self) -> dict[str, str]:
        return {one.meta.id: one.record.authentication.dmarc for one in self.topic.records}


@pytest.fixture
async def bench(names: NameServer) -> AsyncIterator[Bench]:
    made = Bench(names)
    for children in (made.children, made.checkers):
        await children.start()
    await made.reader.start()
    yield made
    await made.reader.stop()
    for children in (made.children, made.checkers):
        await children.stop()


async def test_t21_mails_of_a_silent_domain_keep_no_others_waiting(
    bench: Bench, names: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.ingest.lookups.LOOKUP_S", 60.0)
    monkeypatch.setattr("services.ingest.senders.CHECK_S", 60.0)
    names.publish("example.com", dmarc="v=DMARC1; p=reject", key=a_key()[1])
    names.silent.add("silent.example")

    for n in range(100):
        bench.take(f"silent {n}", f"a@{n}.silent.example")
    for n in range(20):
        bench.take(f"good {n}", "ann@example.com", sign=True)
    await until(lambda: len(bench.leases.states) == 20)

    assert set(bench.verdicts().values()) == {"pass"}
    assert await bench.reader.waiting() == 100


async def test_t21_a_mail_waits_so_long_and_no_longer(
    bench: Bench, names: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.ingest.senders.CHECK_S", 0.5)
    names.silent.add("example.com")
    began = time.monotonic()

    bench.take("slow", "ann@example.com", sign=True)
    await until(lambda: bool(bench.leases.states))

    assert bench.verdicts() == {"slow": "temperror"}
    assert time.monotonic() - began >= 0.5


async def test_t21_while_dns_is_away_all_mail_goes_through_unverified(
    bench: Bench, names: NameServer
) -> None:
    names.broken.update({"example.com", "example.net"})

    for n in range(50):
        bench.take(f"mail {n}", f"ann@{n}.example.com", sign=n % 2 == 0)
    await until(lambda: len(bench.leases.states) == 50)

    assert set(bench.verdicts().values()) == {"temperror"}
    assert set(bench.leases.states.values()) == {"announced"}
