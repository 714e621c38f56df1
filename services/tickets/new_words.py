"""The new words of answers: what we sent ourselves is looked up and taken out of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from services.tickets.domain import threading
from services.tickets.store import Party, SentText, Store
from shared.bus import Received
from shared.config.models import Desk
from shared.contracts.mail import MailReceived
from shared.contracts.sizes import INLINE_TEXT_CHARS
from shared.quotes import subtract

NEAREST = 3
"""So many of the mails that an answer names may be the one that it quotes."""


@dataclass(frozen=True)
class NewWords:
    """``own_ticket_of`` knows the desk's own Message-IDs."""

    store: Store
    desk: Desk
    own_ticket_of: Callable[[str], str | None]

    async def of(self, records: Sequence[Received[Any]]) -> list[Received[Any]]:
        """The mails, each with what is really new in it; loads all texts in two queries."""
        answers = [self._answered(one.record) for one in records]
        ids = {trace for traces, _ in answers for trace in traces}
        parties = {party for _, party in answers if party}
        sent = await self.store.sent_texts(ids, parties) if ids or parties else []
        return [
            replace(one, record=self._cleared(one.record, _original(answer, sent)))
            for one, answer in zip(records, answers, strict=True)
        ]

    def _answered(self, mail: MailReceived) -> tuple[list[str], Party | None]:
        """The mails of ours that this may answer: by their ids, or the last to this party."""
        traces = threading.traces(mail)[:NEAREST]
        ticket_id = mail.token.ticket_id if mail.token else None
        if not ticket_id or any(map(self.own_ticket_of, traces)):
            return traces, None
        return traces, (ticket_id, mail.from_addr)

    def _cleared(self, mail: MailReceived, sent: str) -> MailReceived:
        if not sent or mail.reply_text_blob:
            return mail
        by_agent = mail.from_addr in self.desk.agents_by_address
        new = subtract(mail.text, sent, mail.reply_text, with_context=not by_agent)
        return mail.model_copy(update={"reply_text": new[:INLINE_TEXT_CHARS]})


def _original(answered: tuple[list[str], Party | None], sent: Sequence[SentText]) -> str:
    traces, party = answered
    for trace in traces:
        for one in sent:
            if trace in one.ids:
                return one.text
    return next((one.text for one in sent if one.party == party), "")
