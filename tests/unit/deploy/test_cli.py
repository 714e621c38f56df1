import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli import build
from deploy.cli.doctor.finding import CHECKS, Check, error, ok, warning
from deploy.cli.inbox import as_row
from deploy.cli.reply import POLICY, answer_to
from deploy.cli.send import envelope_of
from deploy.local import maildir

LONG_ID = "<" + "a" * 120 + "@desk.example>"


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(build(), words, env={"COLUMNS": "200", "TERM": "dumb"})
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("raw", "sender", "recipients"),
    [
        (b"From: A <a@x.example>\nTo: b@x.example\n\n", "a@x.example", ["b@x.example"]),
        (
            b"From: a@x.example\nTo: B <b@x.example>, c@x.example\nCc: c@x.example\nBcc: d@x.example\n\n",
            "a@x.example",
            ["b@x.example", "c@x.example", "d@x.example"],
        ),
        (b"Subject: no addresses\n\n", "", []),
        (b"From: \xff\nTo: undisclosed-recipients:;\n\n", "", []),
    ],
)
def test_the_envelope_is_taken_from_the_headers(
    raw: bytes, sender: str, recipients: list[str]
) -> None:
    assert envelope_of(raw)[1] == recipients
    assert envelope_of(raw)[0] in {sender, "\ufffd"}


def stored(tmp_path: Path, raw: bytes) -> maildir.StoredMail:
    maildir.deliver(tmp_path, "ana@x.example", raw, sender="")
    return maildir.mails(tmp_path, "ana@x.example")[-1]


def test_an_answer_goes_where_the_mail_asks_and_joins_its_thread(tmp_path: Path) -> None:
    raw = (
        f"From: Desk <support@desk.example>\nReply-To: <support+token@desk.example>\n"
        f"Subject: [T-1] Hi\nMessage-ID: {LONG_ID}\nReferences: <1@x>\n <2@x>\n\nhello\n"
    ).encode()

    answer, recipient = answer_to(stored(tmp_path, raw), "ana@x.example", "Ana", "#take\n\nHello")

    lines = answer.as_bytes(policy=POLICY).split(b"\r\n")
    assert recipient == "support+token@desk.example"
    assert f"References: <1@x> <2@x> {LONG_ID}".encode() in lines
    assert f"In-Reply-To: {LONG_ID}".encode() in lines
    assert b"Subject: Re: [T-1] Hi" in lines
    assert answer.get_content() == "#take\n\nHello\n"


def test_re_is_not_repeated(tmp_path: Path) -> None:
    mail = stored(tmp_path, b"From: a@x.example\nSubject: RE: hi\n\n")

    assert answer_to(mail, "ana@x.example", "", "x")[0]["Subject"] == "RE: hi"


def test_the_inbox_shows_what_programs_ask_for(tmp_path: Path) -> None:
    raw = (
        b"From: =?utf-8?q?J=C3=BCrgen?= <j@x.example>\nSubject: =?utf-8?b?8J+YgA==?=\n"
        b"Message-ID: <1@x.example>\nContent-Type: text/plain; charset=latin-1\n\ngr\xfc\xdfe\n"
    )
    maildir.deliver(tmp_path / "mailboxes", "ana@x.example", raw, sender="")

    code, output = run("inbox", "ana@x.example", "--json", "--state-dir", str(tmp_path))

    [mail] = json.loads(output)
    assert code == 0
    assert mail["from"] == "Jürgen <j@x.example>"
    assert mail["subject"] == "😀"
    assert mail["message_id"] == "1@x.example"
    assert mail["text"] == "grüße\n"
    assert Path(mail["path"]).read_bytes().endswith(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"Content-Type: text/plain; charset=no-such\n\nx",
        b"Content-Type: multipart/mixed\n\nno boundary",
        b"From: \xff\xfe <@>\nMessage-ID: <<>>\nDate: never\n\n",
        b"Content-Type: image/png\nContent-Transfer-Encoding: base64\n\n!!!",
    ],
)
def test_a_broken_mail_is_shown_as_far_as_it_goes(tmp_path: Path, raw: bytes) -> None:
    row = as_row(stored(tmp_path, raw))

    assert set(row) >= {"from", "subject", "message_id", "text", "path"}


def test_an_address_without_mail_is_no_error(tmp_path: Path) -> None:
    assert run("inbox", "nobody@x.example", "--json", "--state-dir", str(tmp_path)) == (0, "[]\n")


@pytest.mark.parametrize("command", [["status"], ["topics"], ["send", __file__]])
def test_without_a_stack_a_command_says_how_to_start_one(
    command: list[str], tmp_path: Path
) -> None:
    code, output = run(*command, "--state-dir", str(tmp_path))

    assert code == 1
    assert "No stack is running" in output
    assert "postdesk up" in output
    assert "Traceback" not in output


def test_nothing_to_end_is_no_error(tmp_path: Path) -> None:
    assert run("down", "--state-dir", str(tmp_path)) == (0, "No stack is running.\n")


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> dict[str, Check]:
    CHECKS_NOW: dict[str, Check] = {}  # noqa: N806 - stands in for a constant
    monkeypatch.setattr("deploy.cli.doctor.CHECKS", CHECKS_NOW)
    return CHECKS_NOW


FINDINGS = {
    "ok": lambda _: ok("fine"),
    "warning": lambda _: warning("tight", consequence="slow", fix="wait"),
    "error": lambda _: error("broken", consequence="nothing works", fix="mend"),
}


@pytest.mark.parametrize(
    ("levels", "code"),
    [(["ok"], 0), (["ok", "warning"], 1), (["warning", "error", "ok"], 2)],
)
def test_the_doctors_code_is_that_of_the_worst_finding(
    checks: dict[str, Check], tmp_path: Path, levels: list[str], code: int
) -> None:
    for level in levels:
        checks[level] = Check(level, "", FINDINGS[level], needs_stack=False)

    exit_code, output = run("doctor", "--json", "--state-dir", str(tmp_path))

    assert exit_code == code
    assert [row["level"] for row in json.loads(output)] == levels


def test_the_doctor_skips_what_needs_a_stack_unless_asked_for_it(
    checks: dict[str, Check], tmp_path: Path
) -> None:
    checks["kafka"] = Check("kafka", "", FINDINGS["ok"], needs_stack=True)
    where = ["--state-dir", str(tmp_path)]

    assert run("doctor", "--json", *where)[0] == 0
    assert run("doctor", "--json", "--run", "kafka", *where)[0] == 2
    assert run("doctor", "--run", "nonsense", *where)[0] == 1


def test_a_finding_is_shown_with_consequence_and_fix(
    checks: dict[str, Check], tmp_path: Path
) -> None:
    checks["it"] = Check("it", "", FINDINGS["error"], needs_stack=False)

    output = run("doctor", "--state-dir", str(tmp_path))[1]

    assert "broken" in output
    assert "Consequence: nothing works" in output
    assert "Fix: mend" in output


def test_every_check_is_listed() -> None:
    code, output = run("doctor", "--list", "--json")

    assert code == 0
    assert {row["id"] for row in json.loads(output)} == set(CHECKS)
    assert all(row["about"] for row in json.loads(output))
