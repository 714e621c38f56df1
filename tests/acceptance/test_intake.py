"""What customers and filters in front may say about a new mail, through the whole stack."""

import json

import pytest

from deploy.local.correspondent import Correspondent
from tests.acceptance.company import Company, until

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]
SUPPORT = "support@desk.example"


@pytest.mark.feature("I09")
def test_a_customer_sets_the_priority_by_a_tag_or_the_mark_of_importance(company: Company) -> None:
    nils = company.person("nils@lindqvist.example", "Nils Lindqvist")

    nils.write(SUPPORT, "[urgent] The till is down", "Nobody can pay.")
    by_tag = nils.wait_for(lambda x: "The till is down" in x.subject)
    nils.write(SUPPORT, "The printer is slow", "When you have time.", headers={"X-Priority": "5"})
    by_mark = nils.wait_for(lambda x: "The printer is slow" in x.subject)

    nils.write("billing@desk.example", "[urgent] A refund", "Please.")
    elsewhere = nils.wait_for(lambda x: "A refund" in x.subject)

    found = {one["subject"]: one["priority"] for one in company.tickets()}
    assert "[urgent]" not in by_tag.subject
    assert found["The till is down"] == "urgent"
    assert found["The printer is slow"] == "low"
    assert found["[urgent] A refund"] == "normal"
    assert by_mark.subject.endswith("The printer is slow")
    assert elsewhere.subject.endswith("[urgent] A refund")


def test_what_the_filter_in_front_calls_spam_waits_for_an_operator(company: Company) -> None:
    seller = company.person("seller@watches.example", "Best Watches")
    nils = company.person("nils@lindqvist.example", "Nils Lindqvist")
    hop = "from a by mx.desk.example; Mon, 23 Nov 2026 12:00:00 +0000"

    seller.write(SUPPORT, "Cheap watches", "Buy.", headers={"X-Spam-Flag": "YES", "Received": hop})
    nils.write(SUPPORT, "My clock", "It lags.", headers={"Received": hop, "X-Spam-Flag": "YES"})

    nils.wait_for(lambda x: "My clock" in x.subject)
    withheld = until(lambda: listed(company, "seller@watches.example"))
    assert (withheld["state"], withheld["withheld"]) == ("withheld", "x-spam-flag: YES")
    assert withheld["ticket"] == ""
    assert seller.letters() == []
    assert json.loads(company.run("ledger", "--json", check=False))["mail"]["withheld"] >= 1
    assert "Cheap watches" in company.run("quarantine", "show", withheld["id"], "--raw")

    company.run("quarantine", "release", withheld["id"], "--why", "a supplier")

    assert "Cheap watches" in seller.wait_for().subject
    assert listed(company, "seller@watches.example") is None


def test_a_lead_bars_a_sender_by_mail_after_confirming_and_admits_them_again(
    company: Company,
) -> None:
    seller = company.person("pusher@watches.example", "Pusher")
    number, _ = company.open_ticket(seller, "Watches for you", "alarm@desk.example")
    lena, notice = company.agent_and_notice(number)

    lena.answer(notice, "#bar")
    question = lena.wait_for(lambda x: "E12" in x.text)
    assert "mail of pusher@watches.example would be kept" in question.text
    lena.answer(question, "#confirm")
    until(lambda: "ticket.sender-barred" in types(company, number))
    again = seller.write("alarm@desk.example", "More watches", "Buy now.")
    until(lambda: "message 0" in company.run("trace", again.strip("<>"), "--json", check=False))
    assert [x for x in seller.letters() if "More watches" in x.subject] == []

    lena.answer(notice, "#unbar")
    until(lambda: "ticket.sender-admitted" in types(company, number))
    company.open_ticket(seller, "An apology", "alarm@desk.example")


@pytest.mark.feature("N04")
def test_a_lead_limits_a_sender_by_mail_and_what_is_beyond_waits_for_an_operator(
    company: Company,
) -> None:
    robot = company.person("robot@monitoring.example", "Monitoring")
    number, _ = company.open_ticket(robot, "Disk at 80 %", "alarm@desk.example")
    lena, notice = company.agent_and_notice(number)

    lena.answer(notice, "#bar monitoring.example 1/d")
    question = lena.wait_for(lambda x: number in x.subject and "E12" in x.text)
    assert "monitoring.example beyond 1 a day would wait in quarantine" in question.text
    lena.answer(question, "#confirm")
    until(lambda: "ticket.sender-limited" in types(company, number))
    fates = []
    while not fates or fates[-1] == "a ticket":  # ingest hears of it within seconds
        subject = f"Disk still full, alarm {len(fates)}"
        robot.write("alarm@desk.example", subject, "Do something.")
        fates.append(until(lambda s=subject: fate(company, robot, s)))

    assert fates[-1] == "limit of monitoring.example: 1 a day"
    assert len(fates) > 1
    waiting = listed(company, robot.address)
    assert waiting
    company.run("quarantine", "release", waiting["id"], "--why", "it matters")
    until(lambda: fate(company, robot, subject) == "a ticket")
    lena.answer(notice, "#unbar monitoring.example")
    until(lambda: "ticket.sender-admitted" in types(company, number))


@pytest.mark.feature("I11")
def test_a_departments_questions_are_asked_at_opening_and_their_answers_are_fields(
    company: Company,
) -> None:
    nils = company.person("nils@lindqvist.example", "Nils Lindqvist")
    number, ack = company.open_ticket(nils, "The alarm rings", "alarm@desk.example")
    assert "1. What is the serial number of the device?" in ack.text
    assert "2. Since when does it happen?" in ack.html
    lena, _ = company.agent_and_notice(number)

    quoted = "".join(f"> {line}\n" for line in ack.text.splitlines())
    below = quoted.replace("device?\n", "device?\nNL-4711\n").replace(
        "happen?\n", "happen?\nSince Monday morning,\nevery hour.\n\nThank you!\n"
    )
    nils.answer(ack, f"On Monday, Nordlicht Alarm wrote:\n{below}", quote=False)

    told = lena.wait_for(lambda x: number in x.subject and "NL-4711" in x.text)
    assert "Since Monday morning, every hour." in told.text
    ticket = company.show(number)
    assert ticket["fields"] == {"serial": "NL-4711", "since": "Since Monday morning, every hour."}
    assert f"{'Serial':<16} NL-4711" in told.text


def types(company: Company, number: str) -> list[str]:
    return [one["type"] for one in company.show(number)["timeline"]]


def fate(company: Company, sender: Correspondent, subject: str) -> str:
    """What has become of the sender's mail: a ticket, or why it waits for an operator."""
    if any(subject in letter.subject for letter in sender.letters()):
        return "a ticket"
    waiting = listed(company, sender.address)
    return waiting["withheld"] if waiting else ""


def listed(company: Company, sender: str) -> dict[str, str] | None:
    """What waits for an operator from that sender."""
    entries = json.loads(company.run("quarantine", "list", "--json"))
    return next((one for one in entries if one["envelope_from"] == sender), None)
