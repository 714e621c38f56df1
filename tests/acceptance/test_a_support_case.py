"""One support case from the first mail to the survey, told as the mails that people see."""

import re
from datetime import UTC, datetime

import pytest

from deploy.local.correspondent import File, Letter
from tests.acceptance.company import Company, ticket_id, until

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]
PICTURE = File("router.png", b"\x89PNG\r\n\x1a\n" + bytes(64), "image/png")


@pytest.mark.feature("I01", "I02", "N01")
def test_a_customers_message_becomes_a_ticket_with_an_acknowledgement_in_its_thread(
    company: Company,
) -> None:
    emma = company.person("emma@harbour-bakery.example", "Emma Brand")

    first = emma.write("support@desk.example", "No line since this morning", "Hello, no line here.")
    ack = emma.wait_for(lambda x: "No line since this morning" in x.subject)

    assert ack.message["In-Reply-To"] == first
    assert "Nordlicht Support" in ack.sender
    assert ack.message["Auto-Submitted"] == "auto-replied"
    ticket = company.show(ticket_id(ack))
    assert (ticket["account"], ticket["unknown_contact"]) == ("A-100", False)
    assert ticket["messages"][0]["text"].strip() == "Hello, no line here."


@pytest.mark.feature("I03")
def test_an_unknown_sender_gets_a_ticket_that_says_so(company: Company) -> None:
    stranger = company.person("nobody.knows@elsewhere.example", "Nobody Knows")

    stranger.write("support@desk.example", "Do you deliver to Oslo?", "Do you?")
    ack = stranger.wait_for(lambda x: "Oslo" in x.subject)

    assert company.show(ticket_id(ack))["unknown_contact"] is True
    notice = company.agent_and_notice(ticket_id(ack))[1]
    assert "Unknown contact" in notice.text


@pytest.mark.feature("T01", "S04", "R02")
def test_the_notice_shows_the_agent_all_that_an_answer_needs(company: Company) -> None:
    emma = company.person("emma@harbour-bakery.example", "Emma Brand")

    emma.write("support@desk.example", "Invoice question", "Why two invoices?")
    number = ticket_id(emma.wait_for(lambda x: "Invoice question" in x.subject))
    notice = company.agent_and_notice(number)[1]

    for expected in ("Harbour Bakery", "Business Fibre 500", "2026-1031", "Why two invoices?"):
        assert expected in notice.text
        assert expected in notice.html
    assert re.search(r"(?i)first response", notice.text)
    assert any("take" in link.lower() for link in notice.links)
    assert notice.message["List-Id"]


@pytest.mark.feature("T02", "I08", "N02", "I10", "T11")
def test_a_case_from_question_to_survey_costs_the_customer_four_mails_and_the_agent_three(
    company: Company,
) -> None:
    nils = company.person("nils@lindqvist.example", "Nils Lindqvist")
    before = len(nils.letters())

    nils.write("support@desk.example", "Slow at night", "The line is slow every night.")
    ack = nils.wait_for(lambda x: "Slow at night" in x.subject)
    number = ticket_id(ack)
    agent, notice = company.agent_and_notice(number)

    agent.answer(notice, "#take\nDear Nils, since when exactly?")
    reply = nils.wait_for(lambda x: number in x.subject)
    assert "since when exactly?" in reply.text
    assert agent.name in reply.sender
    assert "#take" not in reply.text
    assert reply.message["Auto-Submitted"] is None
    assert company.show(number)["assignee"] == agent.address
    assert company.show(number)["locked_by"] == agent.address

    nils.answer(
        reply,
        "Since Monday, see the picture.",
        html="<p>Since <b>Monday</b>, see the picture.</p>"
        f'<div class="gmail_quote"><blockquote>{reply.text}</blockquote></div>',
        files=[PICTURE],
    )
    answered = agent.wait_for(lambda x: number in x.subject)
    assert "Since Monday, see the picture." in answered.text
    assert "router.png" in answered.attachment_names
    message = company.show(number)["messages"][-1]
    assert message["reply_text"].strip() == "Since Monday, see the picture."
    assert [a["name"] for a in message["attachments"]] == ["router.png"]

    agent.answer(answered, "#resolve\nWe changed your port, all is well now.")
    solved = nils.wait_for(lambda x: number in x.subject)
    assert "changed your port" in solved.text
    assert company.show(number)["status"] == "resolved"
    scores = [link for link in solved.links if link.startswith("mailto:")]
    assert len(scores) >= 5

    nils.click(_link_of_score(solved, 5))
    until(lambda: (company.show(number)["survey"] or {}).get("score") == 5)
    nils.click(_link_of_score(solved, 5))

    nils.answer(solved, "Sorry, it is slow again.")
    until(lambda: company.show(number)["status"] == "open")
    assert agent.wait_for(lambda x: number in x.subject)

    answers = [e for e in company.show(number)["timeline"] if e["type"] == "ticket.survey-answered"]
    assert len(answers) == 1
    assert len(nils.letters()) - before <= 4
    assert len([x for x in agent.letters() if number in x.subject]) <= 3


@pytest.mark.feature("T23")
def test_a_misspelt_command_sends_nothing_and_its_correction_goes_through(
    company: Company,
) -> None:
    jonas = company.person("jonas.weber@mail.example", "Jonas Weber")
    jonas.write("support@desk.example", "Moving house", "I move in May.")
    number = ticket_id(jonas.wait_for(lambda x: "Moving house" in x.subject))
    agent, notice = company.agent_and_notice(number)

    agent.answer(notice, "#take\n#priorty high\nDear Jonas, we will see to it.")
    back = agent.wait_for(lambda x: number in x.subject)

    assert back.text.startswith("NOT DONE")
    assert "E01" in back.text
    assert "#priority" in back.text
    assert not [x for x in jonas.letters() if "see to it" in x.text]
    assert company.show(number)["assignee"] != "nobody"

    agent.answer(back, "#take\n#priority high")
    reply = jonas.wait_for(lambda x: number in x.subject)

    assert "we will see to it" in reply.text
    assert company.show(number)["priority"] == "high"


@pytest.mark.feature("T02", "T04", "T07", "T24", "T11")
def test_notes_assignments_and_states_cost_the_customer_no_mail(company: Company) -> None:
    jonas = company.person("jonas.weber@mail.example", "Jonas Weber")
    jonas.write("support@desk.example", "Phone is silent", "No ringing.")
    number = ticket_id(jonas.wait_for(lambda x: "Phone is silent" in x.subject))
    agent, notice = company.agent_and_notice(number)
    letters = len(jonas.letters())

    agent.answer(notice, "#note\nHe called twice already.")
    until(lambda: [m for m in company.show(number)["messages"] if m["kind"] == "note"])
    agent.answer(notice, "#status on-hold")
    until(lambda: company.show(number)["status"] == "on-hold")
    agent.answer(notice, "#pending")
    until(lambda: company.show(number)["status"] == "pending")
    agent.answer(notice, "#help")
    assert "#resolve" in agent.wait_for(lambda x: "#resolve" in x.text and "#help" in x.text).text
    agent.answer(notice, "#show")
    assert "He called twice" in agent.wait_for(lambda x: "He called twice" in x.text).text
    other = "ben" if agent.address.startswith("ana") else "ana"
    agent.answer(notice, f"#assign {other}")
    until(lambda: company.show(number)["assignee"].startswith(other))
    colleague = company.person(f"{other}@desk-team.example")
    handed = colleague.wait_for(lambda x: number in x.subject)
    assert "He called twice" in handed.text
    colleague.answer(handed, "#close")
    until(lambda: company.show(number)["status"] == "closed")

    assert len(jonas.letters()) == letters


@pytest.mark.feature("T02")
def test_a_note_for_a_colleague_reaches_that_colleague_alone(company: Company) -> None:
    jonas = company.person("jonas.weber@mail.example", "Jonas Weber")
    number, _ = company.open_ticket(jonas, "Cable under the street")
    agent, notice = company.agent_and_notice(number)
    carla = company.person("carla@desk-team.example", "Carla Rossi")
    letters = len(jonas.letters())

    agent.answer(notice, "#note carla\nWho pays for the digging?")
    told = carla.wait_for(lambda x: number in x.subject)

    assert told.text.startswith(f"{agent.name} wrote a note for you in {number}.")
    assert "Who pays for the digging?" in told.text
    assert "Cable under the street, please help." in told.text
    assert told.message["X-Postdesk-Reason"] == "mentioned"
    carla.answer(told, "#note\nThe town does.")
    answered = agent.wait_for(lambda x: number in x.subject and "The town does." in x.text)
    assert answered.message["X-Postdesk-Reason"] == "note"
    assert len(jonas.letters()) == letters


@pytest.mark.feature("T02")
def test_a_forged_agent_and_a_borrowed_reply_address_reach_no_customer(company: Company) -> None:
    emma = company.person("emma@harbour-bakery.example", "Emma Brand")
    emma.write("support@desk.example", "Contract copy please", "Please send it.")
    number = ticket_id(emma.wait_for(lambda x: "Contract copy" in x.subject))
    agent, notice = company.agent_and_notice(number)
    letters = len(emma.letters())
    thief = company.person("thief@elsewhere.example", "A Thief")
    forger = company.person(agent.address, agent.name)

    thief.answer(notice, "#take\nSend money to me.")
    forger.write(
        "support@desk.example",
        f"Re: [{number}] Contract copy please",
        "Send money to me instead.",
        headers={"In-Reply-To": notice.message_id, "References": notice.message_id},
    )

    until(lambda: [m for m in company.show(number)["messages"] if m["unverified"]])
    held = agent.wait_for(lambda x: number in x.subject and "unverified" in x.text.lower())
    assert "thief@elsewhere.example" in held.text
    assert company.show(number)["assignee"] == agent.address
    assert len(emma.letters()) == letters
    assert not [x for x in emma.letters() if "money" in x.text]


@pytest.mark.feature("S04", "S05", "S06")
def test_a_missed_target_is_escalated_to_the_manager_and_shown(company: Company) -> None:
    emma = company.person("emma@harbour-bakery.example", "Emma Brand")
    manager = company.person("marta@desk-team.example", "Marta Nowak")

    emma.write("alarm@desk.example", "Siren is on", "It does not stop.")
    number = ticket_id(emma.wait_for(lambda x: "Siren" in x.subject))
    told = manager.wait_for(lambda x: number in x.subject)

    assert "first response" in told.text.lower()
    ticket = company.show(number)
    types = [e["type"] for e in ticket["timeline"]]
    for expected in ("ticket.sla-warned", "ticket.sla-breached", "ticket.escalated"):
        assert expected in types
    assert types.index("ticket.sla-warned") < types.index("ticket.sla-breached")
    until(lambda: all(clock["breached"] for clock in company.show(number)["sla"]))
    breaches = [e for e in company.show(number)["timeline"] if e["type"] == "ticket.sla-breached"]
    assert sorted(e["data"]["target"] for e in breaches) == ["first-response", "resolution"]


@pytest.mark.feature("P01", "P02", "P03", "P05")
def test_the_monthly_report_arrives_with_charts_and_csv(company: Company) -> None:
    manager = company.person("marta@desk-team.example", "Marta Nowak")
    month = f"{datetime.now(UTC):%Y-%m}"

    company.run("report", "monthly", "--month", month, "--send", manager.address)
    report = manager.wait_for(lambda x: "report" in x.subject.lower(), within_s=60)

    for expected in ("First response", "Resolution", "CSAT", "category"):
        assert expected.lower() in report.text.lower()
    assert "<img" in report.html
    assert any(name.endswith(".csv") for name in report.attachment_names)


def _link_of_score(letter: Letter, score: int) -> str:
    return next(x for x in letter.links if f"{score}" in x.partition("?")[2])
