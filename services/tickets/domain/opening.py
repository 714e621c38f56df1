"""A mail that opens a ticket: its first state, message and questions, and who gets it."""

from services.tickets.domain import (
    asked_priority,
    followers,
    forms,
    questionnaire,
    routing,
    routing_rules,
)
from services.tickets.domain.built import built
from services.tickets.domain.facts import Facts, Person
from services.tickets.domain.filing import Filing, as_message, hold, link
from services.tickets.domain.routing_rules import Question, Route
from services.tickets.domain.story import Story
from services.tickets.domain.threading import untagged
from shared.contracts import ticket as contract
from shared.contracts.mail import MailReceived
from shared.contracts.ticket_state import AskedQuestion, TicketState

NO_SUBJECT = "(no subject)"
SPAM_TAG = "spam"


def asked_by(mail: MailReceived, who: Person, facts: Facts) -> Question:
    """What the rules of routing may look at."""
    box = routing.mailbox_of(mail.mailbox, facts.desk)
    return Question(
        mailbox=box.address,
        department=box.department,
        subject=_subject(mail, facts),
        text=mail.text,
        language=who.language or box.language,
        sender=mail.from_addr or mail.envelope_from,
        now=mail.received_at,
        account_id=who.account_id,
        segments=who.segments,
        files=tuple(file.name for file in mail.attachments),
        source=forms.source_of(mail),
        priority=asked_priority.of_mail(mail, facts.desk),
    )


def open_by_mail(story: Story, filing: Filing, facts: Facts) -> None:
    """Open a ticket with the mail as its first message, held where there is doubt."""
    mail, placement = filing.mail, filing.placement
    message = as_message(mail, 1, facts)
    route = filing.route or routing_rules.route(asked_by(mail, filing.who, facts), facts.desk)
    story.open(
        contract.TicketOpened,
        _first_state(filing, route, facts),
        rules=route.rules,
        asked_priority=asked_priority.of_mail(mail, facts.desk),
    )
    if placement.course == "hold":
        hold(story, filing)
    else:
        forged = bool(mail.token and mail.token.state == "forged")
        doubtful = forged or mail.from_count > 1 or forms.is_claimed(mail, facts.desk)
        message = message.model_copy(update={"unverified": doubtful})
        acknowledge = message.answerable and not doubtful and not mail.unreadable
        story.tell(
            contract.MessageAdded,
            message=message,
            acknowledge=acknowledge,
            questions=questions_to(story, facts) if acknowledge else [],
        )
    if filing.slot is not None and mail.bounce is None:
        assign_by_route(story, route, filing.slot, facts)
    if placement.related:
        link(story, placement.related, placement)


def questions_to(story: Story, facts: Facts) -> list[AskedQuestion]:
    """What the requester of a new ticket is asked."""
    box = routing.mailbox_of(story.state.mailbox, facts.desk)
    return questionnaire.questions_of(box, story.state.language, facts.desk)


def assign_by_route(story: Story, route: Route, slot: int, facts: Facts) -> None:
    """Give a new ticket to the agent whom the rules name, else to the one whose turn it is."""
    agent = routing.chosen_agent(route, slot, facts, language=story.state.language)
    if agent:
        story.tell(contract.TicketAssigned, by="system:rotation", assignee=agent, reason="rotation")


def _first_state(filing: Filing, route: Route, facts: Facts) -> TicketState:
    mail, who = filing.mail, filing.who
    box = routing.mailbox_of(mail.mailbox, facts.desk)
    return built(
        TicketState,
        ticket_id=filing.ticket_id,
        seq=1,
        subject=_subject(mail, facts)[:500] or NO_SUBJECT,
        status="new",
        priority=route.priority,
        category=route.category,
        tags=list(dict.fromkeys((*route.tags, *([SPAM_TAG] if mail.spam else [])))),
        sla_policy=route.sla_policy,
        mailbox=mail.mailbox,
        source=forms.source_of(mail),
        language=who.language or box.language,
        requester=mail.from_addr or mail.envelope_from,
        requester_name=(mail.from_name or who.name)[:300],
        contact_id=who.contact_id,
        account_id=who.account_id,
        unknown_contact=not who.is_known,
        team=route.team,
        followers=[] if filing.placement.course == "hold" else followers.first(mail, facts),
        opened_at=facts.now,
        updated_at=facts.now,
    )


def _subject(mail: MailReceived, facts: Facts) -> str:
    return asked_priority.without_tag(untagged(mail.subject), mail.mailbox, facts.desk)
