"""``postdesk parse``: shows how ingest reads a mail, without a running stack."""

import sys
from pathlib import Path
from typing import Annotated

import orjson
import typer

from deploy.cli.output import shows_errors
from deploy.local.errors import StackError

Files = Annotated[
    list[Path], typer.Argument(metavar="FILE…", help="Mails (RFC 5322), such as a.eml; - is stdin.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(parse)


@shows_errors
def parse(files: Files) -> None:
    """Print what is understood of each mail as one line of JSON."""
    from services.ingest.reducing import mail_of

    for file in files:
        report = mail_of(_read(file)).as_report()
        sys.stdout.buffer.write(_json(report) + b"\n")
    sys.stdout.buffer.flush()


def _read(file: Path) -> bytes:
    if str(file) == "-":
        return sys.stdin.buffer.read()
    try:
        return file.read_bytes()
    except OSError as error:
        raise StackError(f"{file} cannot be read: {error.strerror}.") from error


def _json(report: dict[str, object]) -> bytes:
    try:
        return orjson.dumps(report)
    except TypeError:  # half a surrogate pair, which UTF-8 cannot carry
        import json

        return json.dumps(report, ensure_ascii=True).encode()
