"""Which Kafka and MongoDB a command works on: those named, else those of the running stack."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from deploy.local import facts
from deploy.local.errors import StackError
from shared import mongo

Mongo = Annotated[
    str,
    typer.Option("--mongo", envvar="POSTDESK_MONGO", help="URI, instead of the running stack's."),
]
Kafka = Annotated[
    str,
    typer.Option("--kafka", envvar="POSTDESK_KAFKA", help="Servers, instead of the stack's."),
]
T = TypeVar("T")
OPERATION_MS = 10 * 60_000
"""A look at all that a large desk holds takes longer than anything that a service does."""


@dataclass(frozen=True)
class Addresses:
    """Where the desk's data is."""

    mongo: str
    kafka: str


def addresses(state_dir: Path, mongo_uri: str, kafka: str) -> Addresses:
    """Complete what was given with what the stack of this state folder says.

    Raises:
        StackError: not both are given and no stack runs.
    """
    if mongo_uri and kafka:
        return Addresses(mongo_uri, kafka)
    running = facts.running(state_dir.resolve())
    return Addresses(mongo_uri or running.mongo, kafka or running.kafka)


def with_client(where: Addresses, command: str, work: Callable[[mongo.Client], Awaitable[T]]) -> T:
    """Run ``work`` with a client of MongoDB and give its result.

    Raises:
        StackError: MongoDB does not answer.
    """

    async def run() -> T:
        client = mongo.connect(where.mongo, service=command, operation_ms=OPERATION_MS)
        try:
            return await work(client)
        except mongo.MongoError as error:
            if not mongo.is_transient(error):
                raise
            remedy = "'postdesk status' shows whether it runs."
            raise StackError("MongoDB does not answer.", remedy=remedy) from error
        finally:
            client.close()

    return asyncio.run(run())
