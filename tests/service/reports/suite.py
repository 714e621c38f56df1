"""What holds of reports, whatever store is below; the fixture ``store`` gives one."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from services.reports import sender as sending
from services.reports.domain.months import Month
from services.reports.handlers import Handlers
from services.reports.rebuild import rebuild
from services.reports.sender import Sender
from shared.clock import FrozenClock
from shared.config.models import Desk
from tests.service.reports.memory import MemoryBlobs
from tests.ticket_history import History, at, received

DESK = Desk.model_validate(
    {
        "name": "Example",
        "host": "desk.example",
        "mailboxes": [{"address": "support@desk.example", "brand": "Example", "team": "support"}],
        "teams": [{"name": "support", "members": ["ana@x.example"]}],
        "agents": [{"address": "ana@x.example", "name": "Ana"}],
        "reports": [{"to": ["boss@x.example", "ana@x.example"], "timezone": "Europe/Berlin"}],
    }
)


class Service:
    """The handler and the sender over one store, with a clock that the test moves."""

    def __init__(self, store: Any) -> None:
        self.store = store
        self.clock = FrozenClock(at("2026-11-15 12:00"))
        self.blobs = MemoryBlobs()
        self.handlers = Handlers(store)
        self.settled = True
        self.woken = 0

    def sender(self, desk: Desk = DESK) -> Sender:
        return Sender(
            store=self.store,
            blobs=self.blobs,
            desk=desk,
            clock=self.clock,
            wake=self.wake,
            is_settled=self.is_settled,
        )

    def wake(self) -> None:
        self.woken += 1

    async def is_settled(self) -> bool:
        return self.settled

    async def reads(self, *events: Any) -> None:
        await self.handlers.on_ticket_events(received(*events))

    async def mails(self) -> list[Any]:
        rows = sorted(await self.store.sent(), key=lambda row: row["_id"])
        return [sending.outgoing(row) for row in rows]


@pytest.fixture
def service(store: Any) -> Iterator[Service]:
    return Service(store)


@pytest.fixture(autouse=True)
def quick_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    """One chart without a child process; that one is tested by itself."""

    async def draw(figures: Any) -> dict[str, bytes]:
        return {"days": repr(figures["days"]).encode()}

    monkeypatch.setattr("services.reports.charts.draw", draw)


def solved_ticket(number: int = 1) -> History:
    history = History("2026-11-20 09:00", ticket_id=f"T-{number}")
    history.agent_answers("2026-11-20 10:00")
    history.resolved("2026-11-20 12:00")
    return history


async def everything(store: Any) -> list[Any]:
    span = Month(2026, 11).span(sending.ZoneInfo("UTC"))
    tickets = sorted(await store.tickets(*span), key=lambda row: row.ticket_id)
    return [*tickets, *sorted(await store.work(*span), key=lambda row: row.id)]


class ReportsSuite:
    async def test_rows_and_work_are_the_same_in_one_batch_or_many_and_when_repeated(
        self, service: Service
    ) -> None:
        first, second = solved_ticket(1), solved_ticket(2)

        await service.reads(*first.events)
        for event in second.events:
            await service.reads(event)
        await service.reads(*second.events, *first.events)

        span = Month(2026, 11).span(sending.ZoneInfo("UTC"))
        one, two = sorted(await service.store.tickets(*span), key=lambda row: row.ticket_id)
        assert one == two.model_copy(update={"ticket_id": "T-1"})
        assert one.resolutions[0].at == at("2026-11-20 12:00")
        assert sorted(row.id for row in await service.store.work(*span)) == [
            "T-1.2",
            "T-1.3",
            "T-2.2",
            "T-2.3",
        ]

    async def test_rows_that_were_lost_or_began_in_the_middle_are_rebuilt_the_same(
        self, service: Service
    ) -> None:
        lost, middle = solved_ticket(1), solved_ticket(2)
        await service.reads(*lost.events, *middle.events)
        before = await everything(service.store)
        await service.store.forget(["T-1", "T-2"])
        await service.reads(middle.events[-1])
        assert await everything(service.store) != before

        behind = await rebuild(service.store, {"T-1": lost.events, "T-2": middle.events})

        assert behind == []
        assert await everything(service.store) == before

    async def test_a_row_of_which_more_is_known_by_now_is_left_and_named(
        self, service: Service
    ) -> None:
        history = solved_ticket()
        await service.reads(*history.events)
        before = await everything(service.store)

        assert await rebuild(service.store, {"T-1": history.events[:-1]}) == ["T-1"]

        assert await everything(service.store) == before

    async def test_the_report_of_a_month_goes_to_each_recipient_once(
        self, service: Service
    ) -> None:
        await service.reads(*solved_ticket().events)
        await service.sender().look()
        service.clock.set(at("2026-11-30 23:10"))

        await asyncio.gather(*(service.sender().look() for _ in range(3)))
        service.clock.set(at("2026-12-05 12:00"))
        await service.sender().look()

        mails = await service.mails()
        assert sorted(mail.record.to for mail in mails) == ["ana@x.example", "boss@x.example"]
        assert {mail.record.subject for mail in mails} == {"Support report for November 2026"}
        assert "1 opened, 1 resolved" in mails[0].record.text
        assert service.woken == 2

    async def test_a_report_has_html_pictures_and_tables_as_blobs(self, service: Service) -> None:
        await service.reads(*solved_ticket().events)
        await service.store.ask("w1", Month(2026, 11), "UTC", "ana@x.example", service.clock.now())

        await service.sender().look()

        (mail,) = await service.mails()
        html = service.blobs.kept[mail.record.html_blob].decode()
        picture, tickets, figures = mail.record.attachments
        assert f"cid:{picture.content_id}" in html
        assert (picture.inline, tickets.inline) == (True, False)
        assert (tickets.name, figures.name) == ("tickets-2026-11.csv", "figures-2026-11.csv")
        assert b"T-1" in service.blobs.kept[tickets.blob]
        assert tickets.size_bytes == len(service.blobs.kept[tickets.blob])

    async def test_nothing_is_sent_for_months_before_the_report_was_set_up(
        self, service: Service
    ) -> None:
        await service.sender().look()

        assert await service.mails() == []

    async def test_after_an_outage_each_missed_month_is_sent(self, service: Service) -> None:
        await service.sender().look()
        service.clock.set(at("2027-01-10 12:00"))

        await service.sender().look()

        subjects = [mail.record.subject for mail in await service.mails()]
        assert subjects.count("Support report for November 2026") == 2
        assert subjects.count("Support report for December 2026") == 2

    async def test_a_scheduled_report_waits_until_the_events_of_an_outage_are_read(
        self, service: Service
    ) -> None:
        await service.sender().look()
        service.clock.set(at("2026-12-01 12:00"))
        service.settled = False

        await service.sender().look()
        waiting = await service.mails()
        service.settled = True
        await service.sender().look()

        assert waiting == []
        assert len(await service.mails()) == 2

    async def test_a_wish_is_fulfilled_once(self, service: Service) -> None:
        await service.store.ask("w1", Month(2026, 11), "UTC", "carl@x.example", service.clock.now())
        await service.store.ask("w1", Month(2026, 11), "UTC", "carl@x.example", service.clock.now())

        await asyncio.gather(*(service.sender().look() for _ in range(2)))
        await service.sender().look()

        assert [mail.meta.id for mail in await service.mails()] == ["report.asked.w1"]

    async def test_a_wish_that_means_nothing_does_not_block_the_next(
        self, service: Service
    ) -> None:
        await service.store.ask(
            "w1", Month(2026, 11), "Mars/Phobos", "carl@x.example", service.clock.now()
        )
        await service.store.ask("w2", Month(2026, 11), "UTC", "carl@x.example", service.clock.now())

        await service.sender().look()

        assert [mail.meta.id for mail in await service.mails()] == ["report.asked.w2"]
        assert await service.store.asked() == []
