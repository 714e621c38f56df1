"""The judge convicts what it should: each case takes a clean run and breaks one thing in it."""

from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from shared.config import load_desk
from tests.actors.judge import Evidence, verdict
from tests.actors.mails import Mail, Writer
from tests.actors.sink import Delivery
from tests.ticket_history import History, at

DESK = load_desk(Path(__file__).parents[3] / "deploy" / "presets" / "demo.yaml").desk
ANA, EMMA, BOX = "ana@desk-team.example", "emma@harbour-bakery.example", "support@desk.example"
WRITER = Writer(Random(1))
FIRST, ANSWER = (WRITER.plain(sender, [BOX]) for sender in (EMMA, ANA))


def a_delivery(event_id: str, recipient: str, when: str, *, body: bytes = b"hello") -> Delivery:
    message_id = f"{event_id}-{recipient}"
    head = f"Message-ID: <{message_id}>\r\nX-Postdesk-Event: {event_id}\r\n\r\n".encode()
    return Delivery(at(when).timestamp(), "", recipient, message_id, head + body)


def a_clean_run() -> Evidence:
    """Emma writes, is acknowledged, Ana is told, answers, and Emma gets the answer."""
    history = History("2026-11-22 09:00")
    history.customer_writes("2026-11-22 09:00", from_addr=EMMA, inbound_id="in1", event={"acknowledge": True})  # fmt: skip
    history.assigned("2026-11-22 09:00", ANA)
    history.agent_answers("2026-11-22 09:10", ANA, from_addr=ANA, inbound_id="in2")
    return Evidence(
        accepted=[FIRST, ANSWER],
        inbound={"in1": (FIRST.id, BOX), "in2": (ANSWER.id, BOX)},
        events=history.events,
        taken=[
            a_delivery("T-1.2", EMMA, "2026-11-22 09:01"),
            a_delivery("T-1.3", ANA, "2026-11-22 09:01"),
            a_delivery("T-1.4", EMMA, "2026-11-22 09:11"),
        ],
        desk=DESK,
        published=frozenset({"T-1.1", "T-1.2", "T-1.3", "T-1.4"}),
    )


CLEAN = a_clean_run()
ACK, NOTICE, REPLY = CLEAN.taken


def later(mail: Mail, **changes: Any) -> Mail:
    return replace(mail, **changes)


def test_a_clean_run_is_innocent() -> None:
    assert verdict(CLEAN) == []


def test_an_identical_repeat_is_innocent() -> None:
    assert verdict(replace(CLEAN, taken=[*CLEAN.taken, REPLY])) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"accepted": [FIRST, ANSWER, later(FIRST, id="r1-lost")]}, "missing: new r1-lost for support@desk.example"),
        ({"accepted": [later(FIRST, recipients=(BOX, "billing@desk.example")), ANSWER]}, "missing: new r1-00001 for billing@desk.example"),
        ({"inbound": {"in1": (FIRST.id, BOX), "in2": (FIRST.id, BOX)}}, "2 times (['T-1']): new r1-00001 for support@desk.example"),
        ({"inbound": {"in2": (ANSWER.id, BOX)}}, "too much: T-1 seq 2 holds unknown in1"),
        ({"accepted": [ANSWER]}, "too much: a message of mail r1-00001 for support@desk.example that was never accepted"),
        ({"accepted": [FIRST, later(ANSWER, ticket_id="T-2")]}, "wrong ticket ['T-1']: new r1-00002 for support@desk.example belongs to T-2"),
        ({"accepted": [later(FIRST, kind="auto-reply"), ANSWER]}, f"{EMMA} wrote automatically and was answered: T-1.2-{EMMA}"),
        ({"events": CLEAN.events[1:]}, "seq of T-1 is [2, 3, 4]"),
        ({"events": [*CLEAN.events, CLEAN.events[1]]}, "seq of T-1 is [1, 2, 2, 3, 4]"),
        ({"published": CLEAN.published - {"T-1.3"}}, "not published: T-1.3"),
        ({"published": CLEAN.published | {"T-1.5"}}, "too much on the topic: T-1.5"),
        ({"taken": [NOTICE, REPLY]}, f"0 instead of one acknowledgement of T-1.2 to {EMMA}"),
        ({"taken": [ACK, NOTICE]}, f"0 instead of one answer of T-1.4 to {EMMA}"),
        ({"taken": [ACK, REPLY]}, f"missing: notice of T-1 to {ANA} about ticket.assigned"),
        ({"taken": [ACK, replace(NOTICE, at=0.0), REPLY]}, f"missing: notice of T-1 to {ANA} about ticket.assigned"),
        ({"taken": [*CLEAN.taken, replace(ACK, message_id="again")]}, f"2 instead of one acknowledgement of T-1.2 to {EMMA}"),
        ({"taken": [*CLEAN.taken, replace(NOTICE, message_id="again")]}, f"too much: 2 notices of T-1 to {ANA}, news: 1"),
        ({"taken": [*CLEAN.taken, replace(ACK, recipient="ben@b.example")]}, "too much: mail of T-1.2 to ben@b.example"),
        ({"taken": [*CLEAN.taken, a_delivery("T-1.3", "ben@desk-team.example", "2026-11-22 09:01")]}, "too much: notice of T-1 to ben@desk-team.example"),
        ({"taken": [*CLEAN.taken, replace(REPLY, raw=REPLY.raw + b"!")]}, f"T-1.4-{EMMA} came twice with different bytes"),
        ({"taken": [*CLEAN.taken, replace(REPLY, message_id="")]}, f"a mail to {EMMA} has no Message-ID"),
    ],
)  # fmt: skip
def test_each_thing_that_is_wrong_is_named(change: dict[str, Any], said: str) -> None:
    assert said in verdict(replace(CLEAN, **change))
