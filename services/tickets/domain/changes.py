"""The change that each word makes; each function tells the story or says why it cannot."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from services.tickets.domain import bars, permissions, routing
from services.tickets.domain.order import Refusal, Work, outgoing
from shared.contracts import ticket as contract
from shared.contracts.ticket_state import Status
from shared.senders import Limit, said

FIELD_CHARS = 500
AssignReason = Literal["take", "assign", "release", "team"]


def begin_work(work: Work) -> None:
    """A new ticket that somebody works on is open."""
    if work.story.state.status == "new":
        accepted_at = work.order.accepted_at
        work.story.tell(
            contract.StatusChanged, status="open", previous="new", accepted_at=accepted_at
        )


def take(work: Work, _: None) -> Refusal | None:
    """Assign to the actor and lock."""
    if work.actor.kind != "agent":
        return Refusal("E05", "only an agent can take a ticket")
    _assign(work, work.actor.id, "take")
    _lock(work, work.actor.id)
    begin_work(work)
    return None


def assign(work: Work, person: str | None) -> Refusal | None:
    """Assign to that person, or to nobody."""
    if person is None:
        return release(work, None)
    _assign(work, person, "assign")
    return None


def release(work: Work, _: None) -> Refusal | None:
    """Give it back to the team."""
    _assign(work, None, "release")
    return None


def move(work: Work, team: str) -> Refusal | None:
    """Make another team responsible; unless somebody is named, its next agent gets the ticket."""
    state, desk = work.story.state, work.facts.desk
    if team == state.team:
        return None
    work.story.tell(contract.TeamChanged, team=team, previous=state.team)
    members = desk.teams_by_name[team].members
    if not work.asks_for("assign", "take", "release") and state.assignee not in members:
        _assign(work, routing.next_agent(team, work.order.slot, work.facts), "team")
    return None


def unlock(work: Work, _: None) -> Refusal | None:
    """Give up the lock; leads may break that of others."""
    holder = work.story.state.locked_by
    if holder and holder != work.actor.id and not work.actor.may_overrule:
        name = permissions.name_of(holder, work.facts.desk)
        return Refusal("E05", f"only {name} or a lead may unlock this ticket")
    _lock(work, None)
    return None


def internal(work: Work, people: list[str]) -> Refusal | None:
    """The text is a note, for these people in particular."""
    work.kind, work.mentioned = "note", people
    return None if work.text else Refusal("E14", "the note has no text")


def public(work: Work, _: None) -> Refusal | None:
    """The text goes to the requester."""
    work.kind = "public"
    return None if work.text else Refusal("E14", "the answer has no text")


def comment(work: Work, text: str) -> Refusal | None:
    """Add an internal note beside the text."""
    add_note(work, text)
    return None


def add_note(work: Work, text: str, mentioned: list[str] | None = None) -> None:
    """Add an internal note in the actor's name."""
    note = outgoing(work, kind="note", text=text)
    if any(m.inbound_id == note.inbound_id for m in work.story.messages):
        note = note.model_copy(update={"inbound_id": ""})  # one entry stands for the mail
    work.story.tell(contract.MessageAdded, message=note, mentioned=mentioned or [])


def go(work: Work, status: Status) -> Refusal | None:
    """Set open, pending or on-hold; a ticket that was done is reopened first."""
    if work.story.ticket.is_done:
        work.story.tell(contract.TicketReopened, reason=_reason(work))
    before = work.story.state.status
    if before != status:
        accepted_at = work.order.accepted_at
        work.story.tell(
            contract.StatusChanged, status=status, previous=before, accepted_at=accepted_at
        )
    return None


def snooze(work: Work, until: datetime) -> Refusal | None:
    """Let it rest until then: on hold, with a date on which sla brings it back."""
    go(work, "on-hold")
    if work.story.state.delayed_until != until:
        work.story.tell(contract.TicketDelayed, until=until)
    return None


def estimate(work: Work, at: datetime | None) -> Refusal | None:
    """Say when it will probably be solved; no target depends on it."""
    before = work.story.state.estimate_at
    if before != at:
        work.story.tell(
            contract.FieldChanged,
            field="estimate",
            value=at.isoformat() if at else "",
            previous=before.isoformat() if before else "",
            changes={"estimate_at": at},
        )
    return None


def set_status(work: Work, status: Status) -> Refusal | None:
    """Any status by its name."""
    if status == "resolved":
        return resolve(work, None)
    return close(work, None) if status == "closed" else go(work, status)


def summarise(work: Work, text: str) -> Refusal | None:
    """Set the closing summary of a resolution, else the ticket's summary field."""
    words = text or work.text
    if not words:
        return Refusal("E14", "the summary has no text")
    if not text:
        work.text = ""  # the mail's text is the summary
    if work.asks_for("resolve"):
        work.summary = words
        return None
    return set_field(work, ("summary", words))


def ask_survey(work: Work, wanted: bool) -> Refusal | None:  # noqa: FBT001 - a word's value
    """Ask for a rating with this resolution, or don't."""
    work.is_survey_wanted = wanted
    return None


def asks_survey(work: Work) -> bool:
    """Whether this resolution asks for a rating."""
    wanted = work.is_survey_wanted
    return work.facts.desk.survey.enabled if wanted is None else wanted


def resolve(work: Work, _: None) -> Refusal | None:
    """Say that it is solved; the requester is told with the text, the summary or plainly."""
    state = work.story.state
    if state.status == "closed":
        return Refusal("E07", "the ticket is closed: use #reopen first")
    if state.status == "resolved":
        return None
    answered = any(m.kind == "public" for m in work.story.messages)
    work.story.tell(
        contract.TicketResolved,
        summary="" if answered else work.summary or "",
        survey_asked=asks_survey(work),
        answered=answered,
        cycle=work.story.ticket.cycle + 1,
        accepted_at=work.order.accepted_at,
    )
    _lock(work, None)
    return None


def close(work: Work, _: None) -> Refusal | None:
    """Close for good."""
    if work.story.state.status != "closed":
        work.story.tell(contract.TicketClosed, accepted_at=work.order.accepted_at)
        _lock(work, None)
    return None


def reopen(work: Work, _: None) -> Refusal | None:
    """Open a ticket that was done."""
    if work.story.ticket.is_done:
        work.story.tell(contract.TicketReopened, reason=_reason(work))
    return None


def set_field(work: Work, field_and_value: tuple[str, str]) -> Refusal | None:
    """Give a plain field another value."""
    field, value = field_and_value
    if len(value) > FIELD_CHARS:
        return Refusal("E02", f"at most {FIELD_CHARS} characters")
    before = getattr(work.story.state, field)
    if before != value:
        work.story.tell(contract.FieldChanged, field=field, value=value, previous=before)
    return None


def escalate(work: Work, call: tuple[str, str]) -> Refusal | None:
    """Call in the manager, or the team named; the reason goes with it."""
    team, reason = call
    desk, state = work.facts.desk, work.story.state
    named = desk.teams_by_name.get(team)
    people = named.members if named else routing.managers_of(state.team, desk)
    if not people:
        return Refusal("E03", "this team has no manager: name a team to escalate to")
    reason = reason or f"asked for by {work.actor.name or work.actor.id}"
    work.story.tell(contract.TicketEscalated, reason=reason[:FIELD_CHARS], to=people[:20])
    return None


def bar(work: Work, wanted: Limit) -> Refusal | None:
    """Take no more mail of the sender, by default the requester, or only so much of it.

    People confirm it first.
    """
    wanted = replace(wanted, who=wanted.who or work.story.state.requester)
    desk = work.facts.desk
    reason = bars.why_never(wanted.who, desk)
    if wanted.said:
        reason = reason or bars.why_not(wanted, desk)
    if reason:
        return Refusal("E05", reason)
    if work.actor.kind == "agent" and not work.order.is_confirmed:
        what = f"mail of {said(wanted.who)} would be kept, without ticket and answer"
        if wanted.said:
            what = f"mail of {said(wanted.who)} beyond {wanted.said} would wait in quarantine"
        return Refusal("E12", f"{what}: answer with #confirm")
    if wanted.said:
        work.story.tell(
            contract.SenderLimited,
            sender=wanted.who,
            per_hour=wanted.per_hour,
            per_day=wanted.per_day,
        )
    else:
        work.story.tell(contract.SenderBarred, sender=wanted.who)
    return None


def unbar(work: Work, sender: str) -> Refusal | None:
    """Take all mail of the sender again; what the configuration says of it stays so."""
    sender = sender or work.story.state.requester
    if bars.is_named(sender, work.facts.desk.customers.blocked):
        return Refusal("E05", f"the configuration blocks {said(sender)}")
    work.story.tell(contract.SenderAdmitted, sender=sender)
    return None


def lift(work: Work, recipient: str) -> Refusal | None:
    """Send mail to the address again, by default the requester's; nothing where it lives."""
    work.story.tell(contract.AddressLifted, recipient=recipient or work.story.state.requester)
    return None


def _assign(work: Work, person: str | None, reason: AssignReason) -> None:
    before = work.story.state.assignee
    if before != person:
        work.story.tell(contract.TicketAssigned, assignee=person, previous=before, reason=reason)
        if work.story.state.locked_by not in (None, person):
            _lock(work, None)


def end_idle_lock(work: Work) -> None:
    """Say that the lock is over if its holder was idle for too long; the holder's act renews it."""
    story = work.story
    holder, until = story.state.locked_by, story.state.locked_until
    if until is None or holder == work.actor.id or story.state.holder_at(work.facts.now):
        return
    idle_since = until - timedelta(seconds=story.ticket.lock_idle_s)
    story.tell(
        contract.LockChanged,
        by="system:lock",
        locked_by=None,
        previous=holder,
        because=f"nothing done since {idle_since:%Y-%m-%d %H:%M} UTC",
    )


def _lock(work: Work, holder: str | None) -> None:
    state = work.story.state
    # To take again what one has locked moves the lock's end.
    if state.locked_by != holder or state.locked_until:
        work.story.tell(
            contract.LockChanged,
            locked_by=holder,
            previous=state.locked_by,
            idle_s=work.facts.desk.agent_mail.lock_idle if holder else 0,
        )


def _reason(work: Work) -> Literal["agent", "system"]:
    return "agent" if work.actor.kind == "agent" else "system"
