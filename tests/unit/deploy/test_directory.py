from pathlib import Path

import pytest

from deploy.local.demo import DIRECTORY_FILE
from deploy.local.directory import people, read
from deploy.local.errors import StackError
from shared.contracts.directory import Contact, Invoice


def test_the_demos_customers_are_entries_of_the_topic() -> None:
    entries = read(DIRECTORY_FILE)

    assert {entry.key for entry in entries} >= {"account:A-100", "contact:C-201", "service:S-3001"}
    assert next(str(e.amount) for e in entries if isinstance(e, Invoice)) == "148.90"
    assert people(entries)[0].address == "emma@harbour-bakery.example"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("custommers: []", "custommers"),
        ("- a\n- b", "no sections"),
        ("accounts: [", "cannot be read"),
        ("contacts: [{id: C-1, account_id: A-1, name: Ann, addresses: []}]", "contacts C-1"),
        ("accounts: [7]", "accounts"),
    ],
)
def test_a_wrong_file_is_refused_with_the_entry_that_is_wrong(
    text: str, reason: str, tmp_path: Path
) -> None:
    file = tmp_path / "customers.yaml"
    file.write_text(text)

    with pytest.raises(StackError) as refused:
        read(file)

    assert "customers.yaml" in refused.value.cause
    assert reason in refused.value.cause


def test_a_contact_is_a_person_by_the_first_address(tmp_path: Path) -> None:
    contact = Contact(
        id="C-1", account_id="A-1", name="Ann", addresses=["a@x.example", "b@x.example"]
    )

    assert people([contact])[0].shown() == {
        "address": "a@x.example",
        "name": "Ann",
        "account": "A-1",
    }
