"""What absent agents have is given to colleagues when their absence begins."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from services.tickets.batch import Batch
from services.tickets.documents import Cause
from services.tickets.domain.absence import absence_of
from services.tickets.domain.facts import Absence, Facts
from services.tickets.domain.rerouting import NEEDS_SOMEBODY, reroute
from services.tickets.domain.story import Story
from services.tickets.store import Store
from shared.bus import TransientError
from shared.bus.lease import Lease

AT_ONCE = 100
SETTLED_AFTER = timedelta(seconds=30)
"""A batch that looked at the agents before an absence began has ended by then, so that nothing is
given to the absent agent any more unless somebody means it."""


class Handovers:
    """Each absence is handed over once.

    The lease only saves double work: of two processes that give away one ticket one succeeds,
    because it is stored at the version that was read.
    """

    def __init__(
        self,
        *,
        store: Store,
        facts: Callable[[], Awaitable[Facts]],
        lease: Lease,
        wake: Callable[[], None],
    ) -> None:
        """``facts`` gives the world as it is now; ``wake`` tells the relays of new rows."""
        self._store = store
        self._facts = facts
        self._lease = lease
        self._wake = wake

    async def run(self) -> None:
        """Hand over what agents have whose absence has begun; the same again is silent."""
        if not await self._lease.is_held():
            return
        facts = await self._facts()
        agents = facts.desk.agents
        begun = {_name(found): found for agent in agents if (found := absence_of(agent, facts))}
        done = await self._store.handed_over(begun) if begun else set()
        for name, absence in begun.items():
            if name in done:
                continue
            try:
                while await self._hand_over_some(name, absence):
                    pass
            except TransientError:
                return  # a ticket was changed meanwhile: the next look finds it as it is then
            if facts.now >= absence.since + SETTLED_AFTER:
                await self._store.note_handed_over(name, absence.until)

    async def _hand_over_some(self, name: str, absence: Absence) -> int:
        """Give away up to a batch of tickets; give how many were found."""
        found = await self._store.assigned_to(absence.agent, NEEDS_SOMEBODY, AT_ONCE)
        if not found:
            return 0
        facts = await self._facts()
        wanted = {f"{name}:{key}": one.ticket.state.team for key, one in found.items()}
        slots = await self._store.claim_slots(wanted, facts.now)
        batch = Batch(facts, tickets=found)
        cause = Cause(name, absence.said_in or name)
        for key, one in found.items():
            story = Story(one.ticket, facts, "system:absence")
            reroute(story, slots[f"{name}:{key}"])
            batch.keep(story, cause)
        changes = batch.changes()
        if not changes.events:
            return 0  # the agent is back meanwhile
        await self._store.commit(changes)
        self._wake()
        return len(found)


def _name(absence: Absence) -> str:
    """Unique for agent and beginning."""
    return f"absence:{absence.agent}:{absence.since:%Y%m%dT%H%M%S}"
