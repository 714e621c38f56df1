import asyncio
from collections import Counter
from random import Random

import pytest

from tests.actors.arrivals import Arrivals, NeverCameError
from tests.actors.mails import Writer
from tests.actors.moods import GONE_REPLY, LATER_REPLY, Moods
from tests.actors.sink import DROP, OK, SLOW, Delivery, Sink
from tests.actors.source import Source


def a_mail(recipient: str, *, reason: str = "assigned", event: str = "T-7.3") -> Delivery:
    raw = f"X-Postdesk-Reason: {reason}\r\nX-Postdesk-Event: {event}\r\n\r\n".encode()
    return Delivery(0.0, "", recipient, "m", raw)


def arrives(sink: Sink, mail: Delivery) -> None:
    for tell in sink._arrived:
        tell(mail)


def test_a_sink_is_in_a_bad_mood_as_often_as_the_reliability_page_says() -> None:
    moods = Moods(Random(1))

    seen = Counter(moods(a_mail("ann@people.example")) for _ in range(10_000))

    assert seen[LATER_REPLY] == pytest.approx(500, rel=0.2)
    assert seen[DROP] == pytest.approx(200, rel=0.3)
    assert seen[SLOW] == pytest.approx(200, rel=0.3)
    assert seen[OK] > 9000


def test_who_is_gone_refuses_everything() -> None:
    moods = Moods(Random(1))

    assert {moods(a_mail("gone00001@people.example")) for _ in range(100)} == {GONE_REPLY}


async def test_who_waits_is_told_of_the_first_mail_by_recipient_or_ticket() -> None:
    sink = Sink()
    arrivals = Arrivals(sink)
    by_ticket = asyncio.ensure_future(arrivals.about("T-7", "assigned"))
    await asyncio.sleep(0)

    arrives(sink, a_mail("ben@x.example", reason="other"))
    arrives(sink, a_mail("ana@x.example"))
    arrives(sink, a_mail("ben@x.example"))

    assert (await by_ticket).recipient == "ana@x.example"
    assert (await arrivals.to("ben@x.example", "assigned")).recipient == "ben@x.example"


async def test_who_waits_in_vain_is_told_so() -> None:
    arrivals = Arrivals(Sink())
    waiting = asyncio.ensure_future(arrivals.to("ann@people.example", "acknowledgement"))
    await asyncio.sleep(0)

    await arrivals.give_up()

    with pytest.raises(NeverCameError, match="no acknowledgement for ann"):
        await waiting


async def test_a_late_answer_is_an_answer_and_a_lost_one_is_none() -> None:
    verdicts = iter([DROP, SLOW])
    mail = Writer(Random(1)).plain("ann@people.example", ["support@desk.example"])
    async with Sink(verdict=lambda _: next(verdicts), slow_s=0.01) as sink:
        source = Source(sink.address, pause_s=(0.0, 0.01))

        await source.deliver(mail)

        source.close()
    assert [one.is_answered for one in sink.taken] == [False, True]
    assert [one.outcome for one in source.attempts] == ["noreply", "250"]
