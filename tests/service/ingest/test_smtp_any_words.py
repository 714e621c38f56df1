"""Whatever a client says, the answers are well-formed SMTP and tell nothing of our inside."""

import asyncio
import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.service.ingest.dialogue import Client, Mails, an_open_door

VERBS = [b"HELO", b"EHLO", b"MAIL", b"RCPT", b"DATA", b"RSET", b"NOOP", b"VRFY", b"EXPN", b"HELP",
         b"AUTH", b"STARTTLS", b"BDAT", b"LHLO", b"ETRN", b"TURN", b"XFORWARD", b"PROXY"]  # fmt: skip
ARGUMENTS = [b"", b"x", b"FROM:<a@b.example>", b"FROM:<>", b"TO:<support@desk.example>", b"TO:<>",
             b"FROM:<a@b.example> SIZE=1", b"FROM:", b"TO:support@desk.example", b"\xff\xfe"]  # fmt: skip
LINES = st.one_of(
    st.builds(lambda v, a: v + b" " + a, st.sampled_from(VERBS), st.sampled_from(ARGUMENTS)),
    st.builds(lambda v, a: v + b" " + a, st.sampled_from(VERBS), st.binary(max_size=60)),
    st.binary(max_size=80),
)
# RFC 5321, 4.2, with RFC 3463's code where RFC 2034 wants one.
REPLY = re.compile(
    r"220 desk\.example Postdesk ESMTP|250[- ](?:desk\.example|[A-Z0-9]+(?: \d+)?)|354 [ -~]+"
    r"|([245])\d\d \1\.\d\.\d{1,2} [ -~]+"
)
INSIDE = re.compile(
    r"Error\b|Traceback|Exception|\.py|/tmp|site-packages|aiosmtpd|Python", re.IGNORECASE
)


async def conversation(lines: list[bytes]) -> list[str]:
    async with an_open_door(Mails()) as (_, port):
        client = await Client.connect(port)
        for line in lines:
            client.send(line + b"\r\n")
        client.send(b"\r\n.\r\n")
        client.writer.write_eof()
        async with asyncio.timeout(20):
            try:
                said = await client.reader.read(-1)
            except ConnectionError:
                return []
    return said.decode("utf-8").splitlines()


@settings(max_examples=120, deadline=None)
@given(st.lists(LINES, max_size=12))
@example([b"EHLO x", b"MAIL FROM:"])
@example([b"EHLO x", b"MAIL FROM:<>", b"RCPT TO:"])
def test_every_answer_is_well_formed_and_says_nothing_internal(lines: list[bytes]) -> None:
    for reply in asyncio.run(conversation(lines)):
        assert REPLY.fullmatch(reply), reply
        assert not INSIDE.search(reply), reply
