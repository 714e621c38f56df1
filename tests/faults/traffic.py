"""The mails of a ledger run: who writes what, when, and who answers whom."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from itertools import chain

from tests.actors.mails import Mail, Writer
from tests.actors.sink import Delivery, Sink
from tests.actors.source import Source

SUPPORT, BILLING = "support@desk.example", "billing@desk.example"
ANSWER_WITHIN_S = 100.0


class NeverCameError(Exception):
    """The mail that somebody wanted to answer did not arrive."""


@dataclass(frozen=True)
class Mix:
    """How many of each; 300 in all."""

    new: int = 130
    html: int = 25
    attached: int = 15
    two_mailboxes: int = 8
    same_id: int = 8  # a further mail under a Message-ID that was used before
    auto_reply: int = 12
    unparseable: int = 5
    sent_again: int = 17
    replies: int = 60
    agent_answers: int = 20

    @property
    def total(self) -> int:
        """All of them."""
        return sum(vars(self).values())


@dataclass
class Traffic:
    """Sends the mix through a source and answers what arrives at the sink."""

    source: Source
    sink: Sink
    chance: random.Random
    mix: Mix = field(default_factory=Mix)
    every_s: float = 0.2
    sent: list[Mail] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    """What could not be played because the mail that it answers never came."""

    def __post_init__(self) -> None:
        self._writer = Writer(self.chance, run=f"r{self.chance.randrange(10**6)}")
        self._customers = (f"customer{n:03}@people.example" for n in range(1, 10_000))

    async def play(self) -> None:
        """Return when every mail has its 250, or its reason not to be sent."""
        plain, others, same_id = self._first_mails()
        firsts = [*plain, *others, *same_id]
        self.chance.shuffle(firsts)
        again = {mail.id for mail in self.chance.sample(firsts, self.mix.sent_again)}
        answered = plain[: self.mix.replies + self.mix.agent_answers]
        replied, for_agents = answered[: self.mix.replies], answered[self.mix.replies :]
        async with asyncio.TaskGroup() as group:
            self.sent += firsts
            for number, mail in enumerate(firsts):
                sending = self._send(mail, after_s=number * self.every_s, twice=mail.id in again)
                group.create_task(sending)
            for play, mails in ((self._reply, replied), (self._answer_as_agent, for_agents)):
                for mail in mails:
                    group.create_task(self._or_note(play, mail))

    def _first_mails(self) -> tuple[list[Mail], list[Mail], list[Mail]]:
        write, mix = self._writer, self.mix
        plain = [write.plain(next(self._customers), [SUPPORT]) for _ in range(mix.new)]
        others = chain(
            (write.html(next(self._customers), [SUPPORT]) for _ in range(mix.html)),
            (
                write.attached(next(self._customers), [BILLING], size=20_000)
                for _ in range(mix.attached)
            ),
            (
                write.plain(next(self._customers), [SUPPORT, BILLING], kind="two-mailboxes")
                for _ in range(mix.two_mailboxes)
            ),
            (write.auto_reply(next(self._customers), [SUPPORT]) for _ in range(mix.auto_reply)),
            (write.unparseable(next(self._customers), [SUPPORT]) for _ in range(mix.unparseable)),
        )
        used = plain[-mix.same_id :]
        same_id = [
            write.plain(m.sender, [SUPPORT], kind="same-id", message_id=m.message_id) for m in used
        ]
        return plain, list(others), same_id

    async def _send(self, mail: Mail, *, after_s: float, twice: bool) -> None:
        """Twice: as a sender that has not seen the 250, with the same bytes."""
        await asyncio.sleep(after_s)
        await self.source.deliver(mail)
        if twice:
            await asyncio.sleep(self.chance.uniform(0, 5))
            await self.source.deliver(mail)

    async def _or_note(self, play: Callable[[Mail], Awaitable[None]], mail: Mail) -> None:
        try:
            await play(mail)
        except NeverCameError as error:
            self.unanswered.append(str(error))

    async def _reply(self, first: Mail) -> None:
        """A customer answers the acknowledgement, at the address that it came with."""
        got = await self._arrived(first.sender, "acknowledgement")
        await self._answer(got, self._writer.reply(first.sender, got.header("Reply-To"), got.header("Subject"), "We got your mail.", **{"In-Reply-To": f"<{got.message_id}>"}))  # fmt: skip

    async def _answer_as_agent(self, first: Mail) -> None:
        """The agent who was told answers the notice."""
        acknowledgement = await self._arrived(first.sender, "acknowledgement")
        notice = await self._arrived("", "assigned", ticket_id=_ticket_of(acknowledgement))
        text = f"Good morning,\n\nwe are on it and call you about {first.id}.\n"
        mail = self._writer.written(notice.recipient, [notice.header("Reply-To")], text, kind="agent-answer", Subject=f"Re: {notice.header('Subject')}")  # fmt: skip
        await self._answer(notice, mail)

    async def _answer(self, got: Delivery, mail: Mail) -> None:
        mail = replace(mail, ticket_id=_ticket_of(got))
        self.sent.append(mail)
        await self.source.deliver(mail)

    async def _arrived(self, recipient: str, reason: str, *, ticket_id: str = "") -> Delivery:
        def found() -> Delivery | None:
            return next(
                (
                    mail
                    for mail in self.sink.taken
                    if (not recipient or mail.recipient == recipient)
                    and mail.header("X-Postdesk-Reason") == reason
                    and (not ticket_id or _ticket_of(mail) == ticket_id)
                ),
                None,
            )

        await self.sink.wait_until(lambda: found() is not None, within_s=ANSWER_WITHIN_S)
        mail = found()
        if mail is None:
            raise NeverCameError(f"no {reason} for {recipient or ticket_id}")
        return mail


def _ticket_of(mail: Delivery) -> str:
    return mail.header("X-Postdesk-Event").rpartition(".")[0]
