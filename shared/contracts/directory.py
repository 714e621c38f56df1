"""``directory``: accounts, contacts, services and invoices, from the CRM or from files.

The topic is compacted: the last record of a key is the whole truth, an empty value deletes.
"""

from decimal import Decimal
from typing import Literal

from pydantic import Field

from shared.contracts.base import Address, Event, Language


class _Entry(Event):
    version: Literal[1] = 1
    id: str = Field(min_length=1, max_length=100)

    @property
    def key(self) -> str:
        """Key on the topic, such as ``account:A-7``."""
        return f"{self.type.removeprefix('directory.')}:{self.id}"


class Account(_Entry):
    """A customer in the sense of the books."""

    type: Literal["directory.account"] = "directory.account"
    name: str = Field(max_length=200)
    segment: str = Field(default="", max_length=50)
    vip: bool = False
    domains: list[str] = Field(default_factory=list, max_length=50)
    since: str = Field(default="", max_length=10)  # ISO date
    timezone: str = Field(default="", max_length=50)  # IANA name, such as Asia/Tokyo


class Contact(_Entry):
    """A person of an account; any of ``addresses`` is theirs."""

    type: Literal["directory.contact"] = "directory.contact"
    account_id: str = Field(max_length=100)
    name: str = Field(max_length=200)
    addresses: list[Address] = Field(min_length=1, max_length=20)
    language: Language = ""


class Service(_Entry):
    """Something that the account has bought and uses."""

    type: Literal["directory.service"] = "directory.service"
    account_id: str = Field(max_length=100)
    name: str = Field(max_length=200)
    status: str = Field(default="active", max_length=30)


class Invoice(_Entry):
    """A bill; ``amount`` in units of ``currency`` (ISO 4217)."""

    type: Literal["directory.invoice"] = "directory.invoice"
    account_id: str = Field(max_length=100)
    date: str = Field(max_length=10)
    amount: Decimal
    currency: str = Field(min_length=3, max_length=3)
    status: str = Field(default="open", max_length=30)


class Balance(_Entry):
    """What is left of a support contract, in points."""

    type: Literal["directory.balance"] = "directory.balance"
    account_id: str = Field(max_length=100)
    points: Decimal


RECORDS = (Account, Contact, Service, Invoice, Balance)
