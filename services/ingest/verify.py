"""Our own check of a sender: DKIM (RFC 6376), SPF (RFC 7208), DMARC (RFC 7489). Pure; for a child.

It looks nothing up: it is given the answers of DNS that are known, and says which it misses. A
question is ``TXT _dmarc.example.com``; its answer a list, empty where there is nothing, or None
where DNS failed for the moment.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import dkim
import spf

from services.ingest.authentication import is_aligned, organisation
from shared.contracts.mail import SenderAuthentication

MAX_SIGNATURES = 5  # of a mail; a forger's may be as many as fit into the headers
MAX_SIGNATURE_BYTES = 4_096  # the library's patterns take quadratic time
MIN_KEY_BITS = 1_024  # RFC 8301, 3.2
MAX_KEY_CHARS = 1_200  # RSA with 4,096 bits has 736 in base64; larger ones only burn our time
MAX_STEPS = 1_000_000_000
Answers = Mapping[str, Sequence[str] | None]


@dataclass(frozen=True)
class Claim:
    """Who a mail says it is from. ``client`` is empty where a relay stands between it and us."""

    domain: str  # of From, in ASCII and lower case
    client: str = ""
    helo: str = ""
    sender: str = ""


@dataclass
class Signed:
    """What the signatures of the From's own organisation say."""

    passed: list[str] = field(default_factory=list)
    has_failed: bool = False
    is_unsure: bool = False


@dataclass
class Outcome:
    """A verdict, or the questions that are still open; ``signed`` spares the next try the mail."""

    verdict: SenderAuthentication | None = None
    wants: list[str] = field(default_factory=list)
    signed: Signed | None = None


def check(raw: bytes, claim: Claim, answers: Answers, signed: Signed | None = None) -> Outcome:
    """Judge the sender as far as the answers go; ``raw`` is not read where ``signed`` is given."""
    dns = _Answers(answers)
    own_spf = is_aligned(_spf_domain(claim), claim.domain) if claim.client else False
    policies = [dns.get(f"TXT _dmarc.{name}") for name in _policy_names(claim.domain)]
    if own_spf:
        dns.get(f"TXT {_spf_domain(claim)}")
    if signed is None:
        signed = _signed(raw, claim.domain, dns)
    if dns.missing:
        return Outcome(wants=dns.missing)
    spf_result = _spf(claim, dns) if own_spf and not signed.passed else ""
    if dns.missing:
        return Outcome(wants=dns.missing, signed=signed)
    return Outcome(_verdict(claim, signed, spf_result, policies))


def as_json(outcome: Outcome) -> dict[str, Any]:
    """For the pipe between child and parent."""
    verdict = outcome.verdict.model_dump() if outcome.verdict else None
    signed = asdict(outcome.signed) if outcome.signed else None
    return {"verdict": verdict, "wants": outcome.wants, "signed": signed}


class _Answers:
    """The answers, and the questions that had none."""

    def __init__(self, known: Answers) -> None:
        self._known = known
        self.missing: list[str] = []

    def get(self, question: str) -> Sequence[str] | None:
        """The answer; None as well where it is missing."""
        question = question.lower().rstrip(".")
        if question in self._known:
            return self._known[question]
        if question not in self.missing:
            self.missing.append(question)
        return None


def _policy_names(domain: str) -> list[str]:
    return list(dict.fromkeys([domain, organisation(domain)]))


def _signed(raw: bytes, domain: str, dns: _Answers) -> Signed:
    signed = Signed()
    if not _is_cheap(raw):
        return signed
    try:
        mail = dkim.DKIM(raw, minkey=MIN_KEY_BITS)
    except dkim.DKIMException:
        return signed
    for index, tags in _own_signatures(mail, domain):
        question = f"TXT {tags['s']}._domainkey.{tags['d']}"
        key = dns.get(question)
        if key is None:
            signed.is_unsure = True
        elif key and len(key[0]) <= MAX_KEY_CHARS and _is_valid(mail, index, key[0]):
            signed.passed.append(tags["d"])
        else:
            signed.has_failed = True
    return signed


def _is_cheap(raw: bytes) -> bool:
    """Whether the library's search for white space at line ends takes bounded time.

    It looks at each blank of a run again for each blank before it.
    """
    blanks = raw.replace(b"\t", b" ")
    run = 32
    while run * len(raw) <= MAX_STEPS and b" " * run in blanks:
        run *= 2
    return run * len(raw) <= MAX_STEPS


def _own_signatures(mail: Any, domain: str) -> list[tuple[int, dict[str, str]]]:
    """Index and tags of the signatures that could vouch for the domain.

    One that covers the beginning of the body alone (``l=``) vouches for nothing: anybody may add
    the rest (RFC 6376, 8.2).
    """
    fields = [value for name, value in mail.headers if name.lower() == b"dkim-signature"]
    found = []
    for index, value in enumerate(fields[:MAX_SIGNATURES]):
        if len(value) > MAX_SIGNATURE_BYTES:
            continue
        try:
            raw_tags = dkim.parse_tag_value(value)
            tags = {k.decode("ascii"): v.decode("ascii").strip() for k, v in raw_tags.items()}
        except (dkim.DKIMException, ValueError):
            continue
        tags["d"] = tags.get("d", "").lower().rstrip(".")
        if tags.get("s") and "l" not in tags and is_aligned(tags["d"], domain):
            found.append((index, tags))
    return found


def _is_valid(mail: Any, index: int, key: str) -> bool:
    try:
        return bool(mail.verify(idx=index, dnsfunc=lambda *_, **__: key.encode("latin-1")))
    except Exception:  # noqa: BLE001 - whatever the library meets in a signature, it proves nothing
        return False


def _spf_domain(claim: Claim) -> str:
    """The domain that SPF is about: the envelope sender's, or HELO's where that is empty."""
    domain = claim.sender.rpartition("@")[2] if "@" in claim.sender else claim.helo
    return domain.lower().rstrip(".")


class _MissingError(Exception):
    pass


class _Query(spf.query):  # type: ignore[misc]
    """The library's evaluation over our answers; explanations are not fetched."""

    def __init__(self, claim: Claim, answers: _Answers) -> None:
        super().__init__(i=claim.client, s=claim.sender, h=claim.helo)
        self._answers = answers

    def dns(self, name: str, qtype: str, **_: object) -> list[Any]:
        """Values of a name; raises the library's errors, and `_MissingError`."""
        found = self._answers.get(f"{qtype} {name}")
        if self._answers.missing:
            raise _MissingError
        if found is None:
            raise spf.TempError("DNS failed")
        if not found:
            self.void_lookups += 1
            if self.void_lookups > spf.MAX_VOID_LOOKUPS:
                raise spf.PermError("too many void lookups")
        return [_spf_value(qtype, value) for value in found]

    def get_explanation(self, spec: str) -> str:
        """Nobody reads it, and its text is the sender's."""
        del spec
        return ""


def _spf_value(qtype: str, value: str) -> Any:
    match qtype:
        case "TXT":
            return (value.encode("latin-1"),)
        case "MX":
            preference, _, host = value.partition(" ")
            return int(preference), host
    return value


def _spf(claim: Claim, dns: _Answers) -> str:
    try:
        result = str(_Query(claim, dns).check()[0])
    except _MissingError:
        result = ""
    except Exception:  # noqa: BLE001 - whatever the library meets in a record, it proves nothing
        result = "permerror"
    return result


def _verdict(
    claim: Claim, signed: Signed, spf_result: str, policies: Sequence[Sequence[str] | None]
) -> SenderAuthentication:
    policy = next(filter(None, map(_policy, policies)), {})
    unsure = None in policies or signed.is_unsure or spf_result == "temperror"
    strict_dkim, strict_spf = policy.get("adkim") == "s", policy.get("aspf") == "s"
    passed = [d for d in signed.passed if not strict_dkim or d == claim.domain]
    by_spf = spf_result == "pass" and (not strict_spf or _spf_domain(claim) == claim.domain)
    if None in policies:
        dmarc = "temperror"  # the record might ask for strict alignment
    elif passed or by_spf:
        dmarc = "pass"
    elif unsure:
        dmarc = "temperror"
    else:
        dmarc = "fail" if policy else "none"
    vouching = claim.domain if dmarc == "pass" else ""
    detail = _detail(claim, signed, spf_result, policy)
    return SenderAuthentication.model_validate(
        {"dmarc": dmarc, "domain": vouching[:253], "detail": detail[:500], "by": "desk"}
    )


def _policy(records: Sequence[str] | None) -> dict[str, str]:
    """The tags of the only DMARC record; none where there are several (RFC 7489, 6.6.3)."""
    found = [record for record in records or () if record.replace(" ", "").startswith("v=DMARC1")]
    if len(found) != 1:
        return {}
    pairs = (part.partition("=") for part in found[0].split(";"))
    tags = {name.strip().lower(): value.strip().lower() for name, _, value in pairs}
    return tags if tags.get("p") else {}


def _detail(claim: Claim, signed: Signed, spf_result: str, policy: Mapping[str, str]) -> str:
    if signed.passed:
        by_dkim = f"pass for {signed.passed[0]}"
    elif signed.is_unsure:
        by_dkim = "temperror"
    else:
        by_dkim = "fail" if signed.has_failed else "none"
    parts = [f"dkim={by_dkim}"]
    if spf_result:
        parts.append(f"spf={spf_result} for {_spf_domain(claim)}")
    parts.append(f"policy={policy.get('p', 'none published')}")
    return ", ".join(parts)
