"""What a backup looks like on disk: a folder with a manifest, and a file for each collection.

``mongo/DATABASE/COLLECTION.bson.gz`` holds documents one after the other, as mongodump writes
them; ``kafka/TOPIC.bson.gz`` the records of a topic. ``manifest.json`` is written last and knows
the hash of every file, so that a backup that is cut short or altered is not taken for one.
"""

import gzip
import hashlib
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

import bson
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pydantic import BaseModel, ConfigDict

from deploy.local.errors import StackError

MANIFEST = "manifest.json"
VERSION = 1
COMPRESSION = 1  # texts shrink to a third; more effort gains little
_READ_BYTES = 1024 * 1024

RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)


class Part(BaseModel):
    """One file; ``indexes`` are those of a collection, as MongoDB describes them."""

    model_config = ConfigDict(extra="ignore")

    path: str
    sha256: str
    documents: int
    database: str = ""
    collection: str = ""
    topic: str = ""
    indexes: list[dict[str, Any]] = []


class Manifest(BaseModel):
    """What is in a backup; all collections show one instant, just after ``taken_at``."""

    model_config = ConfigDict(extra="ignore")

    version: int = VERSION
    taken_at: datetime
    files: list[str] = []
    parts: list[Part]


def write_part(folder: Path, path: str, documents: Iterable[bytes]) -> Part:
    """Write BSON documents to a new file."""
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with gzip.open(file, "wb", compresslevel=COMPRESSION) as out:
        for document in documents:
            out.write(document)
            count += 1
    return Part(path=path, sha256=_sha256(file), documents=count)


def read_part(folder: Path, part: Part) -> Iterator[RawBSONDocument]:
    """Give the documents of a file."""
    with gzip.open(folder / part.path) as file:
        yield from bson.decode_file_iter(cast("BinaryIO", file), RAW)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Complete a backup."""
    text = json.dumps(manifest.model_dump(mode="json"), indent=1)
    (folder / MANIFEST).write_text(text + "\n")


def read_manifest(folder: Path) -> Manifest:
    """Give the manifest of a backup whose files are all as they were written.

    Raises:
        StackError: it is no backup, or not whole, or of a later release.
    """
    remedy = "name the folder that 'postdesk backup' has made; try an earlier one."
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_text())
    except (OSError, ValueError) as error:
        raise StackError(f"{folder} holds no complete backup.", remedy=remedy) from error
    if manifest.version > VERSION:
        cause = f"{folder} was made by a later release (format {manifest.version})."
        raise StackError(cause, remedy="restore it with that release.")
    for part in manifest.parts:
        file = folder / part.path
        if not file.is_file() or _sha256(file) != part.sha256:
            raise StackError(f"{file} is damaged or missing.", remedy=remedy)
    return manifest


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while block := opened.read(_READ_BYTES):
            digest.update(block)
    return digest.hexdigest()
