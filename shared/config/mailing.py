"""Settings of mail from and to those who work here, and of how all of it is sent."""

from typing import Literal

from pydantic import Field

from shared.config.values import Duration, MailAddress, Section, TimeOfDay, Zone


class Agents(Section):
    """How agents' mails are treated."""

    trust: Literal["verified", "token"] = "verified"
    """``verified``: signed address, registered From and an aligned DMARC or DKIM pass.
    ``token``: the first two are enough; for closed networks only."""
    reply_takes: bool = True
    """Whether an answer to a ticket that nobody has takes it."""
    lock_idle: Duration = 4 * 3_600
    """A lock ends when its holder has done nothing with the ticket for this long; 0: never."""
    address_days: int = Field(default=90, ge=1, le=3650)
    """Days that a personal reply address stays valid."""
    draft_kept: Duration = 3 * 86_400
    """How long a refused mail waits for its correction."""


class Notices(Section):
    """Mails that tell agents of events."""

    bundle: Duration = 30
    """Later notices of one ticket to one agent are collected for this long."""
    hold: Duration = 6
    """The first notice waits at most this long for the clocks' state."""
    quiet: tuple[TimeOfDay, TimeOfDay] | None = None
    """Hours, such as ``["20:00", "07:00"]`` in each reader's zone, in which clocks and their
    ladder send no mail; it waits for the end, unless the step says ``at_night``."""


class Report(Section):
    """A report that is sent by itself."""

    kind: Literal["monthly"] = "monthly"
    """What it covers: the calendar month before."""
    to: list[MailAddress] = Field(min_length=1)
    """Who gets it."""
    timezone: Zone = "UTC"
    """Zone whose midnight of the 1st ends the month."""


class Sending(Section):
    """How the desk's own mail is handed to the relay."""

    first_pause: Duration = Field(default=300, ge=1)
    """Pause after a mail's first temporary refusal (4xx); it doubles up to 66 minutes."""
