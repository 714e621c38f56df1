"""Fills the stores of all services with copies of cases that the desk itself has handled.

So a full desk's documents are always those of the release that is measured. Everything by which a
case is found is different in each copy: ticket, customer, Message-IDs, hashes. Times are the
original's.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass

from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient, WriteConcern

from tests.bench.cases import Case, name_of
from tests.queries import DATABASES

FIRST_COPY = 2_000_000
MOST = 7_900_000
"""Ticket numbers keep seven digits."""
BATCH_BYTES = 8_000_000
BATCH_DOCUMENTS = 2_000
WRITERS = 2
"""MongoDB stores the batches of one connection in one thread."""
_CASE = re.compile(rb"case\d{8}|T-\d{7}", re.IGNORECASE)
_HASH = re.compile(rb"[0-9a-f]{24,64}")
_NAME = re.compile(b"(" + _HASH.pattern + b"|" + b"(?i:" + _CASE.pattern + b"))")
_SPREADS = 2_654_435_761  # odd, so that different numbers give different products modulo 2**32

Place = tuple[str, str]
"""Database and collection."""


@dataclass(frozen=True)
class Stencil:
    """A document in pieces: every other one is a name that differs in each copy."""

    place: Place
    pieces: Sequence[bytes]

    def copy(self, names: Mapping[bytes, bytes]) -> bytes:
        """The document under other names of the same length."""
        return b"".join(names.get(piece, piece) for piece in self.pieces)


@dataclass(frozen=True)
class Pattern:
    """All documents of one case."""

    names: frozenset[bytes]
    stencils: Sequence[Stencil]

    def copy(self, number: int) -> Iterator[tuple[Place, bytes]]:
        """The documents of copy ``number``."""
        names = {name: _other(name, number) for name in self.names}
        for stencil in self.stencils:
            yield stencil.place, stencil.copy(names)


def patterns(uri: str, cases: Sequence[Case]) -> list[Pattern]:
    """Read what the stores hold of the cases; what belongs to several at once is left out."""
    documents = list(_documents(uri))
    return [pattern(case, number, documents) for number, case in enumerate(cases)]


def fill(uri: str, some: Sequence[Pattern], copies: int) -> None:
    """Store so many copies, of each pattern in turn."""
    if copies > MOST:
        raise ValueError(f"at most {MOST} copies")
    with MongoClient[RawBSONDocument](uri, document_class=RawBSONDocument) as client:
        with closing(_Waiting(client)) as waiting:
            for number in range(FIRST_COPY, FIRST_COPY + copies):
                for place, document in some[number % len(some)].copy(number):
                    waiting.add(place, document)
            waiting.store_all()
        client.admin.command("fsync")


class _Waiting:
    """Documents that are inserted together."""

    def __init__(self, client: MongoClient[RawBSONDocument]) -> None:
        self._client = client
        self._documents: dict[Place, list[RawBSONDocument]] = defaultdict(list)
        self._bytes: dict[Place, int] = defaultdict(int)
        self._writers = ThreadPoolExecutor(WRITERS)
        self._under_way: set[Future[None]] = set()

    def close(self) -> None:
        """End the writers."""
        self._writers.shutdown()

    def add(self, place: Place, document: bytes) -> None:
        """Keep a document; when there are many of its place they go to a writer."""
        self._documents[place].append(RawBSONDocument(document))
        self._bytes[place] += len(document)
        is_full = len(self._documents[place]) >= BATCH_DOCUMENTS
        if is_full or self._bytes[place] >= BATCH_BYTES:
            self._store(place)

    def store_all(self) -> None:
        """Return when all is stored."""
        for place in list(self._documents):
            self._store(place)
        self._wait(for_fewer_than=1)

    def _store(self, place: Place) -> None:
        self._wait(for_fewer_than=2 * WRITERS)
        documents = self._documents.pop(place)
        del self._bytes[place]
        self._under_way.add(self._writers.submit(self._insert, place, documents))

    def _wait(self, *, for_fewer_than: int) -> None:
        while len(self._under_way) >= for_fewer_than:
            done, self._under_way = wait(self._under_way, return_when=FIRST_COMPLETED)
            for one in done:
                one.result()

    def _insert(self, place: Place, documents: Sequence[RawBSONDocument]) -> None:
        database, collection = place
        target = self._client.get_database(database, write_concern=WriteConcern(w=1, j=False))
        target[collection].insert_many(documents, ordered=False)


def pattern(case: Case, number: int, documents: Sequence[tuple[Place, bytes]]) -> Pattern:
    """What names case ``number``, and what is filed under a hash that those documents hold.

    What names another case too, such as an outbox row of both, belongs to neither.
    """
    own = {case.ticket_id.encode().lower(), name_of(number).encode()}
    cases_in = [{found.lower() for found in _CASE.findall(raw)} for _, raw in documents]
    named = [one for one, found in zip(documents, cases_in, strict=True) if found and found <= own]
    nameless = [one for one, found in zip(documents, cases_in, strict=True) if not found]
    hashes = {found for _, raw in named for found in _HASH.findall(raw)}
    under_hash = [one for one in nameless if hashes.intersection(_hashes_of_id(one[1]))]
    if not named:
        raise LookupError(f"nothing is stored of {case}")
    stencils = [Stencil(place, _NAME.split(raw)) for place, raw in [*named, *under_hash]]
    names = {piece for stencil in stencils for piece in stencil.pieces[1::2]}
    return Pattern(frozenset(names), stencils)


def _documents(uri: str) -> Iterator[tuple[Place, bytes]]:
    with MongoClient[RawBSONDocument](uri, document_class=RawBSONDocument) as client:
        for database in DATABASES:
            for collection in client[database].list_collection_names():
                if not collection.startswith("system."):
                    for document in client[database][collection].find():
                        yield (database, collection), document.raw


def _hashes_of_id(raw: bytes) -> list[bytes]:
    return _HASH.findall(str(RawBSONDocument(raw)["_id"]).encode())


def _other(name: bytes, number: int) -> bytes:
    """The name in copy ``number``, of the same length."""
    if name.startswith(b"T-"):
        return b"T-%07d" % number
    if name[:4].lower() == b"case":
        return name[:4] + b"%08d" % number
    return b"%08x" % (number * _SPREADS % 2**32) + name[8:]
