"""Asks a name server, for the check of senders.

Many questions at a time, each for seconds at most; what is learnt is kept for a while.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from weakref import WeakValueDictionary

import dns.asyncresolver
import dns.exception
import dns.resolver
import structlog

from shared.config.values import split_server

LOOKUP_S = 4.0
AT_ONCE = 300
AT_ONCE_PER_ZONE = 15  # so that a silent zone of many names leaves room for all others
CACHED = 10_000
LONGEST_S, SHORTEST_S = 3_600.0, 10.0
NOTHING_S = 60.0  # that long a name without an answer is not asked for again
FAILED_S = 10.0
MAX_VALUES = 40
MAX_CHARS = 4_096

Answer = list[str] | None

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Kept:
    answer: Answer
    until: float


class Lookups:
    """Answers to questions such as ``TXT example.com``: values, nothing, or None for a failure.

    ``server`` is as in the configuration. Raises ValueError where there is none to ask.
    """

    def __init__(self, server: str) -> None:
        self._resolver = _resolver(server)
        self._free = asyncio.Semaphore(AT_ONCE)
        self._zones: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._kept: dict[str, _Kept] = {}
        self._asking: dict[str, asyncio.Task[Answer]] = {}

    async def answers(self, questions: Iterable[str]) -> dict[str, Answer]:
        """Look all of them up at once; several mails with the same question share its answer."""
        wanted = list(questions)
        found = await asyncio.gather(*map(self._answer, wanted))
        return dict(zip(wanted, found, strict=True))

    async def _answer(self, question: str) -> Answer:
        kept = self._kept.get(question)
        if kept and kept.until > asyncio.get_running_loop().time():
            return kept.answer
        task = self._asking.get(question)
        if task is None:
            task = self._asking[question] = asyncio.create_task(self._ask(question))
            task.add_done_callback(lambda _: self._asking.pop(question, None))
        return await asyncio.shield(task)  # it is others' question as well

    async def _ask(self, question: str) -> Answer:
        answer: Answer = None
        seconds = FAILED_S
        zone = self._zones.setdefault(_zone(question), asyncio.Semaphore(AT_ONCE_PER_ZONE))
        async with zone, self._free:
            try:
                answer, seconds = await self._resolve(*question.split(" ", 1))
            except (dns.exception.DNSException, OSError) as error:
                # Names are the senders' business, so they are not in the log.
                _log.info("no answer of DNS", error=type(error).__name__)
        while len(self._kept) >= CACHED:
            self._kept.pop(next(iter(self._kept)))
        until = asyncio.get_running_loop().time() + seconds
        self._kept[question] = _Kept(answer, until)
        return answer

    async def _resolve(self, kind: str, name: str) -> tuple[list[str], float]:
        try:
            found = await self._resolver.resolve(name, kind, search=False, lifetime=LOOKUP_S)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer, dns.resolver.YXDOMAIN):
            return [], NOTHING_S
        except (dns.exception.SyntaxError, dns.name.NameTooLong, UnicodeError):
            return [], NOTHING_S  # no such name can exist
        values = [_text(kind, record)[:MAX_CHARS] for record in list(found)[:MAX_VALUES]]
        ttl = float(found.rrset.ttl) if found.rrset is not None else NOTHING_S
        return values, min(max(ttl, SHORTEST_S), LONGEST_S)


def _zone(question: str) -> str:
    """About the zone that answers: the last two labels of the name."""
    return ".".join(question.partition(" ")[2].rsplit(".", 2)[-2:])


def _resolver(server: str) -> dns.asyncresolver.Resolver:
    if server == "system":
        try:
            return dns.asyncresolver.Resolver()
        except dns.resolver.NoResolverConfiguration as error:
            raise ValueError("this machine has no name server") from error
    address, port = split_server(server)
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = [address]
    resolver.port = port
    return resolver


def _text(kind: str, record: dns.rdata.Rdata) -> str:
    if kind == "txt":
        return b"".join(getattr(record, "strings", ())).decode("latin-1")
    return record.to_text().rstrip(".")
