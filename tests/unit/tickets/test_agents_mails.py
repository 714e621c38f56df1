import pytest

from shared.contracts.ticket import MessageAdded, SurveyAnswered, TicketAssigned, TicketResolved
from tests.builders import (
    ANA,
    BEN,
    EMMA,
    FAILED,
    LENA,
    MARTA,
    a_customers_answer,
    a_desk,
    a_mail,
    a_token,
    an_agents_mail,
    later,
)

ADA = "ada@desk-team.example"


def with_an_admin():
    """The desk with one more agent."""
    known = [agent.model_dump() for agent in a_desk().agents]
    return a_desk(agents=[*known, {"address": ADA, "name": "Ada Byrne", "role": "admin"}])


@pytest.fixture
def desk(desk):
    desk.receive(a_mail())
    return desk


def test_take_and_text_lock_the_ticket_and_answer_the_customer(desk):
    types = desk.receive(an_agents_mail("#take\nHello Emma, I am on it."))

    assert types == ["lock-changed", "status-changed", "message-added"]
    assert (desk.state().assignee, desk.state().locked_by, desk.state().status) == (
        ANA,
        ANA,
        "open",
    )
    message = desk.last(MessageAdded).message
    assert (message.kind, message.direction, message.text) == (
        "public",
        "out",
        "Hello Emma, I am on it.",
    )
    assert (message.to, message.from_name) == ([EMMA], "Ana Lopez")


def test_commands_alone_send_nothing(desk):
    types = desk.receive(an_agents_mail("#take", agent=BEN))

    assert types == ["assigned", "lock-changed", "status-changed"]
    assert desk.last(TicketAssigned).reason == "take"


def test_a_note_stays_inside(desk):
    desk.receive(an_agents_mail("#note ben\nThey pay late."))

    added = desk.last(MessageAdded)
    assert (added.message.kind, added.message.to, added.mentioned) == ("note", [], [BEN])
    assert desk.state().first_response_at is None


def test_a_note_names_each_agent_once_and_not_more_than_a_record_holds(desk):
    names = [f"a{number:02}" for number in range(21)]
    agents = [{"address": f"{name}@team.example", "name": name} for name in names]
    known = [agent.model_dump() for agent in a_desk().agents]
    desk.config = a_desk(agents=[*known, *agents])

    desk.receive(an_agents_mail("#note ben Ben me none\nThey pay late."))
    assert desk.last(MessageAdded).mentioned == [BEN, ANA]

    assert desk.receive(an_agents_mail(f"#note {' '.join(names)}\nAll of you.")) == ["draft-held"]
    assert desk.requests[-1].lines[0].message == "at most 20 people"


def test_the_note_address_makes_the_text_a_note(desk):
    desk.receive(an_agents_mail("They pay late.", purpose="note"))

    assert desk.last(MessageAdded).message.kind == "note"


def test_resolve_with_text_is_one_answer_that_asks_for_a_rating(desk):
    types = desk.receive(an_agents_mail("#resolve\nFixed.", received_at=later(minutes=3)))

    assert types == ["message-added", "status-changed", "resolved"]
    assert (desk.last(MessageAdded).resolves, desk.last(MessageAdded).survey_asked) == (True, True)
    assert (desk.last(TicketResolved).answered, desk.last(TicketResolved).summary) == (True, "")
    assert desk.state().resolved_at == later(minutes=3)
    assert desk.state().first_response_at == later(minutes=3)


def test_resolve_with_a_summary_tells_the_customer_in_those_words(desk):
    types = desk.receive(an_agents_mail('#resolve\n#summary "Cable replaced."'))

    assert types == ["resolved"]
    assert desk.last(TicketResolved).summary == "Cable replaced."


def test_the_mails_text_can_be_the_summary(desk):
    desk.receive(an_agents_mail("#summary\n#resolve\nCable replaced."))

    assert desk.last(TicketResolved).summary == "Cable replaced."
    assert desk.state().messages == 1


def test_the_agent_may_leave_out_the_survey(desk):
    desk.receive(an_agents_mail("#resolve\n#survey off"))

    assert not desk.last(TicketResolved).survey_asked


def test_fields_team_and_escalation_change_at_once(desk):
    types = desk.receive(
        an_agents_mail('#priority high\n#category fault\n#subject New words\n#escalate "asap"')
    )

    assert types == ["field-changed", "field-changed", "field-changed", "escalated"]
    state = desk.state()
    assert (state.priority, state.category, state.subject) == ("high", "fault", "New words")
    assert desk.events[-1].to == [MARTA]


def test_another_team_means_another_agent(desk):
    types = desk.receive(an_agents_mail("#team billing"))

    assert types == ["team-changed", "assigned"]
    assert (desk.state().team, desk.state().assignee) == ("billing", "carla@team.example")


def test_assigning_reads_back_who_and_unlocks(desk):
    desk.receive(an_agents_mail("#take"))

    assert desk.receive(an_agents_mail("#assign ben")) == ["assigned", "lock-changed"]
    assert (desk.state().assignee, desk.state().locked_by) == (BEN, None)


def test_nothing_changes_where_all_is_so_already(desk):
    desk.receive(an_agents_mail("#priority high"))

    assert desk.receive(an_agents_mail("#priority high", inbound_id="again")) == []


def test_a_misspelt_word_stops_everything_and_marks_each_line(desk):
    types = desk.receive(an_agents_mail("#assign ben\n#closs\n\nDear Emma, done."))

    assert types == ["draft-held"]
    receipt = desk.requests[0]
    assert (receipt.outcome, receipt.to, receipt.draft) == ("held", ANA, "Dear Emma, done.")
    assert [(line.ok, line.code) for line in receipt.lines] == [(True, ""), (False, "E01")]
    assert "#close" in receipt.lines[1].message
    assert desk.state().assignee == ANA


def test_an_answer_with_corrected_commands_sends_the_kept_text(desk):
    desk.receive(an_agents_mail("#closs\n\nDear Emma, done."))

    types = desk.receive(an_agents_mail("#close", purpose="confirm", number=1))

    assert types == ["message-added", "status-changed", "closed"]
    assert desk.last(MessageAdded).message.text == "Dear Emma, done."
    assert desk.drafts[f"T-1:{ANA}:1"].state == "released"


def test_an_answer_with_text_replaces_the_text_and_keeps_right_commands(desk):
    desk.receive(an_agents_mail("#pending\nHello\n#close\nthere"))

    types = desk.receive(an_agents_mail("Hello there.", purpose="confirm", number=1))

    assert types == ["message-added", "status-changed", "status-changed"]
    assert (desk.state().status, desk.last(MessageAdded).message.text) == (
        "pending",
        "Hello there.",
    )


def test_a_correction_that_is_wrong_again_comes_back_once_more(desk):
    desk.receive(an_agents_mail("#closs\nHi"))

    assert desk.receive(an_agents_mail("#clos", purpose="confirm", number=1)) == ["draft-held"]
    assert desk.requests[-1].draft == "Hi"
    assert desk.receive(an_agents_mail("#close", purpose="confirm", number=1)) == []
    assert desk.requests[-1].outcome == "refused"
    assert desk.receive(an_agents_mail("#close", purpose="confirm", number=2)) != []


def test_a_sent_draft_cannot_be_sent_twice(desk):
    desk.receive(an_agents_mail("#closs\nHi"))
    desk.receive(an_agents_mail("#pending", purpose="confirm", number=1, inbound_id="a"))

    assert desk.receive(an_agents_mail("#pending", purpose="confirm", number=1)) == []


def test_send_does_not_send_what_has_a_wrong_line(desk):
    desk.receive(an_agents_mail("#ntoe\nThey pay late."))

    assert desk.receive(an_agents_mail("#send", purpose="confirm", number=1)) == ["draft-held"]
    assert desk.state().messages == 1


def test_undo_drops_the_draft(desk):
    desk.receive(an_agents_mail("#closs\nHi"))

    assert desk.receive(an_agents_mail("#undo", purpose="confirm", number=1)) == []
    assert desk.receive(an_agents_mail("#close", purpose="confirm", number=1)) == []


def test_a_draft_expires(desk):
    desk.receive(an_agents_mail("#closs\nHi"))

    assert (
        desk.at(later(days=4)).receive(an_agents_mail("#close", purpose="confirm", number=1)) == []
    )


def test_a_command_below_the_text_holds_the_mail_until_send(desk):
    assert desk.receive(an_agents_mail("Hello\n#close")) == ["draft-held"]
    assert desk.requests[0].lines[0].code == "E13"

    assert "message-added" in desk.receive(an_agents_mail("#send", purpose="confirm", number=1))
    assert desk.last(MessageAdded).message.text == "Hello\n#close"
    assert desk.state().status == "open"


def test_text_is_held_once_when_somebody_wrote_since(desk):
    desk.receive(a_customers_answer("It works again!"))

    assert desk.receive(an_agents_mail("Try a restart.", number=3)) == ["draft-held"]
    assert desk.requests[0].lines[0].code == "E08"
    assert EMMA in desk.requests[0].lines[0].message
    assert "message-added" in desk.receive(an_agents_mail("#send"))


def test_a_note_or_a_field_is_never_stale(desk):
    desk.receive(a_customers_answer("It works again!"))

    assert desk.receive(an_agents_mail("#note\nAha.", number=3)) == ["message-added"]
    assert desk.receive(an_agents_mail("#priority low", number=3)) == ["field-changed"]


def test_a_resolution_by_somebody_who_missed_an_answer_is_held(desk):
    desk.receive(a_customers_answer("Worse now!"))

    assert desk.receive(an_agents_mail("#resolve", number=3)) == ["draft-held"]


def test_ones_own_message_makes_nothing_stale(desk):
    desk.receive(an_agents_mail("First.", number=3))

    assert desk.receive(an_agents_mail("Second.", number=3)) == ["message-added"]


def test_an_answer_to_a_ticket_locked_by_another_comes_back_with_the_holders_name(desk):
    desk.receive(an_agents_mail("#take"))

    types = desk.receive(an_agents_mail("I know the answer.", agent=BEN))

    assert types == ["draft-held"]
    receipt = desk.requests[0]
    assert receipt.lines[0].code == "E05"
    assert "Ana Lopez" in receipt.lines[0].message
    assert receipt.draft == "I know the answer."


def test_notes_are_free_while_the_ticket_is_locked(desk):
    desk.receive(an_agents_mail("#take"))

    assert desk.receive(an_agents_mail("#note\nLook at T-9.", agent=BEN)) == ["message-added"]


def test_only_the_holder_or_a_lead_unlocks(desk):
    desk.receive(an_agents_mail("#take"))

    assert desk.receive(an_agents_mail("#unlock", agent=BEN)) == ["draft-held"]
    assert desk.receive(an_agents_mail("#unlock\nI take over.", agent=LENA)) == [
        "lock-changed",
        "message-added",
    ]


def test_a_reply_takes_a_ticket_that_nobody_has(desk):
    desk.receive(an_agents_mail("#release"))

    assert desk.receive(an_agents_mail("Hello.", agent=BEN))[0] == "assigned"
    assert desk.state().assignee == BEN


def test_where_replies_do_not_take_the_text_comes_back(desk):
    desk.config = a_desk(agent_mail={"reply_takes": False})
    desk.receive(an_agents_mail("#release"))

    assert desk.receive(an_agents_mail("Hello.", agent=BEN)) == ["draft-held"]
    assert desk.requests[0].lines[0].code == "E05"
    assert "message-added" in desk.receive(an_agents_mail("#take\nHello.", agent=BEN))


@pytest.mark.parametrize(
    "forgery",
    [
        {"authentication": FAILED},
        {"authentication": {"dmarc": "none"}},
        {"from_count": 2},
        {"token": a_token("T-1", BEN)},
        {"token": a_token("T-1", EMMA)},
    ],
)
def test_what_does_not_prove_the_agent_is_held_and_changes_nothing(desk, forgery):
    types = desk.receive(an_agents_mail("#close\nGo away.", **forgery))

    assert types == ["mail-held"]
    assert (desk.state().status, desk.requests) == ("new", [])


def test_a_closed_network_may_trust_the_token_alone(desk):
    desk.config = a_desk(agent_mail={"trust": "token"})

    assert desk.receive(an_agents_mail("#close", authentication=FAILED)) == ["closed"]


def test_an_expired_address_gives_the_text_back_and_does_nothing(desk):
    token = a_token("T-1", ANA, state="expired")

    types = desk.receive(an_agents_mail("#close\nBye.", token=token))

    assert types == ["mail-held", "draft-held"]
    assert desk.requests[0].lines[-1].code == "E09"
    assert "closed" in desk.receive(an_agents_mail("#send", purpose="confirm", number=1))


def test_an_agents_vacation_note_is_filed_and_no_more(desk):
    assert desk.receive(an_agents_mail("#close\nI am away.", autoreply=True)) == []


def test_an_answer_too_long_for_a_record_is_not_sent_in_part(desk):
    assert desk.receive(an_agents_mail("x" * 12_000, reply_text_blob="in/x")) == ["draft-held"]
    assert desk.requests[0].lines[0].code == "E02"


def test_an_empty_mail_comes_back(desk):
    assert desk.receive(an_agents_mail("")) == ["draft-held"]
    assert desk.requests[0].lines[0].code == "E14"


def test_check_says_what_would_happen_and_does_nothing(desk):
    assert desk.receive(an_agents_mail("#check\n#close\nBye.")) == []
    assert (desk.requests[0].outcome, desk.state().status) == ("done", "new")


def test_help_is_answered_and_its_text_goes_nowhere(desk):
    assert desk.receive(an_agents_mail("#help\nRegards, Ana")) == []
    assert "#resolve" in desk.requests[0].text
    assert "Regards, Ana" in desk.requests[0].text


def test_help_for_one_word_tells_of_that_word_alone(desk):
    desk.receive(an_agents_mail("#help close"))

    assert "#close" in desk.requests[0].text
    assert "#take" not in desk.requests[0].text


def test_no_line_of_help_is_itself_a_command(desk):
    desk.receive(an_agents_mail("#help"))

    assert not any(line.startswith(("#", "/", "@")) for line in desk.requests[0].text.splitlines())


def test_the_desk_address_answers_questions_and_nothing_else(desk):
    desk.receive(an_agents_mail("#help", ticket_id=None, purpose="desk", inbound_id="a"))
    desk.receive(an_agents_mail("#close", ticket_id=None, purpose="desk", inbound_id="b"))

    assert [request.type for request in desk.requests] == [
        "mail-request.answer",
        "mail-request.receipt",
    ]
    assert desk.requests[1].outcome == "refused"


def test_who_wants_all_receipts_gets_one_that_names_the_events(desk):
    agents = [{"address": ANA, "name": "Ana", "receipts": "all"}]
    agents += [{"address": a, "name": a[:5]} for a in (BEN, MARTA, "carla@team.example")]
    desk.config = a_desk(agents=agents)

    desk.receive(an_agents_mail("#priority high"))

    assert desk.requests[0].outcome == "done"
    assert "T-1.4" in desk.requests[0].note


def test_the_rating_counts_for_the_agent_who_resolved(desk):
    desk.receive(an_agents_mail("#take", agent=BEN))
    desk.receive(an_agents_mail("#resolve", agent=BEN))
    desk.receive(an_agents_mail("#assign ana", agent=BEN))
    desk.receive(a_customers_answer("4"))

    assert desk.last(SurveyAnswered).agent == BEN


@pytest.mark.parametrize(
    ("text", "sender", "code"),
    [
        ("#quarantine list", ADA, ""),
        ("#quarantine drop all why spam", ADA, ""),
        ("#quarantine list\n#help", ADA, "E07"),
        ("#quarantine burn", ADA, "E03"),
        ("#quarantine list", ANA, "E05"),
    ],
)
def test_orders_about_the_quarantine_are_checked_here_and_done_elsewhere(desk, text, sender, code):
    desk.config = with_an_admin()

    desk.receive(an_agents_mail(text, agent=sender, ticket_id=None, purpose="desk"))

    assert [line.code for r in desk.requests for line in r.lines if line.code] == (
        [code] if code else []
    )
    assert desk.messages[-1].author == f"agent:{sender}"


def test_an_order_about_the_quarantine_to_a_ticket_is_given_back(desk):
    desk.config = with_an_admin()

    assert desk.receive(an_agents_mail("#quarantine drop all", agent=ADA)) == ["draft-held"]
    assert "your desk address" in desk.requests[-1].lines[-1].message
