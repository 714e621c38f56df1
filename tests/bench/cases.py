"""A few whole cases that a desk handles one after the other, each of a customer of its own."""

import asyncio
import random
from dataclasses import dataclass
from functools import partial

from pymongo import MongoClient

from tests.actors.arrivals import Arrivals, ticket_of
from tests.actors.desk import RunningDesk
from tests.actors.mails import Mail, Writer
from tests.actors.sink import Sink
from tests.actors.source import Source
from tests.faults.quiet import wait_until_quiet

SUPPORT = "support@desk.example"
WITHIN_S = 120.0
QUIET_S = 300.0
FIRST_NUMBER = 1_000_000
"""Cases get numbers above this one, so that all tickets of a full desk have as many digits."""


@dataclass(frozen=True)
class Case:
    """A ticket with three messages, by the names under which it lies in the stores."""

    ticket_id: str
    customer: str


def play(desk: RunningDesk, count: int) -> list[Case]:
    """Return when the cases are over and nothing is left to do; four of five are resolved."""
    with MongoClient(desk.facts.mongo) as client:
        numbers = client["postdesk_tickets"]["counters"]
        numbers.update_one({"_id": "tickets"}, {"$max": {"value": FIRST_NUMBER}}, upsert=True)
    cases = desk.play(_play(desk, count))
    if left := wait_until_quiet(lambda: desk.facts, desk.tend, limit_s=QUIET_S):
        raise TimeoutError(f"the cases do not come to rest: {left}")
    return cases


def name_of(number: int) -> str:
    """What is in all addresses and Message-IDs of a case; always of the same length."""
    return f"case{number:08d}"


async def _play(desk: RunningDesk, count: int) -> list[Case]:
    source, arrivals = Source(desk.facts.smtp), Arrivals(desk.sink)
    async with asyncio.timeout(WITHIN_S * count):
        return [await _case(source, arrivals, desk.sink, number) for number in range(count)]


def _has_mails(sink: Sink, recipient: str, count: int) -> bool:
    return sum(mail.recipient == recipient for mail in sink.taken) >= count


async def _case(source: Source, arrivals: Arrivals, sink: Sink, number: int) -> Case:
    """A mail, what the customer adds to it, and an agent's answer."""
    write = Writer(random.Random(number), run=name_of(number))
    customer = f"{name_of(number)}@people.example"
    await source.deliver(_first(write, customer, number))
    got = await arrivals.to(customer, "acknowledgement")
    more = write.reply(
        customer, got.header("Reply-To"), got.header("Subject"), "We got your mail.",
        **{"In-Reply-To": f"<{got.message_id}>"},
    )  # fmt: skip
    await source.deliver(more)
    # An answer to an earlier notice would come back: it does not know what the customer added.
    notice = await arrivals.about(ticket_of(got), "customer-answered")
    command = "" if number % 5 == 0 else "#resolve\n"
    answer = write.written(
        notice.recipient, [notice.header("Reply-To")], f"{command}We have mended it.\n",
        kind="agent-answer", Subject=f"Re: {notice.header('Subject')}",
    )  # fmt: skip
    await source.deliver(answer)
    is_told = partial(_has_mails, sink, customer, 2)
    if not await sink.wait_until(is_told, within_s=WITHIN_S):
        raise TimeoutError(f"{customer} does not get the answer")
    return Case(ticket_of(got), customer)


def _first(write: Writer, customer: str, number: int) -> Mail:
    """Of ten customers one attaches a picture and three write HTML."""
    if number % 10 == 0:
        return write.attached(customer, [SUPPORT], size=30_000)
    return (write.html if number % 3 == 0 else write.plain)(customer, [SUPPORT])
