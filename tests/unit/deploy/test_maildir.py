from pathlib import Path

import pytest

from deploy.local import maildir


def test_a_mail_is_delivered_whole_with_its_envelope(tmp_path: Path) -> None:
    maildir.deliver(tmp_path, "Ann@X.example", b"Subject: hi\r\n\r\none\r\ntwo\r\n", sender="")

    [mail] = maildir.mails(tmp_path, "ann@x.example")
    assert mail.raw == (b"Return-Path: <>\nDelivered-To: Ann@X.example\nSubject: hi\n\none\ntwo\n")
    assert mail.path.parent == tmp_path / "ann@x.example" / "new"
    assert list((tmp_path / "ann@x.example" / "tmp").iterdir()) == []


def test_mails_come_oldest_first_whatever_a_mail_program_did_to_them(tmp_path: Path) -> None:
    for subject in ("a", "b", "c"):
        text = f"Subject: {subject}\n\n".encode()
        path = maildir.deliver(tmp_path, "ann@x.example", text, sender="s@x.example")
        if subject != "b":
            path.rename(path.parents[1] / "cur" / f"{path.name}:2,S")

    found = maildir.mails(tmp_path, "ann@x.example")

    assert [mail.message["Subject"] for mail in found] == ["a", "b", "c"]


def test_an_address_without_mailbox_has_no_mail(tmp_path: Path) -> None:
    assert maildir.mails(tmp_path, "nobody@x.example") == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "address", ["", "ann", "../ann@x.example", "ann@../x", "a/b@x", "a b@x", ".@x", "ann@", "@x"]
)
def test_no_folder_is_made_outside_of_the_mailboxes(address: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no address"):
        maildir.folder_of(tmp_path, address)


def test_mailboxes_are_listed_by_address(tmp_path: Path) -> None:
    for address in ("b@x.example", "a@x.example"):
        maildir.deliver(tmp_path, address, b"\n", sender="")

    assert maildir.addresses(tmp_path) == ["a@x.example", "b@x.example"]
