"""Nothing of a mail is in any log, at the chattiest level: told by canaries in every part of it."""

import psutil
import pytest

from deploy.local.correspondent import File
from deploy.local.parts import SERVICES
from tests.acceptance.company import Company, ticket_id, until
from tests.leaks import TOKEN, leaks, service_logs

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]
WORD = "canary"
BROKEN = (
    "From: =?x-none?q?Canary?= <canary.broken@nowhere.example>\r\nTo: support@desk.example\r\n"
    "Subject: =?utf-8?b?canary\r\nMessage-ID: <canary-broken@nowhere.example>\r\n"
    "Content-Type: multipart/mixed; boundary=canary\r\n\r\n"
    "--canary\r\nContent-Type: text/plain; charset=canary\r\n\r\ncanary \udcff\r\n"
)


def test_t26_logs_hold_no_words_no_addresses_and_no_tokens(company: Company) -> None:
    """The stack of these tests logs at DEBUG; what earlier tests have caused is looked at too."""
    customer = company.person("canary.local@canary.example", "Canary Name")
    file = File("canary.png", b"canary", "image/png")

    customer.write("support@desk.example", "Canary subject", "A canary body.", files=[file])
    ack = customer.wait_for(lambda x: "Canary subject" in x.subject)
    customer.answer(ack, "More canaries.", html="<p>More <b>canaries</b>.</p>")
    number = ticket_id(ack)
    agent, notice = company.agent_and_notice(number)
    agent.answer(notice, "#takee\nA canary that comes back.")
    receipt = agent.wait_for(lambda x: "comes back" in x.text)
    agent.answer(receipt, "#take\nA canary that flies.")
    answer = customer.wait_for(lambda x: "flies" in x.text)
    customer.write(altered(answer.reply_to), "Canary forged", "A canary with a wrong key.")
    customer.send(BROKEN.encode("utf-8", "surrogateescape"), ["support@desk.example"])
    until(lambda: len(company.show(number)["messages"]) >= 3)

    letters = [letter for person in (customer, agent) for letter in person.letters()]
    tokens = {token for letter in letters for token in TOKEN.findall(letter.path.read_text())}
    people = {
        one["address"] for one in company.addresses["agents"] + company.addresses["customers"]
    }
    assert len(tokens) >= 3
    for name in SERVICES:
        process = psutil.Process(company.addresses["pids"][name])
        assert process.environ()["POSTDESK_LOG_LEVEL"] == "DEBUG"
    assert not leaks(
        service_logs(company.state_dir),
        {WORD, *people, "@mail.example", "@elsewhere.example"},
        tokens,
    )


def altered(address: str) -> str:
    """The same address with another MAC."""
    local, _, domain = address.partition("@")
    return f"{local[:-1]}{'a' if local[-1] != 'a' else 'b'}@{domain}"
