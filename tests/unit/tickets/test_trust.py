from itertools import product

import pytest

from services.tickets.domain import trust
from tests.builders import ANA, BEN, EMMA, STRANGER, a_desk, a_token, an_agents_mail

AUTHENTICATION = ("pass", "fail", "none")
TOKENS = {
    "own": a_token("T-1", ANA),
    "another's": a_token("T-1", BEN),
    "the requester's": a_token("T-1", EMMA),
    "none": None,
}
CELLS = list(product(AUTHENTICATION, TOKENS))


@pytest.mark.parametrize(("dmarc", "token"), CELLS)
def test_of_twelve_cells_only_own_token_with_aligned_pass_acts(dmarc, token):
    mail = an_agents_mail("#close", token=TOKENS[token], authentication={"dmarc": dmarc})

    refusal = trust.agent_refusal(mail, a_desk())

    assert (refusal == "") == ((dmarc, token) == ("pass", "own"))


@pytest.mark.parametrize(("dmarc", "token"), CELLS)
def test_a_closed_network_still_needs_the_agents_own_token(dmarc, token):
    mail = an_agents_mail("#close", token=TOKENS[token], authentication={"dmarc": dmarc})

    refusal = trust.agent_refusal(mail, a_desk(agent_mail={"trust": "token"}))

    assert (refusal == "") == (token == "own")


@pytest.mark.parametrize(
    "change",
    [
        {"from_count": 2},
        {"from_addr": STRANGER},
        {"from_addr": STRANGER, "reply_to": ANA},
        {"token": a_token("T-1", ANA, state="expired")},
        {"token": a_token("T-1", ANA, state="forged")},
    ],
)
def test_neither_reply_to_nor_a_second_sender_nor_an_old_token_acts(change):
    assert trust.agent_refusal(an_agents_mail("#close", **change), a_desk())
