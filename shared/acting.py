"""Whether a mail may act for the agent that its From names: a token routes, it never authorises."""

from functools import lru_cache

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
