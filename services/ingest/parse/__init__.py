"""Bytes to mail: pure, without I/O, clock or logger; no bytes make it raise."""

from services.ingest.parse.mail import Attachment, Mail
from services.ingest.parse.minimal import minimal
from services.ingest.parse.reader import parse

__all__ = ["Attachment", "Mail", "minimal", "parse"]
