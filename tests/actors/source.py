"""Sends mails as a mail server does: it keeps each until somebody has answered for it."""

import asyncio
import random
import time
from collections.abc import Iterable
from dataclasses import dataclass

from deploy.local.ports import split_address
from tests.actors.ledger import Ledger
from tests.actors.mails import Mail
from tests.actors.smtp_client import Connection, NoReplyError, NotConnectedError, Reply


@dataclass(frozen=True)
class Attempt:
    """One try at one mail; times in seconds since 1970, code 0 where there was no reply."""

    id: str
    number: int
    begun: float
    ended: float
    outcome: str  # 250, 4xx, 5xx, noreply, connfail
    code: int
    text: str


class Source:
    """A pool of SMTP sessions; on 4xx, a lost connection or silence the same bytes come again."""

    def __init__(
        self,
        smtp: str,
        *,
        sessions: int = 10,
        ledger: Ledger | None = None,
        chance: random.Random | None = None,
        pause_s: tuple[float, float] = (1.0, 3.0),
    ) -> None:
        self._where = split_address(smtp)
        self._slots = asyncio.Semaphore(sessions)
        self._idle: list[Connection] = []
        self._ledger = ledger
        self._chance = chance or random.Random(0)
        self._pause_s = pause_s
        self.accepted: dict[str, float] = {}
        """Time of the 250 by ledger id, seconds since 1970."""
        self.refused: dict[str, Reply] = {}
        """What was refused for good, by ledger id."""
        self.attempts: list[Attempt] = []

    @property
    def tries(self) -> int:
        """How often a mail was tried."""
        return len(self.attempts)

    async def deliver(self, mail: Mail) -> Reply:
        """Return the reply that ends the mail's time here: 250, or a refusal for good."""
        number = 0
        while True:
            number += 1
            reply = await self._try(mail, number)
            if reply is not None and reply.is_final:
                return reply
            await asyncio.sleep(self._chance.uniform(*self._pause_s))

    async def deliver_all(self, mails: Iterable[Mail], *, every_s: float = 0.0) -> None:
        """Deliver all, at most one begun each ``every_s``; returns when each has its answer."""
        begun = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for number, mail in enumerate(mails):
                await asyncio.sleep(max(0.0, begun + number * every_s - time.monotonic()))
                group.create_task(self.deliver(mail))

    def close(self) -> None:
        """Cut what is open."""
        while self._idle:
            self._idle.pop().close()

    async def _try(self, mail: Mail, number: int) -> Reply | None:
        async with self._slots:
            begun = time.time()
            reply, outcome = await self._transact(mail)
        ended = time.time()
        code, text = (reply.code, reply.text) if reply else (0, "")
        attempt = Attempt(mail.id, number, begun, ended, outcome, code, text)
        self.attempts.append(attempt)
        if self._ledger:
            row = {"id": mail.id, "try": number, "t0": begun, "t1": ended}
            self._ledger.write(**row, outcome=outcome, code=code, text=text)
        if reply and reply.code < 400:
            self.accepted.setdefault(mail.id, ended)
        elif reply and reply.is_final:
            self.refused[mail.id] = reply
        return reply

    async def _transact(self, mail: Mail) -> tuple[Reply | None, str]:
        connection = None
        try:
            connection = self._idle.pop() if self._idle else await Connection.open(*self._where)
            reply = await connection.deliver(mail.envelope_from, mail.recipients, mail.raw)
        except NotConnectedError:
            return None, "connfail"
        except NoReplyError:
            if connection:
                connection.close()
            return None, "noreply"
        if reply.code == 421:  # RFC 5321, 3.8: the server closes
            connection.close()
        else:
            self._idle.append(connection)
        return reply, str(reply.code) if reply.code == 250 else f"{reply.code // 100}xx"
