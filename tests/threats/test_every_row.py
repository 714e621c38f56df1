"""Each row of the threat table has a test that is named after it."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
NAMED = re.compile(r"^(?:async )?def test_t(\d\d)_", re.MULTILINE)
ROWS = {
    1: "somebody acts in an agent's name",
    2: "Reply-To, Sender or a second From take over a ticket",
    3: "a guessed number and a copy open a conversation to a stranger",
    4: "a third party's verification mail becomes readable",
    5: "a copied reply address makes a sender",
    6: "a reply address is forged",
    7: "a verdict is written in our relay's name",
    8: "control fields come with the mail",
    9: "mail goes round in circles",
    10: "acknowledgements hit people who wrote nothing",
    11: "a forged report ends mail or annoys",
    12: "a header field is smuggled into our mail",
    13: "a mail is too dear to read",
    14: "a mail breaks the reader",
    15: "an address is read in two ways",
    16: "HTML runs or loads something",
    17: "HTML is too dear to make harmless",
    18: "files have names or numbers that hurt",
    19: "charsets and names mislead",
    20: "a signed mail is sent again with words added",
    21: "DNS stalls or is flooded",
    22: "a link is followed by a scanner",
    23: "a mail of ours is cut in two",
    24: "requests for mail flood somebody",
    25: "replies tell of our inside",
    26: "logs tell of mails",
}


def named_rows() -> set[int]:
    texts = (path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py"))
    return {int(row) for text in texts for row in NAMED.findall(text)}


def test_every_row_of_the_threat_table_has_a_test() -> None:
    named = named_rows()

    assert not {row: what for row, what in ROWS.items() if row not in named}


def test_no_test_is_named_after_a_row_that_does_not_exist() -> None:
    assert named_rows() <= ROWS.keys()
