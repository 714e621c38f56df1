"""Typed commands of systems: the agents' words, asked for over the bus."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from services.tickets.domain import routing, routing_rules
from services.tickets.domain.built import built
from services.tickets.domain.decide_order import decide_order
from services.tickets.domain.facts import Actor, Facts, Person
from services.tickets.domain.opening import assign_by_route, questions_to
from services.tickets.domain.order import Act, Decision, Letter, Order, Refusal
from services.tickets.domain.permissions import is_allowed
from services.tickets.domain.routing_rules import Question, Route
from services.tickets.domain.story import Story
from services.tickets.domain.ticket import Ticket
from services.tickets.mail_commands.arguments import Problem, Reader
from services.tickets.mail_commands.words import BY_NAME, in_effect_order
from shared.contracts import commands as contract
from shared.contracts import ticket as ticket_contract
from shared.contracts.base import Attachment
from shared.contracts.commands import TicketCommand
from shared.contracts.ticket_state import Message, TicketState

Asked = tuple[str, str]
"""A word and what would stand after it in a mail."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a new ticket, or one that changes team, needs: its number and a turn."""

    number: str = ""
    slot: int = 0


def decide_command(ticket: Ticket, command: TicketCommand, claim: Claim, facts: Facts) -> Decision:
    """Say what follows from a command to a ticket."""
    story = Story(ticket, facts, command.actor)
    actor = actor_of(command, facts)
    if isinstance(actor, Refusal):
        return Decision(story, [actor])
    acts, refusals = _acts(command, Reader(actor, facts))
    if refusals:
        return Decision(story, refusals)
    text = command.text if isinstance(command, contract.Reply | contract.Note) else ""
    order = Order(
        actor=actor,
        acts=in_effect_order(acts),
        letter=Letter(text=text, attachments=_files(command)),
        accepted_at=facts.now,
        kind="note" if isinstance(command, contract.Note) else "public",
        slot=claim.slot,
    )
    return decide_order(ticket, order, facts)


def open_ticket(command: contract.OpenTicket, who: Person, claim: Claim, facts: Facts) -> Decision:
    """Open a ticket for a requester who did not write a mail."""
    story = Story(None, facts, command.actor)
    actor = actor_of(command, facts)
    if isinstance(actor, Refusal):
        return Decision(story, [actor])
    desk = facts.desk
    if command.mailbox not in desk.mailboxes_by_address:
        known = ", ".join(sorted(desk.mailboxes_by_address))
        return Decision(story, [Refusal("E03", f"unknown mailbox; known: {known}")])
    if command.priority and command.priority not in desk.priorities:
        known = ", ".join(desk.priorities)
        return Decision(story, [Refusal("E03", f"unknown priority; known: {known}")])
    route = routing_rules.route(asked_by(command, who, facts), desk)
    state = _first_state(command, who, route, claim, facts)
    story.open(ticket_contract.TicketOpened, state, rules=route.rules)
    message = _first_message(command, facts)
    story.tell(
        ticket_contract.MessageAdded,
        message=message,
        acknowledge=True,
        questions=questions_to(story, facts),
    )
    assign_by_route(story, route, claim.slot, facts)
    return Decision(story)


def result_of(
    command: TicketCommand, command_id: str, decision: Decision | None
) -> contract.CommandAccepted | contract.CommandRejected:
    """The answer to a command; no ``decision``: there is no such ticket."""
    if decision is not None and decision.is_accepted:
        return contract.CommandAccepted(
            command_id=command_id,
            command=command.type,
            ticket_id=decision.story.ticket.id,
            event_ids=[f"{event.ticket_id}.{event.seq}" for event in decision.story.events],
        )
    missing = Refusal("E03", "there is no such ticket")
    refusal = decision.refusals[0] if decision else missing
    return contract.CommandRejected(
        command_id=command_id,
        command=command.type,
        ticket_id=getattr(command, "ticket_id", None),
        code=refusal.code,
        reason=refusal.message[:500],
    )


def actor_of(command: TicketCommand, facts: Facts) -> Actor | Refusal:
    """Who acts: the system, or the agent for whom it may; agents themselves write mails."""
    kind, _, name = command.actor.partition(":")
    if kind != "system":
        return Refusal("E10", "on the bus only systems act: name the actor as system:NAME")
    systems = {system.name: system for system in facts.desk.systems}
    system = systems.get(name)
    if systems and system is None:
        return Refusal("E10", f"the system {name} is not configured")
    word = command.type.removeprefix("command.")
    if system and system.commands and word not in system.commands:
        return Refusal("E05", f"the system {name} may not use {word}")
    if command.on_behalf_of is None:
        return Actor("system", name, name)
    agent = facts.desk.agents_by_address.get(command.on_behalf_of)
    if agent is None or system is None or not system.acts_for_agents:
        return Refusal("E05", f"the system {name} may not act for {command.on_behalf_of}")
    return Actor.of(agent)


def _acts(command: TicketCommand, reader: Reader) -> tuple[list[Act], list[Refusal]]:
    """Read each word's value as in a mail, so that both refuse the same."""
    acts, refusals = [], []
    for number, (name, value) in enumerate(_ASKED[type(command)](command)):
        word = BY_NAME[name]
        if reader.actor.kind == "agent" and not is_allowed(reader.actor.role, word.role):
            refusals.append(Refusal("E05", f"#{word.name} needs the role {word.role}", number))
            continue
        found = word.takes(value, reader)
        if isinstance(found, Problem):
            refusals.append(Refusal(found.code, found.message, number))
        else:
            acts.append(word.act(found.value, number))
    return acts, refusals


def _resolve(command: contract.Resolve) -> list[Asked]:
    asked: list[Asked] = [("resolve", "")]
    if command.summary:
        asked.append(("summary", command.summary))
    if command.survey is not None:
        asked.append(("survey", "on" if command.survey else "off"))
    return asked


def _escalate(command: contract.Escalate) -> list[Asked]:
    reason = command.reason.replace('"', "'")
    return [("escalate", f'{command.to} "{reason}"'.strip() if reason else command.to)]


def _bar(command: contract.Bar) -> list[Asked]:
    per_hour = f"{command.per_hour}/h" if command.per_hour else ""
    per_day = f"{command.per_day}/d" if command.per_day else ""
    return [("bar", f"{command.sender} {per_hour} {per_day}".strip())]


def _people(addresses: list[str]) -> str:
    """In quotes, so that each is read as one name."""
    return " ".join(f'"{address}"' for address in addresses)


def _copies(command: contract.CopyTo | contract.BlindCopyTo) -> str:
    """In quotes, so that what is no address is refused and never read as two."""
    signed = [f"{'=' if command.replace else '+'}{address}" for address in command.add]
    signed += [f"-{address}" for address in command.remove]
    if command.replace and not command.add:
        signed.insert(0, "=")
    return " ".join(f'"{item}"' for item in signed)


_ASKED: dict[type[TicketCommand], Callable[[Any], list[Asked]]] = {
    contract.Reply: lambda _: [("reply", "")],
    contract.Note: lambda c: [("note", _people(c.mentioned))],
    contract.Take: lambda _: [("take", "")],
    contract.Assign: lambda c: [("assign", c.assignee or "none")],
    contract.MoveToTeam: lambda c: [("team", c.team)],
    contract.Unlock: lambda _: [("unlock", "")],
    contract.SetStatus: lambda c: [("status", c.status)],
    contract.Snooze: lambda c: [("snooze", c.until.isoformat())],
    contract.Estimate: lambda c: [("estimate", c.at.isoformat() if c.at else "none")],
    contract.Resolve: _resolve,
    contract.Close: lambda _: [("close", "")],
    contract.Reopen: lambda _: [("reopen", "")],
    contract.SetField: lambda c: [(c.field, c.value)],
    contract.CopyTo: lambda c: [("cc", _copies(c))],
    contract.BlindCopyTo: lambda c: [("bcc", _copies(c))],
    contract.Escalate: _escalate,
    contract.Bar: _bar,
    contract.Unbar: lambda c: [("unbar", c.sender)],
    contract.Lift: lambda c: [("lift", c.address)],
}


def _files(command: TicketCommand) -> list[Attachment]:
    blobs = command.attachments if isinstance(command, contract.Reply) else []
    return [
        Attachment(
            name=f"file-{number}",
            content_type="application/octet-stream",
            size_bytes=0,
            blob=blob,
        )
        for number, blob in enumerate(blobs, 1)
    ]


def asked_by(command: contract.OpenTicket, who: Person, facts: Facts) -> Question:
    """What the rules of routing may look at."""
    box = routing.mailbox_of(command.mailbox, facts.desk)
    return Question(
        mailbox=box.address,
        department=box.department,
        subject=command.subject,
        text=command.text,
        language=who.language or box.language,
        sender=command.requester,
        now=facts.now,
        account_id=who.account_id,
        segments=who.segments,
        source=command.source,
    )


def _first_state(
    command: contract.OpenTicket, who: Person, route: Route, claim: Claim, facts: Facts
) -> TicketState:
    box = routing.mailbox_of(command.mailbox, facts.desk)
    return built(
        TicketState,
        ticket_id=claim.number,
        seq=1,
        subject=command.subject,
        status="new",
        priority=command.priority or route.priority,
        category=route.category,
        tags=list(route.tags),
        sla_policy=route.sla_policy,
        mailbox=box.address,
        source=command.source,
        language=who.language or box.language,
        requester=command.requester,
        requester_name=(command.requester_name or who.name)[:300],
        contact_id=who.contact_id,
        account_id=who.account_id,
        unknown_contact=not who.is_known,
        team=route.team,
        opened_at=facts.now,
        updated_at=facts.now,
    )


def _first_message(command: contract.OpenTicket, facts: Facts) -> Message:
    return built(
        Message,
        number=1,
        kind="public",
        direction="in",
        author=f"customer:{command.requester}",
        from_addr=command.requester,
        from_name=command.requester_name,
        to=[command.mailbox],
        text=command.text,
        reply_text=command.text,
        mail_subject=command.subject,
        trust=f"told by {command.actor}"[:300],
        at=facts.now,
        accepted_at=facts.now,
    )
