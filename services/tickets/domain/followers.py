"""Who is in copy of a ticket: whom an order or a mail may put there, and whom never."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.tickets.domain import trust
from services.tickets.domain.facts import Facts
from services.tickets.domain.order import Refusal, Work
from services.tickets.domain.ticket import Ticket
from shared.config.models import Desk
from shared.contracts.mail import MailReceived
from shared.contracts.ticket import FollowersChanged
from shared.contracts.ticket_state import TicketState
from shared.copies import addresses_in

MAX_FOLLOWERS = 20
MAX_ADDRESS_CHARS = 254  # RFC 5321, 4.5.3.1.3, without the angle brackets
WORDS = ("cc", "bcc")


@dataclass(frozen=True, slots=True)
class Copies:
    """What one line asks for; addresses in lower case.

    ``remove`` ends either kind of copy; ``replaces``: of this kind only ``add`` stay.
    """

    is_blind: bool
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    replaces: bool = False


def follow(work: Work, wish: Copies) -> Refusal | None:
    """Put in copy and take out, from this mail's text on; what is so already is silent."""
    state = work.story.state
    refusal = _contradiction(work, wish) or _unfit(wish, state, work.facts.desk)
    if refusal:
        return refusal
    kind = state.blind_followers if wish.is_blind else state.followers
    added = [address for address in wish.add if address not in kind]
    ends = [address for address in kind if wish.replaces and address not in wish.add]
    removed = list(dict.fromkeys([*wish.remove, *ends]))
    if added and len({*_in_copy(state), *added} - _leaving(work, removed)) > MAX_FOLLOWERS:
        return Refusal("E02", f"at most {MAX_FOLLOWERS} addresses are in copy of a ticket")
    if added or removed:
        openly, unseen = ([], added) if wish.is_blind else (added, [])
        work.story.tell(FollowersChanged, added=openly, blind=unseen, removed=removed)
    return None


def copied(mail: MailReceived, desk: Desk) -> list[str]:
    """The addresses in copy of a mail that are neither ours nor the sender's."""
    return [
        address
        for address in addresses_in(mail.cc)
        if len(address) <= MAX_ADDRESS_CHARS
        and address != mail.from_addr
        and not _ours(address, desk)
    ][:MAX_FOLLOWERS]


def first(mail: MailReceived, facts: Facts) -> list[str]:
    """Whom the mail that opens a ticket puts in copy: nobody where its sender may be forged.

    A desk that answers everybody believes what proves nothing, but not what failed the proof.
    """
    if mail.authentication.dmarc == "fail" or not trust.may_be_answered(mail, facts):
        return []
    return copied(mail, facts.desk)


def brought(ticket: Ticket, mail: MailReceived, facts: Facts) -> list[str]:
    """Whom an answer puts in copy: they get what follows, so its sender must be beyond doubt.

    Nobody comes back whom an agent took out, and who is hidden or out brings nobody.
    """
    state = ticket.state
    is_beyond_doubt = trust.owns_token(mail) or mail.authentication.dmarc == "pass"
    if not is_beyond_doubt or mail.from_addr in {*state.blind_followers, *ticket.taken_out}:
        return []
    known = {state.requester, *_in_copy(state), *ticket.taken_out}
    fresh = [address for address in copied(mail, facts.desk) if address not in known]
    return fresh[: max(0, MAX_FOLLOWERS - len(_in_copy(state)))]


def _in_copy(state: TicketState) -> list[str]:
    return [*state.followers, *state.blind_followers]


def _leaving(work: Work, removed: Iterable[str]) -> set[str]:
    """Who goes by this line or a later one of the same mail."""
    return {*removed, *(address for wish in _wishes(work) for address in wish.remove)}


def _wishes(work: Work) -> list[Copies]:
    return [act.value for act in work.order.acts if act.name in WORDS]


def _contradiction(work: Work, wish: Copies) -> Refusal | None:
    """What another line says differently; so the order of the lines does not matter."""
    for other in _wishes(work):
        if other is wish:
            both = set(wish.add) & set(wish.remove)
        elif other.is_blind == wish.is_blind and (other.replaces or wish.replaces):
            return Refusal("E07", "with = all addresses stand in one line")
        else:
            both = set(wish.add) & set(other.remove) | set(wish.remove) & set(other.add)
            if other.is_blind != wish.is_blind:
                both |= set(wish.add) & set(other.add)
        if both:
            return Refusal("E07", f"{min(both)} is named twice: once is enough to change it")
    return None


def _unfit(wish: Copies, state: TicketState, desk: Desk) -> Refusal | None:
    for address in wish.add:
        if address == state.requester:
            return Refusal("E03", f"{address} is the customer, who gets every answer")
        if address in desk.agents_by_address:
            return Refusal("E03", f"{address} is an agent: people of the desk get notes, no copies")
        if _ours(address, desk):
            return Refusal("E03", f"{address} is the desk's own mailbox")
    known = _in_copy(state)
    unknown = [address for address in wish.remove if address not in known]
    if unknown:
        names = ", ".join(known) or "nobody"
        return Refusal("E03", f"{unknown[0]} is not in copy; in copy: {names}"[:500])
    return None


def _ours(address: str, desk: Desk) -> bool:
    return address in desk.agents_by_address or bool(trust.own_mailbox(address, desk))
