"""Every SMTP reply of the door: codes of RFC 5321, 4.2 with the enhanced codes of RFC 3463.

The code decides what the sender's queue does: 4xx keeps the mail and tries again for days, 5xx
returns it to its author. So whatever is our own doing is 4xx. No reply carries internals.
"""

import re

GREETING = "Postdesk ESMTP"

SENDER_OK = "250 2.1.0 sender ok"
RECIPIENT_OK = "250 2.1.5 recipient ok"
START_DATA = "354 end data with <CRLF>.<CRLF>"
NOT_NOW = "451 4.3.0 try again later"
NO_ROOM = "452 4.3.1 too much mail in flight, try again later"
NO_DISK = "452 4.3.1 not enough room for mail, try again later"
BEHIND = "452 4.3.2 too much mail waits here already, try again later"
TOO_MANY_RECIPIENTS = "452 4.5.3 too many recipients, send the rest separately"
TOO_MANY_CONNECTIONS = "421 4.7.0 too many connections, try again later"
TOO_MANY_COMMANDS = "421 4.7.0 too many commands of this kind"
TOO_MANY_ERRORS = "421 4.7.0 too many errors"
SHUTTING_DOWN = "421 4.3.2 shutting down, try again later"
IDLE = "421 4.4.2 timeout"
TOO_SLOW = "421 4.4.2 data is coming too slowly"
LINE_WITHOUT_END = "421 4.7.0 a command line does not end"
ODD_LINE = "500 5.5.2 lines end with CRLF and have no control characters"
LONG_LINE = "500 5.5.2 command line too long"
UNKNOWN_COMMAND = "500 5.5.2 command not recognised"
LMTP_HERE = "500 5.5.1 this is LMTP, begin with LHLO"
NO_SUCH_MAILBOX = "550 5.1.1 no such mailbox here"
TOO_LARGE = "552 5.3.4 the mail is larger than this server takes"
LOOP = "554 5.4.6 too many Received fields: the mail goes round in circles"
NOT_OFFERED = "502 5.5.1 not offered"
HELP = "214 2.0.0 see RFC 5321"
NOT_VERIFIED = "252 2.5.0 cannot verify, but will take mail for mailboxes here"
TLS_ACTIVE = "503 5.5.1 TLS is active already"
TLS_READY = "220 2.0.0 ready to start TLS"

_ENHANCED = {
    "221": "2.0.0",
    "250": "2.0.0",
    "252": "2.5.0",
    "451": "4.3.0",
    "454": "4.7.0",
    "500": "5.5.2",
    "501": "5.5.4",
    "502": "5.5.1",
    "503": "5.5.1",
    "530": "5.7.0",
    "552": "5.3.4",
    "553": "5.1.3",
    "554": "5.5.1",
    "555": "5.5.4",
}
_REPLY = re.compile(r"([245]\d\d) ([245]\.\d{1,3}\.\d{1,3} )?(?:Error: )?(.*)", re.DOTALL)


def queued(inbound_id: str) -> str:
    """The promise: the mail is on a majority's journals under this id (RFC 5321, 6.1)."""
    return f"250 2.0.0 queued as {inbound_id}"


def enhanced(reply: str) -> str:
    """The reply with an enhanced code, which most of aiosmtpd's own lack (RFC 2034, 4)."""
    match = _REPLY.fullmatch(reply)
    if not match or not (match[2] or match[1] in _ENHANCED):
        return reply
    return f"{match[1]} {match[2] or _ENHANCED[match[1]] + ' '}{match[3]}"
