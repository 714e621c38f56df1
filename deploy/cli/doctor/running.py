"""Checks of a running stack's inside: configuration, Kafka, MongoDB, services."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from deploy.cli.doctor.finding import Finding, error, ok, stack_check, warning
from deploy.local import health
from deploy.local.configuration import load_checked
from deploy.local.errors import StackError
from deploy.local.facts import StackFacts
from deploy.local.offsets import topic_states
from shared.config import ConfigurationError
from shared.contracts.topics import TOPICS

ANSWER_MS = 5000
SKEW_S = 5.0
LOW_ROOM = 0.10  # of the disk that MongoDB writes to
MUCH_LAG = 1000  # records
LONG_TRANSACTION_S = 15


@stack_check("config", "the desk's configuration file")
def config(stack: StackFacts) -> Finding:
    """Services that run keep what they have read; the next start reads it again."""
    try:
        load_checked(Path(stack.config))
    except ConfigurationError as problem:
        return error(
            str(problem),
            consequence="The next start of a service fails.",
            fix=f"correct it; 'postdesk config check {stack.config}' tells when it is right.",
        )
    return ok(stack.config)


@stack_check("kafka-topics", "topics exist with the partitions of the contracts")
def kafka_topics(stack: StackFacts) -> Finding:
    """Order within a ticket rests on the number of partitions staying as it was."""
    try:
        found = {s.name: s.partitions for s in asyncio.run(topic_states(stack.kafka))}
    except StackError as problem:
        consequence = "Mail is taken and kept, but not worked on."
        return error(problem.cause, consequence=consequence, fix=problem.remedy)
    wrong = [t.name for t in TOPICS if found.get(t.name) != t.partitions]
    if wrong:
        return error(
            f"Missing, or with another number of partitions: {', '.join(wrong)}.",
            consequence="Records of a ticket may be read out of order, or not at all.",
            fix="restart the stack, which makes missing topics; the others need a migration.",
        )
    return ok(f"{len(found)} topics at {stack.kafka}")


@stack_check("dead-letters", "records that were given up")
def dead_letters(stack: StackFacts) -> Finding:
    """Each says its reason in its headers."""
    try:
        states = asyncio.run(topic_states(stack.kafka))
    except StackError as problem:
        return error(problem.cause, consequence="Nothing can be said.", fix=problem.remedy)
    filled = [f"{s.records} on {s.name}" for s in states if s.name.endswith("-dlq") and s.records]
    if filled:
        return warning(
            f"Records were given up: {', '.join(filled)}.",
            consequence="What they asked for has not happened.",
            fix="read the reason in their headers, correct the cause, and send them again.",
        )
    return ok("none")


@stack_check("lag", "readers keep up with their topics")
def lag(stack: StackFacts) -> Finding:
    """A reader that stands still shows here first."""
    try:
        states = asyncio.run(topic_states(stack.kafka))
    except StackError as problem:
        return error(problem.cause, consequence="Nothing can be said.", fix=problem.remedy)
    behind = [f"{g} by {n} on {s.name}" for s in states for g, n in s.lag.items() if n > MUCH_LAG]
    if behind:
        return warning(
            f"Behind: {', '.join(behind)}.",
            consequence="Mails and notices are late.",
            fix="if the numbers do not fall, look at that service's log.",
        )
    return ok("all records read" if not any(s.lag for s in states) else "readers are close behind")


@stack_check("mongo", "MongoDB takes journaled writes, has room, and its clock agrees")
def mongo(stack: StackFacts) -> Finding:
    """A mail is accepted only when it is journaled on a majority."""
    try:
        with MongoClient[dict[str, object]](
            stack.mongo, serverSelectionTimeoutMS=ANSWER_MS
        ) as client:
            hello = client.admin.command("hello")
            stats = client.admin.command("dbStats")
            limit = client.admin.command("getParameter", transactionLifetimeLimitSeconds=1)
    except PyMongoError as problem:
        return error(
            f"MongoDB does not answer: {problem}",
            consequence="New mail is answered 451; its senders keep it.",
            fix="look at mongo.log in the state folder; restart the stack.",
        )
    return _judge_mongo(hello, stats, int(limit["transactionLifetimeLimitSeconds"]))


def _judge_mongo(hello: dict[str, object], stats: dict[str, object], limit_s: int) -> Finding:
    used, total = (float(str(stats.get(name, 0))) for name in ("fsUsedSize", "fsTotalSize"))
    if total and 1 - used / total < LOW_ROOM:
        return warning(
            f"MongoDB's disk is {used / total:.0%} full.",
            consequence="Below door.min_free_bytes mail is answered 452; its senders keep it.",
            fix="make room on it.",
        )
    theirs = hello["localTime"]
    skew = abs((datetime.now(UTC).replace(tzinfo=None) - theirs).total_seconds())  # type: ignore[operator]
    if skew > SKEW_S:
        return warning(
            f"MongoDB's clock differs by {skew:.0f} s.",
            consequence="Deadlines fire early or late by as much.",
            fix="synchronise the clocks (NTP).",
        )
    if limit_s > LONG_TRANSACTION_S:
        return warning(
            f"MongoDB lets a transaction live for {limit_s} s.",
            consequence="After a service was killed, tickets that it had in hand wait that long.",
            fix="start mongod with --setParameter transactionLifetimeLimitSeconds=5.",
        )
    return ok(f"replica set {hello.get('setName')}, primary, clock differs by {skew:.1f} s")


@stack_check("services", "the five services are ready")
def services(stack: StackFacts) -> Finding:
    """Each says so itself."""
    places = {name: urlsplit(url).netloc for name, url in stack.metrics.items()}
    waiting = [name for name, place in places.items() if not health.is_ready(place)]
    down = [f"{name} ({health.ask(places[name], '/readyz')[1] or 'no answer'})" for name in waiting]
    if down:
        return error(
            f"Not ready: {', '.join(down)}.",
            consequence="Their part of the work waits; nothing is lost.",
            fix=f"look at their logs in {stack.state_dir}/logs.",
        )
    return ok(", ".join(places))
