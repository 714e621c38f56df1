"""What ingest tells Prometheus."""

from prometheus_client import Counter, Gauge

ACCEPTED = Counter("postdesk_ingest_accepted", "Mails answered with 250")
REFUSED = Counter("postdesk_ingest_refused", "Refusals", ["code", "status"])
CONNECTIONS = Gauge("postdesk_ingest_connections", "SMTP connections now")
IN_FLIGHT = Gauge("postdesk_ingest_in_flight_bytes", "Bytes of mails being taken")
FREE = Gauge("postdesk_ingest_free_bytes", "Free bytes as last seen", ["disk"])
INSERTS = Counter("postdesk_ingest_inserts", "Group commits")
LONG_LINES = Counter("postdesk_ingest_long_lines", "Mails with lines over 998 octets")
BARE_NEWLINES = Counter("postdesk_ingest_bare_newlines", "Mails with lone CR or LF, normalised")
PARSED = Counter("postdesk_ingest_parsed", "Mails read", ["outcome"])
SENDERS = Counter("postdesk_ingest_senders_checked", "Senders checked here", ["verdict"])
CHILDREN_ENDED = Counter("postdesk_ingest_children_ended", "Parser children gone", ["cause"])


def refused(reply: str) -> None:
    """Count a 4xx or 5xx reply under its code and enhanced status."""
    code, _, rest = reply.partition(" ")
    REFUSED.labels(code, rest.partition(" ")[0]).inc()
