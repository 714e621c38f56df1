"""Who may do what, and what machines and strangers get: told as mails through the whole stack."""

import json
from typing import Any

import pytest

from tests.acceptance.company import Company, ticket_id, until
from tests.acceptance.running import configuration, reconfigure

pytestmark = [pytest.mark.stack, pytest.mark.timeout(120)]
BEN, ANA = "ben@desk-team.example", "ana@desk-team.example"


@pytest.mark.feature("T03")
def test_a_colleagues_reply_to_a_locked_ticket_comes_back_with_its_text(company: Company) -> None:
    emma = company.person("emma@harbour-bakery.example", "Emma Brand")
    number, _ = company.open_ticket(emma, "Locked for a while")
    agent, notice = company.agent_and_notice(number)
    other = company.person(BEN if agent.address == ANA else ANA)
    agent.answer(notice, f"#assign {other.address}")
    theirs = other.wait_for(lambda x: number in x.subject)
    agent.answer(notice, "#take")
    until(lambda: company.show(number)["locked_by"] == agent.address)
    letters = len(emma.letters())

    other.answer(theirs, "Dear Emma, I will do it.")
    back = other.wait_for(lambda x: number in x.subject and "I will do it" in x.text)

    assert back.text.startswith("NOT DONE")
    assert "E05" in back.text
    assert agent.name in back.text
    assert len(emma.letters()) == letters


@pytest.mark.feature("T03")
def test_a_lock_ends_by_itself_when_its_holder_does_nothing(company: Company) -> None:
    before = configuration(company)
    agent_mail = {**before["agent_mail"], "lock_idle": "3s"}
    reconfigure(company, {**before, "agent_mail": agent_mail})
    try:
        emma = company.person("emma@harbour-bakery.example", "Emma Brand")
        number, _ = company.open_ticket(emma, "Locked and forgotten")
        agent, notice = company.agent_and_notice(number)
        carla = company.person("carla@desk-team.example", "Carla Rossi")
        agent.answer(notice, "#note carla\n#take\nIs that one of yours?")
        theirs = carla.wait_for(lambda x: number in x.subject)
        until(lambda: _locks(company, number))
        until(lambda: company.show(number)["locked_by"] is None)

        carla.answer(theirs, "#take\nDear Emma, it is one of mine.")

        answer = emma.wait_for(lambda x: "it is one of mine" in x.text)
        locks = _locks(company, number)
        assert [one["by"] for one in locks][1:] == ["system:lock", f"agent:{carla.address}"]
        assert locks[1]["data"]["previous"] == agent.address
        assert locks[1]["data"]["because"].startswith("nothing done since ")
        emma.answer(answer, "Thank you.")
        told = carla.wait_for(lambda x: number in x.subject and "Thank you." in x.text)
        assert f"no longer held by {agent.name}: nothing done since " in told.text
    finally:
        reconfigure(company, before)


def _locks(company: Company, number: str) -> list[dict[str, Any]]:
    return [e for e in company.show(number)["timeline"] if e["type"] == "ticket.lock-changed"]


@pytest.mark.feature("T05", "T04")
def test_an_escalation_brings_the_note_and_the_case_to_the_other_team(company: Company) -> None:
    emma = company.person("emma@harbour-bakery.example", "Emma Brand")
    number, _ = company.open_ticket(emma, "Refund me at once")
    agent, notice = company.agent_and_notice(number)
    carla = company.person("carla@desk-team.example", "Carla Rossi")

    agent.answer(notice, '#escalate billing "wants a refund today"')
    told = carla.wait_for(lambda x: number in x.subject)

    assert "wants a refund today" in told.text
    assert "Refund me at once, please help." in told.text
    assert "ticket.escalated" in [e["type"] for e in company.show(number)["timeline"]]


@pytest.mark.feature("I07")
def test_each_mailbox_has_its_brand_and_its_team(company: Company) -> None:
    jonas = company.person("jonas.weber@mail.example", "Jonas Weber")

    number, ack = company.open_ticket(jonas, "Invoice twice", to="billing@desk.example")

    assert "Nordlicht Billing" in ack.sender
    ticket = company.show(number)
    assert (ticket["team"], ticket["assignee"]) == ("billing", "carla@desk-team.example")


@pytest.mark.feature("I07")
def test_one_mail_to_two_mailboxes_is_two_tickets_that_know_of_each_other(company: Company) -> None:
    nils = company.person("nils@lindqvist.example", "Nils Lindqvist")

    nils.write(["support@desk.example", "billing@desk.example"], "Slow and dear", "Both of you.")
    first = nils.wait_for(lambda x: "Slow and dear" in x.subject)
    second = nils.wait_for(lambda x: "Slow and dear" in x.subject)

    numbers = {ticket_id(first), ticket_id(second)}
    assert len(numbers) == 2
    mailboxes = {company.show(number)["mailbox"] for number in numbers}
    assert mailboxes == {"support@desk.example", "billing@desk.example"}


@pytest.mark.feature("N04")
def test_machines_get_no_answer_and_reopen_nothing(company: Company) -> None:
    emma = company.person("emma@harbour-bakery.example", "Emma Brand")
    number, ack = company.open_ticket(emma, "Before the holidays")
    agent, notice = company.agent_and_notice(number)
    agent.answer(notice, "#take\n#resolve\n#survey off\nAll done.")
    solved = emma.wait_for(lambda x: number in x.subject)
    letters = len(emma.letters())

    emma.answer(solved, "I am away until Monday.", headers={"Auto-Submitted": "auto-replied"})
    emma.write(
        "support@desk.example",
        "Weekly newsletter",
        "News.",
        headers={"List-Id": "<news.harbour-bakery.example>", "Precedence": "bulk"},
    )

    until(lambda: [m for m in company.show(number)["messages"] if m["automated"]])
    number_after, _ = company.open_ticket(emma, "A mail after the machines")
    assert int(number_after.removeprefix("T-")) >= int(number.removeprefix("T-")) + 2
    assert company.show(number)["status"] == "resolved"
    assert len(emma.letters()) == letters + 1
    assert ack.message["Auto-Submitted"] == "auto-replied"


@pytest.mark.feature("N03")
def test_a_bounce_of_our_mail_is_shown_on_the_ticket(company: Company) -> None:
    lost = company.person("gone@elsewhere.example", "Gone Soon")
    number, _ = company.open_ticket(lost, "My last mail")
    agent, notice = company.agent_and_notice(number)
    agent.answer(notice, "#take\nWe will look into it.")
    reply = lost.wait_for(lambda x: number in x.subject)
    bounce_address = reply.message["Return-Path"]
    assert bounce_address, "the local mail server keeps the envelope's sender"
    report = _failure_report("gone@elsewhere.example", reply.message_id)

    daemon = company.person("mailer-daemon@elsewhere.example", "Mail Delivery System")
    daemon.send(report, [str(bounce_address).strip("<>")])

    noted = until(lambda: [e for e in company.show(number)["timeline"] if "delivery" in e["type"]])
    assert noted[0]["data"]["outcome"] == "bounced"
    assert noted[0]["data"]["recipient"] == "gone@elsewhere.example"
    told = agent.wait_for(lambda x: number in x.subject)
    assert "gone@elsewhere.example" in told.text
    assert "The address is dead: nothing more is sent there" in told.text
    dead = json.loads(company.run("addresses", "list", "--json"))
    assert ("gone@elsewhere.example", number) in [(x["address"], x["ticket_id"]) for x in dead]
    assert " bounced: " in company.run("trace", reply.message_id)

    agent.answer(told, "Please call us.", quote=False)
    noted = until(lambda: _noted(company, number, count=2))
    assert noted[1]["data"]["outcome"] == "failed"
    assert noted[1]["data"]["detail"].startswith("not sent: the address is dead")
    letters = len(lost.letters())

    lost.answer(reply, "I have a new provider.")
    back = agent.wait_for(lambda x: "new provider" in x.text)
    agent.answer(back, "Good to read you.")
    lost.wait_for(lambda x: "Good to read you." in x.text)
    assert len(lost.letters()) == letters + 1


@pytest.mark.feature("N03")
def test_a_lead_lifts_a_dead_address_by_mail(company: Company) -> None:
    moved = company.person("moved@elsewhere.example", "Moved Away")
    number, _ = company.open_ticket(moved, "Between two providers")
    agent, notice = company.agent_and_notice(number)
    agent.answer(notice, "We will look into it.")
    reply = moved.wait_for(lambda x: number in x.subject)
    daemon = company.person("mailer-daemon@elsewhere.example", "Mail Delivery System")
    report = _failure_report(moved.address, reply.message_id)
    daemon.send(report, [str(reply.message["Return-Path"]).strip("<>")])
    told = agent.wait_for(lambda x: number in x.subject and "The address is dead" in x.text)
    assert moved.address in _dead_addresses(company)
    agent.answer(told, "#note lena\nThey have called: their mailbox works again.")
    lena = company.person("lena@desk-team.example", "Lena Vogt")

    lena.answer(lena.wait_for(lambda x: number in x.subject), "#lift\nYou have mail again.")

    moved.wait_for(lambda x: "You have mail again." in x.text)
    assert moved.address not in _dead_addresses(company)


def _dead_addresses(company: Company) -> list[str]:
    return [row["address"] for row in json.loads(company.run("addresses", "list", "--json"))]


@pytest.mark.feature("N03")
def test_an_address_that_the_relay_refuses_at_rcpt_is_dead_at_once(company: Company) -> None:
    odd = company.person("odd/name@elsewhere.example", "Odd Name")

    odd.write("support@desk.example", "From an odd address", "Will you answer?")

    number = until(lambda: _number_of(company, "From an odd address"))
    noted = until(lambda: _noted(company, number, count=1))
    assert noted[0]["data"]["detail"].startswith("553 5.1.3")
    assert noted[0]["data"]["dead"]
    listed = json.loads(company.run("addresses", "list", "--json"))
    assert "odd/name@elsewhere.example" in [row["address"] for row in listed]
    company.run("addresses", "lift", "odd/name@elsewhere.example")
    listed = json.loads(company.run("addresses", "list", "--json"))
    assert "odd/name@elsewhere.example" not in [row["address"] for row in listed]


def _number_of(company: Company, subject: str) -> str:
    return next((t["id"] for t in company.tickets() if t["subject"] == subject), "")


def _noted(company: Company, number: str, *, count: int) -> list[dict[str, Any]]:
    noted = [e for e in company.show(number)["timeline"] if "delivery" in e["type"]]
    return noted if len(noted) == count else []


@pytest.mark.feature("N02")
def test_a_rating_in_words_is_kept_with_its_comment(company: Company) -> None:
    jonas = company.person("jonas.weber@mail.example", "Jonas Weber")
    number, _ = company.open_ticket(jonas, "A question of ratings")
    agent, notice = company.agent_and_notice(number)
    agent.answer(notice, "#take\n#resolve\nHere is your answer.")
    solved = jonas.wait_for(lambda x: number in x.subject)

    jonas.answer(solved, "4, quick and friendly")

    survey = until(lambda: company.show(number)["survey"])
    assert survey["score"] == 4
    assert "quick and friendly" in survey["comment"]
    assert company.show(number)["status"] == "resolved"


@pytest.mark.feature("S03")
def test_the_clocks_stand_still_while_the_customer_owes_an_answer(company: Company) -> None:
    jonas = company.person("jonas.weber@mail.example", "Jonas Weber")
    number, _ = company.open_ticket(jonas, "Which contract is mine")
    agent, notice = company.agent_and_notice(number)

    agent.answer(notice, "#take\n#pending\nWhat is your customer number?")
    question = jonas.wait_for(lambda x: number in x.subject)

    def state() -> str:
        clocks = {c["target"]: c["state"] for c in company.show(number)["sla"]}
        return clocks["resolution"]

    until(lambda: state() == "paused")
    jonas.answer(question, "It is 4711.")
    until(lambda: state() == "running")
    assert company.show(number)["status"] == "open"


def test_a_mail_that_defeats_the_parser_is_a_ticket_with_the_original(company: Company) -> None:
    nested = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(60)
    )
    raw = (
        b"From: Bomber <bomb@elsewhere.example>\r\nTo: support@desk.example\r\n"
        b"Subject: sixty boxes in a box\r\nMessage-ID: <bomb-1@elsewhere.example>\r\n" + nested
    )
    bomber = company.person("bomb@elsewhere.example")

    bomber.send(raw, ["support@desk.example"])

    found = until(lambda: [t for t in company.tickets() if t["subject"] == "sixty boxes in a box"])
    message = company.show(found[0]["id"])["messages"][0]
    assert message["unreadable"]
    assert len(message["attachments"]) == 1


def _failure_report(recipient: str, message_id: str) -> bytes:
    return (
        "From: Mail Delivery System <mailer-daemon@elsewhere.example>\r\n"
        "Subject: Undelivered Mail Returned to Sender\r\n"
        "Message-ID: <dsn-1@elsewhere.example>\r\nAuto-Submitted: auto-replied\r\n"
        "MIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.elsewhere.example\r\n\r\n"
        f"Final-Recipient: rfc822; {recipient}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {message_id}\r\n\r\n--b--\r\n"
    ).encode()
