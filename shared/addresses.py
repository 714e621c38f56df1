"""Signed, personal reply addresses and Message-IDs: they find a ticket, they prove no sender.

Layout of a token, 25 bytes, 40 characters of lower-case base32 (mail hosts fold case):
key id 1 | purpose 1 | ticket number 5 | party 4 | number 2 | expiry day 2 | MAC 10.
The MAC is HMAC-SHA256 cut to 80 bits. ``mailbox+TOKEN`` stays within the 64 octets of a local part
(RFC 5321, 4.5.3.1.1) for mailbox names of up to 23 characters.

``number`` means: reply, note: the ticket's seq that the reader saw (modulo 65536); survey: see
`survey_number`; confirm: the draft's number; action: one of `ACTIONS`; desk: how often the address
was changed.
"""

import base64
import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

from shared.contracts.mail import AddressToken, Purpose

MAILBOX_NAME_CHARS = 23
TOKEN_CHARS = 40
ACTIONS = ("status", "close", "list")
"""What a requester may ask for with one mail; a token's ``number`` is the index."""

_PURPOSES: tuple[str, ...] = get_args(Purpose)
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
_MAC_BYTES = 10
_BODY_BYTES = 15
_TOKEN = re.compile(rf"[a-z2-7]{{{TOKEN_CHARS}}}")
_OWN_ID = re.compile(r"t(\d{1,12})\.([a-z0-9-]{1,64})\.([a-z2-7]{16})@(.+)")


@dataclass(frozen=True)
class AddressKeys:
    """HMAC keys by id; ``current`` signs, all the others still verify until they are removed."""

    current: int
    keys: dict[int, bytes]

    @classmethod
    def load(cls, path: Path) -> "AddressKeys":
        """Read ``{"current": 1, "keys": {"1": "<base64 of 32 bytes>"}}``; else ValueError."""
        raw = json.loads(path.read_text(encoding="utf-8"))
        keys = {int(k): base64.b64decode(v, validate=True) for k, v in raw["keys"].items()}
        if int(raw["current"]) not in keys or any(len(k) < 32 for k in keys.values()):  # noqa: PLR2004 - RFC 2104, 3: at least the hash's length
            raise ValueError(f"{path}: the current key is missing or a key is under 32 bytes")
        return cls(current=int(raw["current"]), keys=keys)


def fingerprint(address: str) -> str:
    """8 hex digits that stand for an address inside a token; case does not matter."""
    return hashlib.sha256(address.strip().lower().encode()).hexdigest()[:8]


def survey_number(cycle: int, score: int) -> int:
    """Pack the resolution's number and a score of 1 to 5 (0: any) into a token's ``number``."""
    return (cycle % 8192) * 8 + score


def ticket_number(ticket_id: str) -> int:
    """``T-1042`` -> 1042."""
    return int(ticket_id.removeprefix("T-"))


class AddressBook:
    """Makes and reads the desk's signed addresses and Message-IDs; ``host`` is its domain."""

    def __init__(self, keys: AddressKeys, host: str) -> None:
        self._keys = keys
        self._host = host.lower()

    def address(
        self,
        mailbox: str,
        purpose: Purpose,
        *,
        ticket_id: str | None,
        party: str,
        number: int = 0,
        valid_days: int = 0,
        now: datetime | None = None,
    ) -> str:
        """``mailbox`` with a token for ``party`` (an address); ``valid_days`` 0 never expires.

        Raises ValueError where the local part would pass 64 octets.
        """
        local, _, domain = mailbox.partition("@")
        if len(local) > MAILBOX_NAME_CHARS:
            raise ValueError(f"mailbox name {local!r} is over {MAILBOX_NAME_CHARS} characters")
        expiry = 0
        if valid_days:
            expiry = ((now or datetime.now(UTC)) - _EPOCH).days + valid_days
        body = (
            bytes([self._keys.current, _PURPOSES.index(purpose)])
            + (ticket_number(ticket_id) if ticket_id else 0).to_bytes(5)
            + bytes.fromhex(fingerprint(party))
            + (number % 65536).to_bytes(2)
            + expiry.to_bytes(2)
        )
        return f"{local}+{_b32(body + self._mac(self._keys.current, b'a', body))}@{domain}"

    def read(self, recipient: str, now: datetime) -> AddressToken | None:
        """What the address says; None where it carries no token at all.

        Any string of a token's shape that we did not make is ``forged``, never an error.
        """
        _, plus, token = recipient.lower().rpartition("@")[0].partition("+")
        if not plus:
            return None
        if not _TOKEN.fullmatch(token):
            return AddressToken(state="forged") if len(token) > TOKEN_CHARS // 2 else None
        raw = base64.b32decode(token.upper())
        body, mac = raw[:_BODY_BYTES], raw[_BODY_BYTES:]
        genuine = hmac.compare_digest(mac, self._mac(body[0], b"a", body))
        if not genuine or body[1] >= len(_PURPOSES):
            return AddressToken(state="forged")
        number = int.from_bytes(body[2:7])
        expiry = int.from_bytes(body[13:15])
        expired = bool(expiry) and now >= _EPOCH + timedelta(days=expiry + 1)
        return AddressToken(
            state="expired" if expired else "valid",
            purpose=_PURPOSES[body[1]],
            ticket_id=f"T-{number}" if number else None,
            party=body[7:11].hex(),
            number=int.from_bytes(body[11:13]),
        )

    def message_id(self, ticket_id: str, unique: str) -> str:
        """A Message-ID, without angle brackets, that `ticket_of` recognises as ours.

        ``unique`` is 1 to 64 of a-z, 0-9 and "-"; the same input gives the same id.
        """
        number = ticket_number(ticket_id)
        mac = self._mac(self._keys.current, b"m", f"{number}.{unique}".encode())
        return f"t{number}.{unique}.{_b32(mac)}@{self._host}"

    def root_id(self, ticket_id: str) -> str:
        """The id that stands first in References of every mail of a ticket."""
        return self.message_id(ticket_id, "root")

    def ticket_of(self, message_id: str) -> str | None:
        """The ticket that one of our Message-IDs belongs to; None for all others."""
        match = _OWN_ID.fullmatch(message_id.strip().lower())
        if not match or match[4] != self._host:
            return None
        signed = f"{int(match[1])}.{match[2]}".encode()
        genuine = any(
            hmac.compare_digest(_b32(self._mac(key_id, b"m", signed)), match[3])
            for key_id in self._keys.keys
        )
        return f"T-{int(match[1])}" if genuine and int(match[1]) else None

    def _mac(self, key_id: int, domain: bytes, body: bytes) -> bytes:
        key = self._keys.keys.get(key_id)
        if key is None:
            return bytes(_MAC_BYTES + 1)  # matches nothing: no MAC has this length
        return hmac.digest(key, domain + body, "sha256")[:_MAC_BYTES]


def _b32(raw: bytes) -> str:
    return base64.b32encode(raw).decode().lower()
