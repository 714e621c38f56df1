from services.notify.domain.view import (
    KEPT_MESSAGES,
    KEPT_TEXT_CHARS,
    evolve,
    from_document,
    to_document,
)
from shared.contracts import ticket as events
from tests.ticket_history import at
from tests.unit.notify.cases import ANA, EMMA, history, view_of


def test_the_same_event_twice_changes_nothing() -> None:
    told = history()
    event = told.customer_writes("2026-11-20 09:00", from_addr=EMMA, reply_text="Hello")
    view = view_of(told)

    assert evolve(view, event) is view
    assert evolve(view, told.opened) is view


def test_the_first_subject_stays() -> None:
    told = history(subject="Invoice")
    told.happens(
        events.FieldChanged,
        "2026-11-20 09:10",
        field="subject",
        value="Refund",
        state={"subject": "Refund"},
    )

    assert view_of(told).subject == "Invoice"
    assert view_of(told).state.subject == "Refund"


def test_a_senders_thread_has_their_references_and_ends_with_their_mail() -> None:
    told = history()
    told.customer_writes(
        "2026-11-20 09:00",
        from_addr="Emma@harbour-bakery.example",
        message_id="c@x",
        in_reply_to="b@x",
        references=["a@x", "b@x"],
        thread_index="AAAA",
    )

    thread = view_of(told).thread(EMMA)

    assert thread.ids == ("a@x", "b@x", "c@x")
    assert (thread.own_id, thread.thread_index) == ("c@x", "AAAA")


def test_a_held_mail_shapes_nobodys_thread() -> None:
    told = history()
    message = {
        "number": 1,
        "kind": "public",
        "direction": "in",
        "author": f"customer:{EMMA}",
        "from_addr": EMMA,
        "message_id": "forged@x",
        "unverified": True,
        "at": at("2026-11-20 09:00"),
        "accepted_at": at("2026-11-20 09:00"),
    }
    told.happens(
        events.MailHeld, "2026-11-20 09:00", by=f"customer:{EMMA}", message=message, reason="forged"
    )

    assert view_of(told).thread(EMMA).ids == ()
    assert len(view_of(told).entries) == 1


def test_a_long_history_is_counted_and_long_texts_are_cut() -> None:
    told = history()
    for number in range(KEPT_MESSAGES + 3):
        told.customer_writes(
            f"2026-11-20 09:{number:02}", from_addr=EMMA, reply_text="x" * (KEPT_TEXT_CHARS + 1)
        )

    view = view_of(told)

    assert (len(view.entries), view.left_out) == (KEPT_MESSAGES, 3)
    assert len(view.entries[0].message.reply_text) == KEPT_TEXT_CHARS


def test_a_view_is_stored_and_read_whole() -> None:
    told = history()
    told.customer_writes("2026-11-20 09:00", from_addr=EMMA, reply_text="Hello", message_id="a@x")
    told.assigned("2026-11-20 09:00", ANA)
    view = view_of(told)

    assert from_document(to_document(view)) == view
