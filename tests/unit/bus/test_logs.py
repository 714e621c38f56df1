import json
import subprocess
import sys

import pytest

from shared import logs
from shared.mongo import BulkWriteError, DuplicateKeyError
from tests.bus_records import Noted

PROGRAM = """
import logging, structlog
from shared import logs

def work(secret):
    {}["k"]

logs.configure("tickets")
with structlog.contextvars.bound_contextvars(correlation_id="c-1"):
    structlog.get_logger("x").info("batch", records=3)
logging.getLogger("some.library").warning("odd %s", "thing")
try:
    work("my card number")
except KeyError:
    structlog.get_logger("x").exception("failed")
logging.getLogger("mail.log").info("a line of a mail")
logging.getLogger("aiokafka.conn").error("no connection, as ten times a second")
"""


@pytest.fixture(scope="module")
def lines() -> list[dict]:
    """What a process writes; in this one, pytest's own handlers are in the way."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True)
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_a_line_is_one_json_object_with_service_and_bound_ids(lines) -> None:
    assert (
        lines[0].items()
        >= {
            "event": "batch",
            "service": "tickets",
            "correlation_id": "c-1",
            "records": 3,
            "level": "info",
        }.items()
    )


def test_libraries_write_the_same_lines(lines) -> None:
    assert (lines[1]["event"], lines[1]["logger"]) == ("odd thing", "some.library")


def test_an_exception_is_part_of_its_line_without_the_variables(lines) -> None:
    assert lines[2]["error"] == "KeyError: 'k'"
    assert lines[2]["at"][-1].endswith(" work")
    assert "card" not in json.dumps(lines[2])


def test_what_libraries_say_of_each_mail_and_record_is_left_out(lines) -> None:
    assert len(lines) == 3


def test_errors_are_described_without_the_values_that_they_quote() -> None:
    with pytest.raises(ValueError, match="text") as invalid:
        Noted.model_validate({"text": ["my card number"]})
    details = {"keyPattern": {"address": 1}, "keyValue": {"address": "ann@example.com"}}
    twice = DuplicateKeyError("E11000 { address: ann@example.com }", 11000, details)
    many = BulkWriteError({"writeErrors": [{"code": 11000, "op": {"text": "my card number"}}]})

    assert logs.describe(invalid.value) == "ValidationError: Noted ['text: string_type']"
    assert logs.describe(twice) == "DuplicateKeyError: key ['address']"
    assert logs.describe(many) == "BulkWriteError: codes [11000]"
