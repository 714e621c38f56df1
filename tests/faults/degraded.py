"""A small desk on real servers, of which a test takes one part away and gives it back."""

import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from ruamel.yaml import YAML

from deploy.local.correspondent import Letter
from deploy.local.providers.choice import Backends
from tests.acceptance.company import until
from tests.name_server import signed
from tests.own_desk import OwnDesk

WITHIN_S = 90.0
GUIDE = Path(__file__).parents[2] / "docs/administrator.md"
_HEADING = "| down |"

DRIVEN: dict[str, str] = {}
"""Test by the row of the guide's table that it drives."""


def without(row: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Mark the test of a row of the guide's table of what happens when a part is down."""

    def mark(test: Callable[..., None]) -> Callable[..., None]:
        DRIVEN[row] = test.__name__
        return test

    return mark


def rows_of_the_guide() -> list[str]:
    lines = iter(GUIDE.read_text(encoding="utf-8").splitlines())
    next(line for line in lines if line.startswith(_HEADING))
    next(lines)
    rows = []
    for line in lines:
        if not line.startswith("|"):
            return rows
        rows.append(line.split("|")[1].strip())
    return rows


@dataclass
class DegradedDesk:
    """What tests ask of the desk; ``emma`` writes, ``ana`` has all tickets."""

    desk: OwnDesk
    backends: Backends
    config: Path
    _subjects: int = field(default=0)

    def __post_init__(self) -> None:
        self.emma = self.desk.person("emma@harbour-bakery.example", "Emma")
        self.ana = self.desk.person("ana@desk-team.example", "Ana")

    def subject(self) -> str:
        self._subjects += 1
        return f"Question number {self._subjects:03}"

    def write(self, to: str = "support@desk.example") -> str:
        """Raises what a sender sees; gives the subject."""
        subject = self.subject()
        self.emma.write(to, subject, "Is anybody there?")
        return subject

    def write_signed(self) -> str:
        """With a DKIM signature of the sender's domain; gives the subject."""
        subject, sender = self.subject(), self.emma.address
        raw = (
            f"From: {sender}\r\nTo: support@desk.example\r\nSubject: {subject}\r\n"
            f"Message-ID: <{uuid.uuid4().hex}@mail.example>\r\n\r\nIs anybody there?\r\n"
        )
        self.emma.send(signed(raw.encode(), sender.partition("@")[2]), ["support@desk.example"])
        return subject

    def is_acknowledged(self, subject: str) -> Letter:
        """Waits, and sees that there is one letter and one ticket."""
        letter = self.emma.wait_for(lambda x: subject in x.subject, within_s=WITHIN_S)
        assert len([x for x in self.emma.letters() if subject in x.subject]) == 1
        assert len(self.tickets(subject)) == 1
        return letter

    def tickets(self, subject: str) -> list[dict[str, Any]]:
        return self.rows("tickets", "tickets", **{"state.subject": subject})

    def ticket(self, subject: str) -> dict[str, Any]:
        """Waits until there is one."""
        return until(lambda: self.tickets(subject), WITHIN_S)[0]

    def rows(self, service: str, collection: str, **wanted: Any) -> list[dict[str, Any]]:
        with MongoClient(self.backends.mongo.address, tz_aware=True) as client:
            return list(client[f"postdesk_{service}"][collection].find(wanted))

    @contextmanager
    def killed(self, name: str) -> Iterator[None]:
        self.desk.services[name].kill()
        try:
            yield
        finally:
            self.desk.start(name)

    @contextmanager
    def dead(self, server: Any) -> Iterator[None]:
        server.kill()
        try:
            yield
        finally:
            server.launch()
            server.wait_ready()

    @contextmanager
    def without_relay(self) -> Iterator[None]:
        self.desk.stop_mail_server()
        try:
            yield
        finally:
            self.desk.start_mail_server()

    @contextmanager
    def configured(self, *services: str, **sections: Any) -> Iterator[None]:
        """These services with other sections of the configuration, then as they were."""
        text = self.config.read_text()
        self._restart(services, json.dumps(YAML(typ="safe").load(text) | sections))
        try:
            yield
        finally:
            self._restart(services, text)

    def _restart(self, services: Sequence[str], text: str) -> None:
        for name in services:
            self.desk.services[name].stop()
        self.config.write_text(text)
        self.desk.start(*services)
