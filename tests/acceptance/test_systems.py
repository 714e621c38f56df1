"""Other systems at the same desk: events out, commands in, and the command line."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer

from tests.acceptance.company import Company, until

pytestmark = [pytest.mark.stack, pytest.mark.timeout(120)]


class Shop:
    """A web shop that is not written with this project's libraries."""

    def __init__(self, kafka: str) -> None:
        self._producer = Producer({"bootstrap.servers": kafka})
        self._consumer = Consumer(
            {
                "bootstrap.servers": kafka,
                "group.id": f"shop-{uuid.uuid4().hex}",
                "auto.offset.reset": "earliest",
            }
        )
        self._consumer.subscribe(["ticket-events", "command-results"])
        self._heard: list[tuple[str, str, dict[str, Any]]] = []

    def close(self) -> None:
        self._consumer.close()

    def command(self, kind: str, key: str, **data: Any) -> str:
        """Publish a command; its id."""
        name = f"shop-{uuid.uuid4().hex}"
        headers = {
            "ce_specversion": "1.0", "ce_id": name, "ce_type": f"command.{kind}",
            "ce_source": "shop", "ce_time": "2026-11-22T09:00:00Z",
        }  # fmt: skip
        value = {"type": f"command.{kind}", "version": 1, "actor": "system:shop", **data}
        self._producer.produce("ticket-commands", json.dumps(value), key, headers=headers)
        assert self._producer.flush(20) == 0
        return name

    def heard(self) -> list[tuple[str, str, dict[str, Any]]]:
        """All that was published so far: topic, id, data."""
        while record := self._consumer.poll(0.1):
            if not record.error():
                headers = {k: v.decode() for k, v in record.headers() or []}
                data = json.loads(record.value())
                self._heard.append((record.topic(), headers["ce_id"], data))
        return self._heard

    def result(self, command_id: str) -> dict[str, Any]:
        """The answer to a command."""
        return until(
            lambda: next((d for _, _, d in self.heard() if d.get("command_id") == command_id), None)
        )


@pytest.fixture
def shop(company: Company) -> Iterator[Shop]:
    shop = Shop(company.addresses["kafka"])
    yield shop
    shop.close()


@pytest.mark.feature("B01")
def test_the_events_of_a_ticket_are_one_gapless_story(company: Company, shop: Shop) -> None:
    emma = company.person("emma@harbour-bakery.example", "Emma Brand")
    number, _ = company.open_ticket(emma, "A story in events")
    agent, notice = company.agent_and_notice(number)
    agent.answer(notice, "#take\n#close")
    until(lambda: company.show(number)["status"] == "closed")

    def story() -> dict[int, str]:
        mine = [d for t, _, d in shop.heard() if t == "ticket-events" and d["ticket_id"] == number]
        return {d["seq"]: d["type"] for d in mine}

    until(lambda: "ticket.closed" in story().values())

    seen = story()
    assert sorted(seen) == list(range(1, len(seen) + 1))
    assert (seen[1], seen[2]) == ("ticket.opened", "ticket.message-added")
    timeline = {e["seq"]: e["type"] for e in company.show(number)["timeline"]}
    assert {seq: timeline[seq] for seq in seen} == seen


@pytest.mark.feature("I05", "B02")
def test_a_form_opens_a_ticket_and_its_requester_is_answered_by_mail(
    company: Company, shop: Shop
) -> None:
    visitor = company.person("visitor@shop.example", "Vera Visitor")
    address = visitor.address

    asked = shop.command(
        "open-ticket",
        address,
        mailbox="support@desk.example",
        requester=address,
        requester_name="Vera Visitor",
        subject="From the form",
        text="Do you have it in blue?",
        source="form",
    )
    result = shop.result(asked)

    assert result["type"] == "command.accepted"
    ticket = company.show(result["ticket_id"])
    assert (ticket["source"], ticket["requester"]) == ("form", address)
    shop.result(shop.command("reply", ticket["id"], ticket_id=ticket["id"], text="Yes, we have."))
    assert "Yes, we have." in visitor.wait_for(lambda x: "Yes, we have." in x.text).text


@pytest.mark.feature("B02")
def test_a_command_that_cannot_be_is_rejected_with_code_and_reason(
    company: Company, shop: Shop
) -> None:
    asked = shop.command("close", "T-999999", ticket_id="T-999999")

    result = shop.result(asked)

    assert result["type"] == "command.rejected"
    assert result["code"]
    assert result["reason"]


@pytest.mark.feature("B02", "T19")
def test_a_system_puts_people_in_copy_or_is_told_why_not(company: Company, shop: Shop) -> None:
    emma = company.person("emma@harbour-bakery.example", "Emma Brand")
    number, _ = company.open_ticket(emma, "Copied by a system")

    done = shop.command("cc", number, ticket_id=number, add=["boss@shop.example"])
    refused = shop.command("bcc", number, ticket_id=number, add=["no address"])

    assert shop.result(done)["type"] == "command.accepted"
    assert shop.result(refused)["code"] == "E03"
    assert company.show(number)["followers"] == ["boss@shop.example"]

    def told() -> list[tuple[str, list[str]]]:
        mine = [data for _, name, data in shop.heard() if name.startswith(f"{number}.")]
        return [(one["by"], one["added"]) for one in mine if "followers" in one["type"]]

    assert until(told) == [("system:shop", ["boss@shop.example"])]


@pytest.mark.feature("B07")
def test_a_trace_tells_what_one_mail_caused(company: Company) -> None:
    emma = company.person("emma@harbour-bakery.example", "Emma Brand")
    sent = emma.write("support@desk.example", "Trace me", "Where do I go?")
    emma.wait_for(lambda x: "Trace me" in x.subject)

    story = json.loads(company.run("trace", sent, "--json"))

    assert story["mail"]["from"] == emma.address
    assert story["ticket"].startswith("T-")
    assert story["states"][0]["service"] == "ingest"
    assert {out["kind"] for out in story["caused"]} >= {"acknowledgement"}
    assert story["ticket"] in company.run("trace", sent)


def test_the_commands_show_what_the_stores_hold(company: Company) -> None:
    emma = company.person("emma@harbour-bakery.example", "Emma Brand")
    number, ack = company.open_ticket(emma, "Shown by commands")

    shown = json.loads(company.run("show", number, "--json"))
    listed = json.loads(company.run("tickets", "--json"))
    inbox = json.loads(company.run("inbox", emma.address, "--json"))

    assert shown["subject"] == "Shown by commands"
    assert shown["messages"][0]["text"].strip() == "Shown by commands, please help."
    row = next(t for t in listed if t["id"] == number)
    assert "text" not in row["messages"][0]
    assert ack.message_id.strip("<>") in [mail["message_id"] for mail in inbox]
