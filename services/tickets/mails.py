"""One mail of a batch: placed, decided, and its effects put into the batch; no I/O."""

from services.tickets.batch import Batch
from services.tickets.documents import Cause
from services.tickets.domain import threading
from services.tickets.domain.decide_mail import decide_mail
from services.tickets.domain.facts import Actor
from services.tickets.domain.filing import Filing, as_message, link
from services.tickets.domain.story import Story
from services.tickets.domain.threading import Placement
from services.tickets.domain.ticket import Ticket
from services.tickets.mail_commands import grammar, interpret
from services.tickets.mail_commands.arguments import Reader, Value, team
from services.tickets.mail_commands.drafts import Draft
from services.tickets.mail_commands.interpret import AgentMail, Outcome, Show
from services.tickets.mail_commands.words import BY_NAME
from shared.contracts import topics
from shared.contracts.mail import MailReceived

AGENT_COURSES = ("agent", "expired", "desk")


def placement_of(batch: Batch, mail: MailReceived) -> Placement:
    """Where the mail goes as the batch stands now."""
    return threading.place(mail, batch, batch.people.who(mail.from_addr), batch.facts)


def opens_ticket(placement: Placement) -> bool:
    """Whether it needs a new ticket."""
    return placement.ticket_id is None and placement.course in ("open", "hold")


def file_by_customer(
    batch: Batch,
    mail: MailReceived,
    placement: Placement,
    cause: Cause,
    claim: tuple[str, int] | None,
) -> None:
    """File a mail that acts for no agent; ``claim`` is the number and slot of a new ticket."""
    number, slot = claim or ("", None)
    who = batch.people.who(mail.from_addr)
    route = batch.route_of(mail) if opens_ticket(placement) else None
    filing = Filing(mail, placement, who, ticket_id=number, slot=slot, route=route)
    ticket = batch.ticket(placement.ticket_id) if placement.ticket_id else None
    if ticket is None and placement.course == "park":
        _park(batch, mail, None)
        return
    story = decide_mail(ticket, filing, batch.facts)
    batch.keep(story, cause)
    if opens_ticket(placement) and placement.related:
        _link_back(batch, story.ticket.id, placement, cause)
    if not any(message.inbound_id for message in story.messages):
        _park(batch, mail, story.ticket.id)


def run_by_agent(
    batch: Batch, mail: MailReceived, placement: Placement, cause: Cause, slot: int
) -> list[Show]:
    """Run an agent's mail; gives the tickets whose texts are still to be answered."""
    agent = batch.facts.desk.agents_by_address[mail.from_addr]
    ticket = batch.ticket(placement.ticket_id) if placement.ticket_id else None
    draft = _draft(batch, mail, ticket)
    post = AgentMail(mail, agent, draft, slot)
    if ticket is None:
        outcome = interpret.interpret_at_desk(post, batch.facts)
    elif placement.course == "expired":
        outcome = _expired(batch, post, ticket, placement)
    else:
        outcome = interpret.interpret(post, ticket, batch.facts)
    _take(batch, mail, outcome, cause, ticket)
    return outcome.shows


def wanted_team(batch: Batch, mail: MailReceived) -> str:
    """The team that an agent's mail would move a ticket to; empty for most."""
    agent = batch.facts.desk.agents_by_address[mail.from_addr]
    for command in grammar.read(mail.reply_text, BY_NAME).commands:
        word = BY_NAME.get(command.word)
        if word and word.name == "team":
            found = team(command.arguments, Reader(Actor.of(agent), batch.facts))
            return str(found.value) if isinstance(found, Value) else ""
    return ""


def _draft(batch: Batch, mail: MailReceived, ticket: Ticket | None) -> Draft | None:
    if ticket is None or mail.token is None:
        return None
    number = mail.token.number if mail.token.purpose == "confirm" else None
    return batch.draft(ticket.id, mail.from_addr, number)


def _expired(batch: Batch, post: AgentMail, ticket: Ticket, placement: Placement) -> Outcome:
    """Both at once: kept as unverified for the desk, and given back to the agent's own address."""
    held = Placement("hold", ticket.id, placement.reason)
    story = decide_mail(ticket, Filing(post.mail, held), batch.facts)
    return interpret.hold_expired(post, ticket, story, batch.facts)


def _take(
    batch: Batch, mail: MailReceived, outcome: Outcome, cause: Cause, ticket: Ticket | None
) -> None:
    ticket_id = ticket.id if ticket else None
    messages = []
    if outcome.story:
        batch.keep(outcome.story, cause)
        messages = outcome.story.messages
    if not any(message.inbound_id for message in messages):
        _park(batch, mail, ticket_id)
    batch.keep_drafts(outcome.drafts)
    if outcome.absence:
        batch.note_absence(outcome.absence)
    for record in outcome.requests:
        batch.send(
            record,
            topic=topics.MAIL_REQUESTS,
            key=record.to,
            name=record.request_id,
            cause=cause,
        )


def _park(batch: Batch, mail: MailReceived, ticket_id: str | None) -> None:
    """File a mail that is no entry of the conversation, so that each mail is found somewhere."""
    is_agent = mail.from_addr in batch.facts.desk.agents_by_address
    author = f"{'agent' if is_agent else 'customer'}:{mail.from_addr or 'unknown'}"
    message = as_message(mail, 0, batch.facts).model_copy(
        update={"kind": "system", "author": author}
    )
    batch.file(message, ticket_id, f"in:{mail.inbound_id}")


def _link_back(batch: Batch, new: str, placement: Placement, cause: Cause) -> None:
    """Show the new ticket on the one that it is linked to."""
    other = batch.ticket(placement.related or "")
    if other:
        story = Story(other, batch.facts, "system:threading")
        link(story, new, placement)
        batch.keep(story, cause)
