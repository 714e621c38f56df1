"""Settings of how customers are treated."""

from functools import cached_property
from typing import Literal, Self

from pydantic import Field, model_validator

from shared.config.values import BlockedSender, Duration, Section
from shared.senders import MOST_PER_DAY, MOST_PER_HOUR, Limit


class Survey(Section):
    """The question after a resolution."""

    enabled: bool = True
    """Whether it is asked unless the agent says otherwise."""


class LimitedSender(Section):
    """A sender who may write only so much."""

    who: BlockedSender
    """An address, or a domain with all below it."""
    per_hour: int = Field(default=0, ge=0, le=MOST_PER_HOUR)
    """Mails in a clock hour; 0: no limit."""
    per_day: int = Field(default=0, ge=0, le=MOST_PER_DAY)
    """Mails in a day (UTC); 0: no limit."""

    @model_validator(mode="after")
    def _has_limit(self) -> Self:
        if not self.per_hour and not self.per_day:
            raise ValueError("give per_hour, per_day or both")
        return self


class Customers(Section):
    """How customers are treated."""

    acknowledge: Literal["authenticated", "all"] = "authenticated"
    """Who gets automatic answers: senders whose mail authenticates, or all (closed networks)."""
    acknowledgements_per_hour: int = Field(default=5, ge=0)
    """Most acknowledgements to one address within an hour."""
    blocked: list[BlockedSender] = Field(default_factory=list)
    """Senders whose mail is kept and no more, without ticket or answer: addresses, or domains with
    all below them."""
    limited: list[LimitedSender] = Field(default_factory=list)
    """Senders of whom only so many mails reach the desk; those beyond wait in quarantine. Of
    several the nearest counts: an address before its domain."""
    reopen_within: Duration = 7 * 86_400
    """A reply within this time reopens a resolved ticket; later it opens a new, linked one."""

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len(self.limits_by_sender) < len(self.limited):
            raise ValueError("limited: each sender once")
        return self

    @cached_property
    def limits_by_sender(self) -> dict[str, Limit]:
        """The limits by address or domain."""
        return {one.who: Limit(one.who, one.per_hour, one.per_day) for one in self.limited}
