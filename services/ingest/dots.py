"""Finds the end of DATA in a stream of blocks and takes the dots out (RFC 5321, 4.1.1.4, 4.5.2)."""

import re

END = b"\r\n.\r\n"
_LINE_START = b"\r\n"
_DOT_LINE = re.compile(rb"\r\n\.")


class DotReader:
    """Reads one mail; only CRLF "." CRLF ends it, so nothing can be smuggled past it.

    It holds back at most four bytes, however the stream is cut into blocks and however long its
    lines are.
    """

    def __init__(self) -> None:
        self._held = _LINE_START  # DATA begins at the start of a line
        self._skip = len(_LINE_START)

    def feed(self, block: bytes) -> tuple[bytes, bytes | None]:
        """Give the mail's next bytes and, once the end was seen, what follows it; before, None."""
        window = self._held + block if self._held else block  # a copy less
        dot = _DOT_LINE.search(window)
        end = window.find(END, dot.start()) if dot else -1
        if end >= 0:
            return self._plain(window[: end + len(_LINE_START)]), window[end + len(END) :]
        stop = len(window) - _held_back(window)
        self._held = window[stop:]
        return self._plain(window[:stop]) if dot or self._skip else window[:stop], None

    def _plain(self, window: bytes) -> bytes:
        """Take the dots out, and at the first time the line start that the reader began with."""
        if not window:
            return window
        start, self._skip = self._skip, 0
        return window.replace(b"\r\n.", b"\r\n")[start:]


def _held_back(window: bytes) -> int:
    """Count the bytes at the end that may be the beginning of the end mark."""
    return next((n for n in (4, 3, 2, 1) if window.endswith(END[:n])), 0)
