"""Mails of trusted contact forms: they are the words of the person in Reply-To."""

from shared.config.models import Desk
from shared.contracts.mail import MailReceived, SenderAuthentication

SOURCE = "form"


def as_written(mail: MailReceived) -> MailReceived:
    """A form's mail as one of the person who filled it in; any other unchanged.

    Nobody has proved who that person is. What the form's own mail program says of itself
    (automatic, copies) is not about them. An address with a token speaks for itself.
    """
    if not mail.form:
        return mail
    if mail.token:
        return mail.model_copy(update={"form": ""})
    return mail.model_copy(
        update={
            "from_addr": mail.reply_to,
            "from_name": mail.reply_to_name,
            "authentication": SenderAuthentication(),
            "automated": False,
            "autoreply": False,
            "cc": [],
        }
    )


def source_of(mail: MailReceived) -> str:
    """How the mail came, as tickets and rules name it."""
    return SOURCE if mail.form else "mail"


def is_claimed(mail: MailReceived, desk: Desk) -> bool:
    """Whether it names a form as its sender and proves nothing."""
    names = {form.sender for form in desk.intake.forms}
    return not mail.form and mail.from_addr in names and mail.authentication.dmarc != "pass"


def acknowledges(mail: MailReceived, desk: Desk) -> bool:
    """Whether who fills in that form is told that it arrived."""
    return any(form.acknowledge for form in desk.intake.forms if form.name == mail.form)
