"""One function for each topic that tickets reads: load, decide in order, save at once."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from services.tickets import mails
from services.tickets.batch import Batch
from services.tickets.claims import Claims
from services.tickets.commands import Claim, asked_by, decide_command, open_ticket, result_of
from services.tickets.documents import Cause
from services.tickets.domain import forms, threading
from services.tickets.domain.decide_clock import decide_clock
from services.tickets.domain.decide_delivery import decide_delivery
from services.tickets.domain.decide_mail import read_again
from services.tickets.domain.facts import Facts
from services.tickets.domain.order import Decision
from services.tickets.domain.routing import wants_loads
from services.tickets.domain.routing_rules import route
from services.tickets.mail_commands import asking, confirming, explaining, receipts
from services.tickets.mail_commands.interpret import Show
from services.tickets.mongo_store import directory_entry
from services.tickets.new_words import NewWords
from services.tickets.store import OPEN, Store
from shared import metrics
from shared.bus import Received
from shared.clock import Clock
from shared.config.loading import LoadedDesk
from shared.config.people import Agent
from shared.contracts import topics
from shared.contracts.commands import MoveToTeam, OpenTicket
from shared.contracts.delivery import MailSent
from shared.contracts.directory import Account, Contact
from shared.contracts.mail import MailReceived
from shared.contracts.requests import AnswerMail
from shared.mongo import Document
from shared.senders import names_of

Records = Sequence[Received[Any]]
MOST_LISTED = 200
"""So many tickets of an agent at most are looked at for the answer to their `#away`."""


@dataclass(frozen=True)
class Handlers:
    """Each handler stores all effects of its batch or none, and the same batch twice is silent.

    ``own_ticket_of`` knows the desk's own Message-IDs; ``wake`` tells the relays of new rows.
    """

    store: Store
    clock: Clock
    desk: LoadedDesk
    own_ticket_of: Callable[[str], str | None]
    wake: Callable[[], None]

    async def file_mails(self, records: Records) -> None:
        """File each mail under its ticket, or open one; run what agents' mails ask for."""
        records = [_folded(one) for one in records]
        again = [one for one in records if one.meta.id != one.record.inbound_id]
        if again:
            await self._file_again(again)
            records = [one for one in records if one not in again]
        records = await NewWords(self.store, self.desk.desk, self.own_ticket_of).of(records)
        # Most mails are fresh, so what they need is loaded while that is being asked.
        with metrics.stage("load"):
            fresh, batch = await asyncio.gather(
                self._fresh(records), self._load_for_mails([one.record for one in records])
            )
        if not fresh:
            return
        claims = Claims(self.store, batch)
        await claims.foresee([one.record for one in fresh])
        for one in fresh:
            mail: MailReceived = one.record
            cause = Cause.of(one.meta)
            batch.mark(_mark(one))
            placement = mails.placement_of(batch, mail)
            if placement.course in mails.AGENT_COURSES:
                slot = await claims.slot_of_move(mail)
                shows = mails.run_by_agent(batch, mail, placement, cause, slot)
                await self._show(batch, mail, shows, cause)
            else:
                claim = await claims.of(mail) if mails.opens_ticket(placement) else None
                mails.file_by_customer(batch, mail, placement, cause, claim)
        await self._commit(batch)

    async def _file_again(self, records: Records) -> None:
        """Replace what could not be read of mails that were taken out of quarantine."""
        fresh = await self._fresh(records)
        filed = await self.store.unreadable([one.record.inbound_id for one in fresh])
        ids = {ticket_id for ticket_id, _ in filed.values()}
        batch = Batch(await self.facts(), tickets=await self.store.tickets(ids))
        for one in fresh:
            mail: MailReceived = one.record
            batch.mark(_mark(one))
            ticket_id, number = filed.get(mail.inbound_id, ("", 0))
            ticket = batch.ticket(ticket_id)
            if ticket and number and not mail.unreadable:
                batch.keep(read_again(ticket, mail, number, batch.facts), Cause.of(one.meta))
        if fresh:
            await self._commit(batch)

    async def run_commands(self, records: Records) -> None:
        """Run systems' commands and answer each one on ``command-results``."""
        fresh = await self._fresh(records)
        if not fresh:
            return
        ids = {one.record.ticket_id for one in fresh if not isinstance(one.record, OpenTicket)}
        openings = [one.record for one in fresh if isinstance(one.record, OpenTicket)]
        batch = Batch(
            await self.facts(),
            tickets=await self.store.tickets(ids),
            people=await self.store.people([command.requester for command in openings]),
        )
        claims = Claims(self.store, batch)
        for one in fresh:
            batch.mark(_mark(one))
            decision = await self._decide(batch, claims, one)
            if decision and decision.is_accepted:
                batch.keep(decision.story, Cause.of(one.meta))
            _report(batch, one, decision)
        await self._commit(batch)

    async def note_clocks(self, records: Records) -> None:
        """Note what sla's clocks say and decide whether it is a breach."""
        await self._note(records, decide_clock)

    async def note_deliveries(self, records: Records) -> None:
        """Remember what was sent, and show on the ticket what did not arrive."""
        sent = [_sent_row(one) for one in records if isinstance(one.record, MailSent)]
        await self.store.note_sent([row for row in sent if row["ticket_id"]])
        troubles = [one for one in records if not isinstance(one.record, MailSent)]
        await self._note(troubles, decide_delivery)

    async def keep_directory(self, records: Records) -> None:
        """Keep contacts and accounts as the topic last told them."""
        entries: dict[str, Document | None] = {}
        for one in records:
            if one.record is None:
                entries[one.key] = None
            elif isinstance(one.record, Contact | Account):
                entries[one.record.key] = directory_entry(one.record)
        await self.store.keep_directory(entries)

    async def facts(self) -> Facts:
        """The world as it is now."""
        desk = self.desk.desk
        loads = {}
        if wants_loads(desk):
            loads = await self.store.open_loads(list(desk.agents_by_address))
        absences = await self.store.absences(list(desk.agents_by_address))
        return Facts(self.clock.now(), desk, self.desk.digest, loads, absences)

    async def _fresh(self, records: Records) -> Records:
        """The records that were not handled before, each once."""
        by_mark = {_mark(one): one for one in reversed(records)}
        known = await self.store.handled(by_mark) if by_mark else set()
        return [one for one in records if by_mark[_mark(one)] is one and _mark(one) not in known]

    async def _load_for_mails(self, received: Sequence[MailReceived]) -> Batch:
        traces = {trace for mail in received for trace in threading.traces(mail)}
        own = {trace: self.own_ticket_of(trace) for trace in traces}
        foreign = {trace for trace, ticket_id in own.items() if ticket_id is None}
        foreign |= {mail.message_id for mail in received if mail.message_id}
        senders = {name for mail in received for name in names_of(mail.from_addr)}
        facts, barred, owners, people = await asyncio.gather(
            self.facts(),
            self.store.barred(senders),
            self.store.owners(foreign),
            self.store.people([mail.from_addr for mail in received if mail.from_addr]),
        )
        facts.barred.update(barred)
        ids = {*own.values(), *owners.values()} - {None}
        ids |= {tag for mail in received for tag in threading.tagged(mail.subject)}
        ids |= {mail.token.ticket_id for mail in received if mail.token and mail.token.ticket_id}
        agents = facts.desk.agents_by_address
        steered = {
            mail.token.ticket_id
            for mail in received
            if mail.token and mail.token.ticket_id and mail.from_addr in agents
        }
        tickets, drafts = await asyncio.gather(
            self.store.tickets({name for name in ids if name}), self.store.drafts(steered)
        )
        return Batch(
            facts,
            tickets=tickets,
            owners=owners,
            own_ticket_of=self.own_ticket_of,
            people=people,
            drafts=drafts,
        )

    async def _show(
        self, batch: Batch, mail: MailReceived, shows: Collection[Show], cause: Cause
    ) -> None:
        for show in shows:
            agent = batch.facts.desk.agents_by_address[mail.from_addr]
            if show.what == "away":
                await self._confirm_absence(batch, mail, agent, cause)
                continue
            messages, events = await self.store.conversation(show.ticket_id)
            said, happened = batch.pending(show.ticket_id)
            history = asking.History([*messages, *said], [*events, *happened])
            history = history.until(show.until or batch.facts.now)
            state = history.events[-1].state if history.events else None
            text = f"There is no ticket {show.ticket_id}."
            if state:
                now = show.until or batch.facts.now
                if show.what == "sla":
                    text = explaining.sla_text(state, now, agent, batch.facts.desk)
                else:
                    text = asking.show_text(state, history, agent, batch.facts.desk, now)
            answer = receipts.answer(
                mail, agent, kind=show.what, title=show.ticket_id, text=text, state=state
            )
            _answer(batch, answer, cause)

    async def _confirm_absence(
        self, batch: Batch, mail: MailReceived, agent: Agent, cause: Cause
    ) -> None:
        stored = await self.store.assigned_to(agent.address, OPEN, MOST_LISTED)
        theirs = [batch.ticket(name) or one.ticket for name, one in stored.items()]
        states = [ticket.state for ticket in theirs if ticket.state.assignee == agent.address]
        text = confirming.absence_text(agent, states, batch.facts)
        title = confirming.absence_title(agent, batch.facts)
        _answer(batch, receipts.answer(mail, agent, kind="away", title=title, text=text), cause)

    async def _decide(self, batch: Batch, claims: Claims, one: Received[Any]) -> Decision | None:
        command = one.record
        if isinstance(command, OpenTicket):
            who = batch.people.who(command.requester)
            team = route(asked_by(command, who, batch.facts), batch.facts.desk).team
            claim = await claims.of_command(one.meta.id, team)
            return open_ticket(command, who, claim, batch.facts)
        ticket = batch.ticket(command.ticket_id)
        if ticket is None:
            return None
        claim = Claim()
        if isinstance(command, MoveToTeam):
            claim = Claim(slot=await claims.slot(one.meta.id, command.team))
        return decide_command(ticket, command, claim, batch.facts)

    async def _note(self, records: Records, decide: Callable[..., Any]) -> None:
        fresh = [one for one in await self._fresh(records) if one.record.ticket_id]
        if not fresh:
            return
        facts = await self.facts()
        ids = {one.record.ticket_id for one in fresh}
        batch = Batch(facts, tickets=await self.store.tickets(ids))
        for one in fresh:
            ticket = batch.ticket(one.record.ticket_id)
            batch.mark(_mark(one))
            if ticket:
                batch.keep(decide(ticket, one.record, facts), Cause.of(one.meta))
        await self._commit(batch)

    async def _commit(self, batch: Batch) -> None:
        changes = batch.changes()
        with metrics.stage("commit"):
            await self.store.commit(changes)
        self.wake()


def _folded(one: Received[Any]) -> Received[Any]:
    """The mail with who wrote it as its sender, in lower case, as addresses are compared here."""
    mail = forms.as_written(one.record)
    sender = mail.from_addr
    if sender != sender.lower():
        mail = mail.model_copy(update={"from_addr": sender.lower()})
    return one if mail is one.record else replace(one, record=mail)


def _mark(one: Received[Any]) -> str:
    return f"{one.topic}:{one.meta.id}"


def _answer(batch: Batch, answer: AnswerMail, cause: Cause) -> None:
    """Have a mail sent to an agent."""
    batch.send(
        answer, topic=topics.MAIL_REQUESTS, key=answer.to, name=answer.request_id, cause=cause
    )


def _report(batch: Batch, one: Received[Any], decision: Decision | None) -> None:
    """Answer a command."""
    cause = Cause.of(one.meta)
    batch.send(
        result_of(one.record, one.meta.id, decision),
        topic=topics.COMMAND_RESULTS,
        key=cause.correlation_id,
        name=f"{one.meta.id}.result",
        cause=cause,
    )


def _sent_row(one: Received[MailSent]) -> dict[str, Any]:
    sent = one.record
    relayed = sent.relay_message_id
    return {
        "_id": sent.outgoing_id,
        "ticket_id": sent.ticket_id,
        "kind": sent.kind,
        "recipient": sent.recipient,
        "message_id": sent.message_id,
        "relay_message_id": relayed if relayed != sent.message_id else "",
        "text_blob": sent.text_blob,
        "at": sent.at,
    }
