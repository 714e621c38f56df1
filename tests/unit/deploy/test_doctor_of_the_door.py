"""What the doctor makes of ingest's health report."""

import json
from pathlib import Path

import pytest

from deploy.cli.doctor import mail
from tests.unit.deploy.test_welcome import a_stack


@pytest.mark.parametrize(
    ("report", "level", "cause"),
    [
        ({"checks": {"disk": {"ok": True, "detail": "much"}}}, "ok", "much"),
        ({"checks": {"disk": {"ok": False, "detail": "little"}}}, "error", "little"),
        ({"checks": {}}, "error", "does not tell"),
        (None, "error", "does not tell"),
    ],
)
def test_too_little_room_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, report: object, level: str, cause: str
) -> None:
    text = json.dumps(report) if report else ""
    monkeypatch.setattr(mail.health, "ask", lambda _place, _path: (200, text))

    stack = a_stack(tmp_path).model_copy(update={"metrics": {"ingest": "http://127.0.0.1:1"}})
    found = mail.room(stack)

    assert found.level == level
    assert cause in found.cause
