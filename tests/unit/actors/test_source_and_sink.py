from pathlib import Path
from random import Random

from tests.actors.ledger import Ledger, rows
from tests.actors.mails import Writer
from tests.actors.sink import DROP, OK, Delivery, Sink
from tests.actors.source import Source

WRITER = Writer(Random(1))
BOX = "support@desk.example"


def a_source(sink: Sink, **options: object) -> Source:
    return Source(sink.address, pause_s=(0.0, 0.01), **options)  # type: ignore[arg-type]


class Answers:
    """Gives these answers one after the other, then OK."""

    def __init__(self, *answers: str) -> None:
        self._left = list(answers)

    def __call__(self, _mail: Delivery) -> str:
        return self._left.pop(0) if self._left else OK


async def test_the_source_sends_the_same_bytes_again_until_somebody_takes_them() -> None:
    mail = WRITER.plain("ann@people.example", [BOX])
    async with Sink(verdict=Answers("451 4.3.0 later", DROP, "452 4.3.1 full")) as sink:
        source = a_source(sink)

        reply = await source.deliver(mail)

        source.close()
        assert (reply.code, source.tries) == (250, 4)
        assert [d.raw for d in sink.taken + sink.refused] == [mail.raw] * 4


async def test_the_source_gives_up_what_is_refused_for_good() -> None:
    mail = WRITER.plain("ann@people.example", [BOX])
    async with Sink(verdict=Answers("550 5.1.1 nobody")) as sink:
        source = a_source(sink)

        await source.deliver(mail)

        source.close()
        assert source.refused[mail.id].code == 550
        assert mail.id not in source.accepted


async def test_the_source_waits_for_a_server_that_is_not_there_yet() -> None:
    mail = WRITER.plain("ann@people.example", [BOX])
    async with Sink() as gone:
        source = a_source(gone)

    async with Sink(port=int(gone.address.rpartition(":")[2])) as sink:
        await source.deliver(mail)

        source.close()
        assert [d.message_id for d in sink.taken] == [mail.message_id]


async def test_lines_that_begin_with_a_dot_arrive_as_they_were() -> None:
    mail = WRITER.written("ann@people.example", [BOX], ".\n..\n.a\n", kind="new")
    async with Sink() as sink:
        source = a_source(sink)

        await source.deliver(mail)

        source.close()
        assert sink.taken[0].raw == mail.raw


async def test_both_ledgers_tell_what_happened(tmp_path: Path) -> None:
    mail = WRITER.plain("ann@people.example", [BOX])
    with Ledger(tmp_path / "sent") as sent, Ledger(tmp_path / "taken") as taken:
        async with Sink(ledger=taken, verdict=Answers("451 4.3.0 later")) as sink:
            source = a_source(sink, ledger=sent)

            await source.deliver(mail)

            source.close()

    assert [(row["id"], row["code"]) for row in rows(tmp_path / "sent")] == [(mail.id, 451), (mail.id, 250)]  # fmt: skip
    assert [row["verdict"] for row in rows(tmp_path / "taken")] == ["451 4.3.0 later", OK]


def test_the_same_seed_writes_the_same_bytes() -> None:
    first, second = (Writer(Random(5)).attached("a@b.example", [BOX], size=100) for _ in range(2))

    assert first.raw == second.raw
