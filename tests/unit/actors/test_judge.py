"""The judge convicts what it should: each case takes a clean run and breaks one thing in it."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from shared.config import load_desk
from shared.contracts import ticket as events
from shared.contracts.ticket_state import TicketState
from tests.actors.books import (
    DeadLetter,
    Disturbance,
    Evidence,
    Inbound,
    Machine,
    Poison,
    ReportBooks,
)
from tests.actors.judge import CHECKS, problems
from tests.actors.mails import Mail, Writer
from tests.actors.sink import Delivery
from tests.actors.source import Attempt
from tests.ticket_history import History, at

DESK = load_desk(Path(__file__).parents[3] / "deploy" / "presets" / "demo.yaml").desk
ANA, EMMA, BOX = "ana@desk-team.example", "emma@harbour-bakery.example", "support@desk.example"
MARTA = "marta@desk-team.example"
WRITER = Writer(Random(1))
FIRST, ANSWER = (WRITER.plain(sender, [BOX]) for sender in (EMMA, ANA))
FORGED = WRITER.written(ANA, [BOX], "Pay to my own account.\n", kind="spoofed")
POISON = Poison("p-1", "directory", ("tickets", "sla"))
DEAD = (DeadLetter("directory", "tickets", "p-1"), DeadLetter("directory", "sla", "p-1"))
DUE = at("2026-11-22 09:30")


def a_delivery(event_id: str, recipient: str, when: str, *, body: bytes = b"hello") -> Delivery:
    message_id = f"{event_id}-{recipient}"
    head = f"Message-ID: <{message_id}>\r\nX-Postdesk-Event: {event_id}\r\n\r\n".encode()
    return Delivery(at(when).timestamp(), "", recipient, message_id, head + body)


def a_try(mail: Mail, code: int = 250, text: str = "", *, number: int = 1) -> Attempt:
    outcome = "noreply" if not code else "250" if code == 250 else f"{code // 100}xx"
    return Attempt(mail.id, number, 0.0, 1.0, outcome, code, text)


def queued(mail: Mail, name: str) -> Attempt:
    return a_try(mail, text=f"2.0.0 queued as {name}")


def a_clean_run() -> Evidence:
    """Emma writes, is acknowledged, Ana is told, answers too late, and Emma gets the answer."""
    history = History("2026-11-22 09:00")
    history.customer_writes("2026-11-22 09:00", from_addr=EMMA, inbound_id="in1", event={"acknowledge": True})  # fmt: skip
    history.assigned("2026-11-22 09:00", ANA)
    clock = {"target": "first-response", "cycle": 1, "due_at": DUE}
    history.happens(events.SLABreached, "2026-11-22 09:30", by="system:sla", **clock)
    history.agent_answers("2026-11-22 09:40", ANA, from_addr=ANA, inbound_id="in2")
    state = history.events[-1].state
    return Evidence(
        sent=[FIRST, ANSWER],
        attempts=[a_try(FIRST, 451), queued(FIRST, "in1"), queued(ANSWER, "in2")],
        inbound={"in1": Inbound(FIRST.id, BOX), "in2": Inbound(ANSWER.id, BOX)},
        events=history.events,
        states={"T-1": state},
        published=["T-1.1", "T-1.2", "T-1.3", "T-1.2", "T-1.3", "T-1.4", "T-1.5"],
        taken=[
            a_delivery("T-1.2", EMMA, "2026-11-22 09:01"),
            a_delivery("T-1.3", ANA, "2026-11-22 09:01"),
            a_delivery("T-1.4", ANA, "2026-11-22 09:31"),
            a_delivery("T-1.5", EMMA, "2026-11-22 09:41"),
        ],
        refused=[],
        desk=DESK,
        reports=ReportBooks(
            {"T-1": (state.seq, state.status, state.messages)}, {(ANA, "answer"): 1}
        ),
        dead_letters=DEAD,
        poison=[POISON],
        machine=Machine({"notify": 90.0}, Counter(notify=1), Counter(notify=1)),
        now=at("2026-11-22 10:00").timestamp(),
    )


CLEAN = a_clean_run()
ACK, NOTICE, WARNING, REPLY = CLEAN.taken
BREACH = CLEAN.events[3]


HELD = events.MailHeld.model_validate(
    CLEAN.events[-1].model_dump(include={"ticket_id", "at", "state", "message"})
    | {"seq": 6, "by": f"customer:{ANA}", "reason": "the address was not given to her"}
)


def later(mail: Mail, **changes: Any) -> Mail:
    return replace(mail, **changes)


def told_at(when: str) -> list[events.TicketEvent]:
    changed = BREACH.model_copy(update={"at": at(when)})
    return [changed if event is BREACH else event for event in CLEAN.events]


def with_clock(state: str, due_at: Any) -> dict[str, TicketState]:
    clock = {
        "target": "resolution",
        "cycle": 1,
        "state": state,
        "goal_s": 60,
        "started_at": at("2026-11-22 09:00"),
        "as_of": at("2026-11-22 09:00"),
        "due_at": due_at,
    }
    changed = CLEAN.states["T-1"].model_dump() | {"clocks": [clock]}
    return {"T-1": TicketState.model_validate(changed)}


def a_disturbance(begun: str, over: str, *, kind: str = "kill", target: str = "notify") -> Disturbance:  # fmt: skip
    return Disturbance(kind, target, at(begun).timestamp(), at(over).timestamp())


def test_a_clean_run_is_innocent() -> None:
    assert problems(CLEAN) == []


@pytest.mark.parametrize(
    "change",
    [
        {"taken": [replace(ACK, is_answered=False), ACK, NOTICE, WARNING, REPLY]},
        {
            "taken": [*CLEAN.taken, REPLY],
            "disturbances": [a_disturbance("2026-11-22 09:40", "2026-11-22 09:42")],
        },
        {
            "events": told_at("2026-11-22 09:39"),
            "taken": [ACK, NOTICE, replace(WARNING, at=at("2026-11-22 09:39").timestamp()), REPLY],
            "disturbances": [a_disturbance("2026-11-22 09:30", "2026-11-22 09:38")],
        },
        {"states": with_clock("running", at("2026-11-22 10:30"))},
        {"states": with_clock("met", None)},
    ],
    ids=["lost 250", "notify died", "all was down", "not due", "over"],
)
def test_what_has_its_reason_is_innocent(change: dict[str, Any]) -> None:
    assert problems(replace(CLEAN, **change)) == []


BROKEN: list[tuple[str, dict[str, Any], str]] = [
    ("J1", {"sent": [*CLEAN.sent, later(FIRST, id="r1-lost")], "attempts": [*CLEAN.attempts, a_try(later(FIRST, id="r1-lost"), text="queued as in1")]}, "missing: new r1-lost for support@desk.example"),
    ("J1", {"sent": [later(FIRST, recipients=(BOX, "billing@desk.example")), ANSWER]}, "missing: new r1-00001 for billing@desk.example"),
    ("J2", {"inbound": {"in1": Inbound(FIRST.id, BOX), "in2": Inbound(FIRST.id, BOX)}}, "2 times (['T-1']): new r1-00001 for support@desk.example"),
    ("J3", {"inbound": {"in2": Inbound(ANSWER.id, BOX)}}, "too much: T-1 seq 2 holds unknown in1"),
    ("J3", {"sent": [ANSWER]}, "too much: a message of mail r1-00001 for support@desk.example that nobody sent"),
    ("J4", {"attempts": [*CLEAN.attempts, a_try(FIRST, 550, "5.1.1 nobody")]}, "refused: new r1-00001: 550"),
    ("J4", {"attempts": [*CLEAN.attempts, a_try(FIRST, 451, "4.3.0 MongoDB is away")]}, "a reply to r1-00001 tells internals: 451 4.3.0 MongoDB is away"),
    ("J4", {"attempts": [a_try(FIRST, 0), *CLEAN.attempts[2:]]}, "no end after 1 tries: new r1-00001"),
    ("J4", {"sent": [later(FIRST, kind="oversize"), ANSWER]}, "accepted, though to be refused: oversize r1-00001"),
    ("J5", {"inbound": {**CLEAN.inbound, "in1": Inbound(FIRST.id, BOX, has_sent_bytes=False)}}, "stored with other bytes: r1-00001 as in1"),
    ("J6", {"sent": [FIRST, later(ANSWER, message_id=FIRST.message_id)], "inbound": {**CLEAN.inbound, "in2": Inbound("", BOX)}}, f"2 mails under {FIRST.message_id} are 1 messages"),
    ("J7", {"sent": [FIRST, later(ANSWER, ticket_id="T-2")]}, "wrong ticket ['T-1']: new r1-00002 belongs to T-2"),
    ("J7", {"sent": [FIRST, later(FORGED, id=ANSWER.id)]}, "believed: forged r1-00002 is ticket.message-added in T-1"),
    ("J7", {"sent": [FIRST, ANSWER, FORGED], "taken": [*CLEAN.taken[:3], replace(REPLY, raw=REPLY.raw + b"Pay to my own account.")]}, f"mailed out: forged {FORGED.id} to {EMMA}"),
    ("J8", {"taken": [NOTICE, WARNING, REPLY]}, f"0 instead of one acknowledgement of T-1.2 to {EMMA}"),
    ("J8", {"taken": [ACK, NOTICE, WARNING]}, f"0 instead of one answer of T-1.5 to {EMMA}"),
    ("J8", {"taken": [replace(ACK, is_answered=False), NOTICE, WARNING, REPLY]}, f"given up without a 250: acknowledgement of T-1.2 to {EMMA}"),
    ("J8", {"taken": [ACK, REPLY]}, f"missing: notice of T-1 to {ANA} about ticket.sla-breached"),
    ("J8", {"taken": [ACK, replace(NOTICE, at=0.0), REPLY]}, f"missing: notice of T-1 to {ANA} about ticket.sla-breached"),
    ("J8", {"taken": [*CLEAN.taken, replace(ACK, message_id="again")]}, f"2 instead of one acknowledgement of T-1.2 to {EMMA}"),
    ("J8", {"taken": [*CLEAN.taken, replace(NOTICE, message_id="again")]}, f"too much: 3 notices of T-1 to {ANA}, news: 2"),
    ("J8", {"taken": [*CLEAN.taken, replace(ACK, recipient="ben@b.example")]}, "too much: mail of T-1.2 to ben@b.example"),
    ("J8", {"taken": [*CLEAN.taken, a_delivery("T-1.3", MARTA, "2026-11-22 09:01")]}, f"too much: notice of T-1 to {MARTA}"),
    ("J8", {"taken": [*CLEAN.taken, replace(REPLY, raw=REPLY.raw + b"!")]}, f"T-1.5-{EMMA} came twice with different bytes"),
    ("J8", {"taken": [*CLEAN.taken, REPLY]}, f"twice without a reason: T-1.5-{EMMA} to {EMMA}"),
    ("J8", {"taken": [*CLEAN.taken, REPLY], "disturbances": [a_disturbance("2026-11-22 09:40", "2026-11-22 09:42", target="sla")]}, f"twice without a reason: T-1.5-{EMMA} to {EMMA}"),
    ("J8", {"taken": [*CLEAN.taken[:3], replace(REPLY, message_id="")]}, f"a mail to {EMMA} has no Message-ID"),
    ("J8", {"events": [*CLEAN.events, HELD]}, f"missing: notice of T-1 to {ANA} about ticket.mail-held"),
    ("J8", {"unanswered": ["no acknowledgement for x@y"]}, "waited for in vain: no acknowledgement for x@y"),
    ("J9", {"sent": [later(FIRST, kind="auto-reply"), ANSWER]}, f"{EMMA} wrote automatically and was answered: T-1.2-{EMMA}"),
    ("J10", {"events": CLEAN.events[1:]}, "seq of T-1 is [2, 3, 4, 5]"),
    ("J10", {"events": [*CLEAN.events, CLEAN.events[1]]}, "seq of T-1 is [1, 2, 2, 3, 4, 5]"),
    ("J10", {"published": [*CLEAN.published[:2], *CLEAN.published[5:]]}, "not published: T-1.3"),
    ("J10", {"published": [*CLEAN.published, "T-1.6"]}, "too much on the topic: T-1.6"),
    ("J10", {"published": ["T-1.1", "T-1.3", "T-1.2", "T-1.4", "T-1.5"]}, "on the topic T-1.2 comes after seq 3"),
    ("J11", {"events": [*CLEAN.events, BREACH]}, "told twice: ticket.sla-breached of T-1, first-response"),
    ("J11", {"events": told_at("2026-11-22 09:29")}, "told 60.0 s before it was due: first-response of T-1"),
    ("J11", {"events": told_at("2026-11-22 09:35")}, "told 300 undisturbed seconds late: first-response of T-1"),
    ("J11", {"states": with_clock("running", DUE)}, f"never told: resolution of T-1 was due at {DUE}"),
    ("J12", {"reports": replace(CLEAN.reports, tickets={})}, "reports has None of T-1 instead of (5, 'open', 2)"),
    ("J12", {"reports": replace(CLEAN.reports, work={(ANA, "answer"): 2})}, f"reports counts 2 answers of {ANA} instead of 1"),
    ("J13", {"dead_letters": [*DEAD, DeadLetter("mail-received", "tickets", "", "KeyError")]}, "a good record is dead: mail-received, tickets: KeyError"),
    ("J13", {"dead_letters": DEAD[:1]}, "poison on directory is no dead letter of sla"),
    ("J14", {"machine": Machine({"notify": 401.0})}, "notify had 401 MiB"),
    ("J14", {"machine": Machine(ends=Counter(sla=2), caused=Counter(sla=1))}, "sla ended 2 times, 1 of them our doing"),
    ("J14", {"machine": Machine(bad_exits=["sla ended with 1 after SIGTERM"])}, "sla ended with 1 after SIGTERM"),
    ("J15", {"attempts": [*CLEAN.attempts, queued(FIRST, "in9")]}, f"{FIRST.id} was queued as in9, which is not there"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "change", "said"), BROKEN)
def test_each_thing_that_is_wrong_is_named(check: str, change: dict[str, Any], said: str) -> None:
    assert f"{check}: {said}" in problems(replace(CLEAN, **change))


def test_every_check_has_a_case() -> None:
    assert {check for check, _, _ in BROKEN} == set(CHECKS)
