"""The mails themselves: their words, their addresses, and what must never be in them."""

import gc
import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2.runtime import Context

from services.notify.domain.customers import Customer, PreviousTicket
from services.notify.domain.notice import REASONS
from services.notify.domain.wire import File
from services.notify.letters import Letters
from services.notify.render import HTML_OCTETS
from services.notify.stationery import MAILTO_OCTETS, Files, Letter, mailto
from shared.addresses import fingerprint, survey_number
from shared.config.models import Desk
from shared.contracts import ticket as events
from shared.contracts.directory import Account, Invoice, Service
from shared.contracts.requests import AnswerMail, CommandReceipt, LineResult, ReportMail
from shared.contracts.sla import Clock
from shared.contracts.ticket_state import AskedQuestion, GivenAnswer
from tests.ticket_history import History, at
from tests.unit.notify.cases import (
    ANA,
    BEN,
    BOOK,
    EMMA,
    LETTERS,
    MARTA,
    NOW,
    RENDERER,
    RESULTS,
    a_desk,
    a_notice,
    an_acknowledgement,
    an_answer,
    errand,
    field,
    history,
    html_of,
    later,
    paper,
    parsed,
    seen,
    text_of,
    view_of,
)

AUDITOR = "auditor@ledger.example"
GOLDEN = Path(__file__).parent / "golden"


def a_case(text: str = "There is no dial tone.", **message: object) -> History:
    """Emma has written, Ana has it, and the clocks run."""
    told = history()
    fields = {"from_addr": EMMA, "from_name": "Emma Brand", "message_id": "first@harbour.example"}
    told.customer_writes("2026-11-20 09:00", reply_text=text, **(fields | message))
    told.assigned("2026-11-20 09:00", ANA)
    told.happens(
        events.ClocksUpdated, "2026-11-20 09:00", by="system:sla", state={"clocks": CLOCKS}
    )
    return told


CLOCKS = [
    Clock(
        target="first-response",
        cycle=1,
        state="running",
        goal_s=28_800,
        started_at=NOW,
        due_at=later(480),
        warn_at=later(360),
        left_s=28_800,
        as_of=NOW,
    )
]
BAKERY = Customer(
    account=Account(id="A-100", name="Harbour Bakery", segment="business", since="2021-03-01"),
    services=(Service(id="S-1", account_id="A-100", name="Business Fibre 500"),),
    invoices=(
        Invoice(
            id="2026-1031", account_id="A-100", date="2026-10-31", amount="148.90", currency="EUR"
        ),
    ),
    previous=(PreviousTicket("T-7", "Router restarts", "closed", NOW),),
)


def a_receipt(**more: object) -> Letter:
    lines = [
        LineResult(line="#assign maria", ok=True, message="Maria Lopez <maria@x.example>"),
        LineResult(line="#closs", ok=False, code="E01", message="Did you mean: #close"),
    ]
    request = CommandReceipt.model_validate(
        {
            "request_id": "r-1",
            "to": ANA,
            "ticket_id": "T-1",
            "outcome": "held",
            "in_reply_to": "command@desk-team.example",
            "lines": lines,
            "draft": "Dear Emma,\n#hello",
            "draft_until": at("2026-11-25 08:00"),
            "draft_number": 3,
            **more,
        }
    )
    one = errand(mail_class="result", reason="receipt", recipient=ANA, event_id="r-1")
    return RESULTS.receipt(one, request, view_of(a_case()), LETTERS.reader(ANA))


def an_asked_answer(text: str = "Write them first:\n#take  take it") -> Letter:
    request = AnswerMail(request_id="r-2", to=ANA, ticket_id="T-1", title="Commands", text=text)
    one = errand(mail_class="result", reason="answer", recipient=ANA, event_id="r-2")
    return RESULTS.answer(one, request, view_of(a_case()))


def a_resolution(**event: object) -> Letter:
    told = a_case()
    given = {"resolves": True, "survey_asked": True, "cycle": 2, **event}
    told.agent_answers("2026-11-20 10:00", ANA, reply_text="It works again.", event=given)
    return an_answer(told, kind="resolution")


def a_reply(text: str = "Please restart the router.", **more: object) -> Letter:
    told = a_case()
    told.agent_answers("2026-11-20 09:30", ANA, reply_text=text)
    return an_answer(told, **more)


def a_held_notice() -> Letter:
    told = a_case()
    message = {
        "number": 2,
        "kind": "public",
        "direction": "in",
        "author": f"customer:{ANA}",
        "from_addr": ANA,
        "from_name": "Ana Lopez",
        "reply_text": "#resolve\nPlease send the password.",
        "unverified": True,
        "trust": "failed: looks like a colleague",
        "at": at("2026-11-20 09:10"),
        "accepted_at": at("2026-11-20 09:10"),
    }
    told.happens(
        events.MailHeld, "2026-11-20 09:10", by=f"customer:{ANA}", message=message, reason="forged"
    )
    return a_notice(told, "held", seen_seq=4)


def a_handover() -> Letter:
    told = a_case()
    told.happens(
        events.TicketAssigned,
        "2026-11-20 09:30",
        by="system:absence",
        assignee=BEN,
        previous=ANA,
        reason="rotation",
        because="Ana Lopez is away until 2026-12-04 16:00 UTC",
        state={"assignee": BEN},
    )
    return a_notice(told, "assigned", agent=BEN, customer=BAKERY)


def an_escalation() -> Letter:
    told = a_case()
    told.happens(
        events.TicketEscalated,
        "2026-11-20 18:00",
        by="system:sla",
        reason="the first response is late",
        to=[MARTA],
    )
    return a_notice(told, "escalated", agent=MARTA, customer=BAKERY, now=later(540))


def a_delivery_failure() -> Letter:
    told = a_case()
    told.happens(
        events.DeliveryNoted,
        "2026-11-20 10:00",
        by="system:notify",
        outcome="failed",
        recipient=EMMA,
        message_id="x@desk.example",
        detail="550 5.1.1 no such user",
    )
    return a_notice(told, "delivery-failed", seen_seq=4)


def a_dead_address() -> Letter:
    told = a_case()
    told.happens(
        events.DeliveryNoted,
        "2026-11-20 10:00",
        by="system:delivery",
        outcome="bounced",
        recipient=EMMA,
        message_id="x@desk.example",
        detail="550 5.1.1 no such user",
        dead=True,
    )
    return a_notice(told, "delivery-failed", seen_seq=4)


def a_report() -> Letter:
    request = ReportMail(
        request_id="r-3", to=MARTA, subject="Report for October", text="Handled: 7", html_blob="x/y"
    )
    one = errand(
        mail_class="digest", reason="report", recipient=MARTA, event_id="r-3", ticket_id="", seq=0
    )
    html = b'<html lang="en"><body>Handled: 7<img src="cid:chart" alt=""></body></html>'
    chart = File("chart.png", "image/png", b"\x89PNG", content_id="chart")
    table = File("report.csv", "text/csv", b"handled\n7\n")
    return RESULTS.report(one, request, html, Files(sent=(chart, table)))


QUESTIONS = [
    AskedQuestion(field="serial", text="What is the serial number of the device?"),
    AskedQuestion(field="since", text="Since when does it happen, and how often?"),
]


def a_letter_with_questions() -> Letter:
    one = errand(mail_class="acknowledgement", reason="acknowledgement")
    return LETTERS.acknowledgement(one, view_of(a_case()), QUESTIONS)


def a_blind_copy() -> Letter:
    """The answer as somebody gets it whom nobody else is told of."""
    told = a_case()
    told.agent_answers(
        "2026-11-20 09:40", ANA, reply_text="Try it now.", state={"blind_followers": [AUDITOR]}
    )
    return an_answer(told, recipient=AUDITOR)


def a_notice_with_copies() -> Letter:
    """A ticket with people in copy, and a mail that somebody else had a copy of."""
    told = a_case()
    openly, unseen = ["owner@harbour-bakery.example"], [AUDITOR]
    told.happens(
        events.FollowersChanged,
        "2026-11-20 09:20",
        by=f"agent:{ANA}",
        added=openly,
        blind=unseen,
        state={"followers": openly, "blind_followers": unseen},
    )
    told.customer_writes(
        "2026-11-20 09:30",
        from_addr=EMMA,
        from_name="Emma Brand",
        cc=["Jo <jo@elsewhere.example>", *openly],
        reply_text="Jo knows more.",
    )
    return a_notice(told, "customer-answered", customer=BAKERY)


KINDS = {
    "acknowledgement": lambda: an_acknowledgement(a_case()),
    "questions": a_letter_with_questions,
    "reply": a_reply,
    "resolution": a_resolution,
    "blind-copy": a_blind_copy,
    "copies": a_notice_with_copies,
    "notice": lambda: a_notice(a_case(), "assigned", customer=BAKERY),
    "held": a_held_notice,
    "escalation": an_escalation,
    "handover": a_handover,
    "delivery-failed": a_delivery_failure,
    "dead-address": a_dead_address,
    "receipt": a_receipt,
    "answer": an_asked_answer,
    "report": a_report,
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_text_of_each_kind_is_the_one_on_file(kind: str) -> None:
    found = text_of(KINDS[kind]())

    assert found == (GOLDEN / f"{kind}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", KINDS)
def test_text_and_html_say_the_same_words(kind: str) -> None:
    letter = KINDS[kind]()

    assert seen(html_of(letter)).words == text_of(letter).split()


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_leaves_as_utf_8_in_short_crlf_lines(kind: str) -> None:
    raw = KINDS[kind]().raw

    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert raw.endswith(b"\r\n")
    assert parsed(raw).defects == []


@pytest.mark.parametrize("kind", set(KINDS) - {"report"})
def test_the_html_works_without_styles_pictures_or_a_wide_screen(kind: str) -> None:
    html = html_of(KINDS[kind]())

    assert re.search(r'<html lang="en" dir="ltr">', html)
    assert re.search(r"<h[12]|<div", html)
    assert all('role="presentation"' in table for table in re.findall(r"<table[^>]*>", html))
    assert not re.search(r"<(img|link|script|style|form|iframe|base)\b|url\(|@import", html)
    assert not re.search(
        r'width="?[4-9]\d\d|width:[4-9]\d\dpx', re.sub(r"max-width:\d+px", "", html)
    )
    assert len(html.encode()) <= HTML_OCTETS


def contexts() -> int:
    """How many there are: each holds all that a template was given."""
    return sum(type(one) is Context for one in gc.get_objects())


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_mail_was_made_of_is_gone_when_it_is_made(kind: str) -> None:
    """A circle would keep the whole case until the collector comes, and its room ever after."""
    gc.collect()
    gc.disable()
    try:
        before = contexts()
        KINDS[kind]()
        assert contexts() == before
    finally:
        gc.enable()


def test_the_same_row_gives_the_same_bytes() -> None:
    assert [make().raw for make in KINDS.values()] == [make().raw for make in KINDS.values()]


def test_the_preheader_is_said_in_the_text_too() -> None:
    letter = a_notice(a_case(), "assigned")

    hidden = re.search(r"display:none[^>]*>([^<]*)<", html_of(letter))
    assert hidden
    assert set(hidden[1].split()) <= set(text_of(letter).split())


def test_an_acknowledgement_repeats_nothing_that_the_sender_chose_but_the_subject() -> None:
    told = history(subject="Buy at evil.example")
    told.customer_writes(
        "2026-11-20 09:00", from_addr=EMMA, from_name="Evil Name", reply_text="Evil text"
    )

    letter = an_acknowledgement(told)

    assert "evil" not in (text_of(letter) + html_of(letter)).lower()
    others = {k: str(v) for k, v in parsed(letter).items() if k not in {"Subject", "Thread-Topic"}}
    assert "evil" not in str(others).lower()
    assert field(letter, "Subject") == "[T-1] Buy at evil.example"


@pytest.mark.parametrize(
    ("kind", "bounces"),
    [
        ("acknowledgement", False),
        ("receipt", False),
        ("answer", False),
        ("reply", True),
        ("resolution", True),
        ("notice", True),
        ("report", True),
    ],
)
def test_the_envelope_sender_is_empty_or_names_the_reader(kind: str, bounces: bool) -> None:
    letter = KINDS[kind]()

    if not bounces:
        assert letter.envelope_from == ""
        return
    token = BOOK.read(letter.envelope_from, NOW)
    assert token is not None
    recipient = str(parsed(letter)["To"].addresses[0].addr_spec)
    assert (token.purpose, token.party) == ("bounce", fingerprint(recipient))


def test_an_answer_comes_from_the_agent_by_way_of_the_brand() -> None:
    letter = a_reply()

    assert field(letter, "From") == '"Ana Lopez via Nordlicht Support" <support@desk.example>'
    assert text_of(letter).count("Ana Lopez\nNordlicht Support") == 1
    assert field(letter, "Auto-Submitted") == field(letter, "List-Id") == ""


def test_a_customers_answer_finds_the_ticket_and_the_customer() -> None:
    token = BOOK.read(field(a_reply(), "Reply-To"), NOW)

    assert token is not None
    assert (token.state, token.purpose, token.ticket_id) == ("valid", "reply", "T-1")
    assert token.party == fingerprint(EMMA)


def test_an_agents_address_knows_what_the_agent_saw_and_ends() -> None:
    address = field(a_notice(a_case(), "assigned"), "Reply-To")

    token = BOOK.read(address, NOW)
    assert token is not None
    assert (token.purpose, token.number, token.party) == ("reply", 4, fingerprint(ANA))
    over = BOOK.read(address, later(60 * 24 * (a_desk().agent_mail.address_days + 2)))
    assert over is not None
    assert over.state == "expired"


def test_a_receipt_is_answered_to_its_draft() -> None:
    token = BOOK.read(field(a_receipt(), "Reply-To"), NOW)

    assert token is not None
    assert (token.purpose, token.number) == ("confirm", 3)


@pytest.mark.parametrize(
    ("more", "first"),
    [
        ({}, "NOT DONE: 1 of 2 commands not understood or not possible."),
        ({"lines": []}, "NOT DONE: your mail is held."),
        ({"outcome": "refused"}, "NOT DONE: your mail was refused."),
        (
            {"outcome": "done", "lines": [LineResult(line="#take", ok=True)]},
            "DONE: 1 of 1 commands.",
        ),
        ({"outcome": "done", "lines": []}, "DONE."),
    ],
)
def test_the_first_line_of_a_receipt_says_whether_it_was_done(
    more: dict[str, object], first: str
) -> None:
    text = text_of(a_receipt(**more))

    assert text.partition("\n")[0] == first
    assert ("nothing was sent to the customer" in text) is first.startswith("NOT DONE")


def test_a_rating_is_one_mail_for_each_score() -> None:
    letter = a_resolution()

    links = seen(html_of(letter)).links
    assert len(links) == 5
    for link, score in zip(links, (5, 4, 3, 2, 1), strict=True):
        address, _, rest = link.removeprefix("mailto:").partition("?")
        token = BOOK.read(unquote(address), NOW)
        assert token is not None
        assert (token.purpose, token.number) == ("survey", survey_number(2, score))
        assert rest.endswith(f"body={score}")
    assert "answer this mail with the number" in text_of(letter)


def test_a_resolution_without_a_survey_asks_nothing() -> None:
    letter = a_resolution(survey_asked=False)

    assert seen(html_of(letter)).links == []
    assert "How did we do" not in text_of(letter)


@pytest.mark.parametrize("kind", KINDS)
def test_links_write_mails_and_change_nothing_by_being_fetched(kind: str) -> None:
    for link in seen(html_of(KINDS[kind]())).links:
        assert link.startswith("mailto:")
        assert len(link) <= MAILTO_OCTETS
        assert "%0A" not in link
        assert link.count("body=") <= 1


def test_a_link_that_is_too_long_is_not_made() -> None:
    with pytest.raises(ValueError, match="longer than"):
        mailto("support@desk.example", subject="x" * MAILTO_OCTETS)


def test_each_action_is_printed_as_a_command_but_never_first_on_a_line() -> None:
    text = text_of(a_notice(a_case(), "assigned"))

    assert {"#take", "#resolve", "#note", "#show", "#help"} <= set(text.split())
    assert not re.search(r"(?m)^[#/@]", text)
    assert not text.startswith("#")


def test_a_note_says_in_its_first_line_whom_it_is_for_and_files_the_mail_so() -> None:
    told = a_case()
    told.message("2026-11-20 09:10", author=f"agent:{BEN}", direction="out", kind="note",
                 from_addr=BEN, reply_text="Ask the depot.", event={"mentioned": [MARTA]})  # fmt: skip
    letter = a_notice(told, "mentioned", agent=MARTA)

    assert text_of(letter).startswith("Ben Okafor wrote a note for you in T-1.")
    assert "Ask the depot." in text_of(letter)
    assert "because a note names you" in text_of(letter)
    assert field(letter, "X-Postdesk-Reason") == "mentioned"
    assert field(letter, "List-Id").startswith("<mentioned.")


@pytest.mark.parametrize("reason", REASONS)
def test_each_reason_of_a_notice_has_its_words(reason: str) -> None:
    phrases = RENDERER.phrases("en")

    assert phrases["leads"][reason]
    assert phrases["because"][reason]


def test_what_is_taken_already_is_not_offered() -> None:
    told = a_case()
    told.happens(
        events.LockChanged,
        "2026-11-20 09:05",
        by=f"agent:{ANA}",
        locked_by=ANA,
        state={"locked_by": ANA},
    )

    assert "#take" not in text_of(a_notice(told, "sla-warning"))


def test_a_lock_is_shown_with_its_end_and_not_after_it() -> None:
    told = a_case()
    held = {"locked_by": ANA, "locked_until": later(60)}
    told.happens(
        events.LockChanged, "2026-11-20 09:05", by=f"agent:{ANA}", locked_by=ANA, state=held
    )

    during = text_of(a_notice(told, "sla-warning", now=later(59)))
    after = text_of(a_notice(told, "sla-warning", now=later(60)))

    assert f"{'Locked by':<16} you, until Fri 20 Nov 2026 11:00" in during
    assert f"{'Locked by':<16} nobody" in after
    assert ("#take" in during, "#take" in after) == (False, True)


def test_the_timeline_says_why_a_lock_ended() -> None:
    told = a_case()
    told.happens(
        events.LockChanged,
        "2026-11-20 14:00",
        by="system:lock",
        locked_by=None,
        previous=ANA,
        because="nothing done since 2026-11-20 10:00 UTC",
    )
    told.customer_writes("2026-11-20 14:01", from_addr=EMMA, reply_text="Hello?")

    text = text_of(a_notice(told, "customer-answered", agent=BEN))
    assert "no longer held by Ana Lopez: nothing done since 2026-11-20 10:00 UTC" in text


@pytest.mark.parametrize("sign", ["#close", "＃close", "/close", "@close", "\u200b#close"])
def test_a_customers_command_is_shown_with_a_leading_space(sign: str) -> None:
    letter = a_notice(a_case(f"Hello\n{sign}\nBye"), "assigned")

    assert f"\n {sign}\n" in text_of(letter)
    assert f"&nbsp;{sign}<br>" in html_of(letter)


def test_a_customers_html_is_shown_as_text() -> None:
    letter = a_notice(
        a_case('<img src="http://tracker.example/x"><script>alert(1)</script>'),
        "assigned",
    )

    assert "<script" not in html_of(letter)
    assert "<img" not in html_of(letter)
    assert "&lt;script&gt;" in html_of(letter)


def test_a_display_name_never_stands_without_its_address() -> None:
    told = a_case(from_name="boss@corp.example", from_addr="x@evil.example")

    text = text_of(a_notice(told, "assigned"))

    assert "boss@corp.example <x@evil.example>" in text


def test_what_was_shown_before_comes_after_the_news() -> None:
    told = a_case()
    told.customer_writes(
        "2026-11-20 09:30", from_addr=EMMA, from_name="Emma Brand", reply_text="Still no tone."
    )

    text = text_of(a_notice(told, "customer-answered", seen_seq=4))

    news, _, rest = text.partition("WHAT NEXT")
    assert "Still no tone." in news
    assert "There is no dial tone." not in news
    assert "There is no dial tone." in rest.partition("CONVERSATION")[2]


def test_notes_are_marked_and_stand_in_their_order() -> None:
    told = a_case()
    told.message(
        "2026-11-20 09:10", author=f"agent:{MARTA}", direction="in", kind="note", reply_text="Odd."
    )
    told.customer_writes("2026-11-20 09:30", from_addr=EMMA, reply_text="Still no tone.")

    text = text_of(a_notice(told, "note", "customer-answered"))

    assert text.index("MAIL 1 ·") < text.index("NOTE 2 · Marta Nowak") < text.index("MAIL 3 ·")


def test_a_case_of_twenty_long_messages_stays_small_and_says_what_is_missing() -> None:
    told = a_case()
    for number in range(20):
        told.customer_writes(
            f"2026-11-20 10:{number:02}",
            from_addr=EMMA,
            from_name="Emma Brand",
            reply_text=f"Message {number}\n" + '"<&> quoted & marked up"\n' * 400,
        )

    letter = a_notice(told, "customer-answered", seen_seq=told.events[-2].seq)

    assert len(html_of(letter).encode()) <= HTML_OCTETS
    assert "Message 19" in text_of(letter)
    assert "All of it: answer with #show" in text_of(letter)
    assert seen(html_of(letter)).words == text_of(letter).split()


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (0, "GREEN 8 h 0 min left"),
        (400, "AMBER 1 h 20 min left"),
        (600, "RED late by 2 h 0 min"),
    ],
)
def test_a_clock_is_green_amber_or_red_with_the_time_left(minutes: int, words: str) -> None:
    assert words in text_of(a_notice(a_case(), "assigned", now=later(minutes)))


def test_times_are_in_the_agents_zone() -> None:
    text = text_of(a_notice(a_case(), "assigned"))

    assert "Fri 20 Nov 2026 10:00 (Europe/Berlin)" in text


def test_files_that_are_too_large_are_named() -> None:
    left_out = Files(left_out=("film.mp4",))

    letter = a_reply(files=left_out)

    assert "Too large to be sent by mail: film.mp4" in text_of(letter)


def test_files_go_with_the_mail() -> None:
    letter = a_reply(files=Files(sent=(File("plan.pdf", "application/pdf", b"%PDF"),)))

    assert [part.get_filename() for part in parsed(letter).iter_attachments()] == ["plan.pdf"]


def test_a_report_shows_its_chart_inside_and_brings_its_table() -> None:
    letter = a_report()

    assert [p.get_content_type() for p in parsed(letter).iter_attachments()] == ["text/csv"]
    assert [p["Content-ID"] for p in parsed(letter).walk() if p["Content-ID"]] == ["<chart>"]
    assert field(letter, "Precedence") == "bulk"


def relayed_by_ses(raw: bytes) -> bytes:
    """SES replaces Message-ID and Date."""
    raw = re.sub(rb"(?m)^Message-ID: .*\r\n", b"Message-ID: <0102@eu.amazonses.com>\r\n", raw)
    return re.sub(rb"(?m)^Date: .*\r\n", b"Date: Fri, 20 Nov 2026 09:00:01 +0000\r\n", raw)


def relayed_by_outlook(raw: bytes) -> bytes:
    return re.sub(
        rb"(?m)^Message-ID: (.*)\r\n",
        rb"Message-ID: <new@outlook.com>\r\nX-Microsoft-Original-Message-ID: \1\r\n",
        raw,
    )


def relayed_by_graph(raw: bytes) -> bytes:
    return re.sub(rb"(?m)^(Auto-Submitted|List-[A-Za-z]+): .*\r\n", b"", raw)


@pytest.mark.parametrize(
    "relay", [lambda raw: raw, relayed_by_ses, relayed_by_outlook, relayed_by_graph]
)
@pytest.mark.parametrize("kind", ["acknowledgement", "reply", "resolution", "notice"])
def test_an_answer_finds_its_ticket_whatever_the_relay_replaced(kind: str, relay: object) -> None:
    arrived = parsed(relay(KINDS[kind]().raw))  # type: ignore[operator]

    token = BOOK.read(str(arrived["Reply-To"]), NOW)
    assert token is not None
    assert (token.state, token.ticket_id) == ("valid", "T-1")
    answer_references = [*str(arrived["References"]).split(), str(arrived["Message-ID"])]
    assert "T-1" in [BOOK.ticket_of(identity.strip("<>")) for identity in answer_references]


def test_the_longest_names_still_fit_into_an_address() -> None:
    box = (
        a_desk().mailboxes[0].model_copy(update={"address": "a" * 23 + "@" + "d" * 60 + ".example"})
    )
    desk = Desk.model_validate(
        a_desk().model_dump()
        | {"mailboxes": [box.model_dump(), a_desk().mailboxes[1].model_dump()]}
    )
    letters = Letters(paper(desk), RENDERER)

    letter = an_acknowledgement(a_case(), letters=letters, desk=desk, mailbox=box.address)

    address = field(letter, "Reply-To")
    assert len(address.partition("@")[0]) <= 64
    assert len(address) <= 254
    assert len(mailto(address, subject="[T-999999999999]", body="#resolve")) <= MAILTO_OCTETS


NASTY = st.text(alphabet='ab \r\n\0\x0b\x0c\x1c\x85\u2028\u2029\t:=?é日"\\<>', max_size=60)


@settings(max_examples=40, deadline=None)
@given(subject=NASTY, name=NASTY, file=NASTY, text=NASTY)
def test_nothing_that_people_write_adds_a_field(
    subject: str, name: str, file: str, text: str
) -> None:
    told = history(subject=f"{subject}\r\nBcc: victim@x.example")
    told.customer_writes("2026-11-20 09:00", from_addr=EMMA, from_name=name, reply_text=text)
    told.agent_answers("2026-11-20 09:30", ANA, reply_text=text + "\r\n.\r\nMAIL FROM:<>")
    known = {*parsed(a_reply()).keys(), *parsed(a_notice(a_case(), "note")).keys()}
    files = Files(sent=(File(f"{file}\r\nBcc: x.pdf", "a/b\r\nBcc: x", b"x"),))

    for letter in (an_answer(told, files=files), a_notice(told, "assigned", files=files)):
        assert parsed(letter)["Bcc"] is None
        assert set(parsed(letter).keys()) <= known
        assert b"\n" not in letter.raw.replace(b"\r\n", b"")


def test_what_the_customer_answered_at_opening_is_shown_as_text() -> None:
    told = a_case()
    pairs = (("serial-number", "NL-4711\n#close"), ("since", "<b>Monday</b>"))
    said = [GivenAnswer(field=name, value=value) for name, value in pairs]
    told.happens(
        events.QuestionsAnswered,
        "2026-11-20 09:05",
        by=f"customer:{EMMA}",
        answers=said,
        state={"fields": said},
    )

    letter = a_notice(told, "customer-answered")

    assert f"{'Serial number':<16} NL-4711 #close" in text_of(letter)
    assert "&lt;b&gt;Monday&lt;/b&gt;" in html_of(letter)
    assert "questions answered by" in text_of(letter)
