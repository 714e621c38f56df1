"""The production compose file says the same as the code."""

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from deploy.local import parts, topics
from deploy.local.providers import docker, jars

DEPLOY = Path(topics.__file__).parents[1]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return YAML(typ="safe").load((DEPLOY / "compose.yaml").read_text())


def test_every_service_runs_from_its_module(compose: dict[str, Any]) -> None:
    for name in parts.SERVICES:
        assert compose["services"][name]["command"] == ["python", "-m", f"services.{name}"]


def test_every_service_is_told_what_the_local_stack_tells_it(compose: dict[str, Any]) -> None:
    common = {"KAFKA", "MONGO", "CONFIG", "KEYS", "HEALTH", "STATE_DIR"}
    own = {"ingest": {"SMTP"}, "notify": {"RELAY"}}

    for name in parts.SERVICES:
        told = set(compose["services"][name]["environment"])
        assert told == {f"POSTDESK_{word}" for word in common | own.get(name, set())}, name


def test_services_do_not_share_a_scratch_folder(compose: dict[str, Any]) -> None:
    folders = [compose["services"][n]["environment"]["POSTDESK_STATE_DIR"] for n in parts.SERVICES]

    assert len(set(folders)) == len(parts.SERVICES)


def test_services_are_asked_for_their_health_where_they_listen(compose: dict[str, Any]) -> None:
    for name in parts.SERVICES:
        service = compose["services"][name]
        assert service["healthcheck"]["test"] == ["CMD", "python", "-m", "deploy.local.health"]
        assert service["environment"]["POSTDESK_HEALTH"].startswith("0.0.0.0:")


def test_services_wait_for_topics_and_replica_set(compose: dict[str, Any]) -> None:
    done = {"condition": "service_completed_successfully"}

    for name in parts.SERVICES:
        assert compose["services"][name]["depends_on"] == {"topics": done, "mongo-init": done}


def test_a_service_has_time_for_its_batch(compose: dict[str, Any]) -> None:
    for name in parts.SERVICES:
        grace = compose["services"][name]["stop_grace_period"]
        assert float(grace.removesuffix("s")) >= parts.GRACE_S


def test_a_record_is_on_two_of_three_brokers(compose: dict[str, Any]) -> None:
    brokers = [s for n, s in compose["services"].items() if n.startswith("kafka-")]

    assert len(brokers) == topics.MANY_BROKERS
    for broker in brokers:
        assert broker["environment"]["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"
        assert broker["environment"]["KAFKA_MIN_INSYNC_REPLICAS"] == "2"
        assert broker["environment"]["KAFKA_DEFAULT_REPLICATION_FACTOR"] == "3"
    assert len({b["environment"]["KAFKA_NODE_ID"] for b in brokers}) == len(brokers)


def test_every_broker_and_node_keeps_its_data(compose: dict[str, Any]) -> None:
    kept = [
        volume.partition(":")[0]
        for name, service in compose["services"].items()
        if re.match(r"(kafka|mongo)-\d", name)
        for volume in service["volumes"]
    ]

    assert len(kept) == len(set(kept)) == 6
    assert set(kept) <= set(compose["volumes"])


def test_one_version_of_kafka_is_run_everywhere(compose: dict[str, Any]) -> None:
    assert compose["services"]["kafka-1"]["image"] == docker.KAFKA_IMAGE
    assert f'version = "{docker.KAFKA_IMAGE.partition(":")[2]}"' in jars.LOCK.read_text()
    assert compose["services"]["mongo-1"]["image"] == docker.MONGO_IMAGE


def test_the_image_runs_as_nobody_in_particular() -> None:
    stages = (DEPLOY / "Dockerfile").read_text().split("\nFROM ")

    assert len(stages) == 3  # a comment, the build, the image
    assert "\nUSER postdesk\n" in stages[-1]
