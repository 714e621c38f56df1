"""Sends records that nobody can read, one to every topic that is read."""

import random
from dataclasses import replace

from confluent_kafka import KafkaException, Producer

from deploy.local.parts import SERVICES
from shared.contracts.topics import TOPICS
from tests.actors.books import Poison
from tests.actors.evidence import POISON_FIELD

GIVE_UP_MS = 60_000
LAST_S = 60.0


class Poisoner:
    """Keeps what was sent, and whether Kafka has said that it has it."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._sent: dict[str, Poison] = {}
        self._producer: Producer | None = None

    @property
    def sent(self) -> list[Poison]:
        """All of it."""
        return list(self._sent.values())

    def send(self, kafka: str) -> None:
        """Hand over one record for each topic; returns at once."""
        self._producer = self._producer or Producer(
            {
                "bootstrap.servers": kafka,
                "message.timeout.ms": GIVE_UP_MS,
                "acks": "all",
                "log_level": 0,
            }
        )
        for topic in TOPICS:
            readers = tuple(name for name in topic.readers if name in SERVICES)
            if readers and topic.dead_letters:
                name = f"{topic.name}-{len(self._sent)}"
                self._sent[name] = Poison(name, topic.name, readers, is_sent=False)
                self._producer.produce(
                    topic.name,
                    self._chance.randbytes(40),
                    key=name,
                    headers=[(POISON_FIELD, name), *self._more_headers(topic.name)],
                    on_delivery=self._on_delivery(name),
                )
        self._producer.poll(0)

    def finish(self) -> None:
        """Wait until Kafka has answered for all, a minute at most."""
        if self._producer:
            self._producer.flush(LAST_S)

    def _more_headers(self, topic: str) -> list[tuple[str, str]]:
        """Now and then a record looks right from outside."""
        if self._chance.random() < 0.5:
            return []
        kind = next(t for t in TOPICS if t.name == topic).records[0].model_fields["type"].default
        return [("ce_type", kind), ("ce_id", "poison"), ("ce_specversion", "1.0")]

    def _on_delivery(self, name: str):  # type: ignore[no-untyped-def]
        def note(error: KafkaException | None, _record: object) -> None:
            if error is None:
                self._sent[name] = replace(self._sent[name], is_sent=True)

        return note
