"""Expressions that are asked about lower-case words must not wait for a capital."""

import re

import pytest

from services.ingest.parse import senders
from services.ingest.parse.words import delimiters, footers, subjects, vacation
from services.ingest.parse.words.casing import lowered

OF_LOWER_CASE = {
    "reply above": delimiters._REPLY_ABOVE,
    "automatic words": vacation.AUTOMATIC_WORDS,
    "weak subject": vacation.WEAK_SUBJECT,
    "daemon": senders._DAEMON,
    "daemon's name": senders._DAEMON_NAME,
    "bounce": subjects.BOUNCE_SUBJECT,
    "footer": footers.MOBILE,
    "footer, device first": footers.MOBILE_LAST,
}
ESCAPE = re.compile(r"\\.")


@pytest.mark.parametrize("name", OF_LOWER_CASE)
def test_an_expression_for_lower_case_has_no_capital(name: str) -> None:
    without_escapes = ESCAPE.sub("", OF_LOWER_CASE[name].pattern)

    assert without_escapes == without_escapes.lower()


@pytest.mark.parametrize(
    ("capitals", "small"),
    [
        ("TESLİM EDİLEMEDİ", "teslim edilemedi"),
        ("НЕ ДОСТАВЛЕН", "не доставлен"),
        ("ÉCHEC", "échec"),
    ],
)
def test_capitals_of_other_languages_are_read_as_the_small_letters(
    capitals: str, small: str
) -> None:
    assert lowered(capitals) == small
