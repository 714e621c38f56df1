"""Values for tests: a small desk, mails as ingest tells of them, people of the directory."""

from datetime import UTC, datetime, timedelta
from typing import Any

from shared.addresses import AddressBook, AddressKeys, fingerprint
from shared.config.models import Desk
from shared.contracts.directory import Account, Contact
from shared.contracts.mail import AddressToken, Bounce, MailReceived, SenderAuthentication

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
EMMA, NILS, STRANGER = "emma@bakery.example", "nils@lindqvist.example", "someone@else.example"
ANA, BEN, CARLA, LENA, MARTA = (
    f"{name}@team.example" for name in ("ana", "ben", "carla", "lena", "marta")
)
SUPPORT, BILLING = "support@desk.example", "billing@desk.example"
PASSED = SenderAuthentication(dmarc="pass", domain="bakery.example")
FAILED = SenderAuthentication(dmarc="fail")


def later(**passed: float) -> datetime:
    """That long after noon: ``later(minutes=5)``."""
    return NOON + timedelta(**passed)


def an_address_book() -> AddressBook:
    """The desk's signed addresses, with a key that is no secret."""
    return AddressBook(AddressKeys(current=1, keys={1: b"k" * 32}), "desk.example")


def a_desk(**changes: Any) -> Desk:
    """Two mailboxes, two teams; sections are given as mappings: ``agent_mail={"trust": …}``."""
    agents = [(ANA, "Ana Lopez", "agent"), (BEN, "Ben Okafor", "agent")]
    agents += [(CARLA, "Carla Rossi", "agent"), (LENA, "Lena Vogt", "lead")]
    agents += [(MARTA, "Marta Nowak", "manager")]
    whole = {
        "name": "Test",
        "host": "desk.example",
        "categories": ["fault", "billing"],
        "mailboxes": [
            {"address": SUPPORT, "brand": "Support", "team": "support"},
            {"address": BILLING, "brand": "Billing", "team": "billing"},
        ],
        "teams": [
            {"name": "support", "members": [ANA, BEN], "manager": MARTA},
            {"name": "billing", "title": "Money", "members": [CARLA]},
        ],
        "agents": [{"address": a, "name": n, "role": r} for a, n, r in agents],
    }
    return Desk.model_validate({**whole, **changes})


def a_mail(text: str = "My line is dead.", **changes: Any) -> MailReceived:
    """A customer's mail whose sender authenticates; its id, if not given, comes from its words."""
    sender = changes.get("from_addr", EMMA)
    name = changes.get("inbound_id") or f"in-{fingerprint(sender + text)}"
    given = {
        "inbound_id": name,
        "mailbox": SUPPORT,
        "recipient": SUPPORT,
        "envelope_from": sender,
        "from_addr": sender,
        "from_name": "Emma Brand" if sender == EMMA else "",
        "received_at": NOON,
        "authentication": PASSED,
        "subject": "No internet",
        "text": text,
        "reply_text": text,
        "message_id": f"{name}@client.example",
    }
    return MailReceived.model_validate({**given, **changes})


def a_token(ticket_id: str | None, party: str, **changes: Any) -> AddressToken:
    """The token of a reply address that was given to ``party``."""
    given = {"state": "valid", "purpose": "reply", "ticket_id": ticket_id}
    return AddressToken.model_validate({**given, "party": fingerprint(party), **changes})


def an_agents_mail(
    text: str, *, ticket_id: str | None = "T-1", agent: str = ANA, number: int = 99, **changes: Any
) -> MailReceived:
    """An agent's answer to a notice; ``number`` 99 is of the future, so that it is never stale."""
    token = {"number": number, "purpose": changes.pop("purpose", "reply")}
    given: dict[str, Any] = {"from_addr": agent, "token": a_token(ticket_id, agent, **token)}
    return a_mail(text, **{**given, **changes})


def a_customers_answer(
    text: str = "Thank you.", *, ticket_id: str = "T-1", sender: str = EMMA, **changes: Any
) -> MailReceived:
    """A requester's answer to one of our mails."""
    return a_mail(text, **{"from_addr": sender, "token": a_token(ticket_id, sender), **changes})


def a_bounce(kind: str = "failed", recipient: str = EMMA) -> Bounce:
    """A report that a mail did not arrive."""
    return Bounce.model_validate(
        {
            "kind": kind,
            "recipients": [recipient],
            "message_id": "t1.x@desk.example",
            "status": "5.1.1",
            "diagnostic": "no such user",
        }
    )


def a_contact(name: str = "Emma Brand", *addresses: str, **changes: Any) -> Contact:
    """A contact of the bakery."""
    given = {"id": "C-1", "account_id": "A-1", "name": name, "addresses": addresses or (EMMA,)}
    return Contact.model_validate({**given, **changes})


def an_account(**changes: Any) -> Account:
    """The bakery."""
    return Account.model_validate(
        {"id": "A-1", "name": "Bakery", "domains": ["bakery.example"], **changes}
    )
