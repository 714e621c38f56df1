"""What operators have when something goes wrong: the ledger, dead letters, and traces of mails."""

import re
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from pymongo import MongoClient

from deploy.cli.ledger import EXIT_STUCK
from deploy.local import ledger as ledgers
from deploy.local.health import ask
from tests.acceptance.company import Company, until
from tests.acceptance.operator_desk import Operator, stopped
from tests.monitoring import expressions, metrics_in

pytestmark = [pytest.mark.stack, pytest.mark.timeout(120)]
_SAMPLE = re.compile(r"^(\w+)[{ ]", re.MULTILINE)
_FAMILY = re.compile(r"^# TYPE (\w+) ", re.MULTILINE)


@pytest.fixture
def operator(company: Company) -> Iterator[Operator]:
    at_work = Operator(company)
    yield at_work
    at_work.run("dlq", "drop", "--all", "--why", "end of a test")


def test_the_ledger_of_a_desk_at_work_balances(company: Company, operator: Operator) -> None:
    emma = company.person("emma@harbour-bakery.example", "Emma Brand")
    company.open_ticket(emma, "Counted in the ledger")

    def settled() -> dict[str, Any]:
        ledger = operator.ask("ledger")
        is_done = ledger["outgoing"]["done"] and not ledger["mail"]["unfiled"]
        return ledger if is_done else {}

    ledger = until(settled)

    assert ledger["ok"], ledger["stuck"]
    assert ledger["mail"]["accepted"] == ledger["mail"]["filed"] >= 1
    assert {(s["service"], s["state"]) for s in ledger["states"]} >= {
        ("ingest", "received"), ("tickets", "unpublished"), ("sla", "due"), ("notify", "deferred"),
    }  # fmt: skip
    assert operator.run("ledger")[0] == 0


def test_mail_that_a_service_does_not_read_is_stuck_until_it_does(
    company: Company, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledgers, "UNREAD_S", 0.0)
    monkeypatch.setattr(ledgers, "UNFILED_S", 0.0)
    emma = company.person("emma@harbour-bakery.example", "Emma Brand")

    with stopped(company, "tickets"):
        emma.write("support@desk.example", "Stuck for a while", "Hello?")
        ledger = until(lambda: _stuck(operator.ask("ledger"), "mail-received"))
        code, told = operator.run("ledger")
    emma.wait_for(lambda x: "Stuck for a while" in x.subject, within_s=60)

    names = {stuck["what"]: stuck for stuck in ledger["stuck"]}
    assert names["records of mail-received not read"]["service"] == "tickets"
    assert names["mail announced but not filed"]["names"]
    assert names["records of mail-received not read"]["since"]
    assert ledger["mail"]["unfiled"] >= 1
    assert code == EXIT_STUCK
    assert "STUCK tickets: 1 records of mail-received not read since" in told
    until(lambda: operator.ask("ledger")["mail"]["unfiled"] == 0)


def test_a_poison_record_is_listed_with_reason_and_origin_until_it_is_dropped(
    operator: Operator,
) -> None:
    name = f"poison-{uuid.uuid4().hex}"
    operator.publish("mail-received", name, "mail.received", b"{not json")
    letter = until(lambda: operator.letters(name))[0]

    code, told = operator.run("ledger")
    shown = operator.run("dlq", "show", letter["id"])[1]
    dropped = operator.ask("dlq", "drop", letter["id"], "--why", "a test wrote it")[0]

    assert (code, letter["status"], letter["service"]) == (EXIT_STUCK, "open", "tickets")
    assert letter["reason"]
    assert letter["origin"].startswith("mail-received/")
    assert "STUCK tickets: 1 dead letters of mail-received since" in told
    assert letter["id"] in told
    assert "{not json" in shown
    assert "{not json" not in operator.run("dlq", "list")[1]
    assert (dropped["status"], dropped["changed"]) == ("dropped", True)
    assert not operator.letters(name)
    trace = operator.letters(name, "--all")[0]["decisions"]
    assert [(d["action"], d["why"]) for d in trace] == [("dropped", "a test wrote it")]
    assert trace[0]["by"]
    assert trace[0]["at"]


def test_a_replayed_record_is_handled_once_however_often_it_is_replayed(
    company: Company, operator: Operator
) -> None:
    name = f"form-{uuid.uuid4().hex}"
    subject = f"Replayed {name}"
    command = {
        "type": "command.open-ticket", "version": 1, "actor": "system:shop",
        "mailbox": "support@desk.example", "requester": "replay@shop.example",
        "requester_name": "Rita Replay", "subject": subject, "text": "Hello?", "source": "form",
    }  # fmt: skip
    operator.publish(
        "ticket-commands-dlq", name, "command.open-ticket", command,
        dlq_service="tickets", dlq_topic="ticket-commands", dlq_reason="a bug, since mended",
    )  # fmt: skip
    letter = until(lambda: operator.letters(name))[0]

    def tickets() -> list[str]:
        return [t["id"] for t in company.tickets() if t["subject"] == subject]

    first = operator.ask("dlq", "replay", letter["id"], "--why", "mended")[0]
    opened = until(tickets)
    again = operator.ask("dlq", "replay", letter["id"])[0]
    # As if the first replay had broken off before it was noted.
    with MongoClient(company.addresses["mongo"]) as client:
        client["postdesk_operators"]["dead_letters"].delete_one({"_id": letter["id"]})
    third = operator.ask("dlq", "replay", letter["id"])[0]

    assert [one["status"] for one in (first, again, third)] == ["replayed"] * 3
    assert [one["changed"] for one in (first, again, third)] == [True, False, True]
    assert _topic(operator, "ticket-commands")["records"] >= 2
    until(lambda: not _topic(operator, "ticket-commands")["lag"]["tickets"])
    assert tickets() == opened
    assert len(opened) == 1
    assert operator.letters(name, "--all")[0]["status"] == "replayed"


def test_a_record_that_fails_again_is_a_new_letter_that_names_the_old_one(
    operator: Operator,
) -> None:
    name = f"poison-{uuid.uuid4().hex}"
    operator.publish("ticket-commands", name, "command.unheard-of", {})
    letter = until(lambda: operator.letters(name))[0]

    operator.run("dlq", "replay", letter["id"])

    new = until(lambda: operator.letters(name))[0]
    assert (new["status"], new["replay_of"]) == ("open", letter["id"])


def test_rules_and_dashboard_ask_only_for_metrics_that_the_services_export(
    company: Company,
) -> None:
    exported = {
        service: ask(urlsplit(url).netloc, "/metrics")[1]
        for service, url in company.addresses["metrics"].items()
    }
    samples = {name for text in exported.values() for name in _SAMPLE.findall(text)}
    families = {name for text in exported.values() for name in _FAMILY.findall(text)}

    asked = {name for query in expressions() for name in metrics_in(query)} - {"up"}

    # A counter with labels has no sample before it has counted, but says that it is there.
    assert asked <= samples | families, asked - samples - families
    assert (
        'postdesk_dead_letters_total{cause="handler",topic="mail-received"} 0.0'
        in (exported["tickets"])
    )
    stuck = 'postdesk_state_limit_seconds{collection="outgoing",state="deferred"} 14400.0'
    assert stuck in exported["notify"]


@pytest.mark.feature("B07")
def test_a_trace_tells_the_whole_story_of_a_mail(company: Company, operator: Operator) -> None:
    emma = company.person("emma@harbour-bakery.example", "Emma Brand")
    sent = emma.write("support@desk.example", "Trace the whole", "Where do I go?")
    ack = emma.wait_for(lambda x: "Trace the whole" in x.subject)
    started = operator.ask("trace", sent)
    headers = {"dlq_service": "notify", "dlq_topic": "ticket-events", "dlq_reason": "out of ink"}
    operator.publish(
        "ticket-events-dlq", f"{started['ticket']}.1", "ticket.opened", {},
        ce_correlationid=started["mail"]["id"], **headers,
    )  # fmt: skip

    story = until(lambda: _with(operator.ask("trace", sent), "dead_letters", "clocks"))

    assert story["mail"]["message_id"] == sent.strip("<>")
    told = [state["state"] for state in story["states"]]
    assert [s["at"] for s in story["states"]] == sorted(s["at"] for s in story["states"])
    assert told[0] == "stored, answered 250"
    assert any("ticket.opened" in state for state in told)
    assert any(state.startswith("clock first-response") for state in told)
    assert any("out of ink" in state for state in told)
    by_kind = {out["kind"]: out for out in story["caused"]}
    assert by_kind["acknowledgement"]["message_id"] == ack.message_id.strip("<>")
    assert [s["state"] for s in by_kind["acknowledgement"]["states"]] == ["planned", "sent"]
    printed = operator.run("trace", ack.message_id)[1]
    assert "out of ink" in printed
    assert story["ticket"] in printed


def _topic(operator: Operator, name: str) -> dict[str, Any]:
    return next(topic for topic in operator.ask("topics") if topic["topic"] == name)


def _stuck(ledger: dict[str, Any], topic: str) -> dict[str, Any]:
    named = {stuck["what"] for stuck in ledger["stuck"]}
    wanted = {f"records of {topic} not read", "mail announced but not filed"}
    return ledger if wanted <= named else {}


def _with(story: dict[str, Any], *names: str) -> dict[str, Any]:
    return story if all(story.get(name) for name in names) else {}


def test_a_mail_that_defeats_the_parser_waits_in_quarantine_until_somebody_decides(
    company: Company, operator: Operator
) -> None:
    emma = company.person("emma@harbour-bakery.example", "Emma Brand")
    fields = {f"X-{n}": "y" for n in range(3_000)}
    emma.write("support@desk.example", "Too many fields", "What now?", headers=fields)
    entry = until(lambda: _with(_about("Too many fields", operator), "ticket"))
    name = entry["id"]

    assert entry["unreadable"]
    operator.run("quarantine", "retry", name, "--why", "a new parser")
    again = until(lambda: _with(_about("Too many fields", operator), "retries"))
    assert (again["retries"], again["ticket"]) == (1, entry["ticket"])
    operator.run("quarantine", "release", name, "--why", "read by hand")

    assert not _about("Too many fields", operator)
    released = operator.ask("quarantine", "show", name)
    assert [d["action"] for d in released["decisions"]] == ["retried", "released"]
    assert "Too many fields" in operator.run("quarantine", "show", name, "--raw")[1]
    assert len(company.show(entry["ticket"])["messages"]) == 1


def _about(subject: str, operator: Operator) -> dict[str, Any]:
    for entry in operator.ask("quarantine", "list"):
        if subject in operator.run("quarantine", "show", entry["id"], "--raw")[1]:
            return entry
    return {}
