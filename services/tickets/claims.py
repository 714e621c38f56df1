"""What new tickets need of their own: numbers, and turns in the rotations of teams."""

import asyncio
from collections.abc import Sequence

from services.tickets import mails
from services.tickets.batch import Batch
from services.tickets.commands import Claim
from services.tickets.store import Store
from shared.contracts.mail import MailReceived


class Claims:
    """Numbers and turns for the new tickets of a batch, claimed outside its transaction."""

    def __init__(self, store: Store, batch: Batch) -> None:
        self._store = store
        self._batch = batch
        self._slots: dict[str, int] = {}
        self._numbers: list[int] = []

    async def foresee(self, received: Sequence[MailReceived]) -> None:
        """Claim in one go what the mails will need as far as can be seen beforehand."""
        placements = [(mail, mails.placement_of(self._batch, mail)) for mail in received]
        opening = [mail for mail, place in placements if mails.opens_ticket(place)]
        wanted = {
            mail.inbound_id: self._batch.route_of(mail).team
            for mail in opening
            if mail.bounce is None
        }
        self._slots, numbers = await asyncio.gather(
            self._store.claim_slots(wanted, self._batch.facts.now),
            self._store.claim_numbers(len(opening)),
        )
        self._numbers = numbers[::-1]

    async def of(self, mail: MailReceived) -> tuple[str, int]:
        """The number and the turn of a new ticket."""
        team = self._batch.route_of(mail).team
        slot = 0 if mail.bounce else await self.slot(mail.inbound_id, team)
        return await self._number(), slot

    async def of_command(self, name: str, team: str) -> Claim:
        """The same for a command with this id."""
        return Claim(await self._number(), await self.slot(name, team))

    async def slot(self, name: str, team: str) -> int:
        """The turn in a team's rotation."""
        if name not in self._slots:
            self._slots |= await self._store.claim_slots({name: team}, self._batch.facts.now)
        return self._slots[name]

    async def slot_of_move(self, mail: MailReceived) -> int:
        """The turn for a ticket that an agent's mail moves to another team."""
        team = mails.wanted_team(self._batch, mail)
        return await self.slot(mail.inbound_id, team) if team else 0

    async def _number(self) -> str:
        if not self._numbers:
            self._numbers = await self._store.claim_numbers(1)
        return f"T-{self._numbers.pop()}"
