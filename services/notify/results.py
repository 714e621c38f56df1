"""The mails that answer a mail or bring a report: what `mail-requests` asks for."""

from dataclasses import replace
from typing import Any
from urllib.parse import quote

from services.notify.domain.view import Thread, TicketView
from services.notify.domain.wire import cleaned
from services.notify.domain.words import Reader, shown
from services.notify.render import Renderer, Texts
from services.notify.stationery import Errand, Files, Letter, Stationery
from shared.contracts.requests import AnswerMail, CommandReceipt, ReportMail


class Results:
    """Writes receipts, answers and reports; the same input gives the same bytes."""

    def __init__(self, stationery: Stationery, renderer: Renderer) -> None:
        self._paper = stationery
        self._renderer = renderer

    def receipt(
        self, errand: Errand, request: CommandReceipt, view: TicketView | None, reader: Reader
    ) -> Letter:
        """What became of an agent's mail, line by line; an answer corrects the draft."""
        values = _receipt_values(request, reader)
        return self._result(errand, request, "receipt", values, view)

    def answer(self, errand: Errand, request: AnswerMail, view: TicketView | None) -> Letter:
        """The answer to an asking command."""
        text = shown(request.text)
        values = {"heading": request.title, "text": text, "preheader": request.title}
        return self._result(errand, request, "answer", values, view)

    def report(self, errand: Errand, request: ReportMail, html: bytes, files: Files) -> Letter:
        """A finished report; its HTML is as reports made it, pictures by their content ids."""
        box = errand.box
        head = self._paper.head(errand, request.subject, Thread())
        wish = quote(f"Unsubscribe from {request.subject}"[:200], safe="")
        unsubscribe = f"mailto:{box.address}?subject={wish}"
        head = replace(head, unsubscribe=unsubscribe, reply_to=box.address)
        return self._paper.letter(
            errand,
            self._paper.to_agent(head, request.to),
            Texts(request.text, html.decode("utf-8", "replace")),
            files=[f for f in files.sent if not f.content_id],
            inline=[f for f in files.sent if f.content_id],
        )

    def _result(
        self,
        errand: Errand,
        request: CommandReceipt | AnswerMail,
        kind: str,
        values: dict[str, Any],
        view: TicketView | None,
    ) -> Letter:
        title = " · ".join(filter(None, [errand.ticket_id, errand.box.brand]))
        values = {"ticket": title, "title": title, **values}
        texts = self._renderer.render(kind, request.language, values)
        subject = view.subject if view else request.subject or str(values["preheader"])
        thread = Thread(ids=(request.in_reply_to,), own_id=request.in_reply_to)
        head = self._paper.to_agent(self._paper.head(errand, subject, thread), request.to)
        return self._paper.letter(
            errand, replace(head, reply_to=self._reply_to(errand, request)), texts
        )

    def _reply_to(self, errand: Errand, request: CommandReceipt | AnswerMail) -> str:
        """To the draft where one waits, to the ticket, or to the agent's desk address."""
        draft = request.draft_number if isinstance(request, CommandReceipt) else 0
        if draft:
            return self._paper.address(errand, "confirm", draft)
        if errand.ticket_id or request.to not in self._paper.desk.agents_by_address:
            return self._paper.address(errand, "reply")
        return self._paper.address(errand, "desk", 0)


def _receipt_values(request: CommandReceipt, reader: Reader) -> dict[str, Any]:
    phrases = reader.phrases["receipt"]
    until = reader.when(request.draft_until) if request.draft_until else ""
    draft_note = str(phrases["draft" if until else "draft-open"])
    first = _first_line(request, phrases)
    return {
        "first": first,
        "preheader": first,
        "nothing": "" if request.outcome == "done" else phrases["nothing"],
        "note": shown(request.note),
        "lines": [
            {
                "mark": "·" if line.ok else "!",
                "line": cleaned(line.line),
                "code": line.code or ("ok" if line.ok else "no"),
                "message": cleaned(line.message),
            }
            for line in request.lines
        ],
        "draft": shown(request.draft),
        "draft_note": draft_note.format(chars=len(request.draft), until=until),
    }


def _first_line(request: CommandReceipt, phrases: dict[str, str]) -> str:
    bad = sum(not line.ok for line in request.lines)
    is_about_lines = bool(request.lines) if request.outcome == "done" else bool(bad)
    key: str = request.outcome
    if key != "refused" and not is_about_lines:
        key = f"{key}-text"
    return phrases[key].format(bad=bad, good=len(request.lines) - bad, all=len(request.lines))
