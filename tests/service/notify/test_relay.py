"""The SMTP client against a relay that behaves as told; no store is needed."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import uvloop

from services.notify.domain import wire
from services.notify.relay import Outcome, RelaySettings, SMTPRelay
from tests.actors.sink import DROP, Sink
from tests.unit.notify.cases import EMMA

RAW = b"Message-ID: <a@desk.example>\r\n" + wire.content(
    ".\n..\n.dot\nFrom here\n" + "é" * 400, "<p>.</p>", seed="0"
)


@pytest.fixture(params=[True, False], ids=["pipelining", "one by one"])
async def sink(request: pytest.FixtureRequest) -> AsyncIterator[Sink]:
    async with Sink(pipelining=request.param) as running:
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


async def test_a_dot_at_the_very_beginning_arrives_too(sink: Sink, relay: SMTPRelay) -> None:
    await relay.send("", EMMA, b".odd: header\r\n\r\n.\r\n")

    assert [mail.raw for mail in sink.taken] == [b".odd: header\r\n\r\n.\r\n"]


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
    relay._idle[0].session.close()

    assert (await relay.send("", EMMA, RAW)).result == "sent"


async def test_an_address_that_smtp_cannot_carry_fails_alone(sink: Sink, relay: SMTPRelay) -> None:
    outcome = await relay.send("", "jürgen@example.com", RAW)

    assert outcome.result == "failed"
    assert (await relay.send("", EMMA, RAW)).result == "sent"


class _Script:
    """A server that answers each line by its verb and remembers what came at once."""

    def __init__(self, **answers: str) -> None:
        self.answers = {
            "EHLO": "250-relay.example\r\n250 PIPELINING", "MAIL": "250 ok", "RCPT": "250 ok",
            "DATA": "354 go on", "RSET": "250 ok", "QUIT": "221 bye", ".": "250 taken", **answers,
        }  # fmt: skip
        self.chunks: list[list[str]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 relay.example\r\n")
        in_mail = False
        while chunk := await reader.read(65_536):
            lines = chunk.decode().splitlines()
            self.chunks.append(lines)
            for line in lines:
                verb = line if in_mail else line[:4].upper()
                in_mail = (in_mail and line != ".") or (
                    verb == "DATA" and self.answers["DATA"].startswith("354")
                )
                if verb in self.answers and not (in_mail and verb != "DATA"):
                    writer.write(f"{self.answers[verb]}\r\n".encode())
        writer.close()


async def scripted(script: _Script) -> tuple[asyncio.Server, SMTPRelay]:
    server = await asyncio.start_server(script.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    return server, SMTPRelay(RelaySettings("127.0.0.1", port, timeout_s=5))


async def test_the_commands_of_a_mail_go_out_together_where_the_relay_reads_on() -> None:
    script = _Script()
    server, relay = await scripted(script)

    async with server:
        outcome = await relay.send("a@desk.example", EMMA, RAW)
        await relay.close()

    assert outcome == Outcome("sent", "taken")
    assert [line.split(" ")[0] for line in script.chunks[1]] == ["MAIL", "RCPT", "DATA"]


async def test_a_relay_that_goes_on_after_a_refusal_gets_no_empty_mail() -> None:
    script = _Script(RCPT="550 5.1.1 nobody")
    server, relay = await scripted(script)

    async with server:
        outcome = await relay.send("a@desk.example", EMMA, RAW)
        await relay.close()

    assert outcome == Outcome("failed", "550 5.1.1 nobody")
    assert "." not in [line for chunk in script.chunks for line in chunk]
    assert relay._idle == []


async def test_lone_line_ends_cannot_end_a_mail_early() -> None:
    script = _Script()
    server, relay = await scripted(script)

    async with server:
        await relay.send("", EMMA, b"Subject: x\r\n\r\none\n.\nMAIL FROM:<evil@x.example>\r.\rtwo")
        await relay.close()

    body = [line for chunk in script.chunks[2:-1] for line in chunk]
    assert body[2:] == ["one", "..", "MAIL FROM:<evil@x.example>", "..", "two", "."]


def test_mail_goes_out_on_the_loop_that_the_services_run_on() -> None:
    """Uvloop's transports are no asyncio ones by descent."""

    async def sent() -> str:
        async with Sink() as sink:
            host, _, port = sink.address.rpartition(":")
            relay = SMTPRelay(RelaySettings(host, int(port), timeout_s=5))
            outcome = await relay.send("", EMMA, RAW)
            await relay.close()
        return outcome.result

    assert uvloop.run(sent()) == "sent"
