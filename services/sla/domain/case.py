"""All clocks of a ticket, and what each event of the ticket does to them. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from services.sla.domain import clock as clocks
from services.sla.domain.clock import TicketClock
from services.sla.domain.policy import Terms, Traits
from shared.config.sla import TARGETS
from shared.contracts import ticket as events
from shared.contracts.sla import Target
from shared.contracts.ticket_state import Message
from shared.variants import but

IRRELEVANT = (
    events.ClocksUpdated,
    events.SLAWarned,
    events.SLABreached,
    events.SLABreachWithdrawn,
    events.TicketEscalated,
    events.TicketLinked,
    events.TicketAssigned,
    events.LockChanged,
    events.MailHeld,
    events.MessageReread,
    events.FollowersChanged,
    events.SurveyAnswered,
    events.QuestionsAnswered,
    events.SenderBarred,
    events.SenderLimited,
    events.SenderAdmitted,
    events.DraftHeld,
    events.DeliveryNoted,
    events.AddressLifted,
)
"""Events that no clock depends on; they need not be read."""

RESPONSES: tuple[Target, ...] = ("first-response", "next-response")
_OVER = ("resolved", "closed")


@dataclass(frozen=True)
class Case:
    """A ticket as sla knows it after event ``seq``.

    ``delayed_until`` is when it returns to the queue by itself, ``waiting_since`` when SMTP took
    the oldest customer message that no agent has answered.
    """

    ticket_id: str
    seq: int
    traits: Traits = field(default_factory=Traits)
    waiting_since: datetime | None = None
    delayed_until: datetime | None = None
    clocks: tuple[TicketClock, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether a clock still counts or may count again."""
        return any(clock.is_open for clock in self.clocks)


def refitted(case: Case, at: datetime, terms: Terms | None) -> Case:
    """The case under other terms, without an event; the same case if no clock is another."""
    fitted = _change(case, lambda clock: clocks.refitted(clock, _ms(at), terms))
    return case if fitted.clocks == case.clocks else fitted


def traits_of(event: events.TicketEvent) -> Traits:
    """What chooses the terms of the ticket after the event."""
    state = event.state
    return Traits(
        priority=state.priority,
        account_id=state.account_id,
        mailbox=state.mailbox,
        service=state.service,
        sla_policy=state.sla_policy,
    )


def follow(case: Case | None, event: events.TicketEvent, terms: Terms | None) -> Case:
    """The case after the event; the same case if the event was seen before.

    A ticket is followed from the first event that is seen of it.
    """
    if case is not None and event.seq <= case.seq:
        return case
    known = case or _opened(event, terms)
    delayed_until = _ms(event.state.delayed_until) if event.state.delayed_until else None
    known = but(known, seq=event.seq, traits=traits_of(event), delayed_until=delayed_until)
    if terms is None:
        return _change(known, lambda clock: clocks.cancelled(clock, _ms(event.at)))
    known = _change(known, lambda clock: clocks.refitted(clock, _ms(event.at), terms))
    known = _apply(known, event, terms)
    known = _await_answer(known, event.state.status, terms)
    return _hold(known, event, terms)


def _opened(event: events.TicketEvent, terms: Terms | None) -> Case:
    case = Case(ticket_id=event.ticket_id, seq=event.seq)
    opened_at = _ms(event.state.opened_at)
    for target in ("first-response", "resolution"):
        case = _start(case, target, opened_at, terms)
    return case


def _apply(case: Case, event: events.TicketEvent, terms: Terms) -> Case:
    match event:
        case events.MessageAdded(message=message):
            return _message(case, message, terms)
        case events.TicketResolved():
            at = _ms(event.state.resolved_at or event.at)
            told = event.answered or bool(event.summary)
            return _end(case, at, terms, responses_met=told)
        case events.TicketClosed():
            at = _ms(event.state.closed_at or event.at)
            return _end(case, at, terms, responses_met=False)
        case events.TicketReopened(reason="customer"):
            return _start(case, "resolution", case.waiting_since or _ms(event.at), terms)
        case events.TicketReopened():
            return _start(but(case, waiting_since=None), "resolution", _ms(event.at), terms)
        case _:
            return case


def _message(case: Case, message: Message, terms: Terms) -> Case:
    """Only people's own words count: automatic and unverified mails stop and start nothing."""
    if message.kind != "public" or message.automated or message.unverified:
        return case
    at = _ms(message.accepted_at)
    if message.direction == "out" and message.author.startswith("agent:"):
        answered = _stop(case, RESPONSES, at, terms)
        return but(answered, waiting_since=None)
    if message.direction == "in" and message.number > 1:
        return but(case, waiting_since=case.waiting_since or at)
    return case


def _end(case: Case, at: datetime, terms: Terms, *, responses_met: bool) -> Case:
    if responses_met:
        case = _stop(case, RESPONSES, at, terms)
    else:
        case = _change(case, lambda clock: clocks.cancelled(clock, at), RESPONSES)
    return but(_stop(case, ("resolution",), at, terms), waiting_since=None)


def _await_answer(case: Case, status: str, terms: Terms) -> Case:
    """A customer who waits is measured by one response clock at a time."""
    if case.waiting_since is None or status in _OVER:
        return case
    if any(clock.is_open and clock.target in RESPONSES for clock in case.clocks):
        return case
    return _start(case, "next-response", case.waiting_since, terms)


def _hold(case: Case, event: events.TicketEvent, terms: Terms) -> Case:
    at, read_at = _ms(_asked_at(event)), _ms(event.at)
    still = terms.pauses.get(event.state.status, frozenset())
    held = _change(case, lambda clock: clocks.paused(clock, at, read_at, terms), still)
    running = set(TARGETS) - still
    return _change(held, lambda clock: clocks.resumed(clock, at, terms), running)


def _asked_at(event: events.TicketEvent) -> datetime:
    """When the status came about: a mail counts from its acceptance, however late it is read."""
    accepted_at = event.accepted_at if isinstance(event, events.StatusChanged) else None
    return accepted_at or event.at


def _start(case: Case, target: Target, at: datetime, terms: Terms | None) -> Case:
    """A new cycle, unless one is open or the target has no goal."""
    earlier = [clock for clock in case.clocks if clock.target == target]
    if terms is None or target not in terms.goals or any(clock.is_open for clock in earlier):
        return case
    cycle = 1 + max((clock.cycle for clock in earlier), default=0)
    new = clocks.started(case.ticket_id, target, cycle, at, terms)
    return but(case, clocks=(*case.clocks, new))


def _stop(case: Case, targets: Iterable[Target], at: datetime, terms: Terms) -> Case:
    return _change(case, lambda clock: clocks.stopped(clock, at, terms), targets)


def _change(
    case: Case,
    change: Callable[[TicketClock], TicketClock],
    targets: Iterable[Target] = TARGETS,
) -> Case:
    wanted = set(targets)
    return but(case, clocks=tuple(change(c) if c.target in wanted else c for c in case.clocks))


def _ms(at: datetime) -> datetime:
    """Cut to milliseconds, as MongoDB does: what is loaded must equal what was stored."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)
