"""What the services need beyond the report: identity, threading, bounces, safe HTML."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from services.ingest.parse import parse

CORPUS = Path(__file__).parents[2] / "corpus"


def corpus(name: str) -> bytes:
    return CORPUS.joinpath(f"{name}.eml").read_bytes()


def test_every_from_mailbox_is_counted_so_that_two_authors_are_seen() -> None:
    assert parse(corpus("header-two-froms")).from_count == 2
    assert parse(corpus("header-quoted-comma")).from_count == 1


def test_references_keep_their_order_and_lose_their_brackets() -> None:
    assert parse(corpus("header-references")).references == ["zero@x", "one@x"]


def test_the_date_is_aware() -> None:
    berlin = timezone(timedelta(hours=1))

    assert parse(corpus("gmail-reply-en")).date == datetime(2026, 11, 2, 9, 15, tzinfo=berlin)
    assert parse(b"Date: Mon, 2 Nov 2026 09:15:00 -0000\n\nx").date == datetime(
        2026, 11, 2, 9, 15, tzinfo=UTC
    )
    assert parse(b"Date: yesterday\n\nx").date is None


def test_a_bounce_names_the_mail_that_came_back_and_why() -> None:
    mail = parse(corpus("bounce-postfix"))

    assert (mail.bounce_kind, mail.bounce_status, mail.bounced_message_id) == (
        "failed",
        "5.1.1",
        "t7.1@desk.example",
    )


def test_a_report_that_knows_no_reason_takes_the_other_servers_code() -> None:
    raw = corpus("bounce-postfix")
    vague = raw.replace(b"Status: 5.1.1", b"Status: 5.0.0")
    assert vague != raw

    mail = parse(vague)

    assert (mail.bounce_status, mail.bounce_diagnostic) == ("5.1.1", "550 5.1.1 User unknown")


def test_a_delay_is_no_bounce() -> None:
    mail = parse(corpus("bounce-postfix-delayed"))

    assert (mail.bounce, mail.bounce_kind) == (False, "delayed")


def test_a_notice_in_free_text_names_the_mail_that_came_back() -> None:
    assert parse(corpus("bounce-qmail")).bounced_message_id == "t7.1@desk.example"


def test_a_forward_keeps_the_covering_note_and_the_original_date() -> None:
    mail = parse(corpus("forward-apple-en"))

    assert (mail.forwarded_note, mail.forwarded_date) == (
        "Can you check?",
        "2 November 2026 at 08:00:00 GMT+1",
    )


@pytest.mark.parametrize(
    ("header", "importance"),
    [
        ("X-Priority: 1 (Highest)", "high"),
        ("Importance: low", "low"),
        ("X-Priority: 3", "normal"),
        ("Priority: urgent", "high"),
    ],
)
def test_importance_is_read_from_every_header_that_states_it(header: str, importance: str) -> None:
    assert parse(f"{header}\n\nx".encode()).importance == importance


@pytest.mark.parametrize(
    ("name", "wrapper"),
    [
        ("smime-signed", "smime-signed"),
        ("smime-encrypted", "smime-encrypted"),
        ("pgp-encrypted", "pgp-encrypted"),
    ],
)
def test_a_wrapped_mail_says_so(name: str, wrapper: str) -> None:
    assert parse(corpus(name)).wrapper == wrapper


def test_an_attachment_keeps_its_bytes_type_and_content_id() -> None:
    (logo,) = parse(corpus("related-inline")).attachments

    assert (logo.name, logo.content_type, logo.content_id, logo.is_inline) == (
        "logo.png",
        "image/png",
        "logo@x",
        True,
    )
    assert logo.payload == b"\x89PNG\r\n\x1a\n12345678"


def test_an_attached_mail_is_kept_whole() -> None:
    (attached,) = parse(corpus("att-message")).attachments

    assert attached.payload.startswith(b"From: c@d.example")


def html_mail(body: str) -> bytes:
    return b"Content-Type: text/html; charset=utf-8\n\n" + body.encode()


@pytest.mark.parametrize(
    ("attack", "forbidden"),
    [
        ("<script>alert(1)</script>x", "alert"),
        ('<img src="http://tracker.example/p.gif">', "tracker"),
        ('<p onclick="evil()">x</p>', "onclick"),
        ('<a href="javascript:evil()">x</a>', "javascript"),
        ('<form action="http://evil.example"><input name=p></form>', "form"),
        ('<base href="http://evil.example/">x', "base"),
        ('<meta http-equiv=refresh content="0;url=http://evil.example">x', "refresh"),
        ('<div style="background:url(http://evil.example)">x</div>', "evil"),
        ('<svg><a xlink:href="javascript:evil()">x</a></svg>', "evil"),
        ("<style>body{background:url(//evil.example)}</style>x", "evil"),
        ('<iframe src="http://evil.example"></iframe>x', "evil"),
    ],
)
def test_html_is_stored_without_what_acts_or_loads(attack: str, forbidden: str) -> None:
    assert forbidden not in parse(html_mail(attack)).html


def test_inline_pictures_and_the_original_survive() -> None:
    body = '<p>Hi <img src="cid:logo@x" alt="Logo"></p>'

    mail = parse(html_mail(body))

    assert 'src="cid:logo@x"' in mail.html
    assert mail.original_html.strip() == body


def test_authentication_results_are_handed_on_unjudged_topmost_first() -> None:
    raw = b"Authentication-Results: mx.one;\n dkim=pass\nAuthentication-Results: mx.two; spf=fail\n\nx"

    assert parse(raw).authentication_results == ["mx.one; dkim=pass", "mx.two; spf=fail"]
