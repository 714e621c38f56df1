"""Who writes, and what that proves: a token routes, it never authorises alone."""

from functools import lru_cache

from services.tickets.domain import bars, forms
from services.tickets.domain.disguise import disguise_of
from services.tickets.domain.facts import Facts
from shared import addresses
from shared.config.models import Desk
from shared.contracts.mail import MailReceived

fingerprint = lru_cache(maxsize=10_000)(addresses.fingerprint)


def has_one_sender(mail: MailReceived) -> bool:
    """Whether exactly one From address is there (RFC 5322, 3.6.2); Reply-To never counts."""
    return mail.from_count == 1 and "@" in mail.from_addr


def owns_token(mail: MailReceived) -> bool:
    """Whether the address written to was given to whom the From names."""
    return mail.token is not None and mail.token.party == fingerprint(mail.from_addr)


def is_agents_token(mail: MailReceived, desk: Desk) -> bool:
    """Whether the address written to was given to one of the agents."""
    party = mail.token.party if mail.token else ""
    return any(fingerprint(agent.address) == party for agent in desk.agents)


def agent_refusal(mail: MailReceived, desk: Desk) -> str:
    """Why the mail may not act for the agent that its From names; empty where it may.

    Needed are the agent's own valid token, the registered From as the only one and, unless the
    desk trusts tokens alone, an aligned DMARC or DKIM pass at our own door.
    """
    if not has_one_sender(mail):
        return "it names no single sender"
    if mail.from_addr not in desk.agents_by_address:
        return f"{mail.from_addr} is no registered agent"
    if mail.token is None or mail.token.state != "valid" or not owns_token(mail):
        return f"the reply address was not given to {mail.from_addr}"
    if desk.agent_mail.trust == "verified" and mail.authentication.dmarc != "pass":
        later = mail.authentication.dmarc == "temperror"
        why = "; DNS did not answer, send it again later" if later else ""
        return f"the mail does not prove that it comes from {mail.from_addr}{why}"
    return ""


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
