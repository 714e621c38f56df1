"""People in copy of a case, told as mails through the whole stack."""

import json

import pytest

from deploy.local.correspondent import Correspondent, File, Letter
from tests.acceptance.company import Company, ticket_id, until

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]
SUPPORT = "support@desk.example"


@pytest.mark.feature("T19")
def test_followers_come_and_go_and_see_only_what_is_sent_meanwhile(company: Company) -> None:
    emma = company.person("emma@harbour-bakery.example", "Emma Brand")
    anna = company.person("anna@partner.example", "Anna Partner")
    audit = company.person("audit@ledger.example", "Au Dit")
    number, _ = company.open_ticket(emma, "Copies of a case")
    agent, notice = company.agent_and_notice(number)
    plan = File("plan-of-before.pdf", b"%PDF-1.4 before", "application/pdf")
    agent.answer(notice, "#take\nWORDS-OF-BEFORE, see the plan.", files=[plan])
    emma.wait_for(lambda x: number in x.subject and "WORDS-OF-BEFORE" in x.text)

    agent.answer(notice, f"#cc +{anna.address}\n#bcc {audit.address}\nThe fibre is cut.")
    told = emma.wait_for(lambda x: "The fibre is cut." in x.text)
    copied = anna.wait_for(lambda x: number in x.subject)
    hidden = audit.wait_for(lambda x: number in x.subject)

    for letter in (copied, hidden):
        assert "The fibre is cut." in letter.text
        assert "BEFORE" not in letter.path.read_text()
        assert letter.attachment_names == []
    assert _named(told) == _named(copied) == {emma.address, anna.address}
    assert _named(hidden) == {audit.address}
    assert audit.address not in told.path.read_text() + copied.path.read_text()

    letters = len(emma.letters()), len(audit.letters())
    anna.answer(copied, "#close\nWe dug there, sorry.")
    news = agent.wait_for(lambda x: number in x.subject and "We dug there, sorry." in x.text)
    assert f"{'Blind copy':<16} {audit.address}" in news.text
    ticket = company.show(number)
    assert (ticket["status"], ticket["messages"][-1]["unverified"]) == ("open", False)
    assert (len(emma.letters()), len(audit.letters())) == letters

    agent.answer(news, f"#cc -{anna.address}\n#resolve\nMended.")
    solved = emma.wait_for(lambda x: "Mended." in x.text)
    last = audit.wait_for(lambda x: "Mended." in x.text)
    assert [bool(x.links) for x in (solved, last)] == [True, False]
    assert not [x for x in anna.letters() if "Mended." in x.text]
    shown = json.loads(company.run("show", number, "--json"))
    assert (shown["followers"], shown["blind_followers"]) == ([], [audit.address])
    assert f"-{anna.address}" in company.run("show", number).replace("\n", "")


@pytest.mark.feature("T19")
def test_a_customers_copies_follow_until_their_address_is_dead(company: Company) -> None:
    emma = company.person("emma@harbour-bakery.example", "Emma Brand")
    boss = company.person("boss@harbour-bakery.example", "The Boss")
    copy = {"Cc": f"The Boss <{boss.address}>, ana@desk-team.example, billing@desk.example"}
    emma.write(SUPPORT, "With my boss in copy", "Please help.", headers=copy)
    number = ticket_id(emma.wait_for(lambda x: "With my boss" in x.subject))
    agent, notice = company.agent_and_notice(number)
    assert company.show(number)["followers"] == [boss.address]
    assert f"{'In copy':<16} {boss.address}" in notice.text
    assert boss.letters() == []

    agent.answer(notice, "#take\nWe look into it.")
    copied = boss.wait_for(lambda x: number in x.subject)
    _report_dead(company, copied, boss)
    dead = agent.wait_for(lambda x: number in x.subject and "The address is dead" in x.text)
    assert boss.address in dead.text

    agent.answer(dead, "Here is more.")
    emma.wait_for(lambda x: "Here is more." in x.text)
    told = agent.wait_for(lambda x: number in x.subject and "not sent: the address" in x.text)
    assert boss.address in told.text
    assert [x for x in boss.letters() if "Here is more." in x.text] == []


def _named(letter: Letter) -> set[str]:
    """The addresses in To and Cc."""
    fields = [letter.message[name] for name in ("To", "Cc") if letter.message[name]]
    return {address.addr_spec for field in fields for address in field.addresses}


def _report_dead(company: Company, letter: Letter, who: Correspondent) -> None:
    """What the reader's server says, to the envelope's sender."""
    report = (
        "From: mailer-daemon@elsewhere.example\r\nSubject: Undelivered Mail\r\n"
        f"Message-ID: <dsn-{who.address}>\r\nAuto-Submitted: auto-replied\r\n"
        "MIME-Version: 1.0\r\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nGone.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; elsewhere.example\r\n\r\n"
        f"Final-Recipient: rfc822; {who.address}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
        "--b\r\nContent-Type: text/rfc822-headers\r\n\r\n"
        f"Message-ID: {letter.message_id}\r\n\r\n--b--\r\n"
    )
    daemon = company.person("mailer-daemon@elsewhere.example")
    daemon.send(report.encode(), [str(letter.message["Return-Path"]).strip("<>")])
    until(lambda: "ticket.delivery-noted" in _types(company, ticket_id(letter)))


def _types(company: Company, number: str) -> list[str]:
    return [one["type"] for one in company.show(number)["timeline"]]
