"""Settings of what comes in: what customers may set, whose word is taken for others."""

from pydantic import Field

from shared.config.values import MailAddress, Network, Section


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


class Intake(Section):
    """What is made of mail that opens tickets."""

    priority: CustomerPriority = CustomerPriority()
    """Priorities that customers set."""
    forms: list[ContactForm] = Field(default_factory=list)
    """Contact forms that are believed."""
