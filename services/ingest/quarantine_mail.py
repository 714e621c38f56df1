"""The quarantine by mail: admins are told what came into it, and their orders are done.

tickets files the same mails and answers what is wrong with an order; here only sound ones act.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from services.ingest.quarantine import Decision, NotOneMailError, Quarantine
from shared.acting import agent_refusal
from shared.bus import Outgoing
from shared.clock import Clock
from shared.config.models import Desk
from shared.config.people import Agent
from shared.contracts import topics
from shared.contracts.base import Meta
from shared.contracts.mail import MailReceived
from shared.contracts.requests import AnswerMail
from shared.mongo import Collection, Document, DuplicateKeyError
from shared.quarantine_order import QuarantineOrder, order_in

SOURCE = "postdesk/ingest"
DIGESTS = "digests"
AT_ONCE = 10
"""More mails than that are decided about by name, not by ``all``."""
LISTED = 50
SHOWN_CHARS = 4_000
ID_CHARS = 12
_DECISIONS: dict[str, Decision] = {"retry": "retried", "release": "released", "drop": "dropped"}

Publish = Callable[[Sequence[Outgoing]], Awaitable[None]]
_log = structlog.get_logger(__name__)


class QuarantineMail:
    """Does orders and writes digests; each may be repeated."""

    def __init__(
        self,
        quarantine: Quarantine,
        digests: Collection,
        *,
        desk: Callable[[], Desk],
        publish: Publish,
        blob: Callable[[str], Awaitable[bytes]],
        clock: Clock,
    ) -> None:
        """``digests`` knows when the last one went, ``blob`` gives the bytes of large mails."""
        self._quarantine = quarantine
        self._digests = digests
        self._desk = desk
        self._publish = publish
        self._blob = blob
        self._clock = clock

    async def obey(self, mails: Sequence[MailReceived]) -> None:
        """Do what admins order in these mails and answer them; the same again does no more."""
        for mail in mails:
            asked = ordered_by(mail, self._desk())
            if asked is not None:
                admin, order = asked
                title, text = await self._done(admin, order, mail.inbound_id)
                _log.info("quarantine", order=order.action, inbound_id=mail.inbound_id)
                await self._publish([self._answer(admin, title, text, mail)])

    async def tell(self) -> None:
        """Tell the admins of what came since the last digest, if that is long enough ago."""
        desk = self._desk()
        admins = [agent for agent in desk.agents if agent.role == "admin"]
        if not desk.intake.quarantine.every or not admins:
            return
        news = await self._quarantine.untold()
        now = self._clock.now()
        if not news or not await self._may_tell(now, desk.intake.quarantine.every):
            return
        waiting = len(await self._quarantine.entries())
        name = f"quarantine.{now:%Y%m%dT%H%M%S%f}"
        await self._publish([self._digest(admin, news, waiting, name) for admin in admins])
        await self._quarantine.note_told(news)

    async def _may_tell(self, now: datetime, every_s: int) -> bool:
        """Claim the digest of this interval; of several processes one succeeds."""
        due = {"_id": "quarantine", "at": {"$lte": now - timedelta(seconds=every_s)}}
        if (await self._digests.update_one(due, {"$set": {"at": now}})).modified_count:
            return True
        try:
            await self._digests.insert_one({"_id": "quarantine", "at": now})
        except DuplicateKeyError:
            return False
        return True

    async def _done(self, admin: Agent, order: QuarantineOrder, name: str) -> tuple[str, str]:
        zone = ZoneInfo(admin.timezone)
        try:
            if order.action == "list":
                return listed(await self._quarantine.entries(), zone)
            if order.action == "show":
                entry = await self._quarantine.chosen(order.names[0])
                row = await self._quarantine.row(entry)
                return shown(entry, await self._beginning(row), zone)
            chosen = [await self._quarantine.chosen(one) for one in order.names]
        except NotOneMailError as error:
            return "Nothing was done", f"{error} Nothing was done."
        if order.every:
            chosen = await self._quarantine.entries()
            if len(chosen) > AT_ONCE:
                text = f"{len(chosen)} mails wait: name up to {AT_ONCE} of them by their ids."
                return "Nothing was done", f"{text} Nothing was done."
        decision = _DECISIONS[order.action]
        by = f"agent:{admin.address}"
        done = await self._quarantine.decide(chosen, decision, by=by, why=order.why, order=name)
        return decided(chosen, done, decision)

    async def _beginning(self, row: Document | None) -> str:
        if row is None:
            return ""
        raw = await self._blob(row["raw_blob"]) if row.get("raw_blob") else bytes(row["raw"])
        return raw[:SHOWN_CHARS].decode("utf-8", "replace")

    def _answer(self, admin: Agent, title: str, text: str, mail: MailReceived) -> Outgoing:
        request = AnswerMail(
            request_id=f"{mail.inbound_id}.quarantine",
            to=admin.address,
            language=admin.language,
            subject=mail.subject[:500],
            in_reply_to=mail.message_id,
            title=title,
            text=text,
        )
        return self._outgoing(request, mail.inbound_id)

    def _digest(
        self, admin: Agent, news: Sequence[dict[str, Any]], waiting: int, name: str
    ) -> Outgoing:
        title, text = digest(news, waiting, ZoneInfo(admin.timezone))
        request = AnswerMail(
            request_id=f"{name}.{admin.address}"[:200],
            to=admin.address,
            language=admin.language,
            subject=title,
            title=title,
            text=text,
        )
        return self._outgoing(request, name)

    def _outgoing(self, request: AnswerMail, cause: str) -> Outgoing:
        meta = Meta(
            id=request.request_id,
            source=SOURCE,
            time=self._clock.now(),
            correlation_id=cause,
            causation_id=cause,
        )
        return Outgoing(topics.MAIL_REQUESTS, request.to, request, meta)


def ordered_by(mail: MailReceived, desk: Desk) -> tuple[Agent, QuarantineOrder] | None:
    """Who orders what: an admin, proved, at the own desk address, by hand; None for all others."""
    token = mail.token
    if token is None or token.purpose != "desk" or mail.automated or mail.autoreply or mail.bounce:
        return None
    folded = mail.model_copy(update={"from_addr": mail.from_addr.lower()})
    if agent_refusal(folded, desk):
        return None
    admin = desk.agents_by_address[folded.from_addr]
    order = order_in(mail.reply_text) if admin.role == "admin" else None
    return (admin, order) if order else None


def listed(entries: Sequence[dict[str, Any]], zone: ZoneInfo) -> tuple[str, str]:
    """Title and text: what waits, the oldest first."""
    title = _counted(len(entries), "in quarantine")
    return title, f"{_lines(entries, zone)}\n\n{_HOW}" if entries else "None waits for a decision."


def digest(news: Sequence[dict[str, Any]], waiting: int, zone: ZoneInfo) -> tuple[str, str]:
    """Title and text: what has come since the last mail of this kind."""
    title = _counted(len(news), "new in quarantine")
    in_all = f"With these {waiting} in all. None is lost; each waits for a decision."
    return title, "\n\n".join([in_all, _lines(news, zone), _HOW])


def shown(entry: dict[str, Any], beginning: str, zone: ZoneInfo) -> tuple[str, str]:
    """Title and text: one mail's facts, what was decided about it, and how it begins."""
    facts = [
        f"State: {entry['state']}, read again {entry['retries']} times",
        f"Message-ID: {entry['message_id'] or 'none'}",
        f"Size: {entry['size_bytes']} bytes",
    ]
    decisions = [
        f"{one['action']} {_at(one['at'], zone)} by {one['by']}: {one['why'] or 'no reason given'}"
        for one in entry["decisions"]
    ]
    begins = "\n".join(f"  {line}" for line in beginning.splitlines())
    title = f"Mail {entry['id'][:ID_CHARS]}"
    parts = [_lines([entry], zone), "\n".join([*facts, *decisions]), "It begins:\n" + begins, _HOW]
    return title, "\n\n".join(parts)


def decided(
    chosen: Sequence[dict[str, Any]], done: Sequence[dict[str, Any]], decision: Decision
) -> tuple[str, str]:
    """Title and text: each mail that was named, and whether there was anything to decide."""
    ids = {entry["id"] for entry in done}
    lines = [
        f"  {entry['id'][:ID_CHARS]}  {decision if entry['id'] in ids else 'nothing to do'}"
        for entry in chosen
    ]
    return _counted(len(done), decision), "\n".join(lines or ["No mail waits."])


_HOW = (
    "Answer with one of these as your only line; an id may be cut short:\n"
    "  #quarantine list\n"
    "  #quarantine show ID\n"
    "  #quarantine retry ID      it is read again\n"
    "  #quarantine release ID    somebody has read it; if it was withheld it goes to the desk\n"
    "  #quarantine drop ID       nobody needs it\n"
    f"Several ids, or all (up to {AT_ONCE}), and a reason: drop all why a newsletter"
)


def _lines(entries: Sequence[dict[str, Any]], zone: ZoneInfo) -> str:
    lines = []
    for entry in entries[:LISTED]:
        why = entry["unreadable"] or entry["withheld"]
        lines.append(f"  {entry['id'][:ID_CHARS]}  {_at(entry['received_at'], zone)}")
        lines.append(f"    from {entry['envelope_from'] or '<>'} to {entry['mailbox']}")
        lines.append(f"    {why}")
    more = len(entries) - LISTED
    return "\n".join(lines + ([f"  and {more} more"] if more > 0 else []))


def _counted(count: int, what: str) -> str:
    return f"{count} {'mail' if count == 1 else 'mails'} {what}"


def _at(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M %Z}"
