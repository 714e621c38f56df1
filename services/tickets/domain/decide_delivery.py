"""What follows from the fate of an outgoing mail: the ticket shows what did not simply arrive."""

from services.tickets.domain.dead import is_dead, status_of
from services.tickets.domain.facts import Facts
from services.tickets.domain.story import Story
from services.tickets.domain.ticket import Ticket
from shared.contracts import ticket as contract
from shared.contracts.delivery import MailDeferred, MailFailed, MailSent


def decide_delivery(
    ticket: Ticket, news: MailSent | MailDeferred | MailFailed, facts: Facts
) -> Story:
    """Say what follows; a mail that was sent is no news."""
    story = Story(ticket, facts, "system:delivery")
    if not isinstance(news, MailSent):
        story.tell(
            contract.DeliveryNoted,
            outcome="deferred" if isinstance(news, MailDeferred) else "failed",
            recipient=news.recipient,
            message_id=news.message_id,
            detail=news.reply[:500],
            dead=isinstance(news, MailFailed) and is_dead(status_of(news.reply), news.reply),
        )
    return story
