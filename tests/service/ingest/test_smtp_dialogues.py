"""What the door answers, line by line (RELIABILITY 3.1)."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from services.ingest.conversation import HELD_OCTETS
from services.ingest.door import Door
from tests.service.ingest.dialogue import Client, Mails, an_open_door, until


@pytest.fixture
def mails() -> Mails:
    return Mails()


@pytest.fixture
async def door(mails: Mails) -> AsyncIterator[tuple[Door, int]]:
    async with an_open_door(mails, max_bytes=200_000) as opened:
        yield opened


@pytest.fixture
async def client(door: tuple[Door, int]) -> AsyncIterator[Client]:
    connected = await Client.connect(door[1])
    yield connected
    await connected.close()


HELLO = """
    S: 220 desk.example Postdesk ESMTP
    C: EHLO client.example
    S: 250
"""
DIALOGUES = {
    "a mail is queued under an id": """
        C: MAIL FROM:<ann@example.com>
        S: 250 2.1.0
        C: RCPT TO:<support@desk.example>
        S: 250 2.1.5
        C: DATA
        S: 354
        C: Subject: x\\r\\n\\r\\nhello\\r\\n.
        S: 250 2.0.0 queued as id-1
        C: QUIT
        S: 221 2.0.0""",
    "several mails in one session": """
        C: MAIL FROM:<a@example.com>\\r\\nRCPT TO:<support@desk.example>\\r\\nDATA
        S: 250 2.1.0
        S: 250 2.1.5
        S: 354
        C: one\\r\\n.\\r\\nMAIL FROM:<b@example.com>\\r\\nRCPT TO:<billing@desk.example>\\r\\nDATA
        S: 250 2.0.0 queued as id-1
        S: 250 2.1.0
        S: 250 2.1.5
        S: 354
        C: two\\r\\n.
        S: 250 2.0.0 queued as id-2""",
    "unknown recipients are refused at once": """
        C: MAIL FROM:<ann@example.com>
        S: 250
        C: RCPT TO:<nobody@desk.example>
        S: 550 5.1.1
        C: RCPT TO:<support@elsewhere.example>
        S: 550 5.1.1
        C: RCPT TO:<>
        S: 550 5.1.1
        C: DATA
        S: 503 5.5.1""",
    "any tag and any case is ours": """
        C: MAIL FROM:<ann@example.com>
        S: 250
        C: RCPT TO:<SUPPORT+whatever.it-is@Desk.Example>
        S: 250
        C: RCPT TO:<@relay.example:support@desk.example>
        S: 250
        C: RCPT TO:<postmaster>
        S: 250
        C: RCPT TO:<Postmaster@desk.example>
        S: 250""",
    "the null path is a sender": """
        C: MAIL FROM:<>
        S: 250 2.1.0
        C: RCPT TO:<support@desk.example>
        S: 250""",
    "a mail declared too large is refused before its body": """
        C: MAIL FROM:<ann@example.com> SIZE=200001
        S: 552 5.3.4
        C: MAIL FROM:<ann@example.com> SIZE=200000
        S: 250""",
    "what is offered may be used": """
        C: MAIL FROM:<ann@example.com> SIZE=9 BODY=8BITMIME SMTPUTF8
        S: 250""",
    "what is not offered is refused": """
        C: MAIL FROM:<ann@example.com> RET=HDRS
        S: 555 5.5.4
        C: MAIL FROM:<ann@example.com> BODY=BINARYMIME
        S: 501 5.5.4
        C: AUTH PLAIN AGEAYg==
        S: 502 5.5.1
        C: STARTTLS
        S: 502 5.5.1
        C: BDAT 5
        S: 500 5.5.2
        C: EXPN staff
        S: 502 5.5.1""",
    "the order of commands is kept": """
        C: RCPT TO:<support@desk.example>
        S: 503 5.5.1
        C: DATA
        S: 503 5.5.1
        C: MAIL FROM:<ann@example.com>
        S: 250
        C: MAIL FROM:<ann@example.com>
        S: 503 5.5.1
        C: RSET
        S: 250 2.0.0
        C: DATA
        S: 503 5.5.1""",
    "nonsense is answered and survived": """
        C: FNORD
        S: 500 5.5.2
        C: MAIL
        S: 501 5.5.4
        C: MAIL FROM:<unclosed
        S: 553 5.1.3
        C: MAIL FROM:<a b@example.com>
        S: 553 5.1.3
        C: \\x20
        S: 500 5.5.2
        C: \\xff\\xfe
        S: 500 5.5.2
        C: NOOP
        S: 250 2.0.0""",
    "lines end with CRLF and nothing else": """
        C: NOOP\\nNOOP
        S: 500 5.5.2
        S: 250 2.0.0
        C: NOOP\\rMAIL FROM:<a@b.example>
        S: 500 5.5.2
        C: NOOP \\x00
        S: 500 5.5.2
        C: RCPT TO:<support@desk.example>
        S: 503 5.5.1""",
    "parameters are looked at": """
        C: MAIL FROM:<a@b.example> SIZE=many
        S: 501 5.5.4
        C: MAIL FROM:<a@b.example> SIZE=\\xc2\\xb2
        S: 501 5.5.4
        C: MAIL FROM:<a@b.example> SMTPUTF8=yes
        S: 501 5.5.4
        C: MAIL FROM:<a@b.example> size=99999999999999999999
        S: 552 5.3.4
        C: mail from:<a@b.example> body=8bitmime smtputf8
        S: 250 2.1.0
        C: RCPT TO:<support@desk.example> NOTIFY=NEVER
        S: 555 5.5.4
        C: rcpt to:<support@desk.example>
        S: 250 2.1.5
        C: DATA now
        S: 501 5.5.4
        C: RSET now
        S: 501 5.5.4
        C: QUIT now
        S: 501 5.5.4""",
    "HELO takes no parameters": """
        C: HELO
        S: 501 5.5.4
        C: EHLO
        S: 501 5.5.4
        C: HELO old.example
        S: 250 desk.example
        C: MAIL FROM:<a@b.example> SIZE=9
        S: 501 5.5.4
        C: LHLO lmtp.example
        S: 500 5.5.2""",
    "a new EHLO forgets the mail": """
        C: MAIL FROM:<a@b.example>
        S: 250
        C: EHLO again.example
        S: 250
        C: RCPT TO:<support@desk.example>
        S: 503 5.5.1""",
    "help is a page number": """
        C: HELP
        S: 214 2.0.0
        C: HELP MAIL
        S: 214 2.0.0""",
    "a name is never confirmed": """
        C: VRFY support@desk.example
        S: 252 2.5.0
        C: VRFY nobody@desk.example
        S: 252 2.5.0""",
}  # fmt: skip


@pytest.mark.parametrize("name", DIALOGUES)
async def test_dialogue(client: Client, name: str) -> None:
    await client.play(HELLO + DIALOGUES[name])


async def test_what_is_offered(client: Client) -> None:
    await client.reply()
    client.send(b"EHLO client.example\r\n")

    lines = [(await client.reader.readline()).decode().strip() for _ in range(6)]

    assert [line[4:] for line in lines] == [
        "desk.example", "PIPELINING", "SIZE 200000", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES",
    ]  # fmt: skip


async def test_helo_is_enough_for_the_old(client: Client, mails: Mails) -> None:
    await client.play(
        """
        S: 220
        C: HELO old.example
        S: 250
        C: MAIL FROM:<ann@example.com>
        S: 250
        C: RCPT TO:<support@desk.example>
        S: 250
        C: DATA
        S: 354
        C: hi\\r\\n.
        S: 250
        """
    )

    assert mails.only.helo == "old.example"


SPOKEN = "MAIL FROM:<ann@example.com>\r\nRCPT TO:<support@desk.example>\r\n"


@pytest.mark.parametrize(
    ("said", "pieces"),
    [
        (SPOKEN + "DATA\r\n", [["250", "250", "354"]]),
        (SPOKEN, [["250", "250"]]),
        (SPOKEN + "DAT", [["250", "250"]]),  # the rest may be long in coming
        ("MAIL FROM:<a@b.example>\r\nRSET\r\nMAIL FROM:<>\r\n", [["250", "250", "250"]]),
        ("MAIL FROM:<a@b.example>\r\nNOOP\r\nNOOP\r\n", [["250", "250"], ["250"]]),
        ("MAIL FROM:<a@b.example>\r\nQUIT\r\n", [["250", "221"]]),
        ("MAIL FROM:<a@b.example>\r\nHELO again\r\n", [["250", "250"]]),
        ("MAIL FROM:<a@b.example>\r\nEHLO again\r\n", [["250", "250"]]),
        ("MAIL FROM:<a@b.example>\r\nRC\x00PT\r\nNOOP\r\n", [["250", "500"], ["250"]]),
        ("MAIL FROM:<a@b.example>\r\n" + "x" * 3000 + "\r\n", [["250", "500"]]),
        ("MAIL FROM:<a@b.example>\r\nNONSENSE\r\n", [["250", "500"]]),
    ],
)
async def test_replies_to_a_group_of_commands_go_out_together(
    client: Client, monkeypatch: pytest.MonkeyPatch, said: str, pieces: list[list[str]]
) -> None:
    await client.play(HELLO)
    written: list[list[str]] = []
    write = asyncio.StreamWriter.write

    def noting(writer: asyncio.StreamWriter, data: bytes) -> None:
        if writer is not client.writer:
            lines = data.decode().split("\r\n")
            written.append([line[:3] for line in lines if line[3:4] == " "])
        write(writer, data)

    monkeypatch.setattr(asyncio.StreamWriter, "write", noting)
    client.send(said.encode())
    for _ in range(sum(map(len, pieces))):
        assert await client.reply()

    assert written == pieces


async def test_of_a_group_without_end_replies_are_not_held_back_to_the_end(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    await client.play(HELLO)
    sizes: list[int] = []
    write = asyncio.StreamWriter.write

    def noting(writer: asyncio.StreamWriter, data: bytes) -> None:
        if writer is not client.writer:
            sizes.append(len(data))
        write(writer, data)

    monkeypatch.setattr(asyncio.StreamWriter, "write", noting)
    client.send(b"MAIL FROM:<a@b.example>\r\nRSET\r\n" * 400 + b"NOOP\r\n")
    for _ in range(801):
        assert (await client.reply()).startswith("250")

    assert max(sizes) < 2 * HELD_OCTETS


async def test_the_envelope_is_handed_on(client: Client, mails: Mails) -> None:
    await client.play(
        HELLO
        + """
        C: MAIL FROM:<>
        S: 250
        C: RCPT TO:<Support+Tag@desk.example>
        S: 250
        C: RCPT TO:<nobody@desk.example>
        S: 550
        C: RCPT TO:<billing@desk.example>
        S: 250
        C: DATA
        S: 354
        C: hi\\r\\n.
        S: 250
        """
    )

    delivery = mails.only
    assert delivery.sender == ""
    assert [r.address for r in delivery.recipients] == [
        "Support+Tag@desk.example",
        "billing@desk.example",
    ]
    assert [r.mailbox for r in delivery.recipients] == [
        "support@desk.example",
        "billing@desk.example",
    ]
    assert (delivery.client, delivery.helo) == ("127.0.0.1", "client.example")
    assert not delivery.is_encrypted


async def test_an_internationalised_sender_is_kept(client: Client, mails: Mails) -> None:
    await client.play(HELLO)
    client.send(
        "MAIL FROM:<jürgen@müller.example> SMTPUTF8\r\nRCPT TO:<support@desk.example>\r\nDATA\r\n".encode()
    )
    client.send(b"x\r\n.\r\n")
    replies = [await client.reply() for _ in range(4)]

    assert replies[-1].startswith("250")
    assert mails.only.sender == "jürgen@müller.example"


async def test_octets_that_are_no_text_in_a_sender_can_be_stored(
    client: Client, mails: Mails
) -> None:
    await client.play(HELLO)
    client.send(
        b"MAIL FROM:<\xff@example.com>\r\nRCPT TO:<support@desk.example>\r\nDATA\r\nx\r\n.\r\n"
    )
    replies = [await client.reply() for _ in range(4)]

    assert replies[-1].startswith("250")
    assert mails.only.sender.encode() == b"?@example.com"


async def test_a_mail_is_byte_for_byte_what_was_sent(client: Client, mails: Mails) -> None:
    raw = (
        b"Subject: x\r\n\r\n.dot\r\n..\r\n\x00\xff8 bit\r\n" + b"long " * 20_000 + b"\r\n.\r\n"[:2]
    )
    await client.begin()
    await client.play("C: DATA\nS: 354")

    client.send(raw.replace(b"\r\n.", b"\r\n..") + b".\r\n")

    assert (await client.reply()).startswith("250")
    assert mails.only.body.read() == raw


@pytest.mark.parametrize(
    "end",
    [
        *(rb"\n.\n", rb"\n.\r\n", rb"\r\n.\n", rb"\r.\r", rb"\r.\n", rb"\r.\r\n", rb"\n.\r"),
        *(rb"\r\n.\r", rb"\r\n.\r\r\n", rb"\n\n.\r\n", rb"\r\n\x00.\r\n", rb"\r\n.\x00\r\n"),
        *(rb"\r\n \x2e\r\n", rb"\r\n.\x0b\r\n", rb"\x85.\x85", rb"\r\n. \r\n"),
    ],
)
async def test_a_smuggled_mail_stays_text(client: Client, mails: Mails, end: bytes) -> None:
    await client.begin()
    smuggled = "MAIL FROM:<evil@example.com>\\r\\nRCPT TO:<support@desk.example>\\r\\nDATA\\r\\nbad"

    await client.play(
        f"C: DATA\nS: 354\nC: a{end.decode()}{smuggled}\\r\\n.\nS: 250 2.0.0\nC: NOOP\nS: 250 2.0.0 OK"
    )

    assert b"evil@example.com" in mails.only.body.read()


async def test_an_oversized_mail_is_refused_for_good_and_the_session_goes_on(
    client: Client, mails: Mails
) -> None:
    await client.begin()
    await client.play("C: DATA\nS: 354")

    client.send(b"x" * 199_999 + b"\r\n.\r\nNOOP\r\n")

    assert (await client.reply()).startswith("552 5.3.4")
    assert (await client.reply()).startswith("250")
    assert mails.stored == []


async def test_who_sends_far_too_much_is_cut_off(client: Client, mails: Mails) -> None:
    await client.begin()
    await client.play("C: DATA\nS: 354")

    client.send(b"x" * 600_000)

    assert (await client.reply()).startswith("421")
    assert await client.reply() == ""
    assert mails.stored == []


async def test_t25_a_fault_of_ours_is_a_passing_one_without_internals(
    client: Client, mails: Mails
) -> None:
    mails.failure = RuntimeError("password is hunter2 at /etc/secret")
    await client.begin()

    said = await client.play("C: DATA\nS: 354\nC: x\\r\\n.\nS: 451")

    assert said == "451 4.3.0 try again later"
    mails.failure = None
    await client.play(
        "C: MAIL FROM:<a@example.com>\nS: 250\nC: RCPT TO:<support@desk.example>\nS: 250\n"
        "C: DATA\nS: 354\nC: x\\r\\n.\nS: 250 2.0.0 queued"
    )


async def test_a_client_that_goes_away_does_not_stop_the_storing(
    client: Client, mails: Mails, door: tuple[Door, int]
) -> None:
    mails.may_finish.clear()
    await client.begin()
    await client.play("C: DATA\nS: 354\nC: x\\r\\n.")
    await asyncio.wait_for(mails.began.wait(), 10)

    client.reset()
    await until(lambda: not door[0]._sessions)
    mails.may_finish.set()

    await until(lambda: bool(mails.stored))
    await until(lambda: door[0].budget.used_bytes == 0)


async def test_a_mail_that_breaks_off_is_forgotten(
    client: Client, mails: Mails, door: tuple[Door, int]
) -> None:
    await client.begin()
    await client.play("C: DATA\nS: 354\nC: half a mail")

    client.writer.transport.abort()

    await until(lambda: not door[0]._sessions)
    await until(lambda: door[0].budget.used_bytes == 0)
    assert mails.stored == []
    assert door[0].in_data == 0
