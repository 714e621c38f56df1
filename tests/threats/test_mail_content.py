"""What a hostile mail may hold: pictures, scripts, file names, disguises, and what no reader expects."""

import random
import re
import time
from pathlib import Path
from typing import Any

import pytest

from services.ingest import records
from services.ingest.own_fields import without_own_fields
from services.ingest.parse import parse
from services.ingest.reducing import mail_of, read, reading_of
from services.tickets.domain.trust import agent_refusal, line_of
from services.tickets.mail_commands import grammar
from services.tickets.mail_commands.words import BY_NAME
from shared.contracts.mail import MailReceived
from tests.builders import ANA, SUPPORT, a_desk, a_mail, an_address_book, an_agents_mail
from tests.service.ingest.memory import a_row

HEAD = b"From: Eve <eve@evil.example>\r\nTo: support@desk.example\r\nSubject: x\r\n"
HTML = HEAD + b"Content-Type: text/html; charset=utf-8\r\n\r\n"
CORPUS = sorted(Path(__file__).parents[1].joinpath("corpus").glob("*.eml"))

OWN_FIELDS = ("Reason", "Event", "Ticket", "Priority", "Agent", "Trust", "Token", "Customer-Id")


@pytest.mark.parametrize("name", OWN_FIELDS)
@pytest.mark.parametrize(
    "form", ["X-Postdesk-{}: high", "x-postdesk-{}:\r\n high", "X-POSTDESK-{}:1\r\n\t2"]
)
def test_t08_our_own_control_fields_have_no_effect_in_mail_from_outside(
    name: str, form: str
) -> None:
    field = form.format(name).encode() + b"\r\n"
    raw = HEAD + b"\r\nHello\r\n"

    assert without_own_fields(field + raw) == raw
    assert read(field + raw, ()).fields == read(raw, ()).fields


def test_t08_a_customers_words_are_no_commands() -> None:
    """Commands are read of agents' mails alone; this is what their reader would make of it."""
    text = "#close\n#assign ana"
    assert grammar.read(text, BY_NAME).commands

    assert agent_refusal(a_mail(text), a_desk())
    assert agent_refusal(a_mail(text, from_addr=ANA), a_desk())


CONFUSING = [
    "alice@corp.example)bob@evil.example",
    "<alice@corp.example>bob@evil.example",
    '"alice@corp.example" <bob@evil.example>',
    "alice@corp.example <bob@evil.example>",
    '"alice@corp.example"@evil.example',
    "alice(<bob@evil.example>)@corp.example",
    "alice@corp.example\x00@evil.example",
    "=?utf-8?q?alice=40corp.example=3E?= <bob@evil.example>",
    "<alice@corp.example>, <bob@evil.example>",
    "group: alice@corp.example, bob@evil.example;",
    "alice@corp.example bob@evil.example",
    "<@corp.example:bob@evil.example>",
    "alice@corp.example\r\nFrom: bob@evil.example",
    "bob@evil.example\r\nFrom: alice@corp.example",
]


@pytest.mark.parametrize("written", CONFUSING)
def test_t15_an_address_that_can_be_read_in_two_ways_is_nobodys(written: str) -> None:
    raw = f"From: {written}\r\nSubject: x\r\n\r\nx\r\n".encode("latin-1")

    mail = parse(raw)

    assert mail.from_addr != "alice@corp.example" or mail.from_count != 1


SCRIPTS = [
    "<script>x()</script>", "<img src=x onerror=x()>", "<svg onload=x()>", "<math><mtext></math>",
    "<a href='javascript:x()'>a</a>", "<a href='data:text/html,x'>a</a>", "<a href=' java\tscript:x()'>a</a>",
    "<iframe src=//evil.example></iframe>", "<object data=//evil.example></object>", "<embed src=//evil.example>",
    "<base href=//evil.example>", "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<link rel=stylesheet href=//evil.example>", "<style>@import '//evil.example'</style>",
    "<p style='background:url(//evil.example)'>p</p>", "<p class=x id=y>p</p>", "<table background=//evil.example></table>",
    "<img src=http://evil.example/p.gif>", "<img srcset='//evil.example 1x'>", "<picture><source srcset=//evil.example></picture>",
    "<video poster=//evil.example></video>", "<audio src=//evil.example></audio>", "<input type=image src=//evil.example>",
    "<form action=//evil.example><button>b</button></form>", "<body background=//evil.example onload=x()>",
    "<noscript><p title='</noscript><img src=x onerror=x()>'>", "<template><img src=x onerror=x()></template>",
    "<!--[if mso]><img src=http://evil.example><![endif]-->", "<a ping=//evil.example href=//ok.example>a</a>",
]  # fmt: skip
LOADS = re.compile(
    r"<(script|style|svg|math|iframe|object|embed|base|meta|link|form|input|button|video|audio|source|picture|template|noscript)\b"
    r"|\bon\w+\s*=|javascript:|data:|\b(style|class|id|srcset|background|poster|ping|action)\s*=|src\s*=\s*[\"']?(?!cid:)",
    re.IGNORECASE,
)  # fmt: skip


@pytest.mark.parametrize("script", SCRIPTS)
def test_t16_html_that_is_kept_runs_nothing_and_loads_nothing(script: str) -> None:
    html = parse(HTML + f"<p>before</p>{script}<p>after</p>".encode()).html

    assert "before" in html
    assert not LOADS.search(html), html


def test_t16_pictures_inside_the_mail_stay_and_links_tell_nothing() -> None:
    html = parse(HTML + b"<img src='cid:1@x'><a href='https://ok.example'>a</a>").html

    assert 'src="cid:1@x"' in html
    assert "noopener noreferrer" in html


@pytest.mark.parametrize("tag", ["div", "b", "table><tr><td", "ul><li", "font", "a href=x"])
def test_t17_deep_html_is_made_harmless_in_time(tag: str) -> None:
    raw = HTML + f"<{tag}>".encode() * 100_000 + b"words"
    began = time.process_time()

    mail = parse(raw)

    assert time.process_time() - began < 10  # the child's limit
    assert mail.defect == ""


NAMES = [
    "../../etc/passwd", "..\\..\\boot.ini", "/etc/passwd", "C:\\x\\y.doc", "a\x00.exe", "\u202egpj.exe",
    "..", ".", "", "\u2066x\u2069", "x" * 5_000, "a\r\nB: c", "~/.ssh/id_rsa", "file:///etc/passwd",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_t18_a_file_name_is_a_name_and_nothing_else(name: str) -> None:
    encoded = "".join(f"%{byte:02X}" for byte in name.encode())
    raw = (
        HEAD
        + (
            "MIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\n"
            f"Content-Disposition: attachment; filename*=utf-8''{encoded}\r\n\r\ndata\r\n"
        ).encode()
    )

    (file,) = read(raw, ()).fields["attachments"]

    assert file["name"]
    assert file["name"] not in {".", ".."}
    assert not re.search(r"[/\\\x00-\x1f\u202a-\u202e\u2066-\u2069]", file["name"])
    assert len(file["name"]) <= 400


def test_t18_files_are_kept_closed_and_only_so_many() -> None:
    part = b"--b\r\nContent-Type: application/zip\r\nContent-Disposition: attachment; filename=%d.zip\r\n\r\nPK\x03\x04\r\n"
    raw = HEAD + b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    raw += b"".join(part % n for n in range(10_000)) + b"--b--\r\n"

    reading = reading_of(mail_of(raw), ())

    assert len(reading.fields["attachments"]) <= 100
    assert reading.wants_raw  # what is left out is in the original
    assert reading.fields["unreadable"]


DISGUISES = [
    ("boss@corp.example", "x@evil.example", "another address (boss@corp.example)"),
    ("Support <boss@corp.example>", "x@evil.example", "another address"),
    ("P\u0430ypal", "p@evil.example", "several alphabets"),
    ("Ann", "ann@xn--pypal-4ve.example", "several alphabets"),
    ("Ann \u202etset", "ann@evil.example", "turns its letters"),
]


@pytest.mark.parametrize(("name", "address", "hint"), DISGUISES)
def test_t19_a_name_that_misleads_is_pointed_out(name: str, address: str, hint: str) -> None:
    assert hint in line_of(a_mail(from_name=name, from_addr=address))


@pytest.mark.parametrize(
    ("name", "address"),
    [("Ann Bee", "ann@x.example"), ("ann@x.example", "Ann@x.example"), ("Иван Petrov", "i@x.example"),
     ("山田 Taro たろう", "t@x.example"), ("", "a@x.example"), ("Müller, Ölaf", "o@xn--bcher-kva.example")],
)  # fmt: skip
def test_t19_honest_names_are_left_alone(name: str, address: str) -> None:
    assert "BEWARE" not in line_of(a_mail(from_name=name, from_addr=address))


@pytest.mark.parametrize(
    "charset", ["none", "utf-7", "x" * 300, "utf-16", "../../etc", "idna", "zlib", "hex"]
)
def test_t19_no_charset_makes_a_mail_unreadable(charset: str) -> None:
    raw = (
        HEAD
        + f"Content-Type: text/plain; charset={charset}\r\n\r\n".encode()
        + b"gr\xc3\xbc\xff \x00 words"
    )

    mail = parse(raw)

    assert mail.defect == ""
    assert "words" in mail.text or charset.startswith("utf-16")


def test_t14_no_mutated_mail_is_lost_whatever_the_reader_makes_of_it() -> None:
    chance = random.Random(5)
    book = an_address_book()
    originals = [path.read_bytes() for path in CORPUS]
    for number in range(600):
        raw = _mutated(chance, originals)
        row = a_row(f"in-{number}", raw) | {"mailbox": SUPPORT, "recipient": SUPPORT}

        reading = read(raw, ())
        blobs = [f"{row['_id']}/{n}" for n in range(len(reading.contents))]
        record: Any = records.announcement(row, reading, blobs, None, book).record

        assert isinstance(record, MailReceived)
        assert record.inbound_id == row["_id"]


def _mutated(chance: random.Random, originals: list[bytes]) -> bytes:
    raw = bytearray(chance.choice(originals))
    for _ in range(chance.randint(1, 12)):
        at = chance.randint(0, len(raw))
        match chance.randrange(3):
            case 0:
                raw[at : at + chance.randint(1, 60)] = chance.randbytes(chance.randint(0, 60))
            case 1:
                raw[at:at] = chance.choice(originals)[: chance.randint(1, 2_000)]
            case _:
                del raw[at : at + chance.randint(1, 500)]
    return bytes(raw)


def test_t01_an_agents_mail_is_refused_in_words_that_say_what_to_do() -> None:
    mail = an_agents_mail("#close", authentication={"dmarc": "temperror"})

    assert "send it again" in agent_refusal(mail, a_desk())
