"""Loops through whole desks: with a mirror that says nothing about itself, and with another desk."""

from collections.abc import Callable

import pytest

from deploy.local.correspondent import Letter
from tests.acceptance.company import Company
from tests.threats.guarded import SUPPORT, Guarded, Writer

pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]
MOST = 10  # mails, of both sides together
GULLIBLE = "support@desk.example"  # the other desk, which acknowledges whatever comes


def reflect(mirror: Writer, letter: Letter) -> str:
    """All as a new mail: no header of the letter's, not even its subject, is left."""
    return mirror.write(SUPPORT, "A mail for you", letter.text)


def answer(mirror: Writer, letter: Letter) -> str:
    """As an answer to where answers go, under the same subject."""
    return mirror.answer(letter, "Thank you for your mail.", headers={"References": ""})


def automatic(mirror: Writer, letter: Letter) -> str:
    """An out-of-office note as the standard asks for."""
    return mirror.answer(letter, "I am away.", headers={"Auto-Submitted": "auto-replied"})


@pytest.mark.feature("N04")
@pytest.mark.parametrize("react", [reflect, answer, automatic])
def test_t09_a_mirror_that_hides_what_it_is_gets_a_few_mails_and_no_more(
    guarded: Guarded, react: Callable[[Writer, Letter], str]
) -> None:
    mirror = guarded.person(f"{react.__name__}@mirror.example", "Mirror")
    sent = [mirror.write(SUPPORT, "The first mail", "Hello?")]
    seen = 0

    while len(sent) <= MOST:
        guarded.settled(sent[-1], mirror.address)
        letters = mirror.letters()
        if len(letters) == seen:
            break
        sent += [react(mirror, letter) for letter in letters[seen:]]
        seen = len(letters)

    assert seen
    assert len(sent) + seen <= MOST


@pytest.mark.feature("N04")
def test_t09_two_desks_pointed_at_each_other_fall_silent(
    guarded: Guarded, company: Company
) -> None:
    """What goes between them is stripped of all that says it is automatic, and signed anew."""
    other = Guarded(company.addresses, company.state_dir)
    at_ours, at_theirs = guarded.person(GULLIBLE, "Other desk"), other.forger(SUPPORT, "Our desk")
    to_ours = [("Pointed at each other", "Are you there?")]
    mails = 0

    while to_ours and mails <= MOST:
        to_theirs = pass_on(guarded, at_ours, SUPPORT, to_ours)
        mails += len(to_ours) + len(to_theirs)
        to_ours = pass_on(other, at_theirs, GULLIBLE, to_theirs)

    assert 2 <= mails <= MOST
    assert not to_ours


def pass_on(
    desk: Guarded, sender: Writer, to: str, mails: list[tuple[str, str]]
) -> list[tuple[str, str]]:
    """Write the mails to the desk; subject and text of what it sends back."""
    before = len(sender.letters())
    for subject, text in mails:
        desk.settled(sender.write(to, subject, text), sender.address)
    return [(letter.subject, letter.text) for letter in sender.letters()[before:]]
