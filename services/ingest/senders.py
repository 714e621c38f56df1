"""Which mails' senders the desk checks itself, and how the check goes on while DNS answers.

The evaluation (`verify`) runs in a child of its own, the look-ups here. A mail waits for its
verdict beside the others, never before them.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import structlog

from services.ingest import measures, peers
from services.ingest.children import Children
from services.ingest.reading import Reading
from shared.config.models import Desk
from shared.contracts.mail import SenderAuthentication
from shared.mongo import Document

CHECK_S = 10.0
MAX_ROUNDS = 30  # an SPF record may name ten others, one after the other (RFC 7208, 4.6.4)
MAX_QUESTIONS = 60
MAX_MAILS = 1_000
MAX_BYTES = 64 * 1024 * 1024

if TYPE_CHECKING:
    from services.ingest.lookups import Answer, Lookups

_log = structlog.get_logger(__name__)


class SenderChecks:
    """Part of the process; costs nothing until a mail needs a check."""

    def __init__(self, desk: Callable[[], Desk], children: Children) -> None:
        self._desk = desk
        self._children = children
        self._lookups: tuple[str, Lookups | None] = ("none", None)
        self._mails = 0
        self._bytes = 0

    async def start(self) -> None:
        """Nothing yet."""

    async def stop(self) -> None:
        """End the child."""
        await self._children.stop()

    def settle(self, row: Document, reading: Reading) -> bool:
        """Drop what a stranger wrote in a relay's name; say whether we have to look ourselves."""
        desk, fields = self._desk(), reading.fields
        if not _is_relay(str(row.get("client", "")), desk):
            fields["authentication"] = SenderAuthentication().model_dump()
        if fields.get("authentication", {}).get("by") or not is_needed(desk, fields):
            return False
        return bool(_domain(fields)) and self._server(desk) is not None

    async def verdict(self, row: Document, reading: Reading, raw: bytes) -> dict[str, Any]:
        """The fields of a `SenderAuthentication`, within seconds; ``temperror`` on any doubt."""
        lookups = self._server(self._desk())
        if lookups is None:
            return SenderAuthentication().model_dump()
        if self._mails >= MAX_MAILS or self._bytes + len(raw) > MAX_BYTES:
            return _temporary("too many checks at once")
        self._mails, self._bytes = self._mails + 1, self._bytes + len(raw)
        try:
            async with asyncio.timeout(CHECK_S):
                found = await self._check(lookups, self._claim(row, reading), raw)
        except TimeoutError:
            found = _temporary(f"no verdict within {CHECK_S:g} s")
        finally:
            self._mails, self._bytes = self._mails - 1, self._bytes - len(raw)
        measures.SENDERS.labels(found["dmarc"]).inc()
        return found

    async def _check(self, lookups: "Lookups", claim: dict[str, str], raw: bytes) -> dict[str, Any]:
        answers: dict[str, Answer] = {}
        signed = None
        for _ in range(MAX_ROUNDS):
            question = {"claim": claim, "answers": answers, "signed": signed}
            found = await self._children.check(b"" if signed else raw, question)
            if not found.readings:
                _log.warning("mail defeats the check of its sender", failure=found.failure)
                return SenderAuthentication(by="desk", detail=found.failure[:500]).model_dump()
            outcome = found.readings[0].fields
            if outcome["verdict"]:
                verdict: dict[str, Any] = outcome["verdict"]
                return verdict
            signed = outcome["signed"]
            wanted = [str(one) for one in outcome["wants"]]
            if len(answers) + len(wanted) > MAX_QUESTIONS:
                break
            answers |= await lookups.answers(wanted)
        detail = "its domain asks for too many look-ups"
        return SenderAuthentication(by="desk", detail=detail).model_dump()

    def _claim(self, row: Document, reading: Reading) -> dict[str, str]:
        client = str(row.get("client", ""))
        envelope = {name: str(row.get(key, ""))[:320] for name, key in _ENVELOPE.items()}
        if _is_relay(client, self._desk()):
            client = ""
        return {"domain": _domain(reading.fields), "client": client, **envelope}

    def _server(self, desk: Desk) -> "Lookups | None":
        """The look-ups at the server that the configuration names now."""
        server = desk.authentication.resolver
        if server != self._lookups[0]:
            self._lookups = (server, _lookups(server))
        return self._lookups[1]


_ENVELOPE = {"helo": "helo", "sender": "envelope_from"}


def is_needed(desk: Desk, fields: dict[str, Any]) -> bool:
    """Whether anything depends on who vouches for this mail's sender."""
    verified = desk.agent_mail.trust == "verified"
    if verified or desk.customers.acknowledge == "authenticated":
        return True
    sender = str(fields.get("from_addr", "")).lower()
    return any(form.sender == sender and not form.relays for form in desk.intake.forms)


def _is_relay(client: str, desk: Desk) -> bool:
    """Whether a host of ours handed the mail over; what we fetched ourselves has no client."""
    try:
        return not client or peers.is_listed(client, desk.door.exempt)
    except ValueError:
        return False


def _lookups(server: str) -> "Lookups | None":
    if server == "none":
        return None
    # A closed desk asks no name server: it need not carry a resolver.
    from services.ingest.lookups import Lookups

    try:
        return Lookups(server)
    except ValueError as error:
        _log.warning("senders are not checked", reason=str(error))
        return None


def _domain(fields: dict[str, Any]) -> str:
    """The one From's domain as DNS knows it; empty where nothing can be checked."""
    domain = str(fields.get("from_addr", "")).rpartition("@")[2].lower()
    if fields.get("from_count") != 1 or fields.get("unreadable"):
        return ""
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        return ""


def _temporary(detail: str) -> dict[str, Any]:
    return SenderAuthentication(dmarc="temperror", by="desk", detail=detail).model_dump()
