"""Many requests for automatic mail are few mails (the loops through whole desks: test_loops)."""

import pytest

from services.notify.domain.headers import PROFILES, MailClass
from services.notify.domain.limits import Counters, caps
from shared.config.models import Desk
from tests.builders import ANA, EMMA, NOON, a_desk

AUTOMATIC: list[MailClass] = [name for name, profile in PROFILES.items() if profile.automatic]
MOST = {"acknowledgement": 4, "result": 20}


def sent(mail_class: MailClass, desk: Desk, address: str, tickets: list[str]) -> int:
    counters = Counters({})
    return [counters.take(caps(mail_class, address, t, desk), NOON) for t in tickets].count(None)


@pytest.mark.parametrize("mail_class", AUTOMATIC)
def test_t24_a_thousand_requests_for_one_address_are_a_few_mails(mail_class: MailClass) -> None:
    assert sent(mail_class, a_desk(), EMMA, [""] * 1_000) <= MOST.get(mail_class, 30)


@pytest.mark.parametrize("mail_class", AUTOMATIC)
@pytest.mark.parametrize("address", [EMMA, ANA])
def test_t24_a_thousand_events_of_one_ticket_are_ten_mails_at_most(
    mail_class: MailClass, address: str
) -> None:
    assert sent(mail_class, a_desk(), address, ["T-1"] * 1_000) <= 10


def test_t24_the_cap_is_what_the_desk_configures() -> None:
    desk = a_desk(customers={"acknowledgements_per_hour": 1})

    assert sent("acknowledgement", desk, EMMA, [""] * 1_000) == 1
