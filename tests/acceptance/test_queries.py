"""However much a desk has stored, no service looks through a whole collection for anything."""

import os
import signal

import pytest
from pymongo import MongoClient

from deploy.local import facts, health
from deploy.local.parts import SERVICES
from tests import queries
from tests.acceptance.company import Company, ticket_id, until

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]


def test_no_query_of_the_services_looks_through_a_whole_collection(company: Company) -> None:
    """Those of their start, of a case, and of the clocks; a scan costs more with every ticket."""
    with MongoClient(company.addresses["mongo"], tz_aware=True) as client:
        queries.watch(client)
        start_services_again(company)

        play_a_case(company)

        assert not queries.noted(client)


def test_a_look_through_a_whole_collection_is_noticed(company: Company) -> None:
    """The judge of the test above can say no."""
    with MongoClient(company.addresses["mongo"], appname="tickets-1") as client:
        queries.watch(client)

        client["postdesk_tickets"]["tickets"].find_one({"no_such_field": 1})

        assert queries.noted(client) == ["postdesk_tickets.tickets query COLLSCAN no_such_field"]


def start_services_again(company: Company) -> None:
    """As after a crash: `up` looks after them."""
    before = running(company).pids
    for name in SERVICES:
        os.kill(before[name], signal.SIGKILL)
    until(lambda: all(running(company).pids[n] != before[n] for n in SERVICES), within_s=60)
    places = [
        url.removeprefix("http://").removesuffix("/metrics")
        for url in running(company).metrics.values()
    ]
    until(lambda: all(map(health.is_ready, places)), within_s=120)


def running(company: Company) -> facts.StackFacts:
    found = facts.read(company.state_dir)
    assert found
    return found


def play_a_case(company: Company) -> None:
    """Mail, answer, command, reply, and a clock that runs out."""
    customer = company.person("query@elsewhere.example", "Quinn Query")
    customer.write("alarm@desk.example", "Everything is slow", "It gets slower every day.")
    acknowledgement = customer.wait_for(lambda x: "Everything is slow" in x.subject)
    number = ticket_id(acknowledgement)
    agent, notice = company.agent_and_notice(number)
    until(lambda: any(e["type"] == "ticket.sla-breached" for e in company.show(number)["timeline"]))
    agent.answer(notice, "#resolve\nIt is fast again.")
    answer = customer.wait_for(lambda x: "fast again" in x.text)
    customer.answer(answer, "Not for me.")
    until(lambda: company.show(number)["status"] == "open")
