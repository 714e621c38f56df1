"""The desk's own check of senders: a real name server, a real child, mails signed for real."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from services.ingest import senders as checks
from services.ingest.children import Allowance, Children
from services.ingest.lookups import Lookups
from services.ingest.reading import Reading
from services.ingest.senders import SenderChecks
from shared.config.models import Desk
from shared.contracts.mail import SenderAuthentication
from tests.builders import a_desk
from tests.name_server import NameServer, a_key, a_name_server, signed
from tests.service.ingest.memory import a_row

RAW = b"From: ann@example.com\r\nSubject: Hello\r\nMessage-ID: <1@example.com>\r\n\r\nHello\r\n"
STRANGER = {"client": "192.0.2.7", "helo": "mx.example.com", "envelope_from": "ann@example.com"}


@pytest.fixture
def names() -> Iterator[NameServer]:
    with a_name_server() as server:
        yield server


class Checks:
    """The part under test, at a desk that a test may change."""

    def __init__(self, names: NameServer) -> None:
        self.desk = self.a_desk(names.address)
        self.part = SenderChecks(lambda: self.desk, Children(1, Allowance(cpu_s=3, wall_s=6)))

    @staticmethod
    def a_desk(resolver: str, **changes: Any) -> Desk:
        door = {"exempt": ["192.0.2.25"], "trusted_authserv": ["mx.desk.example"]}
        return a_desk(authentication={"resolver": resolver}, door=door, **changes)

    async def of(self, raw: bytes = RAW, **row: Any) -> SenderAuthentication:
        """The verdict on a mail that needs one."""
        reading = a_reading()
        whole = a_row("in-1", raw) | STRANGER | row
        assert self.part.settle(whole, reading)
        return SenderAuthentication.model_validate(await self.part.verdict(whole, reading, raw))


@pytest.fixture
async def check(names: NameServer) -> AsyncIterator[Checks]:
    checks = Checks(names)
    yield checks
    await checks.part.stop()


def a_reading(**changes: Any) -> Reading:
    nobody = SenderAuthentication().model_dump()
    return Reading(
        {"from_addr": "ann@example.com", "from_count": 1, "authentication": nobody, **changes}
    )


async def test_a_signed_mail_passes(names: NameServer, check: Checks) -> None:
    names.publish("example.com", dmarc="v=DMARC1; p=reject", key=a_key()[1])

    found = await check.of(signed(RAW, "example.com"))

    assert (found.dmarc, found.by, found.domain) == ("pass", "desk", "example.com")


async def test_a_mail_from_an_address_that_the_domain_lists_passes(
    names: NameServer, check: Checks
) -> None:
    names.publish("example.com", spf="v=spf1 include:_spf.example.net -all")
    names.publish("_spf.example.net", spf="v=spf1 mx:out.example.net -all")
    names.records |= {"MX out.example.net": ["10 a.example.net"], "A a.example.net": ["192.0.2.7"]}

    assert (await check.of()).dmarc == "pass"
    assert (await check.of(client="192.0.2.8")).dmarc == "none"


async def test_a_forger_fails_where_the_domain_has_a_policy(
    names: NameServer, check: Checks
) -> None:
    names.publish("example.com", spf="v=spf1 -all", dmarc="v=DMARC1; p=none")

    found = await check.of(signed(RAW, "evil.example"))

    assert (found.dmarc, found.domain) == ("fail", "")


@pytest.mark.parametrize("trouble", ["broken", "silent"])
async def test_a_name_server_in_trouble_is_a_temporary_error(
    names: NameServer, check: Checks, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.ingest.lookups.LOOKUP_S", 0.3)
    names.publish("example.com", dmarc="v=DMARC1; p=reject", key=a_key()[1])
    getattr(names, trouble).add("_dmarc.example.com")

    assert (await check.of(signed(RAW, "example.com"))).dmarc == "temperror"


async def test_an_answer_is_asked_for_once(names: NameServer, check: Checks) -> None:
    names.publish("example.com", dmarc="v=DMARC1; p=reject", key=a_key()[1])

    await asyncio.gather(*(check.of(signed(RAW, "example.com")) for _ in range(10)))

    assert names.asked
    assert len(names.asked) == len(set(names.asked))


async def test_a_domain_cannot_have_more_than_so_many_names_looked_up(
    names: NameServer, check: Checks
) -> None:
    hosts = " ".join(f"mx:{n}.example.net" for n in range(9))
    names.publish("example.com", spf=f"v=spf1 {hosts} -all", dmarc="v=DMARC1; p=reject")
    for n in range(9):
        names.records[f"MX {n}.example.net"] = [f"{m} {m}.{n}.example.net" for m in range(9)]
        names.records |= {f"A {m}.{n}.example.net": ["203.0.113.1"] for m in range(9)}

    found = await check.of()

    assert found.dmarc == "none"
    assert "too many" in found.detail
    assert len(names.asked) <= checks.MAX_QUESTIONS


async def test_a_verdict_comes_in_time(
    names: NameServer, check: Checks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.ingest.senders.CHECK_S", 0.2)
    names.silent.add("example.com")

    assert (await check.of()).dmarc == "temperror"


async def test_beyond_its_means_the_desk_does_not_check(
    check: Checks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.ingest.senders.MAX_MAILS", 0)

    assert (await check.of()).dmarc == "temperror"


async def test_a_mail_that_defeats_the_check_is_not_believed(
    names: NameServer, check: Checks
) -> None:
    check.part._children._allowance = Allowance(cpu_s=0.000_001)
    names.publish("example.com", key=a_key()[1])

    found = await check.of(signed(RAW, "example.com"))

    assert (found.dmarc, found.by) == ("none", "desk")


async def test_a_relay_of_ours_is_believed_and_spares_the_check(check: Checks) -> None:
    by_relay = {"dmarc": "pass", "by": "relay", "domain": "example.com", "detail": ""}
    reading = a_reading(authentication=by_relay)

    assert not check.part.settle(a_row("in-1") | {"client": "192.0.2.25"}, reading)
    assert reading.fields["authentication"] == by_relay


async def test_what_a_stranger_writes_in_the_relays_name_is_dropped_and_checked(
    check: Checks,
) -> None:
    forged = {"dmarc": "pass", "by": "relay", "domain": "example.com", "detail": ""}
    reading = a_reading(authentication=forged)

    assert check.part.settle(a_row("in-1") | STRANGER, reading)
    assert reading.fields["authentication"]["dmarc"] == "none"


@pytest.mark.parametrize(
    "changes",
    [{"from_count": 2}, {"from_count": 0}, {"from_addr": ""}, {"unreadable": "a bomb"}, {"from_addr": f"a@{'b' * 70}.example"}],
)  # fmt: skip
async def test_without_one_readable_sender_there_is_nothing_to_check(
    check: Checks, changes: dict[str, Any]
) -> None:
    assert not check.part.settle(a_row("in-1") | STRANGER, a_reading(**changes))


@pytest.mark.parametrize(
    "desk",
    [
        Checks.a_desk("none"),
        Checks.a_desk("system", agent_mail={"trust": "token"}, customers={"acknowledge": "all"}),
    ],
)
async def test_a_desk_on_which_nothing_depends_on_it_does_not_check(
    names: NameServer, check: Checks, desk: Desk
) -> None:
    check.desk = desk

    assert not check.part.settle(a_row("in-1") | STRANGER, a_reading())
    assert check.part._children._all == set()


async def test_names_that_cannot_exist_have_no_answer(names: NameServer) -> None:
    lookups = Lookups(names.address)

    found = await lookups.answers(["txt ..", f"txt {'a' * 70}.example", f"a {'a.' * 200}example"])

    assert list(found.values()) == [[], [], []]


async def test_a_long_text_comes_whole_by_tcp(names: NameServer) -> None:
    names.records["TXT long.example"] = ["x" * 3_000]

    assert (await Lookups(names.address).answers(["txt long.example"]))["txt long.example"] == [
        "x" * 3_000
    ]
