"""What follows from an order: every act and the text are done together, or nothing is."""

from dataclasses import replace

from services.tickets.domain import changes, permissions
from services.tickets.domain.facts import Facts
from services.tickets.domain.order import Act, Decision, Order, Phase, Refusal, Work, outgoing
from services.tickets.domain.story import Story
from services.tickets.domain.ticket import Ticket
from shared.contracts import ticket as contract


def decide_order(ticket: Ticket, order: Order, facts: Facts) -> Decision:
    """Say what follows; an accepted order that changes nothing has no events."""
    work = Work(Story(ticket, facts, str(order.actor)), order, order.letter.text, order.kind)
    changes.end_idle_lock(work)
    refusals = _run(work, "frame")
    if refusal := _stale(ticket, work):
        refusals.append(refusal)
    refusals += _run(work, "before")
    if work.text and (refusal := _say(work)):
        refusals.append(refusal)
    refusals += _run(work, "after")
    return Decision(work.story, refusals)


def _run(work: Work, phase: Phase) -> list[Refusal]:
    return [
        replace(refusal, line=act.line)
        for act in work.order.acts
        if act.phase == phase and (refusal := _do(work, act))
    ]


def _do(work: Work, act: Act) -> Refusal | None:
    return permissions.lock_refusal(work, act.name) or act.change(work, act.value)


def _stale(ticket: Ticket, work: Work) -> Refusal | None:
    order = work.order
    public = bool(work.text) and work.kind == "public"
    touches = public or any(act.is_about_state for act in order.acts)
    if order.seen is None or not touches:
        return None
    others = ticket.others_since(order.seen, str(order.actor))
    if not others:
        return None
    return Refusal("E08", f"{', '.join(others)} wrote after the mail that you answered"[:500])


def _say(work: Work) -> Refusal | None:
    if work.kind == "note":
        changes.add_note(work, work.text, mentioned=work.mentioned)
        return None
    refusal = permissions.lock_refusal(work, "reply") or _take_by_reply(work)
    if refusal:
        return refusal
    resolves = work.asks_for("resolve") and work.story.state.status not in ("resolved", "closed")
    text = work.text
    if resolves and work.summary:
        text = f"{text}\n\n{work.summary}"
    work.story.tell(
        contract.MessageAdded,
        message=outgoing(work, kind="public", text=text),
        resolves=resolves,
        survey_asked=resolves and changes.asks_survey(work),
        cycle=work.story.ticket.cycle + resolves,
    )
    changes.begin_work(work)
    return None


def _take_by_reply(work: Work) -> Refusal | None:
    """An answer to a ticket that nobody has takes it, where the desk wants that."""
    state, actor = work.story.state, work.actor
    if state.assignee or actor.kind != "agent":
        return None
    if not work.facts.desk.agent_mail.reply_takes:
        return Refusal("E05", "nobody has this ticket: add #take to answer it")
    work.story.tell(contract.TicketAssigned, assignee=actor.id, reason="reply")
    return None
