"""The quarantine by mail: what admins are told, what they order, and who may not."""

import asyncio
from typing import Any

import pytest

from services.ingest.quarantine import Quarantine
from shared import mongo
from tests.acceptance.company import until
from tests.threats.guarded import ADMIN, SUPPORT, Guarded

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]
TOO_MANY = {f"X-{n}": "y" for n in range(3_000)}


def in_quarantine(guarded: Guarded, *, every: bool = False) -> list[dict[str, Any]]:
    async def look() -> list[dict[str, Any]]:
        client = mongo.connect(guarded.addresses["mongo"], service="threats")
        try:
            return await Quarantine(client).entries(every=every)
        finally:
            client.close()

    return asyncio.run(look())


def test_an_admin_is_told_of_unreadable_mail_and_decides_by_mail_and_nobody_else_does(
    guarded: Guarded,
) -> None:
    ada = guarded.person(ADMIN, "Ada Byrne")
    emma = guarded.customer()
    sent = emma.write(SUPPORT, "Too many fields", "What now?", headers=TOO_MANY)
    entry = until(lambda: _waiting(guarded, sent))
    name = entry["id"][:12]

    told = ada.wait_for(lambda x: name in x.text)
    assert "new in quarantine" in told.subject
    assert told.reply_to != SUPPORT

    forged = guarded.forger(ADMIN).answer(told, f"#quarantine drop {name}")
    guarded.filed(forged)
    assert _waiting(guarded, sent)

    ada.answer(told, f"#quarantine show {name}")
    facts = ada.wait_for(lambda x: "It begins:" in x.text)
    assert "Subject: Too many fields" in facts.text
    ada.answer(facts, f"#quarantine retry {name} why a new parser")
    ada.wait_for(lambda x: "1 mail retried" in x.text)
    again = ada.wait_for(lambda x: "new in quarantine" in x.subject and name in x.text)
    ada.answer(again, f"#quarantine release {name}", quote=False)
    ada.wait_for(lambda x: "1 mail released" in x.text)

    assert not _waiting(guarded, sent)
    [decided] = [e for e in in_quarantine(guarded, every=True) if e["id"] == entry["id"]]
    assert [d["action"] for d in decided["decisions"]] == ["retried", "released"]
    assert {d["by"] for d in decided["decisions"]} == {f"agent:{ADMIN}"}
    assert decided["decisions"][0]["why"] == "a new parser"


def test_an_agent_without_the_role_is_refused(guarded: Guarded) -> None:
    emma = guarded.customer()
    number, _ = guarded.open_ticket(emma, "Of no matter")
    agent, notice = guarded.agent_and_notice(number)

    agent.answer(notice, "#quarantine list")

    refused = agent.wait_for(lambda x: "#quarantine" in x.text and "E05" in x.text)
    assert "needs the role admin" in refused.text


def _waiting(guarded: Guarded, message_id: str) -> dict[str, Any] | None:
    found = [e for e in in_quarantine(guarded) if e["message_id"] == message_id.strip("<>")]
    return found[0] if found else None
