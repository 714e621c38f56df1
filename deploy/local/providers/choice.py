"""The order of providers: an address that is given, then Docker, then embedded."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from deploy.local import folders
from deploy.local.providers.docker import DockerKafka, DockerMongo, engine_answers
from deploy.local.providers.embedded_kafka import EmbeddedKafka
from deploy.local.providers.embedded_mongo import EmbeddedMongo
from deploy.local.providers.given import GivenKafka, GivenMongo
from deploy.local.providers.jars import Progress
from deploy.local.providers.server import Server

_engine_answers = cache(engine_answers)


def no_progress(_done: int, _total: int) -> None:
    """Show nothing while Kafka is fetched."""


@dataclass
class Backends:
    """A stack's Kafka and MongoDB, started and stopped together."""

    kafka: Server
    mongo: Server

    def start(self) -> None:
        """Return when both serve clients; if one cannot, neither is left running."""
        try:
            # MongoDB first: it boots while Kafka's files are fetched or its folder is formatted.
            self.mongo.launch()
            self.kafka.launch()
            self.mongo.wait_ready()
            self.kafka.wait_ready()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End what was started here; data stays."""
        with ThreadPoolExecutor(2) as both:
            for done in [both.submit(self.kafka.stop), both.submit(self.mongo.stop)]:
                done.result()


def choose(
    state: Path, *, kafka: str = "", mongo: str = "", progress: Progress = no_progress
) -> Backends:
    """Choose for each of the two where it comes from; nothing is started yet."""
    return Backends(kafka=_kafka(state, kafka, progress), mongo=_mongo(state, mongo))


def _kafka(state: Path, address: str, progress: Progress) -> Server:
    if address:
        return GivenKafka(address)
    folder = state / "kafka"
    if _engine_answers():
        return DockerKafka(folder)
    log = state / "logs" / "kafka.log"
    return EmbeddedKafka(folder, cache=folders.cache_dir(), log=log, progress=progress)


def _mongo(state: Path, address: str) -> Server:
    if address:
        return GivenMongo(address)
    folder = state / "mongo"
    if _engine_answers():
        return DockerMongo(folder)
    return EmbeddedMongo(folder, log=state / "logs" / "mongo.log")
