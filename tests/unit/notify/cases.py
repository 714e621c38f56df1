"""A desk, its keys and the mails of notify, taken apart for assertions."""

import email
import email.policy
import re
from datetime import datetime, timedelta
from email.message import EmailMessage
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from services.notify.domain.customers import Customer
from services.notify.domain.notice import Cause, Notice
from services.notify.domain.planning import Planned, plan, remember, wait
from services.notify.domain.view import Thread, TicketView, evolve
from services.notify.letters import Letters
from services.notify.outgoing import outgoing_id
from services.notify.render import Renderer
from services.notify.results import Results
from services.notify.stationery import Errand, Files, Letter, Stationery
from shared.addresses import AddressBook, AddressKeys
from shared.config import Desk, load_desk
from shared.contracts.ticket import TicketEvent
from tests.ticket_history import History, at

NOW = at("2026-11-20 09:00")
EMMA = "emma@harbour-bakery.example"
ANA = "ana@desk-team.example"
BEN = "ben@desk-team.example"
LENA, MARTA = "lena@desk-team.example", "marta@desk-team.example"
SUPPORT = "support@desk.example"
ROOT = Path(__file__).parents[3]

BOOK = AddressBook(AddressKeys(current=1, keys={1: b"k" * 32}), "desk.example")


@cache
def a_desk() -> Desk:
    """The demo's desk."""
    return load_desk(ROOT / "deploy" / "presets" / "demo.yaml").desk


def paper(desk: Desk | None = None) -> Stationery:
    return Stationery(desk or a_desk(), BOOK)


RENDERER = Renderer()
LETTERS = Letters(paper(), RENDERER)
RESULTS = Results(paper(), RENDERER)


def history(**state: Any) -> History:
    """A ticket of Emma's; the first message is still to come."""
    return History(requester_name="Emma Brand", **state)


def view_of(told: History) -> TicketView:
    """The view after all that was told."""
    view: TicketView | None = None
    for event in told.events:
        view = evolve(view, event)
    assert view is not None
    return view


def planned_by(told: History, desk: Desk | None = None) -> list[tuple[TicketEvent, Planned]]:
    """Every mail that the history causes, with its cause, as the handler plans them."""
    desk = desk or a_desk()
    found: list[tuple[TicketEvent, Planned]] = []
    view: TicketView | None = None
    for event in told.events:
        view = evolve(view, event)
        planned = [wait(p, view, desk) for p in plan(event, view, desk)]
        view = remember(view, planned)
        found += [(event, p) for p in planned]
    return found


def errand(
    *,
    mail_class: Any = "answer",
    reason: str = "reply",
    recipient: str = EMMA,
    event_id: str = "T-1.2",
    ticket_id: str = "T-1",
    seq: int = 2,
    now: datetime = NOW,
    desk: Desk | None = None,
    mailbox: str = SUPPORT,
) -> Errand:
    return Errand(
        outgoing_id=outgoing_id(event_id, recipient, reason),
        event_id=event_id,
        mail_class=mail_class,
        reason=reason,
        recipient=recipient,
        box=(desk or a_desk()).mailboxes_by_address[mailbox],
        ticket_id=ticket_id,
        seq=seq,
        now=now,
    )


def an_acknowledgement(told: History, *, letters: Letters = LETTERS, **more: Any) -> Letter:
    one = errand(mail_class="acknowledgement", reason="acknowledgement", **more)
    return letters.acknowledgement(one, view_of(told))


def an_answer(
    told: History,
    *,
    kind: str = "reply",
    mail_class: str = "answer",
    files: Files | None = None,
    **more: Any,
) -> Letter:
    event = told.events[-1]
    one = errand(
        mail_class=mail_class,
        reason=kind,
        event_id=f"T-1.{event.seq}",
        seq=event.seq,
        **more,
    )
    return LETTERS.answer(one, kind, event, view_of(told), files or Files())


def a_notice(
    told: History,
    *reasons: str,
    agent: str = ANA,
    customer: Customer | None = None,
    seen_seq: int = 0,
    thread: Thread | None = None,
    files: Files | None = None,
    now: datetime = NOW,
) -> Letter:
    """The notice about the last events, one for each reason."""
    view = view_of(told)
    last = told.events[-len(reasons) :]
    notice = Notice(
        agent=agent,
        view=view,
        causes=[Cause(r, e.seq) for r, e in zip(reasons, last, strict=True)],
        seen_seq=seen_seq,
        customer=customer or Customer(),
        reader=LETTERS.reader(agent),
        now=now,
    )
    one = errand(
        mail_class="notice",
        reason=notice.reason,
        recipient=agent,
        event_id=f"T-1.{last[0].seq}",
        seq=view.state.seq,
        now=now,
    )
    return LETTERS.notice(one, notice, thread or view.thread(agent), files or Files())


def parsed(letter: Letter | bytes) -> EmailMessage:
    """As the standard library reads it."""
    raw = letter if isinstance(letter, bytes) else letter.raw
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def field(letter: Letter | bytes, name: str) -> str:
    """A field's text, unfolded, as it is on the wire; empty where there is none."""
    raw = letter if isinstance(letter, bytes) else letter.raw
    head = raw.partition(b"\r\n\r\n")[0] + b"\r\n"
    found = re.search(rb"(?im)^" + name.encode() + rb":((?:[^\r]|\r\n[ \t])*)\r\n", head)
    return re.sub(r"\r\n(?=[ \t])", "", found[1].decode("ascii")).strip() if found else ""


def text_of(letter: Letter | bytes) -> str:
    part = parsed(letter).get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def html_of(letter: Letter | bytes) -> str:
    part = parsed(letter).get_body(("html",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


class _Seen(HTMLParser):
    """What a reader sees, and every link."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self._hidden = 0
        self._stack: list[bool] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a":
            self.links.append(given.get("href") or "")
        if tag in {"br", "meta", "hr", "img"}:
            return
        hides = tag in {"title", "style"} or "display:none" in (given.get("style") or "")
        self._stack.append(hides)
        self._hidden += hides

    def handle_endtag(self, tag: str) -> None:
        if tag not in {"br", "meta", "hr", "img"}:
            self._hidden -= self._stack.pop()

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words += data.split()


def seen(html: str) -> _Seen:
    parser = _Seen()
    parser.feed(html)
    return parser


def later(minutes: int) -> datetime:
    return NOW + timedelta(minutes=minutes)
