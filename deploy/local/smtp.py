"""Delivers a mail by SMTP and returns the server's answer."""

import smtplib

from deploy.local.errors import StackError
from deploy.local.ports import split_address

ANSWER_S = 60.0


def deliver(address: str, sender: str, recipients: list[str], raw: bytes) -> str:
    """Send a mail, its line ends made CRLF; return the server's final answer.

    Raises:
        StackError: the server refused the mail or one recipient, or does not answer.
    """
    host, port = split_address(address)
    content = b"\r\n".join(raw.splitlines()) + b"\r\n"
    try:
        with smtplib.SMTP(host, port, timeout=ANSWER_S) as client:
            client.ehlo()
            _ok(client.mail(sender))
            for recipient in recipients:
                _ok(client.rcpt(recipient))
            return _ok(client.data(content))
    except (smtplib.SMTPException, OSError) as error:
        raise StackError(
            f"The mail was not delivered: {error}",
            remedy="'postdesk status' shows whether the desk is ready.",
        ) from error


def _ok(answer: tuple[int, bytes]) -> str:
    code, text = answer
    if code >= 400:  # noqa: PLR2004 - RFC 5321, 4.2.1
        raise smtplib.SMTPResponseException(code, text.decode(errors="replace"))
    return f"{code} {text.decode(errors='replace')}"
