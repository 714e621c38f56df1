"""A backup of the company at work, restored into a new stack that goes on from it."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from deploy.local.correspondent import Letter
from tests.acceptance.company import ROOT, Company, until
from tests.acceptance.operator_desk import Operator, stopped

pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]

SUPPORT, ALARM = "support@desk.example", "alarm@desk.example"
EMMA, MARTA = "emma@harbour-bakery.example", "marta@desk-team.example"
SAME_BYTES = (
    f"From: Emma Brand <{EMMA}>\r\nTo: {SUPPORT}\r\nSubject: Sent twice\r\n"
    "Message-ID: <sent-twice@harbour-bakery.example>\r\nDate: Sun, 22 Nov 2026 09:00:00 +0000\r\n"
    "\r\nOnce is enough.\r\n"
).encode()


@dataclass(frozen=True)
class Before:
    """What was known when the backup was taken."""

    folder: Path
    ack: Letter
    tickets: dict[str, dict[str, Any]]


def by_subject(company: Company) -> dict[str, dict[str, Any]]:
    tickets = Operator(company).ask("tickets", "--full")
    return {ticket["subject"]: ticket for ticket in tickets}


def announced(company: Company) -> bool:
    # As the backup will see it: the mark is not waited for by who writes it.
    with MongoClient(company.addresses["mongo"], readConcernLevel="majority") as client:
        newest = client["postdesk_ingest"]["inbound"].find_one(sort=[("received_at", -1)])
    return bool(newest and newest["state"] == "announced")


def all_sent(company: Company) -> bool:
    """Whether notify has noted of every mail that it was sent; one just sent might go out again."""
    outgoing = Operator(company).ask("ledger")["outgoing"]
    return not outgoing["queued"] and not outgoing["planned"]


@pytest.fixture(scope="module")
def before(company: Company, tmp_path_factory: pytest.TempPathFactory) -> Before:
    """A backup while mail is everywhere: done with, filed and untold, announced and unfiled."""
    folder = tmp_path_factory.mktemp("backups") / "tonight"
    emma = company.person(EMMA, "Emma Brand")
    number, ack = company.open_ticket(emma, "Done before the backup")
    company.agent_and_notice(number)
    emma.send(SAME_BYTES, [SUPPORT])
    until(lambda: "Sent twice" in by_subject(company))
    emma.wait_for(lambda x: "Sent twice" in x.subject)
    until(lambda: all_sent(company))
    with stopped(company, "sla", "notify"):
        emma.write(SUPPORT, "Filed and not told", "Hello?")
        emma.write(ALARM, "An alarm not told", "Fire!")
        until(lambda: {"Filed and not told", "An alarm not told"} <= by_subject(company).keys())
        with stopped(company, "tickets"):
            emma.write(SUPPORT, "Announced and not filed", "Hello?")
            until(lambda: announced(company))
            code, _ = Operator(company).run("backup", str(folder))
            assert code == 0
            tickets = by_subject(company)
    return Before(folder, ack, tickets)


@pytest.fixture(scope="module")
def restored(
    before: Before, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Company, dict[str, Any]]]:
    """A new stack made from the backup, and what the restore said."""
    state = tmp_path_factory.mktemp("new-desk")
    told = Operator(Company({"kafka": "127.0.0.1:9"}, state)).ask("restore", str(before.folder))
    command = [
        sys.executable, "-m", "deploy.cli", "up", "--json", "--no-demo", "--smtp", "127.0.0.1:0",
        "--config", str(before.folder / "desk.yaml"), "--state-dir", str(state),
    ]  # fmt: skip
    with (state / "up.log").open("w") as log:
        up = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=ROOT)
    try:
        line = up.stdout.readline() if up.stdout else ""
        assert line, (state / "up.log").read_text()[-4000:]
        yield Company(json.loads(line), state), told
    finally:
        up.send_signal(signal.SIGTERM)
        try:
            up.wait(60)
        finally:
            up.kill()


def test_the_new_stack_goes_on_and_sends_what_was_on_its_way_once(
    before: Before, restored: tuple[Company, dict[str, Any]]
) -> None:
    desk, told = restored
    operator = Operator(desk)
    emma, marta = desk.person(EMMA, "Emma Brand"), desk.person(MARTA)
    waiting = ["Filed and not told", "An alarm not told", "Announced and not filed"]

    for subject in waiting:
        emma.wait_for(lambda x, s=subject: s in x.subject, within_s=60)
    alarm = before.tickets["An alarm not told"]["id"]
    marta.wait_for(lambda x: alarm in x.subject, within_s=60)
    emma.send(SAME_BYTES, [SUPPORT])
    number, _ = desk.open_ticket(emma, "Opened after the restore")
    emma.answer(before.ack, "One thing more.")
    old = before.tickets["Done before the backup"]["id"]
    until(lambda: len(desk.show(old)["messages"]) == 2)
    ledger = until(lambda: _balanced(operator))

    assert told["resent"]["mails"] == 1
    assert told["resent"]["events"] >= 4
    # Nothing comes twice, and what was sent before the backup does not come again.
    subjects = [letter.subject.partition("] ")[2] for letter in emma.letters()]
    assert sorted(subjects) == sorted([*waiting, "Opened after the restore"])
    # Numbers of tickets that were opened after the backup do not come again.
    last = max(int(t["id"].removeprefix("T-")) for t in before.tickets.values())
    assert int(number.removeprefix("T-")) > last + 1000
    # The mail that was sent once more is known.
    tickets = by_subject(desk)
    assert len(tickets["Sent twice"]["messages"]) == 1
    assert sum(t["subject"] == "Sent twice" for t in operator.ask("tickets")) == 1
    # What was stored is the same, and so are clocks that had been running.
    for subject, ticket in before.tickets.items():
        if subject not in {*waiting, "Done before the backup"}:
            assert tickets[subject] == ticket
    assert tickets["An alarm not told"]["sla"][0]["breached"]
    assert (
        tickets["Done before the backup"]["sla"] == before.tickets["Done before the backup"]["sla"]
    )
    assert ledger["mail"]["unfiled"] == 0


def _balanced(operator: Operator) -> dict[str, Any]:
    ledger = operator.ask("ledger")
    return ledger if ledger["ok"] and not ledger["mail"]["unfiled"] else {}


def test_a_restore_refuses_what_holds_data_and_what_is_damaged(
    company: Company, before: Before, tmp_path: Path
) -> None:
    operator = Operator(company)
    where = ["--mongo", company.addresses["mongo"], "--kafka", company.addresses["kafka"]]
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    for file in before.folder.iterdir():
        if file.is_file():
            (damaged / file.name).write_bytes(file.read_bytes())

    live, _ = operator.run("restore", str(before.folder))
    full, _ = Operator(Company(company.addresses, tmp_path / "new")).run(
        "restore", str(before.folder), *where
    )
    cut, _ = Operator(Company(company.addresses, tmp_path / "new")).run(
        "restore", str(damaged), *where
    )
    again, _ = operator.run("backup", str(before.folder))

    assert (live, full, cut, again) == (1, 1, 1, 1)
    assert before.folder.stat().st_mode & 0o077 == 0
