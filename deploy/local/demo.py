"""The demo company: where its customers are listed, and the first mail of one."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr
from pathlib import Path

from deploy.local import maildir, smtp
from deploy.local.errors import NotReadyError
from deploy.local.facts import Person, StackFacts
from deploy.local.maildir import StoredMail
from deploy.local.process import tail_of

DIRECTORY_FILE = Path(__file__).parents[1] / "presets" / "demo-directory.yaml"
ARRIVAL_S = 60.0
POLL_S = 0.1

SUBJECT = "Our internet is down since this morning"
TEXT = """Hello,

since about eight this morning our line at Harbour Street 4 is dead: the modem's
DSL lamp blinks red. Restarting it did not help, and the shop opens at ten.

Can you please have a look?

Kind regards
Emma Brand
Harbour Bakery
"""


@dataclass(frozen=True)
class FirstMail:
    """What has happened in the demo so far."""

    customer: Person
    agent: Person
    notice: StoredMail
    """The mail in which the agent is told of the customer's."""


def first_mail(stack: StackFacts) -> FirstMail | None:
    """Let the first customer write, wait until an agent is told, and return that; once a state.

    Without the local mail server there is no mailbox to look into: None.

    Raises:
        NotReadyError: the notice did not arrive in time.
    """
    if not stack.imap:
        return None
    root = Path(stack.state_dir) / "mailboxes"
    customer = stack.customers[0]
    agents = [person for person in stack.agents if person.role == "agent"]
    mark = Path(stack.state_dir) / "first-mail-sent"
    if not mark.exists():
        mail = _mail_of(customer, stack.mailboxes[0])
        smtp.deliver(stack.smtp, customer.address, [stack.mailboxes[0]], mail.as_bytes(policy=SMTP))
        mark.touch()
    deadline = time.monotonic() + ARRIVAL_S
    while time.monotonic() < deadline:
        for agent in agents:
            if notices := maildir.mails(root, agent.address):
                return FirstMail(customer, agent, notices[-1])
        time.sleep(POLL_S)
    raise NotReadyError(
        f"The desk took the first mail, but no agent was told within {ARRIVAL_S:.0f} s.",
        remedy="'postdesk topics' shows where it is held up, 'postdesk doctor' why.",
        log_tail=tail_of(Path(stack.state_dir) / "logs" / "tickets.log"),
    )


def _mail_of(customer: Person, mailbox: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = formataddr((customer.name, customer.address))
    mail["To"] = mailbox
    mail["Subject"] = SUBJECT
    mail["Date"] = format_datetime(datetime.now(UTC))
    mail["Message-ID"] = f"<first-{time.time_ns()}@{customer.address.rpartition('@')[2]}>"
    mail.set_content(TEXT)
    return mail
