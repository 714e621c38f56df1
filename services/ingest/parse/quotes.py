"""The new words of a mail: quoted history taken off, answers between quoted lines kept."""

from dataclasses import replace

from services.ingest.parse.attributions import (
    MAX_WRAPPED,
    attribution_at,
    likely_starts,
    quote_follows,
)
from services.ingest.parse.header_blocks import block_at
from services.ingest.parse.lines import Line, joined
from services.ingest.parse.signatures import without_signature
from services.ingest.parse.words.delimiters import (
    is_between_angles,
    is_forwarded,
    is_original,
    is_reply_above,
    is_rule,
)

_TAIL, _WRAPPED = 35, 60  # characters: of a wrapped tail, and of the line it came from
_ARMOUR = "-----BEGIN PGP SIGNED MESSAGE-----"
_ARMOUR_END = "-----BEGIN PGP SIGNATURE-----"
_WHOLE_BLOCK = 4  # labels; so many are no sentence of somebody's


def reply_text(lines: list[Line]) -> str:
    """Return what the sender added: no history, no signature, no mobile footer.

    Inline answers keep the quoted lines they answer.
    """
    return joined(reply_lines(lines))


def reply_lines(lines: list[Line]) -> list[Line]:
    """Return the lines that ``reply_text`` shows."""
    lines = _tails_joined(_without_armour(lines))
    cut = history_start(lines)
    top = lines[:cut]
    if cut < len(lines) and not _has_text(top):
        top = [] if _is_history(lines, cut) else lines
    top = _trim_tail(_without_attributions(top))
    return _without_quotes(without_signature(top))


def _without_armour(lines: list[Line]) -> list[Line]:
    """Drop the frame of a clear-signed text (RFC 9580, 7): its first lines and the signature."""
    start = next((i for i, x in enumerate(lines) if x.text.startswith(_ARMOUR)), None)
    if start is None:
        return lines
    body = next((i for i in range(start, len(lines)) if not lines[i].text.strip()), len(lines))
    is_end = (i for i in range(body, len(lines)) if lines[i].text.startswith(_ARMOUR_END))
    end = next(is_end, len(lines))
    signed = [
        replace(x, text=x.text.removeprefix("- "), written=None) for x in lines[body + 1 : end]
    ]
    return lines[:start] + signed


def _tails_joined(lines: list[Line]) -> list[Line]:
    """Give the tail of a quoted line that was wrapped its depth back."""
    out = list(lines)
    for index in range(1, len(lines) - 1):
        before, line, after = lines[index - 1 : index + 2]
        is_tail = before.depth and after.depth and not line.depth and not line.mark
        if is_tail and 0 < len(line.text.strip()) < _TAIL and len(before.shown) > _WRAPPED:
            out[index] = Line(line.text, before.depth, "", line.written)
    return out


def history_start(lines: list[Line]) -> int:
    """Return the index where history begins that no quote prefix marks; the length if none does."""
    likely = likely_starts(lines)
    for index, line in enumerate(lines):
        if line.depth and not is_between_angles(line.shown):
            continue
        is_begin = line.text.strip() and _begins_history(lines, index, may_say=index in likely)
        if line.mark == "history" or is_begin:
            return _with_rule_above(lines, _with_attribution_above(lines, index))
    return len(lines)


def _begins_history(lines: list[Line], index: int, *, may_say: bool) -> bool:
    text = lines[index].text
    if is_between_angles(lines[index].shown):
        return not quote_follows(lines, index + 1)
    if is_original(text) or is_forwarded(text) or is_reply_above(text):
        return True
    if block_at(lines, index) is not None and _is_set_apart(lines, index):
        return True
    after = attribution_at(lines, index) if may_say else index
    return after > index and not quote_follows(lines, after)


def _is_set_apart(lines: list[Line], index: int) -> bool:
    return (
        index == 0
        or not lines[index - 1].text.strip()
        or lines[index - 1].mark != ""
        or is_rule(lines[index - 1].text)
        or len(block_values(lines, index)) >= _WHOLE_BLOCK
    )


def block_values(lines: list[Line], index: int) -> dict[str, str]:
    """Return the values of the block on the line, {} when there is none."""
    block = block_at(lines, index)
    return block.values if block is not None else {}


def _with_attribution_above(lines: list[Line], index: int) -> int:
    """Begin at the line that introduces history which only the HTML marks."""
    last = index - 1
    while last >= 0 and not lines[last].text.strip():
        last -= 1
    if lines[index].mark != "history" or last < 0 or lines[last].depth:
        return index
    starts = range(max(0, last - MAX_WRAPPED + 1), last + 1)
    return next((s for s in starts if attribution_at(lines, s) == last + 1), index)


def _with_rule_above(lines: list[Line], index: int) -> int:
    above = index - 1
    while above >= 0 and not lines[above].text.strip() and not lines[above].mark:
        above -= 1
    if above >= 0 and (is_rule(lines[above].text) or lines[above].mark == "rule"):
        return above
    return index


def _is_history(lines: list[Line], cut: int) -> bool:
    """Whether a cut with nothing above it is a real one: a lone header block may be a web form."""
    line = lines[cut]
    if line.mark == "history" or is_original(line.text) or is_forwarded(line.text):
        return True
    if is_between_angles(line.shown):
        return True
    after = attribution_at(lines, cut)
    if after > cut and any("@" in x.text or x.mark for x in lines[cut:after]):
        return True
    start = next((i for i in range(cut, len(lines)) if block_values(lines, i)), len(lines))
    values = block_values(lines, start) if start < len(lines) else {}
    return "date" in values and len(values) >= 3  # noqa: PLR2004 - a web form has no Sent line


def _has_text(lines: list[Line]) -> bool:
    return any(line.text.strip() and line.mark != "signature" for line in lines)


def _without_attributions(lines: list[Line]) -> list[Line]:
    """Drop the lines that introduce quotations."""
    kept: list[Line] = []
    index = 0
    likely = likely_starts(lines)
    while index < len(lines):
        is_asked = index in likely and not lines[index].depth
        after = attribution_at(lines, index) if is_asked else index
        if after > index and (lines[index].mark or quote_follows(lines, after)):
            index = after
            continue
        kept.append(lines[index])
        index += 1
    return kept


def _without_quotes(lines: list[Line]) -> list[Line]:
    """Drop a quotation below or above the text; keep those that the text answers in between."""
    lines = _trim_tail(lines)
    texts = [i for i, line in enumerate(lines) if not line.depth and line.text.strip()]
    if not texts:
        return []
    first_quote = next(
        (i for i, line in enumerate(lines) if line.depth and line.text.strip()), None
    )
    if first_quote is None:
        return lines
    last_quote = max(i for i, line in enumerate(lines) if line.depth and line.text.strip())
    if texts[0] > last_quote:
        return lines[texts[0] :]
    return lines


def _trim_tail(lines: list[Line]) -> list[Line]:
    """Drop quoted and blank lines at the end."""
    end = len(lines)
    while end and (lines[end - 1].depth or not lines[end - 1].text.strip()):
        end -= 1
    return lines[:end]
