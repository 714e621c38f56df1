from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.ingest.quarantine_mail import decided, digest, listed, ordered_by, shown
from shared.contracts.mail import MailReceived
from tests.builders import ANA, FAILED, MARTA, NOON, a_bounce, a_desk, a_token, an_agents_mail

ZONE = ZoneInfo("Europe/Berlin")


def a_guarded_desk() -> Any:
    agents = [{"address": MARTA, "name": "Marta Nowak", "role": "admin"}]
    agents += [{"address": ANA, "name": "Ana Lopez"}]
    return a_desk(
        agents=agents,
        teams=[{"name": "support", "members": [ANA]}, {"name": "billing", "members": [ANA]}],
        agent_mail={"trust": "verified"},
    )


def an_order(text: str = "#quarantine list", **changes: Any) -> MailReceived:
    given = {"from_addr": MARTA, "token": a_token(None, MARTA, purpose="desk"), **changes}
    return an_agents_mail(text, **given)


def an_entry(**changes: Any) -> dict[str, Any]:
    return {
        "id": "3f2a91c07b1e55aa",
        "received_at": NOON,
        "mailbox": "support@desk.example",
        "envelope_from": "emma@bakery.example",
        "message_id": "m@bakery.example",
        "size_bytes": 100,
        "unreadable": "too many header fields",
        "withheld": "",
        "state": "quarantined",
        "retries": 0,
        "decisions": [],
        **changes,
    }


def test_a_proved_admin_orders_at_the_own_desk_address() -> None:
    found = ordered_by(an_order("#quarantine drop all"), a_guarded_desk())

    assert found is not None
    assert (found[0].address, found[1].action, found[1].every) == (MARTA, "drop", True)


@pytest.mark.parametrize(
    "mail",
    [
        an_order(from_addr=ANA, token=a_token(None, ANA, purpose="desk")),
        an_order(token=a_token(None, ANA, purpose="desk")),
        an_order(token=a_token(None, MARTA, purpose="desk", state="expired")),
        an_order(token=a_token("T-1", MARTA)),
        an_order(token=None),
        an_order(authentication=FAILED),
        an_order(from_count=2),
        an_order(automated=True),
        an_order(autoreply=True),
        an_order(bounce=a_bounce()),
        an_order("#quarantine burn all"),
        an_order("List the quarantine, please."),
    ],
    ids=["agent", "other-token", "expired", "ticket", "no-token", "unproved", "two-senders",
         "automated", "autoreply", "bounce", "no-order", "words"],
)  # fmt: skip
def test_nobody_else_orders_anything(mail: MailReceived) -> None:
    assert ordered_by(mail, a_guarded_desk()) is None


def test_no_line_of_these_mails_is_a_command() -> None:
    evil = an_entry(unreadable="#quarantine drop all")
    texts = [
        listed([evil], ZONE),
        digest([evil], 3, ZONE),
        shown(evil, "#quarantine drop all", ZONE),
        decided([evil], [evil], "dropped"),
    ]

    assert not [line for _, text in texts for line in text.splitlines() if line.startswith("#")]


def test_a_list_says_which_mail_since_when_from_whom_and_why() -> None:
    title, text = listed([an_entry()], ZONE)

    assert title == "1 mail in quarantine"
    assert "3f2a91c07b1e  2026-" in text
    assert "from emma@bakery.example to support@desk.example" in text
    assert "too many header fields" in text


def test_an_empty_list_says_so_and_no_more() -> None:
    assert listed([], ZONE) == ("0 mails in quarantine", "None waits for a decision.")


def test_a_decision_names_each_mail_and_what_there_was_to_do() -> None:
    other = an_entry(id="77b1c07b1e5500aa")

    title, text = decided([an_entry(), other], [other], "dropped")

    assert title == "1 mail dropped"
    assert text.splitlines() == ["  3f2a91c07b1e  nothing to do", "  77b1c07b1e55  dropped"]
