from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.notify.delivery import outbox_row, settle, to_outgoing, with_text
from services.notify.domain.backoff import next_try, relay_pause_s
from services.notify.domain.lanes import Lanes
from services.notify.outgoing import Row, from_document, outgoing_id, to_document
from services.notify.relay import Outcome, relay_message_id
from shared.contracts.delivery import MailDeferred, MailFailed, MailSent
from tests.unit.notify.cases import EMMA, NOW


def a_row(**more: Any) -> Row:
    row = Row(
        id=outgoing_id("T-1.2", EMMA, "reply"),
        kind="reply",
        mail_class="answer",
        reason="reply",
        recipient=EMMA,
        ticket_id="T-1",
        event_id="T-1.2",
        correlation_id="in-1",
        seq=2,
        created_at=NOW,
        state="sending",
        message_id="t1.a.b@desk.example",
        raw=b"bytes",
        text="text",
    )
    return replace(row, **more)


def test_a_mail_that_the_relay_took_is_sent_and_told() -> None:
    settled = settle(a_row(), Outcome("sent", "2.0.0 OK"), NOW)

    assert settled.row.state == "sent"
    assert settled.row.next_try_at is None
    [document] = outbox_row([with_text(settled, "T-1/abc")], NOW)["parts"]
    outgoing = to_outgoing(document)
    assert isinstance(outgoing.record, MailSent)
    assert outgoing.record.text_blob == "T-1/abc"
    assert (outgoing.key, outgoing.meta.id) == ("T-1", f"{a_row().id}.sent")
    assert (outgoing.meta.correlation_id, outgoing.meta.causation_id) == ("in-1", "T-1.2")


def test_a_refusal_for_now_is_told_once_and_tried_for_five_days() -> None:
    row, told, tries, now = a_row(), 0, 0, NOW
    while row.state in {"sending", "deferred"}:
        settled = settle(row, Outcome("deferred", "451 later"), now)
        told += isinstance(settled.record, MailDeferred)
        row, tries = settled.row, tries + 1
        now = row.next_try_at or now

    assert told == 1
    assert row.state == "failed"
    assert isinstance(settled.record, MailFailed)
    assert timedelta(days=5) - timedelta(minutes=70) < now - NOW <= timedelta(days=5)


def test_pauses_begin_with_five_minutes_and_double_up_to_sixty_six() -> None:
    minutes = [
        (at - NOW).total_seconds() / 60
        for refusals in range(1, 8)
        if (at := next_try(created_at=NOW, refusals=refusals, now=NOW))
    ]

    assert minutes == [5, 10, 20, 40, 66, 66, 66]


def test_the_first_pause_is_the_desks_to_choose() -> None:
    settled = settle(
        a_row(), Outcome("deferred", "451 later"), NOW, first_pause=timedelta(seconds=2)
    )

    assert settled.row.next_try_at == NOW + timedelta(seconds=2)


def test_a_relay_that_is_away_is_asked_again_soon_and_at_least_every_minute() -> None:
    pauses = [relay_pause_s(failures) for failures in range(1, 12)]

    assert pauses[:4] == [0.5, 1.0, 2.0, 4.0]
    assert pauses[-1] == 60.0


def test_a_refusal_for_good_ends_the_row() -> None:
    settled = settle(a_row(), Outcome("failed", "550 5.1.1 nobody"), NOW)

    assert (settled.row.state, settled.row.next_try_at) == ("failed", None)
    assert isinstance(settled.record, MailFailed)
    assert settled.record.reply == "550 5.1.1 nobody"


def test_an_unheard_answer_means_the_same_bytes_again() -> None:
    settled = settle(a_row(), Outcome("unknown", "connection lost"), NOW)

    assert settled.record is None
    assert settled.row.state == "queued"
    assert settled.row.next_try_at is not None
    assert (settled.row.raw, settled.row.message_id) == (a_row().raw, a_row().message_id)


def test_a_mail_whose_answer_is_never_heard_is_given_up_after_five_days() -> None:
    late = NOW + timedelta(days=5, minutes=1)

    assert settle(a_row(), Outcome("unknown"), late).row.state == "failed"


def test_a_relay_that_is_away_costs_the_row_nothing() -> None:
    later = NOW + timedelta(days=30)

    settled = settle(a_row(), Outcome("unreachable", "refused"), later)

    assert settled.row == a_row(
        state="queued", next_try_at=later, settled_at=later, detail="refused"
    )


@pytest.mark.parametrize(
    ("reply", "other"),
    [
        ("2.0.0 OK", ""),
        (
            "Ok 01020190a1b2c3d4-0a1b2c3d-1234-5678-9abc-0123456789ab-000000",
            "01020190a1b2c3d4-0a1b2c3d-1234-5678-9abc-0123456789ab-000000",
        ),
        (
            "2.6.0 <new@eurprd01.prod.outlook.com> [InternalId=1] Queued mail",
            "new@eurprd01.prod.outlook.com",
        ),
        ("2.6.0 <t1.a.b@desk.example> Queued mail for delivery", ""),
        ("2.0.0 Ok: queued as 4Q2xYz1", ""),
    ],
)
def test_the_relays_own_id_is_learned_from_its_answer(reply: str, other: str) -> None:
    assert relay_message_id(reply, "t1.a.b@desk.example") == other


def test_the_same_fact_gives_the_same_row() -> None:
    assert outgoing_id("T-1.2", EMMA, "reply") == outgoing_id("T-1.2", EMMA, "reply")
    assert outgoing_id("T-1.2", EMMA, "reply") != outgoing_id("T-1.2", EMMA, "notice")


def test_a_row_is_stored_and_read_whole() -> None:
    row = a_row(next_try_at=NOW)

    assert from_document(to_document(row) | {"a_later_release": 1}) == row


def test_no_domain_gets_more_than_its_share_at_a_time() -> None:
    lanes: Lanes[int] = Lanes(2)
    for number in range(4):
        lanes.put("slow.example", number)
    lanes.put("other.example", 9)

    taken = [lanes.take() for _ in range(4)]
    lanes.done("slow.example")

    assert taken == [("slow.example", 0), ("other.example", 9), ("slow.example", 1), None]
    assert lanes.take() == ("slow.example", 2)
    assert lanes.drain() == [3]
    assert len(lanes) == 0


def test_what_somebody_waits_for_overtakes_the_rest_but_does_not_starve_it() -> None:
    lanes: Lanes[str] = Lanes(100)
    lanes.put("desk.example", "notice", is_urgent=False)
    for number in range(8):
        lanes.put("people.example", f"answer {number}")

    taken = [lanes.take() for _ in range(8)]

    assert taken[0] == ("people.example", "answer 0")
    assert taken[-1] == ("desk.example", "notice")
