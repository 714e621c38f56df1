"""What a relay of ours says about the sender: ``Authentication-Results`` (RFC 8601), read warily.

Only the topmost field counts, and only where its authserv-id is configured: anything below it may
have come with the mail. The desk's own check is in `verify`. Loaded by every parser's child, so it
gives the fields of a `SenderAuthentication` (those that are not its defaults), not the model: to
load the contracts takes as long as half of all parsers.
"""

from collections.abc import Collection, Iterable
from functools import cache
from typing import Any

from authres import AuthenticationResultsHeader
from publicsuffixlist import PublicSuffixList

from services.ingest.parse import Mail

_FIELD_CHARS = 4_000


def authentication_of(mail: Mail, trusted: Collection[str]) -> dict[str, str]:
    """Say whether the From's domain is vouched for; nothing wherever that is not certain."""
    if not trusted or not mail.authentication_results or mail.from_count != 1:
        return {}
    value = mail.authentication_results[0][:_FIELD_CHARS]
    try:
        field = AuthenticationResultsHeader.parse(f"Authentication-Results: {value}")
    except Exception:  # noqa: BLE001 - whatever the library meets in a field, it proves nothing
        return {}
    if str(field.authserv_id).lower() not in {name.lower() for name in trusted}:
        return {}
    domain = mail.from_addr.rpartition("@")[2].lower()
    if not domain:
        return {}
    return _verdict(field.results, domain, str(field.authserv_id))


def _verdict(results: Iterable[Any], domain: str, authserv: str) -> dict[str, str]:
    results = list(results)
    for result in results:
        if result.method == "dmarc":
            return _by_dmarc(result, domain, authserv)
    for result in results:
        passed = _domain(result)
        if result.result == "pass" and passed and is_aligned(passed, domain):
            detail = f"{result.method}=pass for {passed} by {authserv}"
            return _passed(domain, detail)
    return {"by": "relay"}


def _by_dmarc(result: Any, domain: str, authserv: str) -> dict[str, str]:
    about = _property(result, "header", "from").rpartition("@")[2]
    detail = f"dmarc={result.result} for {about} by {authserv}"[:500]
    if result.result == "pass" and about == domain:
        return _passed(domain, detail)
    if result.result in ("fail", "temperror"):
        return {"dmarc": result.result, "detail": detail, "by": "relay"}
    return {"detail": detail, "by": "relay"}


def _passed(domain: str, detail: str) -> dict[str, str]:
    return {"dmarc": "pass", "domain": domain, "detail": detail[:500], "by": "relay"}


def _domain(result: Any) -> str:
    """Give the domain that a DKIM or SPF result is about."""
    if result.method == "dkim":
        found = _property(result, "header", "d") or _property(result, "header", "i")
    elif result.method == "spf":
        found = _property(result, "smtp", "mailfrom")
    else:
        found = ""
    return found.rpartition("@")[2]


def _property(result: Any, kind: str, name: str) -> str:
    for one in result.properties:
        if one.type == kind and one.name == name:
            return str(one.value).lower()
    return ""


def is_aligned(passed: str, domain: str) -> bool:
    """Relaxed alignment: the same organisational domain (RFC 7489, 3.1)."""
    return bool(passed) and (passed == domain or organisation(passed) == organisation(domain))


def organisation(domain: str) -> str:
    """The organisational domain by the public suffix list (RFC 7489, 3.2)."""
    return str(_suffixes().privatesuffix(domain) or domain)


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()
