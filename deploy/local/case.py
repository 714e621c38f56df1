"""One support case, played over SMTP by a customer, an agent and a manager of the demo company."""

import re
import time
from collections.abc import Callable
from pathlib import Path

from deploy.local.correspondent import Correspondent, File, Letter
from deploy.local.facts import StackFacts

Show = Callable[[str, Correspondent, Letter], None]
"""Called with a sentence of what happens, the reader, and the mail that the reader got."""
SUPPORT = "support@desk.example"
SPEED_TEST = File("speed-test.txt", b"down 11 Mbit/s, up 2 Mbit/s, 21:40\n", "text/plain")


def play(facts: StackFacts, show: Show, ask_for_report: Callable[[StackFacts, str], None]) -> str:
    """Play the case and return the ticket's id.

    Raises NoLetterError where a mail that must come does not.
    """
    customer = person(facts, "nils@lindqvist.example", "Nils Lindqvist")
    customer.skip_old()
    opened = customer.write(SUPPORT, "The line is slow at night", _QUESTION)
    ack = customer.wait_for(lambda x: x.message["In-Reply-To"] == opened)
    ticket = _number(ack)
    show("The customer writes; the desk acknowledges in the same thread.", customer, ack)

    agent, notice = _first_notice(facts, ticket)
    show("The next agent in the rotation gets the whole case.", agent, notice)

    agent.answer(notice, "#tak\n#priority high\nDear Nils,\nwhat does a speed test say?")
    refused = agent.wait_for(_about(ticket))
    show("A misspelt command: nothing was done, the customer got nothing.", agent, refused)

    agent.answer(refused, "#take\n#priority high")
    reply = customer.wait_for(_about(ticket))
    show("The correction goes through, and the kept text with it.", customer, reply)

    quoted = reply.html or reply.text
    customer.answer(
        reply,
        "See the file: a tenth of what it should be.",
        html="<div>See the file: a <b>tenth</b> of what it should be.</div>"
        f'<div class="gmail_quote"><blockquote>{quoted}</blockquote></div>',
        files=[SPEED_TEST],
    )
    answered = agent.wait_for(_about(ticket))
    show("The customer answers in HTML, with a file and all the history below.", agent, answered)

    agent.answer(answered, f"#resolve\n{_SOLUTION}")
    solved = customer.wait_for(_about(ticket))
    show("Answer, resolution and survey are one mail.", customer, solved)

    customer.answer(solved, "5, great", quote=False)
    manager = person(facts, *_manager(facts))
    manager.skip_old()
    ask_for_report(facts, manager.address)
    report = manager.wait_for(within_s=60)
    show("The manager asks for the month so far.", manager, report)
    return ticket


def person(facts: StackFacts, address: str, name: str) -> Correspondent:
    """Somebody whose mailbox the stack keeps."""
    boxes = Path(facts.state_dir) / "mailboxes"
    return Correspondent(address, name, smtp=facts.smtp, mailboxes=boxes)


def _manager(facts: StackFacts) -> tuple[str, str]:
    return next((a.address, a.name) for a in facts.agents if a.role == "manager")


def _first_notice(facts: StackFacts, ticket: str) -> tuple[Correspondent, Letter]:
    """Look through the agents' mailboxes for the one that was told of the ticket."""
    agents = [person(facts, a.address, a.name) for a in facts.agents]
    end = time.monotonic() + 30
    while time.monotonic() < end:
        for agent in agents:
            for letter in agent.letters():
                if _about(ticket)(letter):
                    agent.skip_old()
                    return agent, letter
        time.sleep(0.05)
    raise LookupError(f"no agent was told of {ticket}")


def _about(ticket: str) -> Callable[[Letter], bool]:
    return lambda letter: f"[{ticket}]" in letter.subject


def _number(letter: Letter) -> str:
    found = re.search(r"\[(T-\d+)\]", letter.subject)
    if not found:
        raise LookupError(f"no ticket number in {letter.subject!r}")
    return found[1]


_QUESTION = """\
Hello,

since Monday our line has been very slow between nine and midnight.
We stream our concerts then. Can you have a look?

Nils Lindqvist
"""
_SOLUTION = """\
Dear Nils,

thank you for the measurement. A card in the exchange had a fault; it was
replaced just now and your line is back at its full speed.
"""
