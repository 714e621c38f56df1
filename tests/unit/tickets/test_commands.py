import pytest

from shared.contracts import commands
from shared.contracts.ticket import MessageAdded, TicketResolved
from tests.builders import ANA, BEN, a_desk, a_mail, an_agents_mail


@pytest.fixture
def desk(desk):
    desk.receive(a_mail())
    return desk


def a(kind, **values):
    return kind(**{"actor": "system:crm", "ticket_id": "T-1", **values})


@pytest.mark.parametrize(
    ("command", "types"),
    [
        (a(commands.Reply, text="Hello"), ["message-added", "status-changed"]),
        (a(commands.Note, text="Aha"), ["message-added"]),
        (a(commands.Assign, assignee=BEN), ["assigned"]),
        (a(commands.Assign, assignee=None), ["assigned"]),
        (a(commands.MoveToTeam, team="billing"), ["team-changed", "assigned"]),
        (a(commands.Unlock), []),
        (a(commands.SetStatus, status="pending"), ["status-changed"]),
        (a(commands.Resolve, summary='Said "done"'), ["resolved"]),
        (a(commands.Close), ["closed"]),
        (a(commands.Reopen), []),
        (a(commands.SetField, field="priority", value="high"), ["field-changed"]),
        (a(commands.SetField, field="subject", value="New"), ["field-changed"]),
        (a(commands.Escalate, reason='"now"'), ["escalated"]),
        (a(commands.Escalate, to="billing"), ["escalated"]),
    ],
)
def test_every_word_works_on_the_bus_too(desk, command, types):
    decision = desk.command(command)

    assert decision.refusals == []
    assert [e.type.removeprefix("ticket.") for e in decision.story.events] == types


def test_a_systems_note_names_agents_as_a_mail_does(desk):
    desk.command(a(commands.Note, text="Aha", mentioned=[BEN, ANA, BEN]))

    assert desk.last(MessageAdded).mentioned == [BEN, ANA]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (a(commands.Assign, assignee="x@y.example"), "E03"),
        (a(commands.Assign, assignee="me"), "E03"),
        (a(commands.MoveToTeam, team="sales"), "E03"),
        (a(commands.SetField, field="priority", value="huge"), "E03"),
        (a(commands.SetField, field="category", value="sport"), "E03"),
        (a(commands.Note, text="Aha", mentioned=["x@y.example"]), "E03"),
        (a(commands.Take), "E05"),
        (a(commands.Close, actor=f"agent:{ANA}"), "E10"),
        (a(commands.Close, on_behalf_of=ANA), "E05"),
        (a(commands.SetField, field="subject", value=""), "E02"),
    ],
)
def test_what_a_mail_could_not_do_is_rejected_with_the_same_code(desk, command, code):
    decision = desk.command(command)

    assert [refusal.code for refusal in decision.refusals] == [code]


def test_a_configured_system_may_act_for_an_agent(desk):
    desk.config = a_desk(systems=[{"name": "crm", "acts_for_agents": True}])

    desk.command(a(commands.Reply, text="Hello", on_behalf_of=BEN))

    assert desk.last(MessageAdded).message.author == f"agent:{BEN}"


def test_only_configured_systems_and_their_commands_pass(desk):
    desk.config = a_desk(systems=[{"name": "crm", "commands": ["note"]}])

    assert desk.command(a(commands.Close)).refusals[0].code == "E05"
    assert desk.command(a(commands.Note, text="x", actor="system:other")).refusals[0].code == "E10"
    assert desk.command(a(commands.Note, text="x")).is_accepted


def test_the_summary_of_a_resolution_is_what_the_requester_reads(desk):
    desk.command(a(commands.Resolve, summary='Said "done"', survey=False))

    resolved = desk.last(TicketResolved)
    assert (resolved.summary, resolved.survey_asked) == ('Said "done"', False)


def test_a_system_is_not_stopped_by_an_agents_lock(desk):
    desk.receive(an_agents_mail("#take"))

    assert desk.command(a(commands.Close)).is_accepted
