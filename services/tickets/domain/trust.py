"""Who writes, and what that proves: a token routes, it never authorises alone."""

from services.tickets.domain import bars, forms
from services.tickets.domain.disguise import disguise_of
from services.tickets.domain.facts import Facts
from shared.acting import agent_refusal, fingerprint, has_one_sender, owns_token
from shared.config.models import Desk
from shared.contracts.mail import MailReceived

__all__ = [
    "agent_refusal",
    "fingerprint",
    "has_one_sender",
    "is_agents_token",
    "is_automatic",
    "is_blocked",
    "line_of",
    "may_be_answered",
    "own_mailbox",
    "owns_token",
]


def is_agents_token(mail: MailReceived, desk: Desk) -> bool:
    """Whether the address written to was given to one of the agents."""
    party = mail.token.party if mail.token else ""
    return any(fingerprint(agent.address) == party for agent in desk.agents)


def is_automatic(mail: MailReceived, desk: Desk) -> bool:
    """Whether nobody wrote it by hand, so that it must not be answered by itself (RFC 3834, 2)."""
    own = own_mailbox(mail.from_addr, desk)
    return mail.automated or mail.autoreply or mail.bounce is not None or bool(own)


def is_blocked(mail: MailReceived, facts: Facts) -> bool:
    """Whether the desk wants nothing of this sender; never so for those who work at it."""
    if mail.from_addr in facts.desk.agents_by_address:
        return False
    blocked = facts.desk.customers.blocked
    return bars.is_named(mail.from_addr, blocked) or bars.is_named(mail.from_addr, facts.barred)


def may_be_answered(mail: MailReceived, facts: Facts) -> bool:
    """Whether its sender may get an automatic answer without hurting somebody who did not write."""
    if (
        is_automatic(mail, facts.desk)
        or mail.spam
        or not has_one_sender(mail)
        or (mail.envelope_from in ("", "<>") and not mail.form)
    ):
        return False
    if mail.form:
        return forms.acknowledges(mail, facts.desk)
    return facts.desk.customers.acknowledge == "all" or mail.authentication.dmarc == "pass"


def own_mailbox(address: str, desk: Desk) -> str:
    """The desk's mailbox that an address belongs to, with or without a token; else empty."""
    local, _, domain = address.lower().rpartition("@")
    bare = f"{local.partition('+')[0]}@{domain}"
    return bare if bare in desk.mailboxes_by_address else ""


def line_of(mail: MailReceived) -> str:
    """One line for agents: who vouches for the sender, and what is misleading about the name."""
    token = "own reply address" if mail.token and owns_token(mail) else ""
    if mail.form:
        sender = f"through the contact form {mail.form}; nobody has proved the address"
    elif mail.authentication.dmarc == "pass":
        sender = f"sender verified ({mail.authentication.domain or 'aligned'})"
    elif mail.authentication.dmarc == "fail":
        sender = "sender failed the check of its own domain"
    elif mail.authentication.dmarc == "temperror":
        sender = "sender could not be checked, DNS did not answer"
    else:
        sender = "sender not verified"
    disguise = disguise_of(mail.from_name, mail.from_addr)
    beware = f"BEWARE: {disguise}" if disguise else ""
    spam = f"a filter calls it spam ({mail.spam[:80]})" if mail.spam else ""
    return "; ".join(filter(None, (sender, token, _answers_wanted(mail), spam, beware)))


def _answers_wanted(mail: MailReceived) -> str:
    """Where else the sender wants answers; told to agents, and never followed by itself."""
    elsewhere = mail.reply_to and mail.reply_to.lower() != mail.from_addr
    return f"asks for answers to {mail.reply_to[:100]}" if elsewhere and not mail.form else ""
