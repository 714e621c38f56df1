import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import pytest

from shared.bus import Patience, PermanentError, Received, TransientError, encode
from shared.bus.consuming import DeadLetter, StoppedError, Surroundings, TopicReader
from shared.bus.memory import StoredRecord
from tests.bus_records import Noted, a_note, a_topic, until

TOPIC = a_topic()
QUICK = Patience(first_pause=0.001, longest_pause=0.002, handler=5.0)


def records(*texts: str) -> list[StoredRecord]:
    encoded = [encode(a_note(TOPIC, text)) for text in texts]
    return [
        StoredRecord(TOPIC.name, 0, offset, 0, key, value, headers)
        for offset, (key, value, headers) in enumerate(encoded)
    ]


def unreadable(record: StoredRecord) -> StoredRecord:
    return replace(record, value=b"{")


@dataclass
class World:
    """A handler, the dead letters, and dependencies that can be away."""

    refuse: Callable[[list[str]], Awaitable[None] | None] = lambda _: None
    handled: list[str] = field(default_factory=list)
    calls: list[list[str]] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)
    dependencies_up: bool = True
    dead_letters_fail: int = 0
    kept_membership: int = 0

    def __post_init__(self) -> None:
        self.around = Surroundings(
            bury=self.bury, are_dependencies_up=self.is_up, keep_membership=self.keep
        )

    def reader(self, patience: Patience = QUICK) -> TopicReader:
        return TopicReader(TOPIC, self.handle, self.around, patience)

    async def handle(self, batch: list[Received[Noted]]) -> None:
        texts = [received.record.text for received in batch]
        self.calls.append(texts)
        refused = self.refuse(texts)
        if refused is not None:
            await refused
        self.handled += texts

    async def bury(self, letter: DeadLetter) -> None:
        if self.dead_letters_fail:
            self.dead_letters_fail -= 1
            raise TransientError("no Kafka")
        self.letters.append(letter)

    async def is_up(self) -> bool:
        return self.dependencies_up

    async def keep(self) -> None:
        self.kept_membership += 1

    @property
    def buried(self) -> list[int]:
        return [letter.raw.offset for letter in self.letters]


def fails_with(error: Exception, poison: str) -> Callable[[list[str]], None]:
    def refuse(texts: list[str]) -> None:
        if poison in texts:
            raise error

    return refuse


def fails_at_first(times: int, error: Exception) -> Callable[[list[str]], None]:
    left = [times]

    def refuse(_texts: list[str]) -> None:
        if left[0]:
            left[0] -= 1
            raise error

    return refuse


async def test_a_good_batch_is_handled_in_one_call() -> None:
    world = World()

    await world.reader().read(records("a", "b", "c"))

    assert world.calls == [["a", "b", "c"]]


async def test_a_transient_error_is_waited_out_with_the_same_batch() -> None:
    world = World(fails_at_first(5, TransientError("MongoDB is away")))

    await world.reader().read(records("a", "b"))

    assert world.calls == [["a", "b"]] * 6
    assert world.handled == ["a", "b"]
    assert not world.letters


async def test_while_waiting_the_reader_stays_in_the_group_and_says_why() -> None:
    world = World(fails_with(TransientError("MongoDB is away"), "a"))
    reading = asyncio.create_task(world.reader().read(records("a")))

    await until(lambda: world.kept_membership > 2)

    assert "MongoDB is away" in world.around.trouble
    world.refuse = lambda _: None
    await reading
    assert world.around.trouble == ""


async def test_the_poison_record_stands_alone_and_the_rest_goes_through_in_order() -> None:
    world = World(fails_with(PermanentError("never"), "e"))

    await world.reader().read(records(*"abcdefgh"))

    assert world.handled == list("abcdfgh")
    assert world.buried == [4]


async def test_a_permanent_error_is_not_tried_again_once_the_record_is_alone() -> None:
    world = World(fails_with(PermanentError("never"), "a"))

    await world.reader().read(records("a"))

    assert world.calls == [["a"]]
    assert world.letters[0].tries == 1


async def test_a_bug_is_tried_three_times_before_the_record_is_given_up() -> None:
    world = World(fails_with(KeyError("oops"), "a"))

    await world.reader().read(records("a"))

    assert world.calls == [["a"]] * 3
    assert [letter.tries for letter in world.letters] == [3]


async def test_a_bug_that_goes_away_costs_no_record() -> None:
    world = World(fails_at_first(2, KeyError("oops")))

    await world.reader().read(records("a"))

    assert world.handled == ["a"]
    assert not world.letters


async def test_nothing_is_given_up_for_a_bug_while_a_dependency_is_away() -> None:
    world = World(fails_at_first(10, KeyError("half an answer")), dependencies_up=False)

    await world.reader().read(records("a"))

    assert world.handled == ["a"]
    assert not world.letters


async def test_what_cannot_be_read_is_a_dead_letter_and_the_rest_is_handled_together() -> None:
    world = World()
    a, b, c = records("a", "b", "c")

    await world.reader().read([a, unreadable(b), c])

    assert world.calls == [["a", "c"]]
    assert world.buried == [1]


async def test_the_reader_does_not_go_past_a_dead_letter_that_cannot_be_published() -> None:
    world = World(fails_with(PermanentError("never"), "a"), dead_letters_fail=4)

    await world.reader().read(records("a", "b"))

    assert world.buried == [0]
    assert world.calls[-1] == ["b"]


async def test_a_handler_that_hangs_is_a_bug_when_all_dependencies_answer() -> None:
    def refuse(texts: list[str]) -> Awaitable[None] | None:
        return asyncio.sleep(3600) if "b" in texts else None

    world = World(refuse)

    await world.reader(replace(QUICK, handler=0.02)).read(records("a", "b"))

    assert world.handled == ["a"]
    assert world.buried == [1]


async def test_too_many_dead_letters_in_a_row_stop_the_reading() -> None:
    world = World(fails_at_first(1_000, KeyError("bad release")))
    reader = world.reader(replace(QUICK, handler_dead_letters=2, tries_of_a_bug=1))

    reading = asyncio.create_task(reader.read(records(*"abcdefgh")))
    await until(lambda: world.around.halted)

    assert world.buried == [0, 1]
    assert "bad release" in world.around.trouble
    world.around.stopping.set()
    with pytest.raises(StoppedError):
        await reading


async def test_a_success_between_dead_letters_starts_the_count_again() -> None:
    world = World(fails_with(PermanentError("never"), "x"))
    reader = world.reader(replace(QUICK, handler_dead_letters=2))

    await reader.read(records("x", "a", "x", "b", "x", "c", "x"))

    assert world.handled == ["a", "b", "c"]
    assert world.buried == [0, 2, 4, 6]


async def test_junk_of_others_does_not_stop_the_reading_as_soon_as_bad_code_does() -> None:
    world = World()
    junk = [unreadable(record) for record in records(*map(str, range(100)))]

    await world.reader().read(junk)

    assert len(world.letters) == 100
    assert not world.around.halted


async def test_a_stop_while_waiting_gives_the_batch_back() -> None:
    world = World(fails_with(TransientError("away"), "a"))
    reading = asyncio.create_task(world.reader(replace(QUICK, first_pause=3600)).read(records("a")))
    await until(lambda: world.around.trouble)

    world.around.stopping.set()

    with pytest.raises(StoppedError):
        await reading
    assert not world.handled
    assert not world.letters
