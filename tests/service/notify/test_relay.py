"""The SMTP client against a relay that behaves as told; no store is needed."""

import socket
from collections.abc import AsyncIterator

import pytest

from services.notify.domain import wire
from services.notify.relay import RelaySettings, SMTPRelay
from tests.actors.sink import DROP, Sink
from tests.unit.notify.cases import EMMA

RAW = b"Message-ID: <a@desk.example>\r\n" + wire.content(
    ".\n..\n.dot\nFrom here\n" + "é" * 400, "<p>.</p>", seed="0"
)


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    async with Sink() as running:
        yield running


@pytest.fixture
async def relay(sink: Sink) -> AsyncIterator[SMTPRelay]:
    host, _, port = sink.address.rpartition(":")
    relay = SMTPRelay(RelaySettings(host, int(port), timeout_s=5))
    yield relay
    await relay.close()


async def test_the_relay_gets_the_bytes_as_they_are_with_dots_and_short_lines(
    sink: Sink, relay: SMTPRelay
) -> None:
    outcome = await relay.send("bounce@desk.example", EMMA, RAW)

    assert outcome.result == "sent"
    assert [mail.raw for mail in sink.taken] == [RAW]
    assert max(map(len, RAW.split(b"\r\n"))) <= 998


async def test_an_empty_envelope_sender_stays_empty(sink: Sink, relay: SMTPRelay) -> None:
    await relay.send("", EMMA, RAW)

    assert [mail.sender for mail in sink.taken] == [""]


async def test_several_mails_go_over_one_connection(sink: Sink, relay: SMTPRelay) -> None:
    for _ in range(5):
        assert (await relay.send("", EMMA, RAW)).result == "sent"

    assert len(relay._idle) == 1
    assert relay._idle[0].mails == 5


@pytest.mark.parametrize(
    ("verdict", "result"),
    [
        ("451 4.3.0 later", "deferred"),
        ("550 5.1.1 nobody", "failed"),
        (DROP, "unknown"),
        ("421 4.3.2 closing", "unreachable"),
    ],
)
async def test_each_answer_has_its_meaning_and_the_next_mail_goes(
    sink: Sink, relay: SMTPRelay, verdict: str, result: str
) -> None:
    sink.verdict = lambda _: verdict
    outcome = await relay.send("", EMMA, RAW)
    sink.verdict = lambda _: "250 2.0.0 OK"

    assert outcome.result == result
    assert (await relay.send("", EMMA, RAW)).result == "sent"


async def test_a_relay_that_is_not_there_is_unreachable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        relay = SMTPRelay(RelaySettings("127.0.0.1", taken.getsockname()[1], timeout_s=2))

        outcome = await relay.send("", EMMA, RAW)

    assert outcome.result == "unreachable"


async def test_a_kept_connection_that_was_cut_is_replaced(sink: Sink, relay: SMTPRelay) -> None:
    await relay.send("", EMMA, RAW)
    relay._idle[0].client.close()

    assert (await relay.send("", EMMA, RAW)).result == "sent"


async def test_an_address_that_smtp_cannot_carry_fails_alone(sink: Sink, relay: SMTPRelay) -> None:
    outcome = await relay.send("", "jürgen@example.com", RAW)

    assert outcome.result == "failed"
    assert (await relay.send("", EMMA, RAW)).result == "sent"
