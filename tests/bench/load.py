"""The mails of the end-to-end bench, and how they are sent and answered."""

import asyncio
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tests.actors.mails import Mail, Writer
from tests.actors.sink import OK, Delivery, Sink
from tests.actors.smtp_client import Reply
from tests.actors.source import Source

SUPPORT = "support@desk.example"
WITHIN_S = 180.0


@dataclass(frozen=True)
class Mix:
    """How many of each; the replies answer acknowledgements of the run itself."""

    plain: int = 400
    html: int = 200
    attached: int = 100
    replies: int = 300

    @property
    def firsts(self) -> int:
        """Mails that open a ticket."""
        return self.plain + self.html + self.attached

    @property
    def total(self) -> int:
        """All of them."""
        return self.firsts + self.replies


def first_mails(chance: random.Random, mix: Mix, run: str) -> list[Mail]:
    """The mails that open tickets, each of another customer, in mixed order."""
    write = Writer(chance, run=run)
    senders = (f"{run}.customer{n:04}@people.example" for n in range(10_000))

    def mails() -> Iterator[Mail]:
        for _ in range(mix.plain):
            yield write.plain(next(senders), [SUPPORT])
        for _ in range(mix.html):
            yield write.html(next(senders), [SUPPORT])
        for _ in range(mix.attached):
            yield write.attached(next(senders), [SUPPORT], size=chance.randint(10_000, 60_000))

    written = list(mails())
    chance.shuffle(written)
    return written


class Door(Protocol):
    """The part of a `Source` that a flood needs."""

    @property
    def accepted(self) -> dict[str, float]:
        """Time of the 250 by ledger id, seconds since 1970."""
        ...

    async def deliver(self, mail: Mail) -> Reply:
        """Return the reply that ends the mail's time with the sender."""
        ...


@dataclass
class Flood:
    """Sends all first mails and a reply to each of the first acknowledgements that come back."""

    source: Door
    sink: Sink
    firsts: Sequence[Mail]
    replies: int
    sessions: int = 20
    name: str = "reply"

    def __post_init__(self) -> None:
        self._writer = Writer(random.Random(7), run=self.name)
        self._waiting: asyncio.Queue[Mail] = asyncio.Queue()
        self._senders = {mail.sender for mail in self.firsts}
        self._replied = 0
        self.acknowledged: dict[str, float] = {}
        self.began_at = 0.0

    async def run(self) -> float:
        """Return when all is accepted and acknowledged; time of the last acknowledgement."""
        for mail in self.firsts:
            self._waiting.put_nowait(mail)
        self.sink.verdict = self._look
        wanted = len(self.source.accepted) + len(self.firsts) + self.replies
        self.began_at = time.time()
        workers = [asyncio.create_task(self._send()) for _ in range(self.sessions)]
        done = await self.sink.wait_until(
            lambda: len(self.acknowledged) == len(self.firsts), within_s=WITHIN_S
        )
        async with asyncio.timeout(WITHIN_S):
            while len(self.source.accepted) < wanted:  # noqa: ASYNC110 - a bench, not a program
                await asyncio.sleep(0.005)
        for worker in workers:
            worker.cancel()
        if not done:
            raise TimeoutError(f"{len(self.acknowledged)} of {len(self.firsts)} acknowledged")
        return max(self.acknowledged.values())

    async def _send(self) -> None:
        while True:
            await self.source.deliver(await self._waiting.get())

    def _look(self, mail: Delivery) -> str:
        if mail.recipient in self._senders and mail.recipient not in self.acknowledged:
            self.acknowledged[mail.recipient] = mail.at
            if self._replied < self.replies:
                self._replied += 1
                self._waiting.put_nowait(self._reply(mail))
        return OK

    def _reply(self, mail: Delivery) -> Mail:
        return self._writer.reply(
            mail.recipient,
            mail.header("Reply-To"),
            mail.header("Subject"),
            "Thank you, we got your mail.\nIts number is above.",
            **{"In-Reply-To": f"<{mail.message_id}>"},
        )


async def accept_rate(source: Source, mails: Sequence[Mail], *, sessions: int = 20) -> float:
    """Mails a second that a server accepts from so many sessions."""
    left = iter(mails)

    async def session() -> None:
        for mail in left:
            await source.deliver(mail)

    began = time.perf_counter()
    await asyncio.gather(*(session() for _ in range(sessions)))
    return len(mails) / (time.perf_counter() - began)


@dataclass
class Turns:
    """One mail at a time on an idle desk: how long until somebody else has an answer to it."""

    source: Source
    sink: Sink
    _writer: Writer = field(default_factory=lambda: Writer(random.Random(11), run="idle"))

    async def acknowledgement(self, number: int) -> float:
        """Seconds from the 250 of a new mail to its acknowledgement at the sink."""
        customer = f"idle.customer{number:04}@people.example"
        mail = self._writer.plain(customer, [SUPPORT])
        await self.source.deliver(mail)
        arrived = await self._arrival(customer, "acknowledgement")
        return arrived.at - self.source.accepted[mail.id]

    async def answer(self, number: int) -> float:
        """Seconds from the 250 of an agent's answer to that mail's ticket to the customer."""
        customer = f"idle.customer{number:04}@people.example"
        acknowledged = await self._arrival(customer, "acknowledgement")
        notice = await self._arrival("", "assigned", ticket_id=_ticket_of(acknowledged))
        mail = self._writer.written(
            notice.recipient,
            [notice.header("Reply-To")],
            "Good morning,\n\na technician is on the way.\n",
            kind="agent-answer",
            Subject=f"Re: {notice.header('Subject')}",
        )
        await self.source.deliver(mail)
        arrived = await self._arrival(customer, "reply")
        return arrived.at - self.source.accepted[mail.id]

    async def _arrival(self, recipient: str, reason: str, *, ticket_id: str = "") -> Delivery:
        def found() -> Delivery | None:
            return next(
                (
                    mail
                    for mail in reversed(self.sink.taken)
                    if (not recipient or mail.recipient == recipient)
                    and mail.header("X-Postdesk-Reason") == reason
                    and (not ticket_id or _ticket_of(mail) == ticket_id)
                ),
                None,
            )

        await self.sink.wait_until(lambda: found() is not None, within_s=30)
        mail = found()
        if mail is None:
            raise TimeoutError(f"no {reason} for {recipient or ticket_id}")
        return mail


def _ticket_of(mail: Delivery) -> str:
    return mail.header("X-Postdesk-Event").rpartition(".")[0]
