"""Which mailbox an SMTP recipient means; pure, and blind to case as mail hosts are."""

from dataclasses import dataclass

from shared.config.models import Desk


@dataclass(frozen=True, slots=True)
class Recipient:
    """One accepted RCPT TO; ``address`` is as the sender wrote it, with its token if it has one."""

    mailbox: str
    address: str

    @property
    def is_tagged(self) -> bool:
        """Whether something follows the mailbox's name after a ``+``."""
        return "+" in self.address.rpartition("@")[0]


def resolve(desk: Desk, address: str) -> Recipient | None:
    """Find the mailbox of ``name@`` or ``name+anything@``; None where there is none.

    ``postmaster`` must be taken at every domain that takes mail (RFC 5321, 4.5.1): its mail goes to
    the domain's first mailbox.
    """
    local, _, domain = address.rpartition("@")
    if not local:
        local, domain = domain, ""
    name = local.strip('"').lower().partition("+")[0]
    mailbox = f"{name}@{domain.lower()}"
    if mailbox in desk.mailboxes_by_address:
        return Recipient(mailbox, address)
    if name == "postmaster":
        for known in desk.mailboxes_by_address:
            if not domain or known.endswith(f"@{domain.lower()}"):
                return Recipient(known, address)
    return None


def one_each(recipients: list[Recipient]) -> list[Recipient]:
    """Keep one recipient for each mailbox: the first that carries a token, else the first."""
    chosen: dict[str, Recipient] = {}
    for recipient in recipients:
        held = chosen.get(recipient.mailbox)
        if held is None or (recipient.is_tagged and not held.is_tagged):
            chosen[recipient.mailbox] = recipient
    return list(chosen.values())
