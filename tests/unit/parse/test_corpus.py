"""Every mail of the corpus reads as the report beside it says."""

import json
from pathlib import Path

import pytest

from services.ingest.parse import parse
from services.ingest.parse.prescan import prescan

CORPUS = sorted(Path(__file__).parents[2].joinpath("corpus").glob("*.eml"))


@pytest.mark.parametrize("path", CORPUS, ids=lambda p: p.stem)
def test_the_report_is_the_expected_one(path: Path) -> None:
    expected = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))

    report = parse(path.read_bytes()).as_report()

    assert report == expected


def test_no_honest_mail_is_held_back_by_the_limits() -> None:
    held = [path.stem for path in CORPUS if prescan(path.read_bytes()) is not None]

    assert held == []


def test_no_good_mail_of_the_corpus_is_taken_for_a_bounce() -> None:
    good = [path for path in CORPUS if not path.stem.startswith("bounce-")]

    assert [path.stem for path in good if parse(path.read_bytes()).bounce] == []


def test_the_corpus_has_not_shrunk() -> None:
    assert len(CORPUS) >= 250


def test_line_ends_do_not_change_what_a_mail_says() -> None:
    for path in CORPUS:
        raw = path.read_bytes()
        if b"\r" in raw:
            continue

        report = parse(raw.replace(b"\n", b"\r\n")).as_report()

        assert report == json.loads(path.with_suffix(".json").read_text(encoding="utf-8")), (
            path.stem
        )
