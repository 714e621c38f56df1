"""What ``postdesk show`` and ``postdesk tickets`` print, over tickets in a real MongoDB."""

import json

import pytest

from deploy.local import ticket_views
from deploy.local.errors import StackError
from tests.builders import ANA, EMMA, NOON, a_contact, a_mail, an_agents_mail, later
from tests.integration.test_tickets_store import store
from tests.service.tickets.suite import handlers, mails, received

__all__ = ["handlers", "store"]

pytestmark = pytest.mark.stack


async def test_a_ticket_is_shown_with_texts_and_timeline(handlers, store):
    await handlers.keep_directory([received(a_contact(), "c")])
    await handlers.file_mails(mails(a_mail("My line is dead.")))
    await handlers.file_mails(mails(an_agents_mail("#take\nI look into it.")))

    view = await ticket_views.one(store._db, "t-1", now=NOON)

    assert (view["id"], view["status"], view["account"]) == ("T-1", "open", "A-1")
    assert (view["requester"], view["assignee"], view["locked_by"]) == (EMMA, ANA, ANA)
    tomorrow = await ticket_views.one(store._db, "t-1", now=later(days=1))
    assert (tomorrow["assignee"], tomorrow["locked_by"]) == (ANA, None)
    assert view["survey"] is None
    messages = [(m["kind"], m["direction"], m["from"], m["text"]) for m in view["messages"]]
    assert messages == [
        ("public", "in", EMMA, "My line is dead."),
        ("public", "out", ANA, "I look into it."),
    ]
    first = view["timeline"][0]
    assert (first["seq"], first["type"], first["data"]) == (
        1,
        "ticket.opened",
        {"rules": [], "asked_priority": ""},
    )
    assert first["at"].endswith("+00:00")
    json.dumps(view)


async def test_the_list_has_no_texts_unless_asked_for(handlers, store):
    await handlers.file_mails(mails(*(a_mail(str(number)) for number in range(11))))

    short = await ticket_views.every(store._db, with_texts=False, now=NOON)
    full = await ticket_views.every(store._db, with_texts=True, now=NOON)

    assert [view["id"] for view in short] == [f"T-{number}" for number in range(1, 12)]
    assert "text" not in short[0]["messages"][0]
    assert full[0]["messages"][0]["text"] == "0"


async def test_an_unknown_ticket_is_said_to_be_so(store):
    with pytest.raises(StackError, match="no ticket T-9"):
        await ticket_views.one(store._db, "9", now=NOON)
