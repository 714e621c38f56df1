"""Makes the golden state: ``python -m tests.upgrade.make`` in the tree of the release to be kept.

It plays a few cases, then takes the desk apart while work is under way, so that the state has
something of every kind: clocks that ran out and clocks that will, events that sla, notify and
reports have not read, a mail that tickets has not read, one that ingest has stored and not
announced, one that the mail server has not taken, rows that no relay has published. It is run once
for each release and its files are committed; a file that is there is never made again.
"""

import asyncio
import json
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from deploy.local import directory
from deploy.local.correspondent import Correspondent, File, Letter
from deploy.local.topics import create_topics
from tests.acceptance.company import ticket_id, until
from tests.own_desk import OwnDesk
from tests.stack import running_backends
from tests.upgrade import golden

CUSTOMERS = Path(__file__).parents[2] / "deploy/presets/demo-directory.yaml"
SOON_S = 100.0


class Player:
    """Plays the cases and remembers what the test will ask about."""

    def __init__(self, desk: OwnDesk, client: MongoClient[Any]) -> None:
        self.desk = desk
        self.client = client
        self.emma = desk.person("emma@harbour-bakery.example", "Emma Brand")
        self.story: dict[str, Any] = {}

    def one(self, service: str, collection: str, **wanted: Any) -> Any:
        return self.client[f"postdesk_{service}"][collection].find_one(wanted)

    def ask(self, subject: str, to: str = "support", who: Correspondent | None = None) -> Letter:
        """Write; give the acknowledgement."""
        who = who or self.emma
        who.write(f"{to}@desk.example", subject, f"{subject}, please help.")
        return who.wait_for(lambda x: subject in x.subject, within_s=60)

    def notice(self, agent: Correspondent, ack: Letter) -> Letter:
        number = ticket_id(ack)
        return agent.wait_for(lambda x: number in x.subject, within_s=60)

    def settled_cases(self) -> None:
        """Tickets in many states, all of it done."""
        ana, lena = (self.desk.person(f"{name}@desk-team.example") for name in ("ana", "lena"))
        solved = self.ask("No dial tone")
        ana.answer(self.notice(ana, solved), "#priority high\n#resolve\nIt is repaired.")
        resolution = self.emma.wait_for(lambda x: "repaired" in x.text, within_s=60)
        self.emma.answer(resolution, "5, great", quote=False)
        until(lambda: self.one("tickets", "events", type="ticket.survey-answered"), 60)

        pending = self.ask("Which router?")
        ana.answer(self.notice(ana, pending), "#pending\n#note\nWaits for the serial number.")
        until(lambda: self.one("tickets", "tickets", **{"state.status": "pending"}), 60)

        files = [File("plan.pdf", b"%PDF " + bytes(range(256)) * 40, "application/pdf")]
        self.emma.write(
            "billing@desk.example", "With a file", "See the plan.\n" * 2000, files=files
        )
        self.emma.wait_for(lambda x: "With a file" in x.subject, within_s=60)
        both = ["support@desk.example", "billing@desk.example"]
        self.emma.write(both, "To two mailboxes", "Hello both.")
        stranger = self.desk.person("stranger@far.example", "Stefan Stranger")
        self.ask("From far away", who=stranger)

        held = self.ask("A misspelt command")
        ana.answer(self.notice(ana, held), "#closs\nDear Emma, done.")
        ana.wait_for(lambda x: "NOT DONE" in x.text, within_s=60)

        missed = self.ask("The alarm is silent", "alarm")
        self.notice(lena, missed)
        breached = {"ticket_id": ticket_id(missed), "type": "ticket.sla-breached"}
        events = self.client["postdesk_tickets"]["events"]
        until(lambda: events.count_documents(breached) == 2, 60)
        self.story |= {
            "solved": ticket_id(solved),
            "pending": ticket_id(pending),
            "held": ticket_id(held),
            "missed": ticket_id(missed),
        }

    def unfinished_work(self, kafka: Any) -> None:
        """Take the desk apart from its end to its beginning; Kafka is dead afterwards."""
        ana = self.desk.person("ana@desk-team.example")
        services = self.desk.services
        answered = self.ask("An answer on its way")
        notice = self.notice(ana, answered)
        self.desk.stop_mail_server()
        ana.answer(notice, "Dear Emma, this answer is on its way.")
        waiting = {"kind": "reply", "ticket_id": ticket_id(answered), "state": "queued"}
        until(lambda: self.one("notify", "outgoing", **waiting), 60)
        services["reports"].stop()
        self.emma.write("soon@desk.example", "Soon due", "This is urgent.")
        until(lambda: self.one("sla", "clocks", goal_s=90), 60)
        services["notify"].stop()
        self.emma.write("support@desk.example", "Unread by notify", "Hello?")
        until(lambda: self.one("tickets", "tickets", **{"state.subject": "Unread by notify"}), 60)
        services["tickets"].stop()
        self.emma.write("support@desk.example", "Unread by tickets", "Hello?")
        until(lambda: self._states_of("Unread by tickets") == {"announced"}, 60)
        asyncio.run(self._keep_topics(kafka.address))
        kafka.kill()
        self.emma.write("support@desk.example", "Unannounced by ingest", "Hello?")
        services["ingest"].kill()
        until(lambda: self.one("sla", "outbox", published_at=None), SOON_S)
        services["sla"].kill()
        self.story["answered"] = ticket_id(answered)
        self.story["soon"] = self.one("sla", "clocks", goal_s=90)["ticket_id"]
        self.story["unread"] = ["Soon due", "Unread by notify", "Unread by tickets"]
        self.story["unread"].append("Unannounced by ingest")

    def _states_of(self, subject: str) -> set[str]:
        rows = self.client["postdesk_ingest"]["inbound"].find()
        return {row["state"] for row in rows if subject.encode() in (row.get("raw") or b"")}

    async def _keep_topics(self, kafka: str) -> None:
        golden.write("records.jsonl", map(golden.record_line, await golden.records(kafka)))
        golden.write("positions.jsonl", map(json.dumps, await golden.positions(kafka)))


def main(folder: Path) -> None:
    with running_backends() as backends:
        kafka, mongo = backends.kafka, backends.mongo.address
        asyncio.run(create_topics(kafka.address))
        places = {"kafka": kafka.address, "mongo": mongo}
        desk = OwnDesk(folder, config=golden.CONFIG, keys=golden.KEYS, **places)
        with desk, MongoClient(mongo, tz_aware=True) as client:
            desk.start()
            directory.load(kafka.address, [CUSTOMERS])
            player = Player(desk, client)
            player.settled_cases()
            player.unfinished_work(kafka)
            player.story["taken_at"] = datetime.now(UTC).isoformat()
            golden.write("indexes.jsonl", map(json.dumps, golden.indexes(client)))
            golden.write("documents.jsonl", map(golden.document_line, golden.documents(client)))
        story = json.dumps(player.story, indent=1)
        (golden.FOLDER / "story.json").write_text(f"{story}\n")


if __name__ == "__main__":
    if golden.FOLDER.exists():
        sys.exit(f"{golden.FOLDER} is there already; a golden state is never made again")
    with tempfile.TemporaryDirectory() as scratch:
        main(Path(scratch))
