"""What every record on the bus has in common; knows nothing of Kafka."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

TicketId = Annotated[str, Field(pattern=r"^T-[1-9][0-9]{0,11}$", examples=["T-1042"])]
Address = Annotated[str, Field(max_length=320)]  # addr-spec, domain in lower case (RFC 5321, 2.4)
MessageId = Annotated[str, Field(max_length=998)]  # without angle brackets (RFC 5322, 3.6.4)
Actor = Annotated[str, Field(max_length=400, pattern=r"^(agent|customer|system):.+$")]

MAX_RECORD_BYTES = 64 * 1024
"""Largest value of a record; longer texts travel as blobs (claim check)."""


class Contract(BaseModel):
    """A value that crosses a process border: immutable, and unknown fields are ignored.

    Ignoring them is what lets release N read what release N+1 writes.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")


class Record(Contract):
    """The value of one Kafka record. ``type`` and ``version`` repeat what ``ce_type`` says."""

    type: str
    version: int


class Event(Record):
    """Something that has happened; it cannot be refused."""


class Command(Record):
    """Something that somebody wants; it is answered on ``command-results``."""


class Meta(Contract):
    """The CloudEvents 1.0 attributes of a record, sent as headers (binary content mode).

    ``id`` is unique for each fact and the same on every try, so readers may drop repeats by it.
    ``correlation_id`` names the mail or command that started it all, ``causation_id`` the record
    that directly led here.
    """

    id: str = Field(max_length=300)
    source: str = Field(max_length=100, examples=["postdesk/tickets"])
    time: AwareDatetime
    subject: str = Field(default="", max_length=300)
    correlation_id: str = Field(default="", max_length=300)
    causation_id: str = Field(default="", max_length=300)


Blob = Annotated[
    str, Field(max_length=400, description="Id in the shared blob store: OWNER/SHA256")
]


class Attachment(Contract):
    """A file of a message; its bytes are a blob."""

    name: str = Field(max_length=400)
    content_type: str = Field(max_length=200)
    size_bytes: int = Field(ge=0)
    blob: Blob
    content_id: str = Field(default="", max_length=400)
    inline: bool = False


Language = Annotated[str, Field(max_length=20, examples=["en", "de"])]
Trust = Literal["pass", "fail", "none", "temperror"]  # temperror: DNS failed for the moment
