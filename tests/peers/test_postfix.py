"""A real Postfix in front of the door, by SMTP and by LMTP, and behind notify as its smarthost."""

import re
import smtplib
from collections.abc import Iterator
from typing import Any

import pytest

from deploy.local.providers.embedded_mongo import EmbeddedMongo
from services.ingest.intake import Intake
from services.ingest.reducing import read
from services.notify.relay import RelaySettings, SMTPRelay
from tests.actors.sink import Sink
from tests.builders import a_desk, an_address_book
from tests.peers.ingest import Ingest, a_mongod
from tests.peers.postfix import Postfix, a_postfix
from tests.unit.notify.cases import EMMA, parsed
from tests.unit.notify.test_letters import a_reply

pytestmark = [pytest.mark.peers, pytest.mark.timeout(240)]

SUPPORT, BILLING = "support@desk.example", "billing@desk.example"
BODY = b".a line that begins with a dot\r\n..\r\n\xc3\xa9 in eight bits\r\n" + b"x" * 990 + b"\r\n"
QUEUED = re.compile(r"to=<([^>]+)>.*status=sent \(250 2\.0\.0 queued as ([0-9a-z-]+)\)")


def a_mail(name: str) -> bytes:
    return (
        b"From: Ann <ann@example.com>\r\nTo: support@desk.example\r\nSubject: x\r\n"
        b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: 8bit\r\nMessage-ID: <%s@example.com>\r\n\r\n" % name.encode()
    ) + BODY


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedMongo]:
    with a_mongod(tmp_path_factory.mktemp("mongo")) as running:
        yield running


@pytest.fixture(scope="module")
def ingest(server: EmbeddedMongo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ingest]:
    folder = tmp_path_factory.mktemp("ingest")
    process = Ingest(folder, folder / "state", server.address)
    process.start()
    yield process
    process.stop()


@pytest.fixture(scope="module", params=["smtp", "lmtp"])
def front(request: pytest.FixtureRequest, ingest: Ingest) -> Iterator[Postfix]:
    """The configuration of the guide, for either protocol."""
    port = ingest.port if request.param == "smtp" else ingest.lmtp_port
    to = f"smtp:[127.0.0.1]:{port}" if request.param == "smtp" else f"lmtp:inet:127.0.0.1:{port}"
    with a_postfix(
        relay_domains="desk.example", relay_transport=to, relay_recipient_maps=""
    ) as running:
        yield running


def rows_of(ingest: Ingest, message_id: str) -> list[dict[str, Any]]:
    return [row for row in ingest.stored() if row["message_id"] == message_id]


def speaks_lmtp(front: Postfix) -> bool:
    return front.settings["relay_transport"].startswith("lmtp")


def name_of(front: Postfix, what: str) -> str:
    return f"{what}.{front.port}"


def test_the_verdict_of_a_filter_in_postfix_is_told_from_one_that_came_with_the_mail(
    ingest: Ingest,
) -> None:
    verdict = "X-Spam-Flag: YES"
    with a_postfix(
        relay_domains="desk.example",
        relay_transport=f"smtp:[127.0.0.1]:{ingest.port}",
        relay_recipient_maps="",
        smtpd_sender_restrictions="check_sender_access "
        f"inline:{{ {{ seller@example.com = PREPEND {verdict} }} }}",
    ) as front:
        front.deliver("seller@example.com", [SUPPORT], a_mail("spam"))
        front.deliver("ann@example.com", [SUPPORT], f"{verdict}\r\n".encode() + a_mail("ham"))
        front.wait_for(lambda log: len(QUEUED.findall(log)) == 2)

    desk = a_desk(intake={"spam": {"action": "quarantine"}})
    intake = Intake(lambda: desk, an_address_book())
    rows = [rows_of(ingest, f"{name}@example.com")[0] for name in ("spam", "ham")]
    found = [intake.believe(row, read(row["raw"], ())) for row in rows]
    assert all(verdict.encode() in row["raw"] for row in rows)
    assert found == ["x-spam-flag: YES", ""]


def test_a_mail_comes_through_as_it_was_for_each_mailbox(front: Postfix, ingest: Ingest) -> None:
    name = name_of(front, "both")
    front.deliver("ann@example.com", [SUPPORT, "billing+token@desk.example"], a_mail(name))

    told = front.wait_for(lambda log: len(QUEUED.findall(log)) == 2)

    rows = rows_of(ingest, f"{name}@example.com")
    assert {row["mailbox"] for row in rows} == {SUPPORT, BILLING}
    assert all(bytes(row["raw"]).endswith(b"\r\n\r\n" + BODY) for row in rows)
    assert {row["envelope_from"] for row in rows} == {"ann@example.com"}
    assert {row["client"] for row in rows} == {"127.0.0.1"}
    told_ids = dict(QUEUED.findall(told))
    assert told_ids[SUPPORT] in {row["_id"] for row in rows}
    if speaks_lmtp(front):
        assert set(told_ids.values()) == {row["_id"] for row in rows}


def test_an_unknown_recipient_comes_back_and_the_other_is_served(
    front: Postfix, ingest: Ingest
) -> None:
    name = name_of(front, "one")
    front.deliver("ann@example.com", ["nobody@desk.example", SUPPORT], a_mail(name))

    front.wait_for(lambda log: re.search(r"to=<nobody@.*dsn=5\.1\.1, status=bounced", log))

    front.wait_for(lambda _: bool(rows_of(ingest, f"{name}@example.com")))
    [row] = rows_of(ingest, f"{name}@example.com")
    assert row["mailbox"] == SUPPORT


def test_a_front_that_asks_first_refuses_unknown_mailboxes(ingest: Ingest) -> None:
    with (
        a_postfix(
            mynetworks="192.0.2.1",
            relay_domains="desk.example",
            relay_transport=f"lmtp:inet:127.0.0.1:{ingest.lmtp_port}",
            relay_recipient_maps="",
            # Without it Postfix only defers what it will not relay.
            smtpd_relay_restrictions="permit_mynetworks, reject_unauth_destination",
            smtpd_recipient_restrictions="permit_mynetworks, reject_unauth_destination, "
            "reject_unverified_recipient",
            unverified_recipient_reject_code="550",
        ) as front,
        smtplib.SMTP("127.0.0.1", front.port, timeout=60) as session,
    ):
        session.ehlo()
        session.mail("ann@example.com")

        assert session.rcpt("nobody@desk.example")[0] == 550
        assert session.rcpt("support+token@desk.example")[0] == 250
        assert session.rcpt("somebody@elsewhere.example")[0] == 554


def test_what_cannot_be_stored_now_is_tried_again_and_stored_once(
    front: Postfix, ingest: Ingest, server: EmbeddedMongo
) -> None:
    name = name_of(front, "later")
    server.kill()
    front.deliver("ann@example.com", [SUPPORT, BILLING], a_mail(name))
    front.wait_for(lambda log: re.search(r"status=deferred .*451 4\.3\.0", log))

    server.launch()
    server.wait_ready()

    front.wait_for(lambda _: len(rows_of(ingest, f"{name}@example.com")) == 2, seconds=120)


async def test_notifys_mail_goes_through_a_smarthost_unchanged() -> None:
    letter = a_reply("Grüße.\n.\n..dots\n" + "long " * 400)
    async with Sink() as sink:
        host, _, port = sink.address.rpartition(":")
        with a_postfix(relayhost=f"[{host}]:{port}") as smarthost:
            relay = SMTPRelay(RelaySettings("127.0.0.1", smarthost.port, timeout_s=10))
            outcome = await relay.send("bounce+1@desk.example", EMMA, letter.raw)
            await relay.close()
            assert await sink.wait_until(lambda: bool(sink.taken), within_s=60)

    assert outcome.result == "sent"
    [mail] = sink.taken
    assert (mail.sender, mail.recipient) == ("bounce+1@desk.example", EMMA)
    assert mail.raw.endswith(letter.raw)
    assert parsed(mail.raw)["Message-ID"] == parsed(letter)["Message-ID"]


@pytest.mark.parametrize(("answer", "result"), [("reject", "failed"), ("defer", "deferred")])
async def test_a_smarthosts_refusal_is_understood(answer: str, result: str) -> None:
    with a_postfix(smtpd_recipient_restrictions=answer) as smarthost:
        relay = SMTPRelay(RelaySettings("127.0.0.1", smarthost.port, timeout_s=10))
        outcome = await relay.send("bounce@desk.example", EMMA, a_reply().raw)
        await relay.close()

    assert outcome.result == result
