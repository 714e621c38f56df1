"""The mails that tell of a ticket's events: to customers, and to agents."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from services.notify.domain import wire
from services.notify.domain.headers import Head
from services.notify.domain.notice import Notice
from services.notify.domain.view import Thread, TicketView
from services.notify.domain.words import Reader
from services.notify.render import HTML_OCTETS, Renderer, Texts
from services.notify.stationery import Errand, Files, Letter, Stationery, mailto
from shared.addresses import survey_number
from shared.business_time.named import NamedCalendars
from shared.contracts.ticket import MessageAdded, TicketEvent, TicketResolved
from shared.contracts.ticket_state import TEXT_CHARS, AskedQuestion, TicketState

CONVERSATION_CHARS = (20_000, 8_000, 2_000)
"""Room for the conversation in a notice; the next one is tried where the HTML gets too large."""
CUT_MARK = "\n\n[The message was longer; ask for the rest.]"


class Letters:
    """Writes mails about tickets; the same input gives the same bytes."""

    def __init__(self, stationery: Stationery, renderer: Renderer) -> None:
        self._paper = stationery
        self._renderer = renderer
        self._calendars = NamedCalendars(stationery.desk.calendars)

    def acknowledgement(
        self, errand: Errand, view: TicketView, questions: Sequence[AskedQuestion] = ()
    ) -> Letter:
        """With the desk's questions. Of the sender's choosing is only the subject.

        This mail may go to a victim.
        """
        values = {
            **_common(errand),
            "brand": errand.box.brand,
            "questions": [question.text for question in questions],
            "preheader": errand.ticket_id,
        }
        texts = self._renderer.render("acknowledgement", view.state.language, values)
        head = self._paper.head(errand, view.subject, view.thread(errand.recipient))
        return self._paper.letter(errand, head, texts)

    def answer(
        self, errand: Errand, kind: str, event: TicketEvent, view: TicketView, files: Files
    ) -> Letter:
        """An agent's answer or a resolution (``kind``: reply, resolution), with the rating."""
        text, speaker = _agents_words(event)
        name = self._paper.name(speaker) if speaker and text else ""
        brand = errand.box.brand
        values = {
            **_common(errand),
            "text": text,
            "signature": errand.box.signature.replace("{agent}", name or brand) if text else "",
            "left_out": ", ".join(files.left_out),
            "is_blind": _is_blind(errand, view),
            "ratings": self._ratings(errand, event, view.state),
            "preheader": text.partition("\n")[0][:120] or errand.ticket_id,
        }
        texts = self._renderer.render(kind, view.state.language, values)
        head = self._paper.head(errand, view.subject, view.thread(errand.recipient))
        if name:
            head = replace(head, sender=(f"{name} via {brand}", errand.box.address))
        if not _is_blind(errand, view):
            head = _to_all(head, view)
        return self._paper.letter(errand, head, texts, files=files.sent)

    def notice(self, errand: Errand, notice: Notice, thread: Thread, files: Files) -> Letter:
        """The mail to an agent about one or more events."""
        head = self._paper.head(errand, notice.view.subject, thread)
        head = self._paper.to_agent(head, errand.recipient)
        texts = self._notice_texts(errand, notice)
        return self._paper.letter(errand, head, texts, files=files.sent)

    def reader(self, address: str, language: str = "") -> Reader:
        """Who reads: language and zone of the agent, else of the desk."""
        desk = self._paper.desk
        agent = desk.agents_by_address.get(address)
        language = language or (agent.language if agent else desk.language)
        phrases = self._renderer.phrases(language)
        return Reader(phrases, desk.zone(address), self._paper.name, self._calendars)

    def _ratings(
        self, errand: Errand, event: TicketEvent, state: TicketState
    ) -> list[dict[str, Any]]:
        """Five links, one mail each: the score is in the address as well as in the body.

        Who is in copy is not asked.
        """
        if errand.recipient != state.requester:
            return []
        if not isinstance(event, MessageAdded | TicketResolved) or not event.survey_asked:
            return []
        words = self._renderer.phrases(state.language)["ratings"]
        subject = f"[{errand.ticket_id}]"
        found = []
        for score in (5, 4, 3, 2, 1):
            address = self._paper.address(errand, "survey", survey_number(event.cycle, score))
            href = mailto(address, subject=subject, body=str(score))
            found.append({"score": score, "word": words[str(score)], "href": href})
        return found

    def _notice_texts(self, errand: Errand, notice: Notice) -> Texts:
        """The fullest form that stays under the limit of HTML."""
        phrases = notice.reader.phrases
        note = self._paper.address(errand, "note")
        state = notice.view.state
        others = [*state.followers, *state.blind_followers]
        answering = str(phrases["answering-all" if others else "answering"])
        more = {
            **_common(errand),
            "answering": answering.format(customer=state.requester, note=note, copies=len(others)),
            "actions": self._actions(errand, notice, note),
        }
        agent = self._paper.desk.agents_by_address.get(errand.recipient)
        language = agent.language if agent else self._paper.desk.language
        for chars in CONVERSATION_CHARS:
            values = {**notice.values(chars), **more}
            values["preheader"] = f"{values['leads'][0]} {values['facts'][-1]['value']}"
            texts = self._renderer.render("notice", language, values)
            if len(texts.html.encode()) <= HTML_OCTETS:
                break
        return texts

    def _actions(self, errand: Errand, notice: Notice, note: str) -> list[dict[str, str]]:
        """One action for each link; the same command stands beside it as text."""
        words, subject = notice.reader.phrases["actions"], f"[{errand.ticket_id}]"
        reply = self._paper.address(errand, "reply")
        is_taken = notice.view.state.holder_at(notice.now) == notice.agent
        return [
            {
                "word": word,
                "command": f"#{command}",
                "href": mailto(note, subject=subject)
                if command == "note"
                else mailto(reply, subject=subject, body=f"#{command}"),
            }
            for command, word in words.items()
            if not (command == "take" and is_taken)
        ]


def _common(errand: Errand) -> dict[str, Any]:
    return {"ticket": errand.ticket_id, "title": f"{errand.ticket_id} · {errand.box.brand}"}


def _is_blind(errand: Errand, view: TicketView) -> bool:
    """Whether the recipient is hidden: then the mail is to them alone.

    To and Cc of the others would have their "answer to all" betray them.
    """
    return errand.recipient in view.state.blind_followers


def _to_all(head: Head, view: TicketView) -> Head:
    """To the requester, followers in copy; each of them gets a mail of their own."""
    state = view.state
    if not wire.is_sendable(state.requester):
        return head
    copies = [a for a in dict.fromkeys(state.followers) if wire.is_sendable(a)]
    return replace(
        head,
        to=[(state.requester_name, state.requester)],
        cc=[("", a) for a in copies if a != state.requester],
    )


def _agents_words(event: TicketEvent) -> tuple[str, str]:
    """The text for the customer and the address of the agent who wrote it."""
    if isinstance(event, MessageAdded):
        text, actor = event.message.reply_text, event.message.author
    else:
        text, actor = getattr(event, "summary", ""), event.by
    kind, _, who = actor.partition(":")
    whole = text.strip() + (CUT_MARK if len(text) >= TEXT_CHARS else "")
    return whole, who if kind == "agent" else ""
