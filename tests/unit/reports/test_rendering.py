"""The words and files of a report."""

import csv
import io
import re
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

from services.reports import csv_files, render
from services.reports.domain.monthly import Monthly, monthly
from services.reports.domain.months import Month
from services.reports.domain.rows import Rating, Resolution, TargetRow, TicketRow, WorkRow
from shared.config.models import Desk
from tests.ticket_history import at

BERLIN = ZoneInfo("Europe/Berlin")
DESK = Desk.model_validate(
    {
        "name": "Hoffmann & Söhne",
        "host": "desk.example",
        "mailboxes": [{"address": "support@desk.example", "brand": "Example", "team": "support"}],
        "teams": [{"name": "support", "members": ["ana@x.example"]}],
        "agents": [{"address": "ana@x.example", "name": "Ana <3"}],
    }
)


def november(**fields: object) -> Monthly:
    row = TicketRow.model_validate(
        {
            "ticket_id": "T-7",
            "seq": 9,
            "subject": "No dial tone",
            "category": "fault",
            "mailbox": "support@desk.example",
            "assignee": "ana@x.example",
            "opened_at": at("2026-11-05 09:00"),
            "updated_at": at("2026-11-06 09:00"),
            "started_at": at("2026-11-05 09:00"),
            "status_since": at("2026-11-06 09:00"),
            "first_response_at": at("2026-11-05 10:30"),
            "targets": [
                TargetRow(
                    target="first-response", cycle=1, ended_at=at("2026-11-05 10:30"), used_s=5400
                )
            ],
            "resolutions": [
                Resolution(
                    at=at("2026-11-06 09:00"),
                    since=at("2026-11-05 09:00"),
                    agent="ana@x.example",
                    open_s=60,
                )
            ],
            "ratings": [
                Rating(
                    cycle=1,
                    score=4,
                    comment="fine",
                    at=at("2026-11-07 09:00"),
                    agent="ana@x.example",
                )
            ],
            **fields,
        }
    )
    done = [
        WorkRow(
            id="T-7.2",
            ticket_id="T-7",
            seq=2,
            agent="ana@x.example",
            kind="answer",
            at=at("2026-11-05 10:30"),
        )
    ]
    return monthly([row], done, month=Month(2026, 11), zone=BERLIN, desk=DESK)


class Words(HTMLParser):
    """The text of HTML as words; of pictures nothing."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.feed(html.partition("</head>")[2])

    def handle_data(self, data: str) -> None:
        self.words += re.findall(r"[\w.]*\w", data.lower())


def rows_of(file: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.decode("utf-8-sig"))))


def test_the_text_says_every_word_that_the_html_says() -> None:
    month = november()

    text = set(re.findall(r"[\w.]*\w", render.text_of(month).lower()))

    assert set(Words(render.html_of(month, [])).words) - text <= {
        "target",
        "agent",
        "handled",
        "late",
        "kept",
    }


def test_the_html_shows_the_pictures_that_there_are_by_content_id() -> None:
    html = render.html_of(november(), ["days", "hours"])

    assert re.findall(r'src="(.*?)"', html) == [
        "cid:days.2026-11@report",
        "cid:hours.2026-11@report",
    ]
    assert html.count("alt=") == 2


def test_names_of_strangers_are_no_markup() -> None:
    html = render.html_of(november(category="<script>"), [])

    assert "<script>" not in html
    assert "Ana &lt;3" in html
    assert "Hoffmann &amp; Söhne" in html


def test_a_month_in_which_nothing_happened_is_a_report_too() -> None:
    empty = monthly([], [], month=Month(2026, 2), zone=BERLIN, desk=DESK)

    assert "Nothing was answered or resolved." in render.text_of(empty)
    assert "No target ended in this month." in render.html_of(empty, [])


def test_the_html_stays_far_below_where_mail_programs_cut_it() -> None:
    months = november(category="x" * 100)

    assert (
        len(render.html_of(months, ["days", "hours", "compliance", "categories"]).encode()) < 60_000
    )


def test_durations_are_said_in_hours_never_in_days() -> None:
    told = [render.duration(seconds) for seconds in (0, 59, 60, 3599, 3600, 90_000)]

    assert told == ["0 s", "59 s", "1 m", "1 h 00 m", "1 h 00 m", "25 h 00 m"]


def test_a_share_is_100_only_if_it_is_all() -> None:
    assert [render.percent(share) for share in (1.0, 0.999, 0.0, None)] == [
        "100 %",
        "99 %",
        "0 %",
        "–",
    ]


def test_a_ticket_is_one_line_with_times_in_the_reports_zone() -> None:
    (line,) = rows_of(csv_files.tickets_csv(november(), DESK))

    assert line["ticket"] == "T-7"
    assert line["first_response_at"] == "2026-11-05T11:30:00+01:00"
    assert (line["first_response_s"], line["resolution_s"], line["rating"]) == (
        "5400",
        "86400",
        "4",
    )
    assert (line["targets_met"], line["targets_missed"]) == ("1", "0")


def test_a_subject_is_never_a_formula() -> None:
    (line,) = rows_of(
        csv_files.tickets_csv(november(subject='=HYPERLINK("http://x.example")'), DESK)
    )

    assert line["subject"].startswith("'=")


def test_all_figures_are_in_the_second_file() -> None:
    lines = rows_of(csv_files.summary_csv(november()))
    figures = {(one["section"], one["name"], one["measure"]): one["value"] for one in lines}

    assert figures["time", "first_response", "median_s"] == "5400"
    assert figures["sla", "all", "rate"] == "1.0000"
    assert figures["agent", "ana@x.example", "handled"] == "1"
    assert figures["satisfaction", "all", "average"] == "4.0000"
    assert figures["category", "fault", "opened"] == "1"
