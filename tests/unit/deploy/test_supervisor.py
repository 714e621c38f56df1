import pytest

from deploy.local.supervisor import Supervisor


class APart:
    name = "tickets"

    def __init__(self) -> None:
        self.alive = True
        self.launches = 0

    def launch(self) -> None:
        self.alive = True
        self.launches += 1

    def is_alive(self) -> bool:
        return self.alive


class AClock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def part() -> APart:
    return APart()


@pytest.fixture
def clock() -> AClock:
    return AClock()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(part: APart, clock: AClock, said: list[str]) -> Supervisor:
    it = Supervisor(said.append, clock=clock)
    it.watch(part)
    return it


def die_and_return(part: APart, clock: AClock, supervisor: Supervisor) -> float:
    """How long the part was away."""
    part.alive = False
    began = clock.now
    while not part.alive:
        supervisor.look_after()
        clock.now += 0.5
    return clock.now - 0.5 - began


def test_what_lives_is_left_alone(part, supervisor, said) -> None:
    assert not supervisor.look_after()

    assert part.launches == 0
    assert said == []


def test_what_ended_is_started_again_after_a_second(part, clock, supervisor, said) -> None:
    away = die_and_return(part, clock, supervisor)

    assert away == 1
    assert part.launches == 1
    assert said == ["tickets ended by itself; started again in 1 s"]


def test_the_pause_doubles_up_to_ten_seconds(part, clock, supervisor) -> None:
    assert [die_and_return(part, clock, supervisor) for _ in range(6)] == [1, 2, 4, 8, 10, 10]


def test_the_pause_is_short_again_after_a_steady_minute(part, clock, supervisor) -> None:
    die_and_return(part, clock, supervisor)
    die_and_return(part, clock, supervisor)
    clock.now += 60

    assert die_and_return(part, clock, supervisor) == 1


def test_a_restart_is_reported_once(part, clock, supervisor) -> None:
    part.alive = False
    supervisor.look_after()
    clock.now = 1

    assert supervisor.look_after()
    assert not supervisor.look_after()


def test_what_is_held_stays_down_until_it_is_let_go(part, clock, supervisor) -> None:
    supervisor.held.add("tickets")
    part.alive = False
    supervisor.look_after()
    clock.now += 60
    supervisor.look_after()
    assert part.launches == 0

    supervisor.held.clear()
    supervisor.look_after()

    assert part.launches == 1
    assert supervisor.ends == {"tickets": 1}
