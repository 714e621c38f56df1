"""Calendar months of a time zone."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True, order=True)
class Month:
    """A calendar month, written ``2026-11``."""

    year: int
    number: int

    def __str__(self) -> str:
        """``2026-11``."""
        return f"{self.year:04}-{self.number:02}"

    @classmethod
    def parse(cls, text: str) -> "Month":
        """Read ``2026-11``; raises ValueError for anything else."""
        found = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", text)
        if found is None or int(found[1]) == 0:
            raise ValueError(f'{text!r} is no month; write "2026-11"')
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def of(cls, at: datetime, zone: ZoneInfo) -> "Month":
        """The month that it is there at that instant."""
        local = at.astimezone(zone)
        return cls(local.year, local.month)

    @property
    def before(self) -> "Month":
        """The month before."""
        return Month(self.year - 1, 12) if self.number == 1 else Month(self.year, self.number - 1)

    @property
    def after(self) -> "Month":
        """The month after."""
        return Month(self.year + 1, 1) if self.number == 12 else Month(self.year, self.number + 1)  # noqa: PLR2004 - December

    def span(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """First instant of the month and of the one after, UTC."""
        return _start(self, zone), _start(self.after, zone)

    @property
    def days(self) -> int:
        """How many days it has."""
        return monthrange(self.year, self.number)[1]


def _start(month: Month, zone: ZoneInfo) -> datetime:
    return datetime(month.year, month.number, 1, tzinfo=zone).astimezone(UTC)
