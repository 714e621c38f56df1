"""Customers from files: published on the topic ``directory``, as a CRM would do."""

import asyncio
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer
from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from deploy.local.errors import NotReadyError, StackError
from deploy.local.facts import Person
from deploy.local.offsets import topic_states
from shared.bus.records import Outgoing, encode
from shared.contracts.base import Meta
from shared.contracts.directory import Account, Balance, Contact, Invoice, Service
from shared.contracts.topics import DIRECTORY

Entry = Account | Contact | Service | Invoice | Balance
SECTIONS: dict[str, type[Entry]] = {
    "accounts": Account,
    "contacts": Contact,
    "services": Service,
    "invoices": Invoice,
    "balances": Balance,
}
KNOWN_S = 60.0
POLL_S = 0.1


def read(file: Path) -> list[Entry]:
    """The entries of a YAML file with a list for each of `SECTIONS`.

    Raises:
        StackError: it cannot be read, or an entry is not right; says which.
    """
    remedy = "deploy/presets/demo-directory.yaml is an example."
    try:
        sections = YAML(typ="safe").load(file.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise StackError(f"{file} cannot be read: {error}", remedy=remedy) from error
    if not isinstance(sections, dict) or (unknown := set(sections) - set(SECTIONS)):
        names = ", ".join(SECTIONS)
        wrong = f"unknown section {min(unknown)!r}" if isinstance(sections, dict) else "no sections"
        raise StackError(f"{file}: {wrong}; known: {names}.", remedy=remedy)
    return [_entry(file, kind, row) for kind, rows in sections.items() for row in rows or []]


def load(bootstrap: str, files: Sequence[Path], *, wait: bool = True) -> list[Entry]:
    """Publish the entries of all files; the same again changes nothing.

    With ``wait`` it returns when every service has read them.

    Raises:
        StackError: a file is not right, and then nothing is published.
        NotReadyError: a service has not read them in time.
    """
    entries = [entry for file in files for entry in read(file)]
    asyncio.run(_publish(bootstrap, entries))
    if wait:
        asyncio.run(_until_known(bootstrap))
    return entries


def people(entries: Sequence[Entry]) -> list[Person]:
    """The contacts among the entries, by their first address."""
    return [
        Person(address=entry.addresses[0], name=entry.name, account=entry.account_id)
        for entry in entries
        if isinstance(entry, Contact)
    ]


def _entry(file: Path, kind: str, row: Any) -> Entry:
    try:
        return SECTIONS[kind].model_validate(row)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "entry"
        name = row.get("id", "") if isinstance(row, dict) else ""
        raise StackError(f"{file}: {kind} {name}: {where}: {first['msg']}.") from error


async def _publish(bootstrap: str, entries: Sequence[Entry]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
        for entry in entries:
            # A fresh id each time: an entry that goes back to what it was is no repeat.
            meta = Meta(
                id=f"{entry.key}:{uuid.uuid4().hex}",
                source="postdesk/directory",
                time=datetime.now(UTC),
                subject=entry.key,
            )
            key, value, headers = encode(Outgoing(DIRECTORY, entry.key, entry, meta))
            await producer.send(DIRECTORY.name, value, key=key, headers=headers)


async def _until_known(bootstrap: str) -> None:
    deadline = time.monotonic() + KNOWN_S
    while time.monotonic() < deadline:
        states = await topic_states(bootstrap)
        lag = next(state.lag for state in states if state.name == DIRECTORY.name)
        if all(lag.get(reader) == 0 for reader in DIRECTORY.readers):
            return
        await asyncio.sleep(POLL_S)
    raise NotReadyError(
        f"Not every service has read the customers within {KNOWN_S:.0f} s.",
        remedy="'postdesk topics' shows who is behind, 'postdesk doctor' why.",
    )
