"""Which contact and account an address belongs to."""

from collections.abc import Iterable, Mapping

from services.tickets.domain.facts import STRANGER, Person
from shared.contracts.directory import Account, Contact


def folded(address: str) -> str:
    """The address as contacts are looked up by: lower case, ``name+anything`` as ``name``."""
    local, _, domain = address.strip().lower().rpartition("@")
    return f"{local.partition('+')[0] or local}@{domain}"


def domain_of(address: str) -> str:
    """Its domain in lower case."""
    return address.strip().lower().rpartition("@")[2]


class People:
    """The part of the directory that a batch of mails needs."""

    def __init__(self, contacts: Iterable[Contact] = (), accounts: Iterable[Account] = ()) -> None:
        self._contacts: Mapping[str, Contact] = {
            folded(address): contact
            for contact in sorted(contacts, key=lambda c: c.id, reverse=True)
            for address in contact.addresses
        }
        accounts = sorted(accounts, key=lambda a: a.id, reverse=True)
        self._by_id = {account.id: account for account in accounts}
        self._accounts: Mapping[str, Account] = {
            domain.lower(): account for account in accounts for domain in account.domains
        }

    def who(self, address: str) -> Person:
        """The contact with that address; a stranger of a known domain has the account alone."""
        contact = self._contacts.get(folded(address))
        if contact:
            segments = _segments(self._by_id.get(contact.account_id))
            return Person(contact.id, contact.account_id, contact.name, contact.language, segments)
        account = self._accounts.get(domain_of(address))
        return Person(account_id=account.id, segments=_segments(account)) if account else STRANGER

    @property
    def missing_accounts(self) -> set[str]:
        """Accounts of these contacts that were not given."""
        return {contact.account_id for contact in self._contacts.values()} - set(self._by_id)


def _segments(account: Account | None) -> tuple[str, ...]:
    if account is None:
        return ()
    return tuple(filter(None, (account.segment, "vip" if account.vip else "")))
