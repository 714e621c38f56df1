"""The roads of a stack under test: one breakable link from each service to each of its servers."""

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any, Protocol

from deploy.local import ports
from deploy.local.parts import SERVICES
from deploy.local.providers.embedded_kafka import Listener
from tests.faults.proxy import LOOPBACK, Link, Mode


class Actors(Protocol):
    """The loop that links live on."""

    def begin(self, actors: Coroutine[Any, Any, Any]) -> Any:
        """Run on that loop."""


class Network:
    """Made before the stack; ``connect`` is told where its servers are, once they are known.

    Kafka tells its clients where it is, so each service has a listener of its own there, which
    tells the address of the link. MongoDB does so too: its links are direct connections.
    """

    def __init__(self) -> None:
        self._listeners = {name: ports.free_port() for name in SERVICES}
        self._servers: dict[str, tuple[str, int]] = {}
        self.links: dict[tuple[str, str], Link] = {}
        for name in SERVICES:
            self._servers[f"kafka-{name}"] = (LOOPBACK, self._listeners[name])
            self._add(name, "kafka", f"kafka-{name}")
            self._add(name, "mongo", "mongo")
        self._add("notify", "relay", "relay")

    def _add(self, service: str, target: str, server: str) -> None:
        link = Link(f"{service}-{target}", ports.free_port(), lambda: self._servers[server])
        self.links[service, target] = link

    def connect(self, *, mongo: str, relay: str) -> None:
        """Say where MongoDB and the relay are (``host:port``)."""
        self._servers["mongo"] = ports.split_address(mongo)
        self._servers["relay"] = ports.split_address(relay)

    @property
    def kafka_listeners(self) -> list[Listener]:
        """What Kafka has to listen on beside its own address."""
        return [
            Listener(name.upper(), f"{LOOPBACK}:{port}", self._address(name, "kafka"))
            for name, port in self._listeners.items()
        ]

    @property
    def env(self) -> Mapping[str, Mapping[str, str]]:
        """The settings that send each service over its links."""
        env = {
            name: {
                "POSTDESK_KAFKA": self._address(name, "kafka"),
                "POSTDESK_MONGO": f"mongodb://{self._address(name, 'mongo')}/?directConnection=true",
            }
            for name in SERVICES
        }
        env["notify"]["POSTDESK_RELAY"] = self._address("notify", "relay")
        return env

    def _address(self, service: str, target: str) -> str:
        return f"{LOOPBACK}:{self.links[service, target].port}"

    async def start(self) -> None:
        """Listen everywhere."""
        await asyncio.gather(*(link.start() for link in self.links.values()))

    async def stop(self) -> None:
        """End all connections."""
        await asyncio.gather(*(link.stop() for link in self.links.values()))

    async def set_mode(self, service: str, target: str, mode: Mode) -> None:
        """Break or mend one link."""
        self.links[service, target].set_mode(mode)

    async def reset(self, service: str, target: str) -> None:
        """End the connections of one link with RST."""
        self.links[service, target].reset()
