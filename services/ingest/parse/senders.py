"""Who writes when no person does: mailer daemons and addresses nobody reads."""

import re

from services.ingest.parse.words.casing import lowered

# These two are for a `lowered` text.
_DAEMON = re.compile(
    r"^(?:mailer[-_. ]?daemon|mail[-_. ]?daemon|maildaemon|post[-_.]?master|"
    r"mdaemon|daemon|interscan|mail[-_.]?delivery.*|maildelivery.*|mailerdaemon|mmdf|uucp|"
    r"mailsystem|mail[-_.]system|"
    r"microsoftexchange[0-9a-f]{10,}|(?:e?mail)?[-_.]?bounces?|bounce[-_.+].*|bounces?[-_.+].*|"
    r"double-bounce|mailnull|smtp|mta|mail-?er|mailadmin|symantec.*|ironport.*|barracuda.*|"
    r"noreply-?bounce.*|dsn|ndr|mailer|autoreply-?bounce|email\.?returned|mail-?gateway)$"
)
_DAEMON_NAME = re.compile(
    r"mail(?:er)?[- ]?(?:daemon|delivery|system)|delivery (?:sub)?system|postmaster|"
    r"system administrator|systemadministrator|internet mail delivery|microsoft outlook$|"
    r"mail delivery|mail server at |administrateur système|"
    r"administrador del sistema|administrador do sistema|amministratore di sistema|"
    r"systeembeheerder|系统管理员|システム管理者"
)
_UNREAD = re.compile(
    r"^(?:.*[-_.+])?(?:no|do[-_.]?not|donot|never|non|ne|nicht|nao|sin)[-_.]?(?:reply|respond|replay|answer|repondre|rispondere|antworten|responder?a?|respuesta|reponse)(?:[-_.+].*|\d*)?$",
    re.IGNORECASE,
)


def is_daemon(address: str, name: str = "") -> bool:
    """Whether the sender is a mail system, by its local part or display name."""
    local = address.partition("@")[0].strip('"')
    return (
        _DAEMON.match(lowered(local)) is not None or _DAEMON_NAME.search(lowered(name)) is not None
    )


def is_unread(address: str) -> bool:
    """Whether the address says of itself that nobody reads it."""
    return _UNREAD.match(address.partition("@")[0]) is not None
