"""The read model: one row for each ticket, and one for each piece of an agent's work."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class TargetRow(_Row):
    """What became of one clock. ``used_s`` is time by the policy's calendar until ``ended_at``."""

    target: str
    cycle: int
    goal_s: int = 0
    used_s: int | None = None
    ended_at: datetime | None = None
    breached_at: datetime | None = None


class Resolution(_Row):
    """One time that the ticket was solved; ``open_s`` leaves out waiting for others."""

    at: datetime
    since: datetime
    agent: str
    open_s: int


class Rating(_Row):
    """The rating of one resolution; a later one replaces it."""

    cycle: int
    score: int
    comment: str = ""
    at: datetime
    agent: str = ""


class TicketRow(_Row):
    """A ticket after event ``seq``; instants are aware and UTC, durations seconds.

    ``open_s`` and ``waiting_s`` are complete up to ``status_since``. ``started_at`` is when it was
    opened or last reopened, ``open_before_s`` what ``open_s`` was then.
    """

    ticket_id: str
    seq: int
    subject: str = ""
    status: str = "new"
    priority: str = ""
    category: str = ""
    mailbox: str = ""
    source: str = "mail"
    requester: str = ""
    account_id: str = ""
    team: str = ""
    assignee: str = ""
    messages: int = 0
    escalated: bool = False
    opened_at: datetime
    first_response_at: datetime | None = None
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    updated_at: datetime
    started_at: datetime
    status_since: datetime
    open_s: int = 0
    open_before_s: int = 0
    waiting_s: int = 0
    targets: tuple[TargetRow, ...] = ()
    resolutions: tuple[Resolution, ...] = ()
    reopenings: tuple[datetime, ...] = ()
    ratings: tuple[Rating, ...] = ()


WorkKind = Literal["answer", "resolution", "note"]


class WorkRow(_Row):
    """Something that an agent did; ``id`` is ticket and seq, so that it is there once."""

    id: str
    ticket_id: str
    seq: int
    agent: str = Field(min_length=1)
    kind: WorkKind
    at: datetime
