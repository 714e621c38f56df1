"""The mails of a ledger run: who writes what, when, and who answers whom."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from tests.actors.arrivals import Arrivals, NeverCameError, ticket_of
from tests.actors.mails import Mail, Writer
from tests.actors.moods import GONE
from tests.actors.sink import Delivery, Sink
from tests.actors.source import Source
from tests.faults.mix import Mix

SUPPORT, BILLING = "support@desk.example", "billing@desk.example"
AGENT = "ana@desk-team.example"
MAX_BYTES = 6 * 1024 * 1024
"""The largest mail that the desk of a run takes."""
AT_ONCE = 12
"""So many new mails come before anything goes wrong."""
LOOK_S = 0.05
BIG_BYTES = (700_000, 3_500_000)  # 1 to 5 MB as base64


@dataclass
class Traffic:
    """Sends the mix through a source, and answers what arrives at the sink.

    ``progress`` says how much of the run is over, from 0 to 1: new mail comes as it goes on.
    """

    source: Source
    sink: Sink
    chance: random.Random
    mix: Mix
    progress: Callable[[], float]
    sent: list[Mail] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    """What could not be played because the mail that it answers never came."""

    def __post_init__(self) -> None:
        self._writer = Writer(self.chance, run=f"r{self.chance.randrange(10**6)}")
        self._numbers = iter(range(1, 100_000))
        self._unsent = 0
        self.arrivals = Arrivals(self.sink)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being sent, so that only what arrives can lead to more."""
        return not self._unsent

    async def play(self) -> None:
        """Return when every mail has its 250, or its reason not to be sent."""
        plain = [self._writer.plain(self._customer(), [SUPPORT]) for _ in range(self.mix.plain)]
        firsts = [*plain, *self._other_mails(), *self._same_ids(plain)]
        self.chance.shuffle(firsts)
        taken = [mail for mail in firsts if mail.kind != "oversize"]
        again = {mail.id for mail in self.chance.sample(taken, self.mix.sent_again)}
        self.sent += firsts
        self._unsent = len(firsts)
        places = sorted(self.chance.random() for _ in firsts)
        async with asyncio.TaskGroup() as group:
            for play, mail in self._answers(plain):
                group.create_task(self._or_note(play, mail))
            for mail, place in zip(firsts, [0.0] * AT_ONCE + places[AT_ONCE:], strict=True):
                while self.progress() < place:  # noqa: ASYNC110 - another thread is what goes on
                    await asyncio.sleep(LOOK_S)
                group.create_task(self._send(mail, twice=mail.id in again))

    def _answers(
        self, plain: Sequence[Mail]
    ) -> list[tuple[Callable[[Mail], Awaitable[None]], Mail]]:
        """Who answers which acknowledgement: customers, agents, and one who only says so."""
        mix, left = self.mix, iter(plain)
        plays = [(self._reply, mix.replies), (self._answer_as_agent, mix.agent_answers), (self._spoof, mix.spoofed)]  # fmt: skip
        return [(play, next(left)) for play, count in plays for _ in range(count)]

    def _other_mails(self) -> list[Mail]:
        write, mix = self._writer, self.mix
        kinds: list[tuple[int, Callable[[], Mail]]] = [
            (mix.html, lambda: write.html(self._customer(), [SUPPORT])),
            (mix.attached, lambda: write.attached(self._customer(), [BILLING], size=20_000)),
            (mix.two_mailboxes, lambda: write.plain(self._customer(), [SUPPORT, BILLING], kind="two-mailboxes")),
            (mix.gone, lambda: write.plain(self._customer(GONE), [SUPPORT], kind="gone")),
            (mix.unparseable, lambda: write.unparseable(self._customer(), [SUPPORT])),
            (mix.bombs, lambda: write.bomb(self._customer(), [SUPPORT])),
            (mix.auto_replies, lambda: write.auto_reply(self._customer(), [SUPPORT])),
            (mix.list_mails, lambda: write.list_mail(self._customer("list"), [SUPPORT])),
            (mix.bounces, lambda: write.bounce(self._customer("mailer-daemon"), [SUPPORT])),
            (mix.big, lambda: write.attached(self._customer(), [SUPPORT], size=self.chance.randint(*BIG_BYTES), kind="big")),
            (mix.oversize, lambda: write.attached(self._customer(), [SUPPORT], size=MAX_BYTES, kind="oversize")),
        ]  # fmt: skip
        return [make() for count, make in kinds for _ in range(count)]

    def _same_ids(self, plain: Sequence[Mail]) -> list[Mail]:
        used = plain[-self.mix.same_id :]
        return [
            self._writer.plain(m.sender, [SUPPORT], kind="same-id", message_id=m.message_id)
            for m in used
        ]

    def _customer(self, name: str = "customer") -> str:
        return f"{name}{next(self._numbers):05}@people.example"

    async def _send(self, mail: Mail, *, twice: bool) -> None:
        """Twice: as a sender that has not seen the 250, with the same bytes."""
        await self.source.deliver(mail)
        if twice:
            await asyncio.sleep(self.chance.uniform(0, 5))
            await self.source.deliver(mail)
        self._unsent -= 1

    async def _or_note(self, play: Callable[[Mail], Awaitable[None]], mail: Mail) -> None:
        try:
            await play(mail)
        except NeverCameError as error:
            self.unanswered.append(str(error))

    async def _acknowledged(self, first: Mail) -> Delivery:
        return await self.arrivals.to(first.sender, "acknowledgement")

    async def _reply(self, first: Mail) -> None:
        """A customer answers the acknowledgement, at the address that it came with."""
        got = await self._acknowledged(first)
        await self._answer(got, self._writer.reply(first.sender, got.header("Reply-To"), got.header("Subject"), "We got your mail.", **{"In-Reply-To": f"<{got.message_id}>"}))  # fmt: skip

    async def _answer_as_agent(self, first: Mail) -> None:
        """The agent who was told answers the notice."""
        ticket_id = ticket_of(await self._acknowledged(first))
        notice = await self.arrivals.about(ticket_id, "assigned")
        text = f"Good morning,\n\nwe are on it and call you about {first.id}.\n"
        mail = self._writer.written(notice.recipient, [notice.header("Reply-To")], text, kind="agent-answer", Subject=f"Re: {notice.header('Subject')}")  # fmt: skip
        await self._answer(notice, mail)

    async def _spoof(self, first: Mail) -> None:
        """Somebody with a customer's reply address says that he is an agent."""
        got = await self._acknowledged(first)
        text = f"Please pay to my own account from now on. {first.id}\n"
        await self._answer(got, self._writer.written(AGENT, [got.header("Reply-To")], text, kind="spoofed"))  # fmt: skip

    async def _answer(self, got: Delivery, mail: Mail) -> None:
        mail = replace(mail, ticket_id=ticket_of(got))
        self.sent.append(mail)
        self._unsent += 1
        await self.source.deliver(mail)
        self._unsent -= 1
