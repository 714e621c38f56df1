"""What the handlers of tickets promise, whatever store they have; run on memory and on MongoDB."""

import asyncio
from typing import Any

import pytest

from services.tickets import documents
from services.tickets.handlers import Handlers
from services.tickets.handovers import Handovers
from shared.bus import Received, TransientError, encode
from shared.clock import FrozenClock
from shared.config.loading import LoadedDesk
from shared.config.models import Desk
from shared.contracts.base import MAX_RECORD_BYTES, Meta, Record
from shared.contracts.commands import Assign, Bar, Close, OpenTicket, SetField, Unbar
from shared.contracts.delivery import MailFailed, MailSent
from shared.contracts.mail import MailReceived
from shared.contracts.sla import Clock, ClockRanOut, ClocksChanged
from tests.builders import (
    ANA,
    BEN,
    CARLA,
    EMMA,
    LENA,
    MARTA,
    NOON,
    PASSED,
    STRANGER,
    SUPPORT,
    a_bounce,
    a_contact,
    a_customers_answer,
    a_desk,
    a_mail,
    a_token,
    an_account,
    an_address_book,
    an_agents_mail,
    later,
)

Store = Any
OUR_WORDS = """Our technician can come on Tuesday between 9 and 11,
or on Wednesday after 15:00. Which of the two suits you?"""


@pytest.fixture
def handlers(store: Store) -> Handlers:
    """The handlers over the store of the suite at hand, at noon."""
    return handlers_of(store, a_desk())


def handlers_of(store: Store, desk: Desk) -> Handlers:
    return Handlers(
        store=store,
        clock=FrozenClock(NOON),
        desk=LoadedDesk(desk, "digest"),
        own_ticket_of=an_address_book().ticket_of,
        wake=lambda: None,
    )


def received(record: Record | None, name: str, *, key: str = "") -> Received[Any]:
    """A record as the bus gives it; ``name`` is its id."""
    meta = Meta(id=name, source="tests", time=NOON)
    return Received(record, meta, "topic", 0, 0, key)


def mails(*posted: MailReceived) -> list[Received[Any]]:
    """Mails as one batch."""
    return [received(mail, mail.inbound_id) for mail in posted]


async def types(store: Store) -> list[str]:
    """The types of all events in the order in which they will be published."""
    return [row["type"].removeprefix("ticket.") for row in await store.rows("events")]


async def sent(store: Store, ticket_id: str, recipient: str, text: str) -> Received[Any]:
    """What notify tells of a mail that is on its way."""
    name = "EMMA" if recipient == EMMA else "ANA"
    record = MailSent(
        outgoing_id=f"o-{name}",
        ticket_id=ticket_id,
        kind="reply",
        recipient=recipient,
        message_id=f"ours.{name}@desk.example",
        text_blob=await store.keep_text(ticket_id, text),
        at=NOON,
    )
    return received(record, f"o-{name}.sent")


async def state(store: Store, ticket_id: str = "T-1") -> Any:
    """A ticket as it is stored."""
    return (await store.tickets([ticket_id]))[ticket_id].ticket.state


IN_A_WEEK = "2026-11-27 09:00"


def away(text: str, agent: str = ANA, **changes: Any) -> MailReceived:
    """A mail of an agent about themselves, to their desk address."""
    given = {"inbound_id": f"in-away-{agent}{len(changes) or ''}", **changes}
    return an_agents_mail(text, ticket_id=None, purpose="desk", agent=agent, **given)


async def open_tickets(handlers: Handlers, count: int) -> None:
    """So many tickets, the first one Ana's, given in turns."""
    await handlers.file_mails(mails(*(a_mail(f"mail {n}") for n in range(count))))


class HeldLease:
    """The lease of a process that is always the one to work."""

    async def is_held(self) -> bool:
        return True


def handovers_of(handlers: Handlers, store: Store) -> Handovers:
    lease: Any = HeldLease()
    return Handovers(store=store, facts=handlers.facts, lease=lease, wake=lambda: None)


class TicketsSuite:
    """Inherited by the tests of each store."""

    async def test_a_mail_becomes_ticket_message_events_and_nothing_else(self, handlers, store):
        await handlers.keep_directory([received(a_contact(), "c"), received(an_account(), "a")])

        await handlers.file_mails(mails(a_mail()))

        assert await types(store) == ["opened", "message-added", "assigned"]
        assert [row["inbound_id"] for row in await store.rows("messages")] == [a_mail().inbound_id]
        assert (await state(store)).account_id == "A-1"
        assert await store.rows("outbox") == []

    async def test_the_same_batch_again_is_silent(self, handlers, store):
        batch = mails(a_mail("one"), a_mail("two"))
        await handlers.file_mails(batch)
        before = await store.rows("events")

        await handlers.file_mails(batch)

        assert await store.rows("events") == before
        assert len(await store.rows("messages")) == 2

    async def test_a_record_twice_in_one_batch_counts_once(self, handlers, store):
        await handlers.file_mails(mails(a_mail(), a_mail()))

        assert len(await store.rows("tickets")) == 1

    async def test_a_later_mail_of_a_batch_sees_what_an_earlier_one_did(self, handlers, store):
        first = a_mail("first")

        await handlers.file_mails(
            mails(first, a_mail("second", in_reply_to=first.message_id), a_mail("third"))
        )

        assert (await state(store, "T-1")).messages == 2
        assert len(await store.rows("tickets")) == 2

    async def test_events_of_a_ticket_are_numbered_and_ordered_without_gap(self, handlers, store):
        await handlers.file_mails(mails(a_mail()))
        await handlers.file_mails(mails(a_customers_answer(), an_agents_mail("#resolve\nDone.")))

        rows = await store.rows("events")
        assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
        assert len({row["order"] for row in rows}) == len(rows)
        assert [row["_id"] for row in rows][:2] == ["T-1.1", "T-1.2"]

    async def test_the_stored_ticket_is_what_its_events_lead_to(self, handlers, store):
        await handlers.file_mails(mails(a_mail()))
        await handlers.file_mails(mails(an_agents_mail("#take\nHello."), a_customers_answer("5")))
        await handlers.file_mails(mails(an_agents_mail("#resolve")))

        from services.tickets.domain.evolve import evolve

        ticket = None
        for row in await store.rows("events"):
            ticket = evolve(ticket, documents.event_of(row))
        assert ticket == (await store.tickets(["T-1"]))["T-1"].ticket

    async def test_of_two_processes_that_change_a_ticket_one_must_try_again(self, handlers, store):
        await handlers.file_mails(mails(a_mail()))

        results = await asyncio.gather(
            handlers.file_mails(mails(a_customers_answer("one"))),
            handlers.file_mails(mails(a_customers_answer("two"))),
            return_exceptions=True,
        )

        failed = [error for error in results if error is not None]
        assert len(failed) <= 1
        assert all(isinstance(error, TransientError) for error in failed)
        await handlers.file_mails(mails(a_customers_answer("one"), a_customers_answer("two")))
        assert (await state(store)).messages == 3

    async def test_a_mail_that_is_delivered_to_two_processes_has_one_effect(self, handlers, store):
        await asyncio.gather(
            *(handlers.file_mails(mails(a_mail())) for _ in range(3)), return_exceptions=True
        )

        await handlers.file_mails(mails(a_mail()))

        assert len(await store.rows("messages")) == 1
        assert len(await store.rows("tickets")) == 1

    async def test_a_mail_tried_again_gets_the_agent_that_it_was_promised(self, handlers, store):
        first, second = a_mail("one"), a_mail("two")
        await store.claim_slots({first.inbound_id: "support"}, NOON)
        await handlers.file_mails(mails(second))

        await handlers.file_mails(mails(first))

        assigned = {(await state(store, name)).assignee for name in ("T-1", "T-2")}
        assert (await state(store, "T-2")).assignee == ANA
        assert assigned == {ANA, BEN}

    async def test_every_event_fits_a_record_even_with_long_texts(self, handlers, store):
        long = "日本語のとても長い本文です。" * 800
        await handlers.file_mails(mails(a_mail(long[:12_000])))

        for row in await store.rows("events"):
            _, value, _ = encode(documents.event_outgoing(row))
            assert len(value or b"") <= MAX_RECORD_BYTES
        assert (await store.rows("messages"))[0]["text"] == long[:12_000]

    async def test_an_answer_of_full_length_reaches_the_customer_whole(self, handlers, store):
        long = "日本語のとても長い本文です。" * 850
        await handlers.file_mails(mails(a_mail()))

        await handlers.file_mails(mails(an_agents_mail(long[:12_000])))

        sent = documents.event_outgoing((await store.rows("events"))[3])
        assert len(encode(sent)[1] or b"") <= MAX_RECORD_BYTES
        assert sent.record.message.reply_text == long[:12_000]

    async def test_a_mail_with_a_thousand_odd_characters_and_people_fits(self, handlers, store):
        people = [f"{'x' * 200}{number}@y.example" for number in range(150)]
        mail = a_mail("\x01" * 9000, cc=people, to=people[:40], authentication=PASSED)
        await handlers.file_mails(mails(mail))

        for row in await store.rows("events"):
            assert len(encode(documents.event_outgoing(row))[1] or b"") <= MAX_RECORD_BYTES

    async def test_events_name_the_mail_that_caused_them(self, handlers, store):
        await handlers.file_mails(mails(a_mail()))

        metas = [documents.event_outgoing(row).meta for row in await store.rows("events")]
        assert {meta.correlation_id for meta in metas} == {a_mail().inbound_id}
        assert [meta.id for meta in metas] == ["T-1.1", "T-1.2", "T-1.3"]
        assert {meta.subject for meta in metas} == {"T-1"}

    async def test_a_misspelt_command_is_corrected_by_an_answer(self, handlers, store):
        await handlers.file_mails(mails(a_mail()))
        await handlers.file_mails(mails(an_agents_mail("#closs\n\nBye.")))
        receipt = documents.outbox_outgoing((await store.rows("outbox"))[0])

        await handlers.file_mails(mails(an_agents_mail("#close", purpose="confirm", number=1)))

        assert (receipt.topic.name, receipt.key) == ("mail-requests", ANA)
        assert (await state(store)).status == "closed"
        assert (await store.rows("drafts"))[0]["state"] == "released"

    async def test_show_answers_with_conversation_and_timeline(self, handlers, store):
        await handlers.file_mails(mails(a_mail("My line is dead.")))

        await handlers.file_mails(mails(an_agents_mail("#show")))

        answer = documents.outbox_outgoing((await store.rows("outbox"))[0]).record
        assert "My line is dead." in answer.text
        assert "ticket.opened" in answer.text

    async def test_show_of_a_ticket_that_does_not_exist_says_so(self, handlers, store):
        await handlers.file_mails(
            mails(an_agents_mail("#show T-9", ticket_id=None, purpose="desk"))
        )

        answer = documents.outbox_outgoing((await store.rows("outbox"))[0]).record
        assert "no ticket T-9" in answer.text

    async def test_a_forged_agent_is_held_and_nothing_goes_out(self, handlers, store):
        await handlers.file_mails(mails(a_mail()))

        await handlers.file_mails(mails(an_agents_mail("#close", from_addr=STRANGER)))

        assert (await types(store))[-1] == "mail-held"
        assert await store.rows("outbox") == []

    async def test_commands_of_systems_are_answered(self, handlers, store):
        opened = OpenTicket(
            actor="system:portal", mailbox=SUPPORT, requester=EMMA, subject="Form", text="Hi"
        )
        await handlers.run_commands([received(opened, "k1")])
        high = SetField(actor="system:crm", ticket_id="T-1", field="priority", value="high")
        bad = Assign(actor="system:crm", ticket_id="T-1", assignee="nobody@x.example")

        await handlers.run_commands(
            [
                received(high, "k2"),
                received(bad, "k3"),
                received(high, "k4"),
                received(Close(actor="system:crm", ticket_id="T-9"), "k5"),
            ]
        )

        results = [documents.outbox_outgoing(row).record for row in await store.rows("outbox")]
        assert [getattr(result, "code", "ok") for result in results] == [
            "ok",
            "ok",
            "E03",
            "ok",
            "E03",
        ]
        assert results[1].event_ids == ["T-1.4"]
        assert results[3].event_ids == []
        assert (await state(store)).priority == "high"

    async def test_a_command_twice_is_answered_once(self, handlers, store):
        opened = OpenTicket(
            actor="system:portal", mailbox=SUPPORT, requester=EMMA, subject="Form", text="Hi"
        )
        for _ in range(2):
            await handlers.run_commands([received(opened, "k1")])

        assert len(await store.rows("outbox")) == len(await store.rows("tickets")) == 1

    async def test_a_clock_that_ran_out_is_a_breach_and_calls_the_manager(self, handlers, store):
        await handlers.file_mails(mails(a_mail()))
        news = ClockRanOut(
            ticket_id="T-1", target="first-response", cycle=1, due_at=later(hours=1), fired_at=NOON
        )

        await handlers.note_clocks([received(news, "n1"), received(news, "n1")])

        assert (await types(store))[3:] == ["sla-breached", "escalated"]
        assert (await store.rows("events"))[-1]["data"]["to"] == [MARTA]
        assert (await state(store)).escalated

    async def test_clocks_show_on_the_ticket(self, handlers, store):
        await handlers.file_mails(mails(a_mail()))
        clock = Clock(
            target="resolution", cycle=1, state="running", goal_s=60, started_at=NOON, as_of=NOON
        )
        news = ClocksChanged(ticket_id="T-1", ticket_seq=1, clocks=[clock])

        await handlers.note_clocks([received(news, "n1")])

        assert (await state(store)).clocks == [clock]

    async def test_news_of_an_unknown_ticket_is_passed_over(self, handlers, store):
        news = ClocksChanged(ticket_id="T-7", ticket_seq=1, clocks=[])

        await handlers.note_clocks([received(news, "n1")])

        assert await store.rows("events") == []

    @pytest.mark.feature("R01")
    async def test_a_rule_sends_a_vip_customers_ticket_to_another_team_and_is_named(self, store):
        rule = {"name": "vip", "when": {"segments": ["vip"]}, "then": {"team": "billing"}}
        desk = a_desk(routing={"rules": [rule | {"then": rule["then"] | {"priority": "high"}}]})
        handlers = handlers_of(store, desk)
        account = an_account().model_copy(update={"vip": True})
        await handlers.keep_directory([received(a_contact(), "c"), received(account, "a")])

        await handlers.file_mails(mails(a_mail(), a_mail("else", from_addr=STRANGER)))

        opened = [row["data"] for row in await store.rows("events") if row["seq"] == 1]
        assert [(o["state"]["team"], o["state"]["priority"], o["rules"]) for o in opened] == [
            ("billing", "high", ["vip"]),
            ("support", "normal", []),
        ]
        assert (await state(store)).assignee == CARLA

    @pytest.mark.feature("R02")
    async def test_by_load_tickets_of_one_batch_and_of_earlier_ones_count(self, store):
        teams = [
            {"name": "support", "members": [ANA, BEN], "rotation": "load"},
            {"name": "billing", "members": [CARLA]},
        ]
        handlers = handlers_of(store, a_desk(teams=teams))
        await handlers.file_mails(mails(a_mail("1")))
        first = (await state(store)).assignee

        await handlers.file_mails(mails(*(a_mail(str(n)) for n in range(2, 8))))

        loads = await store.open_loads([ANA, BEN])
        assert first in (ANA, BEN)
        assert sorted(loads.values()) == [3, 4]

    @pytest.mark.feature("I08")
    @pytest.mark.parametrize("is_named", [True, False])
    async def test_what_we_sent_is_taken_out_of_the_answer_to_it(self, handlers, store, is_named):
        await handlers.file_mails(mails(a_mail()))
        await handlers.note_deliveries([await sent(store, "T-1", EMMA, OUR_WORDS)])
        text = f"Tuesday.\n\nAna-k idatzi du (2026/11/22):\n{OUR_WORDS}"
        traces = {"in_reply_to": "ours.EMMA@desk.example"} if is_named else {}

        await handlers.file_mails(mails(a_customers_answer(text, reply_text=text, **traces)))

        [answer] = [m for m in await store.rows("messages") if m["number"] == 2]
        assert (answer["reply_text"], answer["text"]) == ("Tuesday.", text)

    async def test_nothing_of_a_notice_reaches_the_customer_with_an_agents_answer(
        self, handlers, store
    ):
        await handlers.file_mails(mails(a_mail()))
        await handlers.note_deliveries([await sent(store, "T-1", ANA, OUR_WORDS)])
        text = f"#take\nWe come on Tuesday.\n\nIdatzi du:\n{OUR_WORDS}"

        await handlers.file_mails(
            mails(an_agents_mail(text, reply_text=text, in_reply_to="ours.ANA@desk.example"))
        )

        [answer] = [m for m in await store.rows("messages") if m["direction"] == "out"]
        assert answer["reply_text"] == "We come on Tuesday."

    async def test_a_mail_that_can_be_read_after_all_replaces_what_could_not_be(
        self, handlers, store
    ):
        broken = {"inbound_id": "in-1", "unreadable": "parser timeout", "raw_blob": "in-1/x"}
        await handlers.file_mails([received(a_mail("", **broken), "in-1")])
        whole = a_mail("My line is dead.", inbound_id="in-1")

        await handlers.file_mails([received(a_mail("", **broken), "in-1.1")])
        for name in ("in-1.2", "in-1.2", "in-1.3"):
            await handlers.file_mails([received(whole, name)])

        [message] = [m for m in await store.rows("messages") if m["number"]]
        assert (message["text"], message["unreadable"]) == ("My line is dead.", "")
        assert (await types(store)).count("message-reread") == 1
        assert (await types(store)).count("message-added") == 1
        assert len(await store.rows("tickets")) == 1

    async def test_an_id_that_the_relay_gave_a_mail_finds_the_ticket(self, handlers, store):
        await handlers.file_mails(mails(a_mail()))
        sent = MailSent(
            outgoing_id="o1",
            ticket_id="T-1",
            kind="reply",
            recipient=EMMA,
            message_id="ours@desk.example",
            relay_message_id="theirs@relay.example",
            at=NOON,
        )

        await handlers.note_deliveries([received(sent, "o1.sent")])
        await handlers.file_mails(mails(a_mail("again", in_reply_to="theirs@relay.example")))

        assert (await types(store))[-1] == "message-added"

    async def test_a_mail_that_failed_shows_on_the_ticket(self, handlers, store):
        await handlers.file_mails(mails(a_mail()))
        failed = MailFailed(
            outgoing_id="o1",
            ticket_id="T-1",
            kind="reply",
            recipient=EMMA,
            message_id="x@desk.example",
            at=NOON,
            reply="550 no",
        )

        await handlers.note_deliveries([received(failed, "o1.failed")])

        assert (await store.rows("events"))[-1]["data"]["outcome"] == "failed"

    async def test_an_unmatched_bounce_to_a_mailbox_is_an_unassigned_ticket(self, handlers, store):
        await handlers.file_mails(mails(a_mail(bounce=a_bounce(), automated=True)))

        assert await types(store) == ["opened", "message-added"]

    async def test_a_deleted_contact_is_unknown_again(self, handlers, store):
        await handlers.keep_directory([received(a_contact(), "c")])
        await handlers.keep_directory([received(None, "d", key="contact:C-1")])

        await handlers.file_mails(mails(a_mail()))

        assert (await state(store)).unknown_contact

    async def test_a_move_by_command_gives_it_to_the_new_teams_agent(self, handlers, store):
        await handlers.file_mails(mails(a_mail()))

        await handlers.file_mails(mails(an_agents_mail("#team billing")))

        assert (await state(store)).assignee == CARLA

    async def test_a_rating_is_kept_once(self, handlers, store):
        await handlers.file_mails(mails(a_mail()))
        await handlers.file_mails(mails(an_agents_mail("#resolve")))
        click = a_token("T-1", EMMA, purpose="survey", number=8 + 5)

        for name in ("r1", "r2"):
            await handlers.file_mails(mails(a_mail("", token=click, inbound_id=name)))

        assert (await types(store)).count("survey-answered") == 1
        assert len(await store.rows("messages")) == 4

    @pytest.mark.feature("R03")
    async def test_what_an_absent_agent_has_open_is_handed_over_exactly_once(self, handlers, store):
        await open_tickets(handlers, 8)
        await handlers.file_mails(mails(away(f"#away until {IN_A_WEEK}")))
        desks = [handlers, handlers_of(store, handlers.desk.desk)]

        await asyncio.gather(*(handovers_of(desk, store).run() for desk in desks * 2))
        for desk in desks:
            await handovers_of(desk, store).run()

        rows = [row for row in await store.rows("events") if row["by"] == "system:absence"]
        assert sorted(row["ticket_id"] for row in rows) == ["T-1", "T-3", "T-5", "T-7"]
        assert {row["data"]["assignee"] for row in rows} == {BEN}
        assert {row["correlation_id"] for row in rows} == {away("").inbound_id}

    async def test_what_waits_stays_until_somebody_is_needed(self, handlers, store):
        await open_tickets(handlers, 1)
        await handlers.file_mails(mails(an_agents_mail("#pending")))
        await handlers.file_mails(mails(away(f"#away until {IN_A_WEEK}")))

        await handovers_of(handlers, store).run()
        stayed = (await state(store)).assignee
        await handlers.file_mails(mails(a_customers_answer()))

        assert (stayed, (await state(store)).assignee) == (ANA, BEN)

    @pytest.mark.feature("R03")
    async def test_an_absence_that_is_to_come_hands_over_when_it_begins(self, handlers, store):
        await open_tickets(handlers, 1)
        handlers.clock.set(later(hours=-1))
        await handlers.file_mails(mails(away(f"#away from 1h until {IN_A_WEEK}")))
        await handovers_of(handlers, store).run()
        before = (await state(store)).assignee

        handlers.clock.set(NOON)
        await handovers_of(handlers, store).run()

        assert (before, (await state(store)).assignee) == (ANA, BEN)

    @pytest.mark.feature("R03")
    async def test_days_of_the_configuration_hand_over_when_they_begin(self, store):
        agents = [agent.model_dump() for agent in a_desk().agents]
        agents[0]["away"] = [("2026-11-25", "2026-11-30")]
        handlers = handlers_of(store, a_desk(agents=agents))
        await open_tickets(handlers, 3)

        await handovers_of(handlers, store).run()
        before = (await state(store)).assignee
        handlers.clock.set(later(days=3))
        await handovers_of(handlers, store).run()

        assert (before, (await state(store)).assignee) == (ANA, BEN)

    async def test_a_ticket_given_to_an_absent_agent_on_purpose_stays(self, handlers, store):
        await open_tickets(handlers, 2)
        await handlers.file_mails(mails(away(f"#away until {IN_A_WEEK}")))
        handlers.clock.set(later(minutes=1))
        await handovers_of(handlers, store).run()

        await handlers.file_mails(mails(an_agents_mail("#assign ana", ticket_id="T-2", agent=BEN)))
        await handovers_of(handlers, store).run()

        assert (await state(store, "T-2")).assignee == ANA

    async def test_many_tickets_are_handed_over_evenly(self, store):
        agents = [ANA, BEN, CARLA, LENA, MARTA]
        team = {"name": "support", "members": agents}
        handlers = handlers_of(store, a_desk(teams=[team, {"name": "billing", "members": [CARLA]}]))
        await open_tickets(handlers, 60)
        await handlers.file_mails(mails(away("#away until fri"), away("#away until fri", CARLA)))

        await handovers_of(handlers, store).run()

        loads = await store.open_loads(agents)
        assert (loads[ANA], loads[CARLA]) == (0, 0)
        assert {loads[BEN], loads[LENA], loads[MARTA]} == {20}

    @pytest.mark.feature("R03")
    async def test_the_absence_is_confirmed_with_what_becomes_of_the_tickets(self, handlers, store):
        await open_tickets(handlers, 1)

        await handlers.file_mails(mails(away(f"#away until {IN_A_WEEK}")))

        [row] = await store.rows("outbox")
        assert (row["data"]["to"], row["data"]["title"]) == (ANA, "You are away")
        assert "T-1  No internet → the next of team support" in row["data"]["text"]

    async def test_a_later_word_of_the_agent_is_not_overtaken(self, handlers, store):
        await handlers.file_mails(mails(away("#back", received_at=later(minutes=1))))

        await handlers.file_mails(mails(away(f"#away until {IN_A_WEEK}")))

        assert (await store.absences([ANA]))[ANA].is_return

    async def test_a_bar_holds_for_later_batches_until_it_is_lifted(self, handlers, store):
        await handlers.file_mails(mails(a_mail("Cheap", from_addr=STRANGER)))
        bar = Bar(actor="system:crm", ticket_id="T-1")
        await handlers.run_commands([received(bar, "c1")])

        await handlers.file_mails(mails(a_mail("Cheaper", from_addr=STRANGER)))

        assert list(await store.tickets(["T-2"])) == []
        await handlers.run_commands([received(Unbar(actor="system:crm", ticket_id="T-1"), "c2")])
        await handlers.file_mails(mails(a_mail("Sorry", from_addr=STRANGER)))
        assert list(await store.tickets(["T-2"])) == ["T-2"]
