"""Settings of routing: rules that look at a new ticket, and what agents can take."""

import re
from typing import Literal, Self

import regex
from pydantic import Field, field_validator, model_validator

from shared.config.values import MailAddress, Section, TimeOfDay, Zone

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Hours(Section):
    """Days and times, in a zone; a time that ends before it begins runs over midnight."""

    days: list[Day] = Field(default=list(DAYS), min_length=1)
    """Weekdays on which a time begins."""
    between: tuple[TimeOfDay, TimeOfDay] = ("00:00", "00:00")
    """From and to; the same twice is the whole day."""
    timezone: Zone = "UTC"
    """Zone of the times."""


class Condition(Section):
    """What must be true of a new ticket; what is left out does not matter.

    Each list holds alternatives. Words are compared whole, in any case and with any accents.
    """

    mailboxes: list[MailAddress] = Field(default_factory=list)
    """Support addresses that it came to."""
    departments: list[str] = Field(default_factory=list)
    """Departments of those."""
    words: list[str] = Field(default_factory=list)
    """Words or phrases in the subject or the text."""
    subject: list[str] = Field(default_factory=list)
    """Words or phrases in the subject."""
    pattern: str = ""
    """Regular expression that is found in the subject or the text, in any case; it has 50 ms."""
    languages: list[str] = Field(default_factory=list)
    """Languages of the contact, else of the mailbox."""
    segments: list[str] = Field(default_factory=list)
    """Segments of the account; ``vip`` is any account marked so."""
    accounts: list[str] = Field(default_factory=list)
    """Ids of accounts."""
    domains: list[str] = Field(default_factory=list)
    """Domains of the sender, with those below them."""
    attachments: list[str] = Field(default_factory=list)
    """Endings of an attachment's name, such as ``.pdf``; ``*`` is any attachment."""
    sources: list[str] = Field(default_factory=list)
    """``mail``, or what a command names as its source."""
    during: Hours | None = None
    """When it comes."""

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            regex.compile(value)
        except regex.error as error:
            raise ValueError(f"no regular expression: {error}") from None
        return value

    @field_validator("words", "subject")
    @classmethod
    def _has_words(cls, value: list[str]) -> list[str]:
        for phrase in value:
            if not re.search(r"\w", phrase):
                raise ValueError(f"no word in {phrase!r}")
        return value


class Action(Section):
    """What a rule decides; what is left out stays as it is."""

    team: str = ""
    """Team that gets the ticket."""
    assign: str = ""
    """Agent who gets it: an address, or ``senior``, ``lead`` or ``manager`` of the team."""
    skill: str = ""
    """Skill that the next agent of the rotation should have."""
    priority: str = ""
    """Priority."""
    category: str = Field(default="", max_length=100)
    """Category."""
    tags: list[str] = Field(default_factory=list)
    """Tags to add."""
    sla_policy: str = ""
    """Policy of service levels that the ticket gets, whatever else it would be under."""

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("the rule does nothing")
        return self


class Rule(Section):
    """One rule; its name is shown on the tickets that it decided about."""

    name: str = Field(max_length=80)
    """Name, once only."""
    when: Condition = Condition()
    """What must be true; nothing: always."""
    then: Action
    """What is done."""


class Routing(Section):
    """Where new tickets go."""

    match: Literal["first", "all"] = "first"
    """Whether the first rule that fits decides alone, or all that fit, later ones overriding."""
    rules: list[Rule] = Field(default_factory=list)
    """Rules in their order; without one the mailbox's team and priority apply."""

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [rule.name for rule in self.rules]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two rules are called {name!r}")
        return self
