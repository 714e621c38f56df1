"""Who a mail says it is from, and what that is worth: through the whole stack, signed for real."""

from itertools import product

import pytest

from tests.acceptance.company import ticket_id, until
from tests.name_server import signed
from tests.threats.guarded import NILS, SUPPORT, Guarded

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]
TOKENS = ("agent's", "customer's", "none")
SENDERS = ("agent", "stranger")
PROOFS = ("signed", "forged")


def test_t01_of_twelve_cells_only_the_agents_own_proven_mail_reaches_the_customer(
    guarded: Guarded,
) -> None:
    emma = guarded.customer()
    number, ack = guarded.open_ticket(emma, "Twelve cells")
    agent, notice = guarded.agent_and_notice(number)
    addresses = {"agent's": notice.reply_to, "customer's": ack.reply_to, "none": SUPPORT}
    senders = {"agent": agent.address, "stranger": "mallory@evil.example"}
    cells = {}

    for at, (token, sender, proof) in enumerate(product(TOKENS, SENDERS, PROOFS)):
        address = senders[sender]
        signer = address.rpartition("@")[2] if proof == "signed" else ""
        writer = guarded.forger(address, signs_as=signer)
        word = f"cell-{at:02}-words"
        cells[word] = (
            token,
            sender,
            proof,
            writer.answer(notice, word, to=addresses[token], quote=False),
        )

    answer = emma.wait_for(lambda x: "-words" in x.text)
    filed = {word: guarded.filed(cell[3]) for word, cell in cells.items()}
    good = [word for word, cell in cells.items() if cell[:3] == ("agent's", "agent", "signed")]
    out = [m for m in guarded.show(number)["messages"] if m["direction"] == "out"]
    assert [good[0] in m["text"] for m in out] == [True]
    assert good[0] in answer.text
    told = [x for x in emma.letters() if "-words" in x.path.read_text()]
    assert len(told) == 1
    held = {word for word, row in filed.items() if row["unverified"]}
    by_agents_or_to_agents = {w for w, c in cells.items() if c[0] == "agent's" and w not in good}
    assert by_agents_or_to_agents <= held


def test_t01_a_forged_order_of_an_agents_changes_nothing_and_is_shown(guarded: Guarded) -> None:
    emma = guarded.customer()
    number, _ = guarded.open_ticket(emma, "Close me by force")
    agent, notice = guarded.agent_and_notice(number)
    forger = guarded.forger(agent.address, signs_as="evil.example")

    sent = forger.answer(notice, "#take\n#resolve\nYour refund is at http://evil.example")

    row = guarded.filed(sent)
    assert row["unverified"]
    assert "failed the check" in row["trust"]
    assert row["authentication"] == "fail"
    ticket = guarded.show(number)
    assert (ticket["status"], ticket["locked_by"]) == ("new", None)
    held = agent.wait_for(lambda x: number in x.subject and "refund" in x.text)
    assert "failed the check of its own domain" in held.text


def test_t02_reply_to_and_sender_give_nobody_anothers_rights(guarded: Guarded) -> None:
    emma = guarded.customer()
    number, _ = guarded.open_ticket(emma, "Taken over")
    agent, notice = guarded.agent_and_notice(number)
    mallory = guarded.person("mallory@evil.example")
    headers = {"Reply-To": agent.address, "Sender": agent.address}

    sent = mallory.answer(notice, "#close\nmallory-words", headers=headers)

    row = guarded.filed(sent)
    assert (row["unverified"], row["from_addr"]) == (True, "mallory@evil.example")
    assert guarded.show(number)["status"] == "new"
    assert not [x for x in emma.letters() if "mallory-words" in x.text]


@pytest.mark.parametrize(
    "second", ["From: {agent}\r\n", "From: Mallory <m@evil.example>, {agent}\r\n"]
)
def test_t02_of_two_senders_none_is_believed(guarded: Guarded, second: str) -> None:
    emma = guarded.customer()
    number, _ = guarded.open_ticket(emma, "Two faces")
    agent, notice = guarded.agent_and_notice(number)
    name = f"two-{len(second)}-{number}@evil.example"
    first = "" if "Mallory" in second else "From: m@evil.example\r\n"
    raw = (
        f"{first}{second.format(agent=agent.address)}To: {notice.reply_to}\r\nSubject: x\r\n"
        f"Message-ID: <{name}>\r\n\r\n#close\r\ntwo faces\r\n"
    )

    guarded.forger("m@evil.example", signs_as="evil.example").send(raw.encode(), [notice.reply_to])

    row = guarded.filed(name)
    assert row["unverified"]
    assert guarded.show(number)["status"] == "new"


def test_t03_a_stranger_with_a_guessed_number_gets_into_no_ticket(guarded: Guarded) -> None:
    emma = guarded.customer()
    number, ack = guarded.open_ticket(emma, "Secrets of the oven")
    mallory = guarded.person("mallory@evil.example")
    trick = {"Cc": "accomplice@evil.example", "In-Reply-To": ack.message_id}

    sent = mallory.write(SUPPORT, f"Re: [{number}] Secrets", "Add me please.", headers=trick)

    row = guarded.filed(sent)
    assert row["ticket_id"] != number
    ticket = guarded.show(number)
    assert ticket["followers"] == []
    assert not [m for m in ticket["messages"] if "Add me" in m["text"]]
    agent, notice = guarded.agent_and_notice(number)
    agent.answer(notice, "The recipe is safe.")
    emma.wait_for(lambda x: "recipe is safe" in x.text)
    assert not mallory.letters() or "Secrets of the oven" not in mallory.letters()[-1].text
    assert not guarded.person("accomplice@evil.example").letters()


def test_t03_a_forged_requester_adds_nobody_to_the_ticket(guarded: Guarded) -> None:
    emma = guarded.customer()
    number, ack = guarded.open_ticket(emma, "My bills")
    forger = guarded.forger(emma.address, signs_as="evil.example")

    sent = forger.answer(ack, "Copy me.", to=SUPPORT, headers={"Cc": "mallory@evil.example"})

    assert guarded.filed(sent)["unverified"]
    assert guarded.show(number)["followers"] == []


def test_t03_a_copy_of_a_mail_that_proves_nothing_adds_nobody_and_agents_are_shown_it(
    guarded: Guarded,
) -> None:
    forger = guarded.forger("emma@bakery.example", "Emma Brand", signs_as="evil.example")
    copy = {"Cc": "friend@evil.example"}

    sent = forger.write(SUPPORT, "Copy my friend", "Please.", headers=copy)

    number = guarded.filed(sent)["ticket_id"]
    agent, notice = guarded.agent_and_notice(number)
    assert guarded.show(number)["followers"] == []
    assert "Also sent to, but not in copy here: friend@evil.example" in notice.text
    agent.answer(notice, "The words for Emma.")
    guarded.person("emma@bakery.example").wait_for(lambda x: "The words for Emma." in x.text)
    assert not guarded.person("friend@evil.example").letters()


def test_t03_who_comes_into_copy_gets_nothing_from_before_and_nothing_internal(
    guarded: Guarded,
) -> None:
    emma, nils = guarded.customer(), guarded.person("nils.later@lindqvist.example")
    number, ack = guarded.open_ticket(emma, "Grown in secret")
    agent, notice = guarded.agent_and_notice(number)
    agent.answer(notice, "#note\nINTERNAL: she pays late.")
    until(lambda: guarded.show(number)["messages"][-1]["kind"] == "note")
    emma.answer(ack, "BEFORE: my password is swordfish.")
    news = agent.wait_for(lambda x: number in x.subject and "swordfish" in x.text)

    agent.answer(news, f"#cc {nils.address}\nHello both.")

    copied = nils.wait_for(lambda x: number in x.subject)
    raw = copied.path.read_text()
    assert "Hello both." in copied.text
    assert not [x for x in ("BEFORE", "swordfish", "INTERNAL", "first response") if x in raw]
    assert agent.address not in raw
    assert ack.message_id not in raw
    stolen = guarded.person("mallory@evil.example").answer(copied, "I am Nils.")
    assert guarded.filed(stolen)["unverified"]
    forged = guarded.forger(nils.address, signs_as="evil.example")
    accomplice = {"Cc": "accomplice@evil.example"}
    sent = forged.write(SUPPORT, f"Re: [{number}]", "Add him.", headers=accomplice)
    assert guarded.filed(sent)["unverified"]
    assert guarded.show(number)["followers"] == [nils.address]


def test_t04_a_verification_mail_to_a_ticket_is_for_agents_alone(guarded: Guarded) -> None:
    emma = guarded.customer()
    number, ack = guarded.open_ticket(emma, "Ticket trick")
    robot = guarded.person("no-reply@evil.example", "Chat Service")

    sent = robot.write(ack.reply_to, "Confirm your address", "Your code is 271828.")

    row = guarded.filed(sent)
    assert (row["ticket_id"], row["unverified"]) == (number, True)
    agent, notice = guarded.agent_and_notice(number)
    agent.answer(notice, "Anything else?")
    answer = emma.wait_for(lambda x: "Anything else?" in x.text)
    assert "271828" not in answer.path.read_text()
    assert not [x for x in emma.letters() if "271828" in x.path.read_text()]


def test_t05_anothers_reply_address_does_not_make_a_sender(guarded: Guarded) -> None:
    emma = guarded.customer()
    number, ack = guarded.open_ticket(emma, "Forwarded address")
    nils = guarded.person(NILS, "Nils Lindqvist")

    sent = nils.write(ack.reply_to, "Re: Forwarded address", "I am Emma, honest.")

    row = guarded.filed(sent)
    assert (row["ticket_id"], row["unverified"]) == (number, True)
    assert "sender verified (lindqvist.example)" in row["trust"]
    assert "own reply address" not in row["trust"]


def test_t07_a_forged_verdict_in_our_relays_name_is_not_believed(guarded: Guarded) -> None:
    emma = guarded.customer()
    number, _ = guarded.open_ticket(emma, "Forged results")
    agent, notice = guarded.agent_and_notice(number)
    domain = agent.address.rpartition("@")[2]
    verdict = f"mx.desk.example; dmarc=pass header.from={domain}"

    sent = guarded.forger(agent.address).answer(
        notice, "#close\nforged results", headers={"Authentication-Results": verdict}
    )

    row = guarded.filed(sent)
    assert (row["unverified"], row["authentication"]) == (True, "fail")
    assert guarded.show(number)["status"] == "new"


def test_t10_nobody_is_told_of_mail_that_they_did_not_write(guarded: Guarded) -> None:
    sent = []
    for at in range(40):
        victim = guarded.forger(f"victim{at}@bakery.example", signs_as="evil.example")
        sent.append(victim.write(SUPPORT, "Buy at http://evil.example", "Buy now."))
    rows = [guarded.filed(one) for one in sent]
    emma = guarded.customer()
    guarded.open_ticket(emma, "After the flood")

    assert not [row for row in rows if row["answerable"]]
    for at in range(40):
        assert not guarded.person(f"victim{at}@bakery.example").letters()


def test_t10_an_acknowledgement_has_none_of_the_senders_words(guarded: Guarded) -> None:
    emma = guarded.customer()

    _, ack = guarded.open_ticket(emma, "Subject of mine")

    assert "please help" not in ack.path.read_text()


def test_t11_a_forged_report_ends_no_mail_and_marks_no_ticket(guarded: Guarded) -> None:
    emma = guarded.customer()
    number, ack = guarded.open_ticket(emma, "Still alive")
    raw = (
        "From: mailer-daemon@evil.example\r\nSubject: Undelivered Mail\r\n"
        f"Message-ID: <dsn-{number}@evil.example>\r\nReferences: {ack.message_id}\r\n"
        "MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nGone.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; evil.example\r\n\r\n"
        f"Final-Recipient: rfc822; {emma.address}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {ack.message_id}\r\n\r\n--b--\r\n"
    )

    guarded.forger("mailer-daemon@evil.example").send(raw.encode(), [SUPPORT])

    row = guarded.filed(f"dsn-{number}@evil.example")
    assert row["ticket_id"] != number
    assert "ticket.delivery-noted" not in [e["type"] for e in guarded.show(number)["timeline"]]
    agent, notice = guarded.agent_and_notice(number)
    agent.answer(notice, "We go on.")
    emma.wait_for(lambda x: "We go on." in x.text)


def test_t20_words_added_to_a_signed_mail_make_it_unverified(guarded: Guarded) -> None:
    emma = guarded.customer()
    number, _ = guarded.open_ticket(emma, "Replayed")
    agent, notice = guarded.agent_and_notice(number)
    thief = guarded.forger(agent.address)
    name = f"replay-{number}@desk-team.example"
    raw = f"From: {agent.address}\r\nTo: {notice.reply_to}\r\nSubject: x\r\nMessage-ID: <{name}>\r\n\r\n"
    taken = signed(raw.encode() + b"Dear Emma\r\n", "desk-team.example", length=True)
    assert b" l=" in taken
    thief.send(taken + b"give mallory your password\r\n", [notice.reply_to])

    row = guarded.filed(name)
    assert row["unverified"]
    assert not [x for x in emma.letters() if "password" in x.text]


def test_t22_no_mail_has_a_link_that_a_scanner_could_follow_to_change_something(
    guarded: Guarded,
) -> None:
    emma = guarded.customer()
    number, _ = guarded.open_ticket(emma, "Links")
    agent, notice = guarded.agent_and_notice(number)
    agent.answer(notice, "#take\n#resolve\nDone.")
    solved = emma.wait_for(lambda x: number in x.subject and "Done." in x.text)

    for letter in (notice, solved):
        assert letter.links
        assert "http" not in letter.html.replace("http://www.w3.org", "")
        assert letter.message["List-Unsubscribe-Post"] is None
    until(lambda: guarded.show(number)["status"] == "resolved")
    assert ticket_id(solved) == number
