"""What follows from a mail that no agent's order is in: opened, appended, held, rated, bounced."""

from dataclasses import dataclass

from services.tickets.domain import (
    asked_priority,
    followers,
    forms,
    questionnaire,
    routing,
    routing_rules,
    survey,
    trust,
)
from services.tickets.domain.built import built
from services.tickets.domain.dead import is_dead
from services.tickets.domain.facts import STRANGER, Facts, Person
from services.tickets.domain.rerouting import reroute
from services.tickets.domain.routing_rules import Question, Route
from services.tickets.domain.story import Story
from services.tickets.domain.threading import Placement, untagged
from services.tickets.domain.ticket import Ticket
from shared.contracts import ticket as contract
from shared.contracts.base import Attachment
from shared.contracts.mail import Bounce, MailReceived
from shared.contracts.ticket import AskedQuestion, Message, TicketState

NO_SUBJECT = "(no subject)"
SPAM_TAG = "spam"
MAX_FATES = 20
"""How many recipients of a report are noted."""


@dataclass(frozen=True, slots=True)
class Filing:
    """A mail with what is known about it.

    ``ticket_id``, ``slot`` and ``route`` are for a new ticket: its number, the turn in the team's
    rotation, what the rules say.
    """

    mail: MailReceived
    placement: Placement
    who: Person = STRANGER
    ticket_id: str = ""
    slot: int | None = None
    route: Route | None = None


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


def decide_mail(ticket: Ticket | None, filing: Filing, facts: Facts) -> Story:
    """Say what follows; ``ticket`` is the one it is placed at, or None where it opens one."""
    story = Story(ticket, facts, f"customer:{filing.mail.from_addr or 'unknown'}")
    if ticket is None:
        _open(story, filing, facts)
        return story
    match filing.placement.course:
        case "append":
            _append(story, filing, facts)
        case "hold":
            _hold(story, filing)
        case "survey":
            _rate_by_token(story, filing)
        case "bounce":
            _note_bounce(story, filing)
    return story


def as_message(mail: MailReceived, number: int, facts: Facts) -> Message:
    """The mail as an entry of the conversation, from the requester's side."""
    return built(
        Message,
        number=number,
        kind="public",
        direction="in",
        author=f"customer:{mail.from_addr or 'unknown'}",
        from_addr=mail.from_addr,
        from_name=mail.from_name,
        to=mail.to,
        cc=mail.cc,
        text=mail.text,
        reply_text=mail.reply_text,
        text_blob=mail.text_blob,
        html_blob=mail.html_blob,
        raw_blob=mail.raw_blob,
        attachments=_files(mail),
        message_id=mail.message_id,
        in_reply_to=mail.in_reply_to,
        references=mail.references,
        thread_index=mail.thread_index,
        mail_subject=mail.subject,
        inbound_id=mail.inbound_id,
        trust=trust.line_of(mail)[:300],
        authentication=mail.authentication.dmarc,
        answerable=trust.may_be_answered(mail, facts),
        automated=trust.is_automatic(mail, facts.desk),
        unreadable=mail.unreadable,
        at=facts.now,
        accepted_at=mail.received_at,
    )


def read_again(ticket: Ticket, mail: MailReceived, number: int, facts: Facts) -> Story:
    """A mail that is message ``number`` already, as it is understood now; nothing else follows.

    Whoever it claims to be from is as doubtful as before, and no answer goes out by itself.
    """
    story = Story(ticket, facts, "system:quarantine")
    message = as_message(mail, number, facts).model_copy(update={"answerable": False})
    story.tell(contract.MessageReread, message=message)
    return story


def link(story: Story, other: str, placement: Placement) -> None:
    """Tie the story's ticket to another one."""
    if other not in story.state.linked and other != story.state.ticket_id:
        story.tell(contract.TicketLinked, other=other, relation=placement.relation)


def _files(mail: MailReceived) -> list[Attachment]:
    if not mail.unreadable or not mail.raw_blob:
        return mail.attachments
    original = built(
        Attachment,
        name="original.eml",
        content_type="message/rfc822",
        size_bytes=mail.size_bytes,
        blob=mail.raw_blob,
    )
    return [original, *mail.attachments]


def _open(story: Story, filing: Filing, facts: Facts) -> None:
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
        _hold(story, filing)
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


def _append(story: Story, filing: Filing, facts: Facts) -> None:
    mail, ticket = filing.mail, story.ticket
    automatic = trust.is_automatic(mail, facts.desk)
    if not automatic and _rate_by_words(story, filing):
        return
    if filing.who.is_known and ticket.state.unknown_contact and _is_requester(story, mail):
        _link_contact(story, filing.who)
    if not automatic:
        reroute(story)  # before the message, so that who gets the ticket is told of both at once
    message = as_message(mail, story.state.messages + 1, facts)
    story.tell(contract.MessageAdded, message=message, cycle=max(ticket.cycle, 1))
    if automatic:
        return
    if fresh := followers.brought(ticket, mail, facts):
        story.tell(contract.FollowersChanged, added=fresh)
    _take_answers(story, mail)
    if ticket.is_done:
        story.tell(contract.TicketReopened, reason="customer")
    elif ticket.state.status in ("pending", "on-hold"):
        story.tell(
            contract.StatusChanged,
            status="open",
            previous=ticket.state.status,
            accepted_at=mail.received_at,
        )


def _take_answers(story: Story, mail: MailReceived) -> None:
    """Keep what the mail answers of the questions that were asked and are still open."""
    asked, known = story.ticket.asked, {one.field for one in story.state.fields}
    if len(known) == len(asked) or not _is_requester(story, mail):
        return
    found = questionnaire.answers_in(mail.reply_text, mail.text, asked, is_first=not known)
    if fresh := [one for one in found if one.field not in known]:
        story.tell(contract.QuestionsAnswered, answers=fresh)


def _is_requester(story: Story, mail: MailReceived) -> bool:
    return mail.from_addr == story.state.requester


def _link_contact(story: Story, who: Person) -> None:
    changes = {"contact_id": who.contact_id, "account_id": who.account_id, "unknown_contact": False}
    story.tell(contract.ContactLinked, by="system:directory", changes=changes)


def _hold(story: Story, filing: Filing) -> None:
    mail = filing.mail
    facts = story.facts
    message = as_message(mail, story.state.messages + 1, facts).model_copy(
        update={"unverified": True, "answerable": False}
    )
    story.tell(contract.MailHeld, message=message, reason=filing.placement.reason[:300])


def _rate_by_token(story: Story, filing: Filing) -> None:
    token = filing.mail.token
    cycle, score = survey.of_token(token.number if token else 0)
    rating = survey.rating(score, filing.mail.reply_text)
    if rating and 1 <= cycle <= story.ticket.cycle:
        record_rating(story, rating, cycle)


def _rate_by_words(story: Story, filing: Filing) -> bool:
    """Whether the answer is a rating of the latest resolution, which is then recorded."""
    ticket = story.ticket
    asked = ticket.is_done and ticket.is_survey_asked and _is_requester(story, filing.mail)
    rating = survey.in_words(filing.mail.reply_text) if asked else None
    if rating:
        record_rating(story, rating, ticket.cycle)
    return rating is not None


def record_rating(story: Story, rating: contract.Survey, cycle: int) -> None:
    """Note the rating of a resolution; the last one counts, the same again is silent."""
    if story.ticket.ratings.get(cycle) != rating:
        agent = story.ticket.resolved_by.get(cycle)
        story.tell(contract.SurveyAnswered, survey=rating, cycle=cycle, agent=agent)


def _note_bounce(story: Story, filing: Filing) -> None:
    """Note each recipient's fate; only whom the envelope's address was made for can be dead."""
    bounce, token = filing.mail.bounce, filing.mail.token
    if bounce is None or token is None:
        return
    failed = bounce.kind == "failed"
    gone = failed and token.state == "valid" and is_dead(bounce.status, bounce.diagnostic)
    recipients = bounce.recipients or [""]
    for recipient in recipients[:MAX_FATES]:
        story.tell(
            contract.DeliveryNoted,
            by="system:delivery",
            outcome="bounced" if failed else "deferred",
            recipient=recipient,
            message_id=bounce.message_id,
            detail=_said(bounce)[:500],
            dead=gone and trust.fingerprint(recipient) == token.party,
        )


def _said(bounce: Bounce) -> str:
    """The other server's words, which mostly have the code in them."""
    words = bounce.diagnostic.strip().rstrip(".")
    return words if bounce.status in words else f"{bounce.status} {words}".strip()
