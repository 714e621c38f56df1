"""How the stack of a ledger run is put together, and how its desk is configured."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from deploy.local import folders
from deploy.local.parts import SERVICES
from deploy.local.providers.choice import Backends, no_progress
from deploy.local.providers.embedded_kafka import EmbeddedKafka
from deploy.local.providers.embedded_mongo import EmbeddedMongo
from tests.actors.desk import Wiring
from tests.actors.sink import Sink
from tests.faults.cluster import cluster_backends
from tests.faults.faketime import FakeTime
from tests.faults.network import Network
from tests.faults.traffic import BILLING, MAX_BYTES, SUPPORT

RESTART_S = 2.0
"""The longest pause before a killed part is started again, so that faults hit what runs."""
TWINS = {"tickets": 2, "notify": 2}
"""Two processes share the work, so that one can come back after the other has taken it over."""
READERS = (*(name for name in SERVICES if name != "ingest"), *(f"{name}-2" for name in TWINS))
SETTINGS: dict[str, Any] = {
    "notices": {"bundle": 2, "hold": 1},
    "sending": {"first_pause": 2},
    "door": {"max_bytes": MAX_BYTES},
    "mailboxes": [
        {"address": SUPPORT, "brand": "Support", "team": "support"},
        {"address": BILLING, "brand": "Billing", "team": "billing", "priority": "urgent"},
    ],
    "calendars": {"always": {"timezone": "UTC", "week": "always"}},
    "sla": {
        "policies": {
            "standard": {
                "calendar": "always",
                "targets": {
                    "urgent": {"first_response": 30, "resolution": 60},
                    "normal": {"first_response": "8h", "resolution": "72h"},
                },
            }
        }
    },
}
"""Everything waits for seconds; clocks run out for one mailbox, so that not all is about them."""


def linked(state: Path, network: Network, clocks: FakeTime, sink: Sink) -> Wiring:
    """One Kafka, one MongoDB, and a breakable link between any two that talk."""
    kafka = EmbeddedKafka(
        state / "kafka",
        cache=folders.cache_dir(),
        log=state / "logs" / "kafka.log",
        progress=no_progress,
        more=network.kafka_listeners,
    )
    mongo = EmbeddedMongo(state / "mongo", log=state / "logs" / "mongo.log")
    network.connect(mongo=urlsplit(mongo.address).netloc, relay=sink.address)
    return Wiring(
        companions=[network],
        backends=Backends(kafka=kafka, mongo=mongo),
        env={name: {**env, **clocks.env(name)} for name, env in network.env.items()},
        processes=TWINS,
        late=READERS,
        longest_pause_s=RESTART_S,
    )


def clustered(state: Path, clocks: FakeTime) -> Wiring:
    """Three brokers and a replica set of three; clients speak to them directly."""
    *_, backends = cluster_backends(state)
    return Wiring(
        backends=backends,
        env={name: clocks.env(name) for name in SERVICES},
        processes=TWINS,
        late=READERS,
        longest_pause_s=RESTART_S,
    )
