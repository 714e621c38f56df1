"""What holds of sla's handlers and ticker, whatever store is below; the fixture ``store`` gives one."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.sla import documents
from services.sla.domain.policy import Policies
from services.sla.handlers import Handlers
from services.sla.rebuild import History as Rebuilt
from services.sla.rebuild import Rebuilder
from services.sla.ticker import Ticker
from shared.bus import Received
from shared.clock import FrozenClock
from shared.config.models import Desk
from shared.contracts.base import Meta
from shared.contracts.directory import Account
from shared.contracts.ticket import SLABreached, SLAWarned, StatusChanged, TicketDelayed
from tests.ticket_history import History, at, received

TARGETS = {"normal": {"first_response": "4h", "resolution": "24h"}}
DESK = Desk.model_validate(
    {
        "name": "Example",
        "host": "desk.example",
        "mailboxes": [{"address": "support@desk.example", "brand": "Example", "team": "support"}],
        "teams": [{"name": "support", "members": ["ana@x.example"]}],
        "agents": [{"address": "ana@x.example", "name": "Ana"}],
        "calendars": {"all": {"timezone": "UTC", "week": "always"}},
        "sla": {
            "policies": {
                "standard": {"calendar": "all", "targets": TARGETS},
                "gold": {
                    "calendar": "all",
                    "segments": ["premium"],
                    "targets": {"normal": {"first_response": "1h", "resolution": "8h"}},
                },
            }
        },
    }
)


class PassingClock(FrozenClock):
    """Each look at it takes a millisecond."""

    def now(self) -> datetime:
        self.advance(timedelta(milliseconds=1))
        return super().now()


class Service:
    """The handlers and the ticker over one store, with a clock that the test moves."""

    def __init__(self, store: Any) -> None:
        self.store = store
        self.clock = FrozenClock(at("2026-11-20 09:00"))
        self.woken = 0
        policies = Policies(DESK)
        self.handlers = Handlers(store=store, policies=policies, clock=self.clock, wake=self.wake)
        self.rebuilder = Rebuilder(store=store, policies=policies, clock=self.clock)

    def wake(self) -> None:
        self.woken += 1

    def ticker(self, batch: int = 200) -> Ticker:
        return Ticker(store=self.store, clock=self.clock, wake=self.wake, batch=batch)

    async def reads(self, *events: Any) -> None:
        await self.handlers.on_ticket_events(received(*events))

    async def rebuilds(self, *histories: History, clocks_seq: int = 10**6) -> list[str]:
        """Rebuild from all events; ``clocks_seq`` is what tickets knows of clocks."""
        return await self.rebuilder.rebuild(
            {
                history.opened.ticket_id: Rebuilt(
                    [(one.record, one.meta) for one in received(*history.events)], clocks_seq
                )
                for history in histories
            }
        )

    async def tells(self) -> list[str]:
        return [row["_id"] for row in await self.store.rows()]


@pytest.fixture
def service(store: Any) -> Iterator[Service]:
    return Service(store)


def account(segment: str) -> Received[Any]:
    record = Account(id="A-100", version=1, name="Harbour Bakery", segment=segment)
    meta = Meta(id="d-1", source="test", time=at("2026-11-20 08:00"))
    return Received(record, meta, "directory", 0, 0, record.key)


class SLASuite:
    async def test_a_batch_tells_the_clocks_of_each_ticket_once_as_of_its_last_event(
        self, service: Service
    ) -> None:
        first, second = History(ticket_id="T-1"), History(ticket_id="T-2")
        first.agent_answers("2026-11-20 10:00")

        await service.reads(*first.events, *second.events)

        assert await service.tells() == ["T-1.2.clocks", "T-2.1.clocks"]
        told = documents.outgoing((await service.store.rows())[0])
        assert [(c.target, c.state) for c in told.record.clocks] == [
            ("first-response", "met"),
            ("resolution", "running"),
        ]
        assert (told.key, told.meta.causation_id) == ("T-1", "T-1.2")
        assert service.woken == 1

    async def test_the_same_batch_again_tells_nothing(self, service: Service) -> None:
        history = History()
        await service.reads(*history.events)

        await service.reads(*history.events)

        assert await service.tells() == ["T-1.1.clocks"]

    async def test_an_event_that_changes_no_clock_tells_nothing(self, service: Service) -> None:
        history = History()
        await service.reads(*history.events)

        await service.reads(history.customer_writes("2026-11-20 09:00"))
        await service.reads(history.assigned("2026-11-20 09:01", "ana@x.example"))

        assert await service.tells() == ["T-1.1.clocks"]

    async def test_clocks_are_the_same_after_a_round_through_the_store(
        self, service: Service
    ) -> None:
        history = History("2026-11-20 09:00")
        history.status("2026-11-20 10:00", "pending")
        for event in history.events:
            await service.reads(event)

        await service.reads(history.status("2026-11-20 11:00", "open"))
        await service.reads(history.agent_answers("2026-11-20 14:00"))

        rows = await service.store.rows()
        (last,) = [row for row in rows if row["_id"] == "T-1.4.clocks"]
        assert [c.left_s for c in documents.outgoing(last).record.clocks] == [0, 20 * 3600]
        assert documents.outgoing(last).record.clocks[0].state == "met"

    async def test_a_due_clock_warns_and_runs_out_once_however_many_look(
        self, service: Service
    ) -> None:
        await service.reads(*History().events)
        service.clock.set(at("2026-11-20 13:00"))

        told = await asyncio.gather(*(service.ticker().tick() for _ in range(4)))

        assert sum(told) == 1
        assert await service.tells() == [
            "T-1.1.clocks",
            "T-1.first-response.1.warned",
            "T-1.first-response.1.ran-out",
        ]

    @pytest.mark.feature("T13")
    async def test_a_delayed_ticket_returns_once_on_its_date_and_not_after_it_was_opened(
        self, service: Service
    ) -> None:
        until, later = at("2026-11-20 10:00"), at("2026-11-20 11:00")
        rests = {"state": {"status": "on-hold", "delayed_until": until}, "until": until}
        first, second = History(ticket_id="T-1"), History(ticket_id="T-2")
        first.happens(TicketDelayed, "2026-11-20 09:10", **rests)
        second.happens(TicketDelayed, "2026-11-20 09:10", **rests)
        await service.reads(*first.events, *second.events)
        again = {"state": {"delayed_until": later}, "until": later}
        await service.reads(first.happens(TicketDelayed, "2026-11-20 09:20", **again))
        opened = {"status": "open", "previous": "on-hold"}
        state = {"status": "open", "delayed_until": None}
        await service.reads(
            second.happens(StatusChanged, "2026-11-20 09:30", **opened, state=state)
        )

        for now in ("2026-11-20 10:30", "2026-11-20 11:00", "2026-11-20 11:30"):
            service.clock.set(at(now))
            await service.ticker().tick()

        told = [name for name in await service.tells() if "delay" in name]
        assert told == ["T-1.delay.20261120110000000000"]

    async def test_nothing_is_told_before_it_is_due(self, service: Service) -> None:
        await service.reads(*History().events)
        service.clock.set(at("2026-11-20 11:59"))

        assert await service.ticker().tick() == 0

    async def test_a_jump_of_the_clock_there_and_back_tells_nothing_twice(
        self, service: Service
    ) -> None:
        await service.reads(*History().events)
        for now in ("2026-11-20 13:30", "2026-11-20 11:30", "2026-11-20 13:30"):
            service.clock.set(at(now))
            await service.ticker().tick()

        assert len(await service.tells()) == 3

    async def test_after_an_outage_all_are_told_the_earliest_first_in_batches(
        self, service: Service
    ) -> None:
        histories = [History(f"2026-11-20 09:0{n}", ticket_id=f"T-{9 - n}") for n in range(5)]
        await service.reads(*(h.opened for h in histories))
        service.clock = PassingClock(at("2026-11-20 20:00"))

        await service.ticker(batch=2).tick()

        told = [name for name in await service.tells() if "clocks" not in name]
        assert told == [
            f"T-{n}.first-response.1.{what}"
            for what in ("warned", "ran-out")
            for n in (9, 8, 7, 6, 5)
        ]

    @pytest.mark.feature("S06")
    async def test_a_late_answer_that_is_read_before_the_clock_was_looked_at_is_told_as_late(
        self, service: Service
    ) -> None:
        history = History()
        await service.reads(*history.events)
        service.clock.set(at("2026-11-20 15:00"))

        await service.reads(history.agent_answers("2026-11-20 14:00"))
        await service.ticker().tick()

        assert await service.tells() == [
            "T-1.1.clocks",
            "T-1.first-response.1.ran-out",
            "T-1.2.clocks",
        ]

    async def test_an_answered_ticket_never_runs_out(self, service: Service) -> None:
        history = History()
        history.agent_answers("2026-11-20 10:00")
        await service.reads(*history.events)
        service.clock.set(at("2026-11-20 14:00"))

        assert await service.ticker().tick() == 0

    async def test_the_segment_of_the_account_chooses_the_policy(self, service: Service) -> None:
        await service.handlers.on_directory([account("premium")])

        await service.reads(*History().events)

        told = documents.outgoing((await service.store.rows())[0])
        assert {c.policy for c in told.record.clocks} == {"gold"}

    async def test_another_segment_applies_to_open_tickets_at_once_and_is_told_once(
        self, service: Service
    ) -> None:
        history = History()
        history.customer_writes("2026-11-20 09:00")
        await service.reads(*history.events)

        await service.handlers.on_directory([account("premium")])
        refitted = [await service.handlers.refit() for _ in range(2)]

        assert refitted == [1, 0]
        assert await service.tells() == ["T-1.2.clocks", "T-1.2.clocks.20261120090000000000"]
        (row,) = [
            row
            for row in await service.store.rows()
            if row["_id"] == "T-1.2.clocks.20261120090000000000"
        ]
        told = documents.outgoing(row).record
        assert {c.policy for c in told.clocks} == {"gold"}
        assert told.clocks[0].due_at == at("2026-11-20 10:00")
        assert told.ticket_seq == 2

    async def test_a_segment_that_changes_no_policy_is_not_told(self, service: Service) -> None:
        await service.reads(*History().events)

        await service.handlers.on_directory([account("business")])
        await service.handlers.refit_all()

        assert await service.tells() == ["T-1.1.clocks"]

    async def test_the_same_account_again_leaves_its_tickets_alone(self, service: Service) -> None:
        await service.handlers.on_directory([account("premium")])
        await service.reads(*History().events)

        await service.handlers.on_directory([account("premium")])

        assert await service.handlers.refit() == 0

    async def test_a_deleted_account_has_no_segment(self, service: Service) -> None:
        deletion = Received(None, account("").meta, "directory", 0, 1, "account:A-100")

        await service.handlers.on_directory([account("premium")])
        await service.handlers.on_directory([deletion])
        await service.reads(*History().events)

        told = documents.outgoing((await service.store.rows())[0])
        assert {c.policy for c in told.record.clocks} == {"standard"}

    async def test_cases_that_were_lost_are_rebuilt_the_same_and_tell_nothing_again(
        self, service: Service
    ) -> None:
        late, waiting = History(ticket_id="T-1"), History(ticket_id="T-2")
        waiting.status("2026-11-20 09:30", "pending")
        await service.reads(*late.events, *waiting.events)
        service.clock.set(at("2026-11-20 13:30"))
        await service.ticker().tick()
        await service.reads(late.agent_answers("2026-11-20 14:00"))
        before, told = await service.store.state(), await service.tells()
        await service.store.forget(["T-1", "T-2"])

        behind = await service.rebuilds(late, waiting)
        await service.ticker().tick()

        assert behind == []
        assert await service.store.state() == before
        assert await service.tells() == told

    async def test_what_tickets_made_of_a_clock_is_not_told_again_though_sla_forgot_it(
        self, service: Service
    ) -> None:
        history = History()
        due = {"target": "first-response", "cycle": 1, "due_at": at("2026-11-20 13:00")}
        history.happens(SLAWarned, "2026-11-20 12:12", by="system:sla", **due)
        history.happens(SLABreached, "2026-11-20 13:01", by="system:sla", **due)
        service.clock.set(at("2026-11-21 10:00"))

        await service.rebuilds(history)
        await service.ticker().tick()

        assert await service.tells() == ["T-1.resolution.1.warned", "T-1.resolution.1.ran-out"]

    async def test_rebuilding_what_is_right_changes_nothing(self, service: Service) -> None:
        history = History()
        history.agent_answers("2026-11-20 10:00")
        await service.reads(*history.events)
        before, told = await service.store.state(), await service.tells()

        assert await service.rebuilds(history) == []

        assert await service.store.state() == before
        assert await service.tells() == told

    async def test_a_ticket_of_which_more_is_known_by_now_is_left_and_named(
        self, service: Service
    ) -> None:
        history, older = History(), History()
        history.status("2026-11-20 10:00", "pending")
        await service.reads(*history.events)
        before = await service.store.state()

        assert await service.rebuilds(older) == ["T-1"]

        assert await service.store.state() == before

    async def test_events_that_the_rebuilding_overtook_are_told_all_the_same(
        self, service: Service
    ) -> None:
        history = History()
        await service.reads(*history.events)
        history.agent_answers("2026-11-20 10:00")

        await service.rebuilds(history, clocks_seq=1)
        await service.reads(*history.events)

        assert await service.tells() == ["T-1.1.clocks", "T-1.2.clocks"]
        assert await service.ticker().tick() == 0

    async def test_a_case_that_began_in_the_middle_is_rebuilt_from_the_beginning(
        self, service: Service
    ) -> None:
        history = History()
        history.agent_answers("2026-11-20 10:00")
        await service.reads(*history.events)
        await service.store.forget(["T-1"])
        await service.reads(history.customer_writes("2026-11-20 11:00"))
        service.clock.set(at("2026-11-20 13:30"))

        await service.rebuilds(history)

        # Followed from its last event alone, it would wait for a first answer and miss it.
        assert await service.ticker().tick() == 0
