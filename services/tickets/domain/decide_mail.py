"""What follows from a mail that no agent's order is in: opened, appended, held, rated, bounced."""

from services.tickets.domain import followers, questionnaire, trust
from services.tickets.domain.bounces import note_bounce
from services.tickets.domain.facts import Facts, Person
from services.tickets.domain.filing import Filing, as_message, hold, is_requester
from services.tickets.domain.opening import open_by_mail
from services.tickets.domain.rating import rate_by_token, rate_by_words
from services.tickets.domain.rerouting import reroute
from services.tickets.domain.story import Story
from services.tickets.domain.ticket import Ticket
from shared.contracts import ticket as contract
from shared.contracts.mail import MailReceived


def decide_mail(ticket: Ticket | None, filing: Filing, facts: Facts) -> Story:
    """Say what follows; ``ticket`` is the one it is placed at, or None where it opens one."""
    story = Story(ticket, facts, f"customer:{filing.mail.from_addr or 'unknown'}")
    if ticket is None:
        open_by_mail(story, filing, facts)
        return story
    match filing.placement.course:
        case "append":
            _append(story, filing, facts)
        case "hold":
            hold(story, filing)
        case "survey":
            rate_by_token(story, filing)
        case "bounce":
            note_bounce(story, filing)
    return story


def read_again(ticket: Ticket, mail: MailReceived, number: int, facts: Facts) -> Story:
    """A mail that is message ``number`` already, as it is understood now; nothing else follows.

    Whoever it claims to be from is as doubtful as before, and no answer goes out by itself.
    """
    story = Story(ticket, facts, "system:quarantine")
    message = as_message(mail, number, facts).model_copy(update={"answerable": False})
    story.tell(contract.MessageReread, message=message)
    return story


def _append(story: Story, filing: Filing, facts: Facts) -> None:
    mail, ticket = filing.mail, story.ticket
    automatic = trust.is_automatic(mail, facts.desk)
    if not automatic and rate_by_words(story, filing):
        return
    if filing.who.is_known and ticket.state.unknown_contact and is_requester(story, mail):
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
    if len(known) == len(asked) or not is_requester(story, mail):
        return
    found = questionnaire.answers_in(mail.reply_text, mail.text, asked, is_first=not known)
    if fresh := [one for one in found if one.field not in known]:
        story.tell(contract.QuestionsAnswered, answers=fresh)


def _link_contact(story: Story, who: Person) -> None:
    changes = {"contact_id": who.contact_id, "account_id": who.account_id, "unknown_contact": False}
    story.tell(contract.ContactLinked, by="system:directory", changes=changes)
