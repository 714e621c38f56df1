"""What readers keep of tickets can be made anew from their history, while the desk goes on."""

import asyncio
import json
import os
import signal
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition

from deploy.local import facts
from deploy.local.offsets import topic_states
from shared import mongo
from tests.acceptance.company import Company, until

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]

KEPT = {"sla": ("cases", "clocks"), "reports": ("tickets", "work")}


def kept(company: Company) -> dict[str, dict[str, Any]]:
    """All documents that sla and reports make from events, by collection and id."""
    return asyncio.run(_in_mongo(company, _kept))


def throw_away(company: Company) -> None:
    asyncio.run(_in_mongo(company, _drop))


async def _in_mongo(company: Company, work: Any) -> Any:
    client = mongo.connect(company.addresses["mongo"], service="acceptance")
    try:
        return await work(client)
    finally:
        client.close()


async def _kept(client: mongo.Client) -> dict[str, dict[str, Any]]:
    found = {}
    for service, names in KEPT.items():
        for name in names:
            documents = await mongo.database(client, service)[name].find().to_list(None)
            found[f"{service}.{name}"] = {one["_id"]: one for one in documents}
    return found


async def _drop(client: mongo.Client) -> None:
    for service, names in KEPT.items():
        for name in names:
            await mongo.database(client, service).drop_collection(name)


@contextmanager
def standing_still(company: Company, *services: str) -> Iterator[None]:
    running = facts.read(company.state_dir)
    assert running
    pids = [running.pids[name] for name in services]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def wait_until_read(company: Company) -> None:
    """All events are read, and what follows from them is too."""

    def is_quiet() -> bool:
        states = asyncio.run(topic_states(company.addresses["kafka"]))
        return not any(lag for state in states for lag in state.lag.values())

    until(lambda: is_quiet() and kept(company) == kept(company) and is_quiet(), within_s=60)


def types_of(company: Company, number: str) -> list[str]:
    return [entry["type"] for entry in company.show(number)["timeline"]]


@pytest.mark.feature("B04")
def test_clocks_and_read_models_thrown_away_are_rebuilt_the_same(company: Company) -> None:
    emma = company.person("emma@harbour-bakery.example", "Emma Brand")
    solved, _ = company.open_ticket(emma, "Solved before the loss")
    agent, notice = company.agent_and_notice(solved)
    agent.answer(notice, "#resolve\nIt is repaired.")
    missed, _ = company.open_ticket(emma, "Missed before the loss", "alarm@desk.example")
    until(lambda: types_of(company, missed).count("ticket.sla-breached") == 2)
    until(lambda: company.show(solved)["status"] == "resolved")
    wait_until_read(company)
    before, story = kept(company), types_of(company, missed)

    with standing_still(company, "sla", "reports"):
        throw_away(company)
        meanwhile, _ = company.open_ticket(emma, "Opened during the loss")
        company.run("rebuild", "sla")
        company.run("rebuild", "reports")
        later, _ = company.open_ticket(emma, "Opened after the rebuilding")
    until(lambda: company.show(later)["sla"] and company.show(meanwhile)["sla"])
    wait_until_read(company)

    after = kept(company)
    for name, documents in before.items():
        assert documents, name
        assert {key: after[name].get(key) for key in documents} == documents
    assert {meanwhile, later} <= after["sla.cases"].keys() & after["reports.tickets"].keys()
    assert types_of(company, missed) == story


@pytest.mark.feature("B04")
def test_rebuilding_beside_running_services_changes_nothing_and_loses_nothing(
    company: Company,
) -> None:
    emma = company.person("emma@harbour-bakery.example", "Emma Brand")
    number, ack = company.open_ticket(emma, "Rebuilt while it is talked about")
    wait_until_read(company)
    before = kept(company)

    emma.answer(ack, "One more thing.")
    company.run("rebuild", "sla")
    emma.answer(ack, "And another one.")
    company.run("rebuild", "reports")
    until(lambda: len(company.show(number)["messages"]) == 3)
    wait_until_read(company)

    after = kept(company)
    for name, documents in before.items():
        others = {key: one for key, one in documents.items() if not key.startswith(number)}
        assert {key: after[name][key] for key in others} == others
    last = company.show(number)["timeline"][-1]["seq"]
    assert after["reports.tickets"][number]["seq"] == last


@pytest.mark.feature("B04")
def test_a_new_subscriber_is_given_the_whole_history_on_a_topic_of_its_own(
    company: Company,
) -> None:
    emma = company.person("emma@harbour-bakery.example", "Emma Brand")
    company.open_ticket(emma, "Told to a newcomer")
    wait_until_read(company)
    topic = f"history-{uuid.uuid4().hex[:8]}"

    company.run("events", "replay", "--to", topic)

    published = events_on(company, "ticket-events")
    assert events_on(company, topic) == published
    assert published


def test_the_history_is_not_written_on_a_topic_that_services_read(company: Company) -> None:
    count = len(events_on(company, "ticket-events"))

    said = company.run("events", "replay", "--to", "ticket-events", check=False)

    assert "written" not in said
    assert len(events_on(company, "ticket-events")) == count


def events_on(company: Company, topic: str) -> dict[str, list[tuple[str, Any]]]:
    """Ids and data of the distinct events on a topic by ticket, in their order."""
    servers = {"bootstrap.servers": company.addresses["kafka"], "group.id": uuid.uuid4().hex}
    consumer = Consumer({**servers, "enable.partition.eof": True})
    partitions = consumer.list_topics(topic, 20).topics[topic].partitions
    consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
    found: dict[str, dict[str, Any]] = {}
    ended = 0
    while ended < len(partitions):
        record = consumer.poll(20)
        assert record is not None
        if record.error():
            ended += 1
            continue
        name = dict(record.headers())["ce_id"].decode()
        found.setdefault(record.key().decode(), {})[name] = json.loads(record.value())
    consumer.close()
    return {key: list(events.items()) for key, events in found.items()}
