from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from deploy.cli import welcome
from deploy.cli.output import STATE
from deploy.local import maildir
from deploy.local.demo import FirstMail
from deploy.local.facts import Person, StackFacts

EMMA = Person(address="emma@x.example", name="Emma [brand]", account="A-1")
ANA = Person(address="ana@y.example", name="Ana Lopez", role="agent")


def a_stack(state: Path, *, imap: str = "127.0.0.1:1143") -> StackFacts:
    return StackFacts(
        smtp="127.0.0.1:2525", imap=imap, outgoing="127.0.0.1:1025", relay="127.0.0.1:1025",
        kafka="127.0.0.1:9092", mongo="mongodb://127.0.0.1/", metrics={},
        mailboxes=["support@desk.example"], customers=[EMMA], agents=[ANA],
        state_dir=str(state), config="desk.yaml", pid=1, started_at=1.0,
    )  # fmt: skip


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Console:
    console = Console(record=True, width=120, file=StringIO())
    monkeypatch.setattr(welcome, "console", console)
    monkeypatch.setattr("deploy.cli.inbox.console", console)
    return console


def test_a_new_user_reads_where_to_write_what_to_paste_and_how_to_stop(
    tmp_path: Path, shown: Console
) -> None:
    maildir.deliver(tmp_path, ANA.address, b"Subject: [T-1] Down\n\nLook [here].\n", sender="")
    [notice] = maildir.mails(tmp_path, ANA.address)

    welcome.show(a_stack(tmp_path), FirstMail(EMMA, ANA, notice))

    text = shown.export_text()
    assert "Emma [brand] wrote to support@desk.example" in text
    assert "[T-1] Down" in text
    assert "Look [here]." in text
    assert "SMTP 127.0.0.1:1025, IMAP 127.0.0.1:1143" in text
    assert (
        f"reply ana@y.example '#take' '' 'Hello Emma, we are on it.' --state-dir {tmp_path}" in text
    )
    assert "development set-up" in text
    assert "down --state-dir" in text


def test_with_a_real_relay_no_local_mailboxes_are_promised(tmp_path: Path, shown: Console) -> None:
    welcome.show(a_stack(tmp_path, imap=""), None)

    text = shown.export_text()
    assert "IMAP" not in text
    assert "SMTP 127.0.0.1:2525" in text


def test_the_usual_folder_is_not_named_and_odd_ones_are_quoted(tmp_path: Path) -> None:
    usual = welcome.command(a_stack(STATE.resolve()), "down")
    odd = welcome.command(a_stack(tmp_path / "my desk"), "down")

    assert usual.endswith("postdesk down")
    assert odd.endswith(f"down --state-dir '{tmp_path / 'my desk'}'")
