"""A report that one of the desk's own mails did not arrive."""

from services.tickets.domain import trust
from services.tickets.domain.dead import is_dead
from services.tickets.domain.filing import Filing
from services.tickets.domain.story import Story
from shared.contracts import ticket as contract
from shared.contracts.mail import Bounce

MAX_FATES = 20
"""How many recipients of a report are noted."""


def note_bounce(story: Story, filing: Filing) -> None:
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
