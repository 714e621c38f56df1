"""The priority that a customer asks for with a new ticket, where the desk lets customers ask."""

import re
from typing import Literal

from services.tickets.domain import trust
from shared.config.models import Desk
from shared.contracts.mail import MailReceived

Importance = Literal["low", "normal", "high"]
_TAG = re.compile(r"\[\s*([^\[\]]{1,50}?)\s*\]")
_STEPS: dict[Importance, int] = {"high": 1, "normal": 0, "low": -1}


def of_mail(mail: MailReceived, desk: Desk) -> str:
    """The priority that the mail asks for; empty where it asks for no other, or may not."""
    if trust.is_automatic(mail, desk):
        return ""
    return asked_for(mail.subject, mail.importance, mail.mailbox, desk)


def asked_for(subject: str, importance: Importance, mailbox: str, desk: Desk) -> str:
    """The priority that subject and mark ask for; empty where it is the mailbox's own.

    A tag in the subject wins over the mark of importance, since robots and habits set the mark.
    """
    if not may_ask(mailbox, desk):
        return ""
    box = desk.mailboxes_by_address.get(mailbox, desk.mailboxes[0])
    wanted = _tagged(subject, desk) or _moved(box.priority, _STEPS[importance], desk)
    rank = desk.priorities.index
    most = max(desk.intake.priority.at_most or desk.priorities[-1], box.priority, key=rank)
    found = min(wanted, most, key=rank)
    return "" if found == box.priority else found


def without_tag(subject: str, mailbox: str, desk: Desk) -> str:
    """The subject without names of priorities in brackets, where they mean something."""
    if not may_ask(mailbox, desk):
        return subject
    names = _names(desk)
    return " ".join(
        _TAG.sub(lambda tag: "" if tag[1].casefold() in names else tag[0], subject).split()
    )


def may_ask(mailbox: str, desk: Desk) -> bool:
    """Whether customers set priorities in that mailbox."""
    options = desk.intake.priority
    is_here = not options.mailboxes or mailbox in options.mailboxes
    return options.use and not options.staff_sets and is_here


def _tagged(subject: str, desk: Desk) -> str:
    names = _names(desk)
    found = (names.get(tag.casefold()) for tag in _TAG.findall(subject))
    return next(filter(None, found), "")


def _names(desk: Desk) -> dict[str, str]:
    return {name.casefold(): name for name in desk.priorities}


def _moved(priority: str, steps: int, desk: Desk) -> str:
    place = desk.priorities.index(priority) + steps
    return desk.priorities[max(0, min(place, len(desk.priorities) - 1))]
