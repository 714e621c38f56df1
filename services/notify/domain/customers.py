"""What an agent is told about the customer beside the conversation."""

from dataclasses import dataclass
from datetime import datetime

from services.notify.domain.wire import cleaned
from shared.contracts.directory import Account, Balance, Contact, Invoice, Service

RECENT_INVOICES = 3
PREVIOUS_TICKETS = 5


@dataclass(frozen=True)
class PreviousTicket:
    """An earlier ticket of the same requester or account."""

    ticket_id: str
    subject: str
    status: str
    opened_at: datetime


@dataclass(frozen=True)
class Customer:
    """What the directory and our own tickets say; all of it may be missing."""

    account: Account | None = None
    contact: Contact | None = None
    services: tuple[Service, ...] = ()
    invoices: tuple[Invoice, ...] = ()
    balance: Balance | None = None
    previous: tuple[PreviousTicket, ...] = ()


def customer_lines(customer: Customer) -> list[str]:
    """The customer as lines of text, newest invoices and tickets first."""
    lines = []
    if customer.account is None:
        lines.append("Unknown contact: the directory has nobody with this address.")
    else:
        lines.append(_account(customer.account))
        active = [s.name for s in customer.services if s.status == "active"]
        lines.append(f"Active services: {'; '.join(active) or 'none'}")
        lines.append(f"Recent invoices: {'; '.join(map(_invoice, customer.invoices)) or 'none'}")
    if customer.balance is not None:
        lines.append(f"Support points left: {customer.balance.points}")
    lines.append(f"Previous tickets: {'; '.join(map(_previous, customer.previous)) or 'none'}")
    return [cleaned(line) for line in lines]


def _account(account: Account) -> str:
    marks = [account.segment, "VIP" if account.vip else ""]
    marks.append(f"since {account.since}" if account.since else "")
    known = ", ".join(filter(None, marks))
    return f"{account.name} ({account.id}){': ' + known if known else ''}"


def _invoice(invoice: Invoice) -> str:
    return f"{invoice.id} of {invoice.date}, {invoice.amount} {invoice.currency}, {invoice.status}"


def _previous(ticket: PreviousTicket) -> str:
    return f"{ticket.ticket_id} {ticket.subject} ({ticket.status}, {ticket.opened_at:%d %b %Y})"
