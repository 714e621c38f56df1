from dataclasses import replace
from datetime import timedelta

import pytest

from services.notify.domain.limits import HOUR, Cap, Counters, caps, minute_of, tally
from services.notify.domain.planning import plan, remember
from services.notify.domain.view import TicketView, evolve
from tests.unit.notify.cases import ANA, EMMA, NOW, a_desk, history, later

DESK = a_desk().model_copy(
    update={"customers": a_desk().customers.model_copy(update={"acknowledgements_per_hour": 5})}
)


def test_an_address_gets_at_most_its_acknowledgements_within_an_hour() -> None:
    counters = Counters({})

    refused = [
        counters.take(caps("acknowledgement", EMMA, f"T-{n}", DESK), later(n * 3)) for n in range(7)
    ]

    assert [cap.name if cap else "" for cap in refused] == [
        "",
        "",
        "",
        "",
        "",
        *[f"ack {EMMA}"] * 2,
    ]


def test_within_minutes_an_address_gets_fewer() -> None:
    counters = Counters({})

    refused = [counters.take(caps("acknowledgement", EMMA, "", DESK), NOW) for _ in range(9)]

    assert [cap is None for cap in refused] == [True] * 4 + [False] * 5


def test_a_slow_loop_ends_within_the_day() -> None:
    counters = Counters({})
    hours = [
        counters.take(caps("acknowledgement", EMMA, "", DESK), later(60 * n)) for n in range(23)
    ]

    assert [cap is None for cap in hours] == [True] * 20 + [False] * 3


def test_a_domain_whose_every_address_answers_ends_too() -> None:
    counters = Counters({})

    sent = [
        counters.take(caps("acknowledgement", f"a{n}@loop.example", "", DESK), NOW)
        for n in range(1_100)
    ]

    assert [cap is None for cap in sent].count(True) == 1_000
    assert sent[-1] is not None
    assert sent[-1].name == "ack @loop.example"


def test_answers_to_commands_of_no_ticket_are_capped_for_an_agent_too() -> None:
    counters = Counters({})

    sent = [counters.take(caps("result", ANA, "", DESK), NOW) for _ in range(30)]

    assert [cap is None for cap in sent].count(True) == 20


def test_an_hour_later_there_is_room_again() -> None:
    counters = Counters({})
    cap = Cap("auto", "x", 1, HOUR)

    assert counters.take([cap], NOW) is None
    assert counters.take([cap], later(59)) == cap
    assert counters.free_at(cap) == later(60)
    assert counters.take([cap], later(60)) is None


def test_a_refused_mail_is_counted_nowhere() -> None:
    counters = Counters({"full": {"auto": [[minute_of(NOW), 1]]}})

    counters.take([Cap("auto", "free", 1, HOUR), Cap("auto", "full", 1, HOUR)], later(1))

    assert counters.changed == {}


def test_a_persons_words_fall_under_no_cap() -> None:
    assert caps("answer", EMMA, "T-1", DESK) == []


@pytest.mark.parametrize("address", [EMMA, ANA])
def test_automatic_mail_is_capped_for_a_ticket_and_for_an_address(address: str) -> None:
    names = [cap.name for cap in caps("notice", address, "T-1", DESK)]

    assert names == [f"auto {address}", f"auto {address} T-1"]


def test_a_peer_that_answers_everything_gets_less_than_ten_mails() -> None:
    """It says nothing of being automatic, and each of its mails opens the same ticket's next turn."""
    counters, sent = Counters({}), 0
    view: TicketView | None = None
    told = history()
    for minute in range(40):
        event = told.customer_writes(
            f"2026-11-20 09:{minute:02}", from_addr=EMMA, event={"acknowledge": True}
        )
        view = evolve(view, event)
        planned = [mail for mail in plan(event, view, DESK) if mail.recipient == EMMA]
        view = remember(view, planned)
        for mail in planned:
            allowed = counters.take(caps(mail.mail_class, EMMA, "T-1", DESK), later(minute))
            sent += allowed is None

    assert sent == 1


def test_a_peer_whose_every_answer_opens_a_ticket_gets_less_than_ten_mails() -> None:
    counters, sent = Counters({}), 0
    for number in range(1, 40):
        told = history(ticket_id=f"T-{number}")
        event = told.customer_writes(
            "2026-11-20 09:00", from_addr=EMMA, event={"acknowledge": True}
        )
        view = evolve(None, event)
        for mail in plan(event, view, DESK):
            limits = caps(mail.mail_class, mail.recipient, f"T-{number}", DESK)
            sent += counters.take(limits, later(number)) is None

    assert sent == 5


def test_caps_end_with_their_time_not_with_a_clock_hour() -> None:
    cap = Cap("auto", "x", 2, timedelta(minutes=10))
    counters = Counters({"x": {"auto": tally([later(0), later(8)])}})

    assert counters.take([cap], later(9)) == cap
    assert counters.take([replace(cap)], later(11)) is None


def test_thousands_of_mails_are_few_numbers_and_a_ticket_s_own_are_the_ledgers() -> None:
    counters = Counters({})
    limits = [Cap("auto", ANA, 5_000, HOUR), Cap("auto", ANA, 5_000, HOUR, "T-1")]

    refused = [counters.take(limits, later(n // 100)) for n in range(5_001)]

    assert [cap.key if cap else None for cap in refused] == [None] * 5_000 + [ANA]
    assert list(counters.changed) == [ANA]
    assert len(counters.changed[ANA]["auto"]) == 50
    assert counters.free_at(limits[0]) == later(60)
