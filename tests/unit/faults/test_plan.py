from random import Random

import pytest

from tests.faults.mix import Mix
from tests.faults.plan import ESSENTIAL, WEIGHTS, Lengths, kinds, plan
from tests.faults.profiles import PROFILES

LINKS = [("notify", "relay"), ("tickets", "kafka"), ("ingest", "mongo")]


@pytest.mark.parametrize("seed", range(20))
def test_every_plan_of_the_short_profile_has_each_essential_fault(seed: int) -> None:
    faults = plan(Random(seed), PROFILES["short"].faults, PROFILES["short"].lengths, LINKS)

    drawn = [(f.kind, "any" if f.kind.startswith("net-") else f.target) for f in faults]
    assert len(faults) == PROFILES["short"].faults
    assert set(ESSENTIAL) <= set(drawn)


def test_the_same_seed_plans_the_same() -> None:
    first, second, other = (plan(Random(seed), 100, Lengths(), LINKS) for seed in (1, 1, 2))

    assert first == second
    assert first != other


def test_a_long_plan_has_every_fault_and_breaks_every_link() -> None:
    faults = plan(Random(1), 1000, Lengths(), LINKS)

    assert set(kinds(faults)) == {kind for kind, _ in WEIGHTS}
    broken = {f.target for f in faults if f.kind.startswith("net-")}
    assert broken == {"notify-relay", "tickets-kafka", "ingest-mongo"}


def test_lengths_stay_in_their_ranges() -> None:
    lengths = Lengths(pause=(1, 2), down=(3, 4), network=(5, 6))

    for fault in plan(Random(1), 500, lengths, LINKS):
        if fault.kind == "pause":
            assert 1 <= fault.seconds <= 2
        if fault.kind == "net-cut":
            assert 5 <= fault.seconds <= 6


@pytest.mark.parametrize("mails", [100, 400, 5000])
def test_a_mix_has_as_many_mails_and_some_of_each_kind(mails: int) -> None:
    mix = Mix.of(mails)

    assert mix.total == mails
    assert min(vars(mix).values()) >= 1
    assert mix.replies + mix.agent_answers == pytest.approx(0.22 * mails, abs=2)


def test_only_the_faults_that_are_named_happen() -> None:
    drawn = plan(Random(1), 20, Lengths(), LINKS, ("kill mongo", "power-cut kafka, tickets"))

    assert {f"{fault.kind} {fault.target}" for fault in drawn} == {
        "kill mongo",
        "power-cut kafka, tickets",
    }
    assert len(drawn) == 20


def test_a_fault_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="no such faults: kill mango"):
        plan(Random(1), 20, Lengths(), LINKS, ("kill mango",))
