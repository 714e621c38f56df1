"""The one way from bytes to mail: read the tree, then ask each question of it."""

import re
from dataclasses import replace

from services.ingest.parse import automated, autoreply, bounce, forwards, html
from services.ingest.parse.addresses import Mailbox, mailboxes, unclear
from services.ingest.parse.bodies import charset_hint
from services.ingest.parse.content import Content, content_of
from services.ingest.parse.encoded_words import header_text
from services.ingest.parse.headers import Headers
from services.ingest.parse.identifiers import date_of, first_id, message_ids
from services.ingest.parse.mail import Importance, Mail, Wrapper
from services.ingest.parse.minimal import minimal
from services.ingest.parse.spam import hop_count, spam_fields
from services.ingest.parse.structure import Part, read

_KEPT_HEADERS = (
    "x-mailer", "user-agent", "list-id", "precedence", "return-path", "delivered-to",
    "x-original-to", "sender", "content-language", "x-loop",
)  # fmt: skip


def parse(raw: bytes) -> Mail:
    """Return the mail that the bytes hold; what cannot be read yields the stub of ``minimal``."""
    try:
        return _parse(raw)
    except Exception as error:  # noqa: BLE001 - whatever bytes lead to must not stop the next mail
        return minimal(raw, f"parser: {type(error).__name__}")


def _parse(raw: bytes) -> Mail:
    root = read(raw)
    hint = charset_hint(root)
    content = content_of(root)
    mail = _from_headers(root.headers, hint, content)
    mail = replace(mail, wrapper=_wrapper(root))
    failure = bounce.read_bounce(root, mail)
    reply = autoreply.is_autoreply(root, mail, failure)
    forward = forwards.read_forward(root, mail, content.lines)
    return replace(
        mail,
        bounce=failure.kind == "failed",
        bounce_kind=failure.kind,
        bounce_recipients=list(failure.recipients),
        bounce_status=failure.status,
        bounce_diagnostic=failure.diagnostic,
        bounced_message_id=failure.message_id,
        autoreply=reply,
        automated=automated.is_automated(root, mail, failure) or reply,
        forwarded=forward is not None,
        forwarded_from=forward.sender if forward else "",
        forwarded_subject=forward.subject if forward else "",
        forwarded_date=forward.date if forward else "",
        forwarded_note=mail.reply_text if forward else "",
    )


def _from_headers(headers: Headers, hint: str, content: Content) -> Mail:
    senders = [box for value in headers.all("from") for box in mailboxes(value, hint)]
    sender = senders[0] if senders else Mailbox("", "")
    answers = [box for value in headers.all("reply-to") for box in mailboxes(value, hint)]
    answers = [box for box in answers if box.address]
    return Mail(
        subject=header_text(headers.get("subject"), hint),
        from_addr=sender.address,
        from_name=sender.name,
        from_count=len(senders) + unclear(headers.all("from")),
        to_addrs=_addresses(headers, "to"),
        cc_addrs=_addresses(headers, "cc"),
        reply_to=[box.address for box in answers],
        reply_to_name=answers[0].name if answers else "",
        reply_to_count=len(answers) + unclear(headers.all("reply-to")),
        message_id=first_id(headers.get("message-id")),
        in_reply_to=first_id(headers.get("in-reply-to")),
        references=message_ids(headers.get("references")),
        date=date_of(headers.get("date")),
        text=content.text,
        reply_text=content.reply_text,
        attachments=content.attachments,
        html=html.sanitised(content.html),
        original_html=content.html,
        spam_fields=spam_fields(headers),
        hop_count=hop_count(headers),
        importance=_importance(headers),
        auto_submitted=re.split(r"[;(]", headers.word("auto-submitted"))[0].strip(),
        thread_index="".join(headers.get("thread-index").decode("ascii", "replace").split()),
        thread_topic=header_text(headers.get("thread-topic"), hint),
        authentication_results=[header_text(v) for v in headers.all("authentication-results")],
        headers={
            name: header_text(headers.get(name), hint) for name in _KEPT_HEADERS if name in headers
        },
    )


def _addresses(headers: Headers, name: str) -> list[str]:
    return [box.address for value in headers.all(name) for box in mailboxes(value) if box.address]


def _importance(headers: Headers) -> Importance:
    """Read Importance, X-Priority and X-MSMail-Priority (RFC 2156, 5.3.6; the others by custom)."""
    words = " ".join(
        headers.word(n) for n in ("importance", "x-priority", "x-msmail-priority", "priority")
    )
    if (
        "high" in words
        or words.strip().startswith(("1", "2"))
        or "urgent" in words.replace("non-urgent", "")
    ):
        return "high"
    if "low" in words or words.strip().startswith(("4", "5")) or "non-urgent" in words:
        return "low"
    return "normal"


def _wrapper(root: Part) -> Wrapper:
    protocol = root.params.get("protocol", "").lower()
    kind = root.params.get("smime-type", "").lower()
    match root.content_type:
        case "multipart/signed":
            return "pgp-signed" if "pgp" in protocol else "smime-signed"
        case "multipart/encrypted":
            return "pgp-encrypted"
        case "application/pkcs7-mime" | "application/x-pkcs7-mime":
            return "smime-signed" if kind == "signed-data" else "smime-encrypted"
    return "pgp-encrypted" if b"-----BEGIN PGP MESSAGE-----" in root.body[:2000] else ""
