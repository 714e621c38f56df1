"""Kafka and MongoDB that exist already: nothing is started or stopped, only asked for."""

from urllib.parse import urlsplit

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from deploy.local import ports, process
from deploy.local.errors import StackError

ANSWER_S = 10.0


class _Given:
    kind = "given"

    def __init__(self, address: str) -> None:
        self.address = address

    @property
    def pids(self) -> dict[str, int]:
        """None of its processes are ours."""
        return {}

    def launch(self) -> None:
        """Nothing to start."""

    def is_alive(self) -> bool:
        """Its owner looks after it."""
        return True

    def stop(self) -> None:
        """Nothing to stop."""


class GivenKafka(_Given):
    """A broker named by the user."""

    name = "kafka"

    def wait_ready(self) -> None:
        """Return when one of the bootstrap servers accepts connections."""
        try:
            servers = [ports.split_address(server) for server in self.address.split(",")]
        except ValueError as error:
            raise StackError(f"Kafka's address: {error}.", remedy="--kafka HOST:PORT") from error
        process.wait_until(
            lambda: any(ports.is_open(host, port) for host, port in servers),
            None,
            part=f"Kafka at {self.address}",
            timeout_s=ANSWER_S,
            remedy="start it, or leave --kafka and POSTDESK_KAFKA out: then one is started.",
        )


class GivenMongo(_Given):
    """A replica set named by the user."""

    name = "mongo"

    def wait_ready(self) -> None:
        """Return when a primary of a replica set answers; a single server has no transactions."""
        remedy = "start it, or leave --mongo and POSTDESK_MONGO out: then one is started."
        try:
            with MongoClient[dict[str, object]](
                self.address, serverSelectionTimeoutMS=int(ANSWER_S * 1000)
            ) as client:
                hello = client.admin.command("hello")
        except PyMongoError as error:
            host = urlsplit(self.address).hostname or "that address"
            raise StackError(
                f"MongoDB at {host} does not answer: {error}", remedy=remedy
            ) from error
        if "setName" not in hello:
            raise StackError(
                "MongoDB is no replica set, so it has no transactions.",
                remedy="start it with --replSet and run rs.initiate() once; one node is enough.",
            )
