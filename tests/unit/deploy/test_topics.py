import pytest

from deploy.local.topics import new_topics
from shared.contracts.topics import DIRECTORY, MAIL_RECEIVED, TOPICS


def by_name(brokers: int) -> dict:
    return {topic.name: topic for topic in new_topics(brokers=brokers)}


def test_every_topic_of_the_contracts_is_made_and_nothing_else() -> None:
    dead = {t.dead_letter_name for t in TOPICS if t.dead_letters}

    assert set(by_name(1)) == {t.name for t in TOPICS} | dead


@pytest.mark.parametrize(("brokers", "copies"), [(1, 1), (2, 1), (3, 3), (5, 3)])
def test_copies_depend_on_the_number_of_brokers(brokers: int, copies: int) -> None:
    made = by_name(brokers)[MAIL_RECEIVED.name]

    assert made.replication_factor == copies
    assert made.topic_configs.get("min.insync.replicas") == ("2" if copies == 3 else None)


def test_a_topic_forgets_after_the_days_of_its_contract() -> None:
    made = by_name(1)[MAIL_RECEIVED.name]

    assert made.topic_configs["retention.ms"] == str(30 * 86_400_000)
    assert made.num_partitions == MAIL_RECEIVED.partitions


def test_a_compacted_topic_forgets_nothing_by_age_but_its_dead_letters_are_not_compacted() -> None:
    made = by_name(1)

    assert made[DIRECTORY.name].topic_configs == {"cleanup.policy": "compact"}
    assert made[DIRECTORY.dead_letter_name].topic_configs["cleanup.policy"] == "delete"


def test_dead_letters_are_kept_until_somebody_looks() -> None:
    assert by_name(1)[MAIL_RECEIVED.dead_letter_name].topic_configs["retention.ms"] == "-1"
