"""Forty mails that are small on the wire and dear to read, made by code.

Each is whole: whoever reads it by the standards has to do the work. What they are called says what is
dear in them.
"""

import base64
import gzip
from itertools import cycle

HEAD = "From: Eve <eve@evil.example>\r\nTo: support@desk.example\r\nSubject: {subject}\r\nMessage-ID: <{subject}@evil.example>\r\n"
MIXED = 'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n'
HTML = "MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
TEXT = "Content-Type: text/plain; charset=utf-8\r\n\r\n"
LINES = "\r\n" * 2


def _nested(count: int, kind: str = "multipart/mixed") -> str:
    levels = (f'Content-Type: {kind}; boundary="n{n}"\r\n\r\n--n{n}\r\n' for n in range(count))
    return "MIME-Version: 1.0\r\n" + "".join(levels) + TEXT + "core\r\n"


def _file(name: str, kind: str, data: bytes) -> str:
    body = base64.encodebytes(data).decode().replace("\n", "\r\n")
    return (
        f'{MIXED}\r\n--b\r\n{TEXT}see file\r\n--b\r\nContent-Type: {kind}; name="{name}"\r\n'
        f'Content-Disposition: attachment; filename="{name}"\r\nContent-Transfer-Encoding: base64\r\n\r\n{body}--b--\r\n'
    )


def _tnef(count: int) -> bytes:
    """An attribute whose length goes far beyond its end, many times."""
    return b"\x78\x9f\x3e\x22\x01\x00" + b"\x02\x0f\x80\x06\x00\xff\xff\xff\x7f" * count


def _under_the_limits(start: str, *pieces: str) -> str:
    """A header as long as one may be, of the pieces again and again, in lines as long as they may be."""
    lines, line, size = [], start, 0
    for piece in cycle(pieces):
        if len(line) + len(piece) > 16_000:
            lines.append(line)
            size, line = size + len(line), " "
            if size > 230_000:
                break
        line += piece
    return "\r\n".join(lines) + LINES


BODIES = {
    # the structure
    "nested-multiparts": _nested(2_000),
    "nested-alternatives": _nested(500, "multipart/alternative"),
    "same-boundary-nested": "MIME-Version: 1.0\r\n" + 'Content-Type: multipart/mixed; boundary="n"\r\n\r\n--n\r\n' * 3_000,
    "prefix-boundaries": "MIME-Version: 1.0\r\n" + "".join(f'Content-Type: multipart/mixed; boundary="{"n" * n}"\r\n\r\n--{"n" * n}\r\n' for n in range(1, 70)),
    "parts": MIXED + "\r\n" + f"--b\r\n{TEXT}x\r\n" * 30_000 + "--b--\r\n",
    "empty-parts": MIXED + "\r\n" + "--b\r\n\r\n" * 100_000,
    "boundary-lookalikes": MIXED + "\r\n" + "--bb\r\n" * 200_000,
    "mails-in-mails": "MIME-Version: 1.0\r\n" + "Content-Type: message/rfc822\r\n\r\n" * 3_000,
    "digest-of-mails": 'MIME-Version: 1.0\r\nContent-Type: multipart/digest; boundary="b"\r\n\r\n' + "--b\r\n\r\nFrom: a@b.c\r\n\r\nx\r\n" * 20_000,
    "part-header-flood": MIXED + "\r\n--b\r\n" + "X: y\r\n" * 100_000 + "\r\nx\r\n--b--\r\n",
    # the headers
    "header-flood": "X: y\r\n" * 60_000 + LINES,
    "one-long-header": "X-Long: " + "y" * 900_000 + LINES,
    "folded-header": "X-Folded: y\r\n" + " z\r\n" * 120_000 + LINES,
    "semicolons": _under_the_limits("Content-Type: a/b", ";"),
    "parameters": _under_the_limits("Content-Type: text/plain", "; p=v"),
    "split-parameters": _under_the_limits("Content-Type: text/plain", *(f"; name*{n}*=x" for n in range(15_000))),
    "backslashes": _under_the_limits('Content-Type: text/plain; name="', '\\"'),
    "nested-comments": _under_the_limits("Reply-To: ", "("),
    "open-quotes": _under_the_limits("Cc: ", '"a '),
    "recipients": "Cc: " + ",\r\n ".join(f"p{n}@evil.example" for n in range(40_000)) + LINES,
    "groups": _under_the_limits("Cc: ", "g: a@b.c;, "),
    "encoded-words": _under_the_limits("Subject: ", "=?utf-8?b?YWE=?= "),
    "broken-encoded-words": _under_the_limits("From: ", "=?utf-8?q?"),
    "references": _under_the_limits("References: ", *(f"<{n}@e.example> " for n in range(12_000))),
    "results": _under_the_limits("Authentication-Results: mx.desk.example; ", "dkim=pass ("),
    "received": "".join(f"Received: from a{n} by b; Mon, 1 Jan 2026 00:00:00 +0000\r\n" for n in range(99)) + "X: " + "(" * 15_000 + LINES,
    # the HTML
    "deep-html": HTML + "<div>" * 200_000,
    "deep-quotes": HTML + "<blockquote>x" * 60_000,
    "huge-table": HTML + "<table>" + ("<tr>" + "<td>x</td>" * 300 + "</tr>") * 300,
    "tables-in-tables": HTML + "<table><tr><td>" * 30_000,
    "attributes": HTML + "<p " + "".join(f"a{n}=x " for n in range(100_000)) + ">x</p>",
    "entities": HTML + "&#x1F600;&notanentity;&lt" * 100_000,
    "comments": HTML + "<!--" * 200_000 + "x",
    "style-rules": HTML + "<style>" + ".a{display:none}" * 50_000 + "</style>" + "<p class=a>x</p>" * 5_000,
    # the text
    "quote-signs": TEXT + (">" * 900 + "\r\n") * 3_000,
    "attributions": TEXT + "On Mon, 1 Jan 2026 at 10:00, Ann <a@b.c> wrote:\r\n" * 30_000,
    "blanks": TEXT + " " * 5_000_000 + "x\r\n",
    "uuencode": TEXT + "begin 644 a\r\n" * 80_000 + "end\r\n",
    # the files
    "gzip-of-zeros": _file("a.gz", "application/gzip", gzip.compress(b"\0" * 50_000_000)),
    "winmail": _file("winmail.dat", "application/ms-tnef", _tnef(50_000)),
    "calendar": "MIME-Version: 1.0\r\nContent-Type: text/calendar\r\n\r\n" + "BEGIN:VEVENT\r\n" * 100_000,
    "rtf": _file("winmail.dat", "application/ms-tnef", b"\x78\x9f\x3e\x22" + b"{\\rtf1" * 100_000),
}  # fmt: skip


def bomb(name: str) -> bytes:
    """The bytes of one; its subject and Message-ID are its name."""
    return (HEAD.format(subject=name) + BODIES[name]).encode()
