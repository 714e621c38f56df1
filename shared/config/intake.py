"""Settings of what comes in: what customers may set, whose word is taken for others."""

from typing import Literal, Self

from pydantic import Field, model_validator

from shared.config.values import Duration, MailAddress, Network, Section


class CustomerPriority(Section):
    """Whether customers set the priority of their new tickets."""

    use: bool = False
    """*Use priority*: the name of a priority in brackets in the subject, such as ``[urgent]``, sets
    it; without one, a mark of high or low importance moves it one step from the mailbox's."""
    staff_sets: bool = False
    """*Staff sets the priority*: customers do not, whatever they write."""
    at_most: str = ""
    """The most urgent that a customer may set; empty: any."""
    mailboxes: list[MailAddress] = Field(default_factory=list)
    """Mailboxes where it is so; empty: all."""


class ContactForm(Section):
    """A form on a web page that mails what was filled in, with ``Reply-To`` naming who did it."""

    name: str = Field(min_length=1, max_length=80)
    """Name, shown to agents."""
    sender: MailAddress
    """The address in From of its mails."""
    envelope: MailAddress | None = None
    """The envelope sender that its mails must have as well; empty: any."""
    relays: list[Network] = Field(default_factory=list)
    """Hosts, such as the web server, that hand in its mails and nobody else's: then nothing more is
    asked. Empty: its mails must pass DMARC."""
    mailboxes: list[MailAddress] = Field(default_factory=list)
    """Mailboxes that it may write to; empty: all."""
    acknowledge: bool = True
    """Whether the person in Reply-To gets an acknowledgement."""


class SpamFilter(Section):
    """A filter in front of the desk that writes its verdict into the header (``X-Spam-…``)."""

    action: Literal["ignore", "mark", "quarantine"] = "ignore"
    """What becomes of a new mail that it calls spam. ``mark``: a ticket with the tag ``spam``, and
    no acknowledgement. ``quarantine``: it is kept, without ticket, until an operator decides."""
    relays: list[Network] = Field(default_factory=list)
    """Hosts that hand in filtered mail; empty: those of ``door.exempt``. Fetched mail counts."""
    hops: int = Field(default=1, ge=1, le=20)
    """How many ``Received`` fields the own hosts add: only above the lowest of these the filter's
    fields are believed, since those below came with the mail."""
    anywhere: bool = False
    """Whether they are believed wherever they stand: only where the filter removes those of senders
    from every mail."""
    score: float | None = None
    """Score from which a mail is spam whatever the filter's own limit is."""


class IntakeQuestion(Section):
    """A question to who opens a ticket."""

    field: str = Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")
    """Field of the ticket that keeps the answer."""
    text: str = Field(min_length=1, max_length=150)
    """The question."""
    translations: dict[str, str] = Field(default_factory=dict)
    """The question in other languages, by their codes (``de``)."""


class Questionnaire(Section):
    """What a department asks when a ticket opens; the questions are in the acknowledgement."""

    departments: list[str] = Field(min_length=1)
    """Departments of mailboxes that ask this."""
    questions: list[IntakeQuestion] = Field(min_length=1, max_length=10)
    """Questions in their order."""

    @model_validator(mode="after")
    def _fields_differ(self) -> Self:
        names = [question.field for question in self.questions]
        if len(set(names)) < len(names):
            raise ValueError("two questions have the same field")
        return self


class QuarantineNews(Section):
    """Mails to the agents with the role ``admin`` about mail that came into quarantine."""

    every: Duration = 3600
    """At most one mail in this time to each of them, with all that came meanwhile; 0: none."""


class Intake(Section):
    """What is made of mail that opens tickets."""

    priority: CustomerPriority = CustomerPriority()
    """Priorities that customers set."""
    forms: list[ContactForm] = Field(default_factory=list)
    """Contact forms that are believed."""
    spam: SpamFilter = SpamFilter()
    """A spam filter in front."""
    questionnaires: list[Questionnaire] = Field(default_factory=list)
    """Questions to who opens a ticket."""
    quarantine: QuarantineNews = QuarantineNews()
    """Who hears of mail in quarantine."""
