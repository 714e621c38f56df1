"""The desk's own check of a sender, given the answers of DNS; mails are signed for real."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from services.ingest.verify import Claim, Signed, check
from tests.name_server import SELECTOR, a_key, signed

RAW = (
    b"From: Ann <ann@mail.example.com>\r\nTo: support@desk.example\r\nSubject: Hello\r\n"
    b"Date: Mon, 23 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@mail.example.com>\r\n\r\nHello\r\n"
)
DOMAIN = "mail.example.com"
KEY = f"txt {SELECTOR}._domainkey."
_, PUBLIC = a_key()
POLICY = "v=DMARC1; p=reject"

Dns = Mapping[str, Sequence[str] | None]


def verdict(raw: bytes, dns: Dns, *, asks: bool = False, **claim: str) -> Any:
    """The verdict where names that ``dns`` does not have do not exist; or all that was asked."""
    answers = dict(dns)
    asked: list[str] = []
    done: Signed | None = None
    while True:
        outcome = check(raw, Claim(DOMAIN, **claim), answers, done)
        if outcome.verdict:
            return asked if asks else outcome.verdict
        done = outcome.signed
        asked += outcome.wants
        answers |= {one: [] for one in outcome.wants}


def by_dkim(
    raw: bytes = RAW, domain: str = "example.com", *, policy: str = POLICY, **more: Any
) -> str:
    dns = {f"{KEY}{domain}": [PUBLIC], f"txt _dmarc.{domain}": [policy] if policy else []}
    return verdict(signed(raw, domain, **more), dns).dmarc


def by_spf(record: str, more: Dns | None = None, *, sender: str = "ann@mail.example.com",
           policy: str = POLICY, client: str = "192.0.2.7") -> str:  # fmt: skip
    domain = sender.rpartition("@")[2]
    dns = {f"txt {domain}": [record], "txt _dmarc.example.com": [policy], **(more or {})}
    return verdict(RAW, dns, client=client, helo="mx.example.net", sender=sender).dmarc


@pytest.mark.parametrize(
    ("domain", "policy"),
    [
        ("mail.example.com", POLICY),
        ("example.com", POLICY),
        ("other.example.com", POLICY),
        ("example.com", ""),
        ("mail.example.com", "v=DMARC1; p=none; adkim=s"),
    ],
)
def test_a_signature_of_the_senders_own_organisation_vouches(domain: str, policy: str) -> None:
    assert by_dkim(domain=domain, policy=policy) == "pass"


def test_the_verdict_names_the_domain_and_its_reasons() -> None:
    dns = {f"{KEY}example.com": [PUBLIC], "txt _dmarc.example.com": [POLICY]}

    found = verdict(signed(RAW, "example.com"), dns)

    assert (found.by, found.domain) == ("desk", DOMAIN)
    assert found.detail == "dkim=pass for example.com, policy=reject"


@pytest.mark.parametrize("policy", ["", POLICY])
@pytest.mark.parametrize("domain", ["evil.example", "com", "notexample.com"])
def test_a_strangers_signature_vouches_for_nothing(domain: str, policy: str) -> None:
    dns = {f"{KEY}{domain}": [PUBLIC], "txt _dmarc.example.com": [policy] if policy else []}

    assert verdict(signed(RAW, domain), dns).dmarc == ("fail" if policy else "none")


def test_strict_alignment_wants_the_very_domain() -> None:
    dns = {
        f"{KEY}example.com": [PUBLIC],
        "txt _dmarc.mail.example.com": ["v=DMARC1; p=reject; adkim=s; aspf=s"],
        "txt example.com": ["v=spf1 +all"],
    }
    envelope = {"client": "192.0.2.7", "sender": "ann@example.com"}

    assert verdict(signed(RAW, "example.com"), dns, **envelope).dmarc == "fail"


@pytest.mark.parametrize(
    "change",
    [
        (b"Hello\r\n", b"Hello, pay me\r\n"),
        (b"Subject: Hello", b"Subject: Pay"),
        (b"ann@", b"eve@"),
    ],
)
def test_a_changed_mail_fails(change: tuple[bytes, bytes]) -> None:
    dns = {f"{KEY}example.com": [PUBLIC], "txt _dmarc.example.com": [POLICY]}

    assert verdict(signed(RAW, "example.com").replace(*change), dns).dmarc == "fail"


def test_a_second_sender_put_above_the_signed_one_fails() -> None:
    dns = {f"{KEY}example.com": [PUBLIC], "txt _dmarc.example.com": [POLICY]}
    raw = b"From: eve@mail.example.com\r\n" + signed(RAW, "example.com")

    assert verdict(raw, dns).dmarc == "fail"


def test_a_short_key_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.ingest.verify.MIN_KEY_BITS", 2049)  # shorter ones are not made

    assert by_dkim() == "fail"


def test_anothers_key_proves_nothing() -> None:
    assert by_dkim(key="another's") == "fail"


def test_the_second_signature_counts_where_the_first_is_broken() -> None:
    broken = signed(RAW, "example.com").partition(b"From:")[0].replace(b"bh=", b"bh=AAAA")
    dns = {f"{KEY}example.com": [PUBLIC], "txt _dmarc.example.com": [POLICY]}

    assert verdict(broken + signed(RAW, "example.com"), dns).dmarc == "pass"


@pytest.mark.parametrize(
    ("record", "more"),
    [
        ("v=spf1 ip4:192.0.2.0/24 -all", {}),
        ("v=spf1 include:_spf.example.net -all", {"txt _spf.example.net": ["v=spf1 ip4:192.0.2.7 -all"]}),
        ("v=spf1 redirect=_spf.example.net", {"txt _spf.example.net": ["v=spf1 a:out.example.net -all"], "a out.example.net": ["192.0.2.7"]}),
        ("v=spf1 mx -all", {"mx mail.example.com": ["10 in.example.net"], "a in.example.net": ["192.0.2.7"]}),
        ("v=spf1 exists:%{i}.ok.example.net -all", {"a 192.0.2.7.ok.example.net": ["127.0.0.2"]}),
    ],
)  # fmt: skip
def test_an_address_that_the_envelopes_domain_lists_vouches(record: str, more: Dns) -> None:
    assert by_spf(record, more) == "pass"


@pytest.mark.parametrize(
    "record",
    ["v=spf1 -all", "v=spf1 ~all", "v=spf1 ?all", "v=spf1 ip4:192.0.2.8 -all", "v=spf1 bogus:x +all",
     "v=spf1 include:missing.example.net +all", "v=spf1 a:a mx:b mx:c a:d +all", "v=spf2 +all"],
)  # fmt: skip
def test_any_other_result_of_spf_vouches_for_nothing(record: str) -> None:
    assert by_spf(record) == "fail"


def test_spf_of_another_domain_than_the_senders_vouches_for_nothing() -> None:
    assert by_spf("v=spf1 +all", sender="bounce@evil.example") == "fail"


def test_a_report_with_the_null_path_is_judged_by_its_helo() -> None:
    dns = {"txt mx.example.com": ["v=spf1 ip4:192.0.2.7 -all"], "txt _dmarc.example.com": [POLICY]}

    found = verdict(RAW, dns, client="192.0.2.7", helo="mx.example.com", sender="")

    assert found.dmarc == "pass"


def test_spf_is_not_asked_about_a_relay() -> None:
    dns = {"txt mail.example.com": ["v=spf1 +all"], "txt _dmarc.example.com": [POLICY]}

    assert verdict(RAW, dns, client="", sender="ann@mail.example.com").dmarc == "fail"


def test_an_endless_chain_of_includes_ends() -> None:
    dns = {f"txt {n}.example.net": [f"v=spf1 include:{n + 1}.example.net -all"] for n in range(40)}

    assert by_spf("v=spf1 include:0.example.net -all", dns) == "fail"


@pytest.mark.parametrize(
    "lost",
    [
        {"txt _dmarc.mail.example.com": None},
        {"txt _dmarc.example.com": None},
        {f"{KEY}example.com": None},
        {f"{KEY}example.com": [], "txt mail.example.com": None},
    ],
)
def test_what_dns_does_not_say_for_the_moment_is_no_pass(lost: Dns) -> None:
    dns = {f"{KEY}example.com": [PUBLIC], "txt _dmarc.example.com": [POLICY], **lost}
    envelope = {"client": "192.0.2.7", "sender": "ann@mail.example.com"}

    assert verdict(signed(RAW, "example.com"), dns, **envelope).dmarc == "temperror"


def test_a_pass_of_one_kind_needs_no_answer_about_the_other() -> None:
    envelope = {"client": "192.0.2.7", "sender": "ann@mail.example.com"}
    dns = {f"{KEY}example.com": [PUBLIC], "txt mail.example.com": None}

    assert verdict(signed(RAW, "example.com"), dns, **envelope).dmarc == "pass"


@pytest.mark.parametrize("records", [["v=DMARC1"], [POLICY, POLICY], ["spf", ""], ["v=DMARC1; p="]])
def test_no_single_record_with_a_policy_is_no_policy(records: list[str]) -> None:
    assert verdict(RAW, {"txt _dmarc.example.com": records}).dmarc == "none"


def test_all_names_that_are_known_at_once_are_asked_at_once() -> None:
    raw = signed(RAW, "example.com")
    claim = Claim(DOMAIN, client="192.0.2.7", sender="ann@mail.example.com")

    outcome = check(raw, claim, {})

    assert sorted(outcome.wants) == [
        "txt _dmarc.example.com",
        "txt _dmarc.mail.example.com",
        "txt mail.example.com",
        "txt s1._domainkey.example.com",
    ]


def test_a_forger_cannot_have_many_keys_looked_up() -> None:
    flood = b"".join(
        b"DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=k%d; h=from; b=A; bh=A\r\n" % n
        for n in range(500)
    )

    asked = verdict(flood + RAW, {}, asks=True)

    assert len([one for one in asked if "_domainkey" in one]) == 5


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"\r\n", b"no header at all", b"From\r\n\r\n", b"DKIM-Signature: \r\n" + RAW,
        b"DKIM-Signature: v=1; d=\xff; s=x\r\n" + RAW, b"DKIM-Signature: d=example.com; s=s1\r\n" + RAW,
        b"DKIM-Signature: v=1; a=x; d=example.com; s=s1; h=from; b=!; bh=!\r\n" + RAW,
    ],
)  # fmt: skip
def test_broken_mails_and_signatures_prove_nothing(raw: bytes) -> None:
    dns = {f"{KEY}example.com": [PUBLIC], "txt _dmarc.example.com": [POLICY]}

    assert verdict(raw, dns).dmarc == "fail"


@pytest.mark.parametrize(
    "key", ["", "v=DKIM1; p=", "v=DKIM1; k=ed25519; p=AAAA", "x" * 5_000, "p=\xff"]
)
def test_broken_keys_prove_nothing(key: str) -> None:
    dns = {f"{KEY}example.com": [key], "txt _dmarc.example.com": [POLICY]}

    assert verdict(signed(RAW, "example.com"), dns).dmarc == "fail"


def test_a_signature_that_leaves_the_end_of_the_body_open_proves_nothing() -> None:
    dns = {f"{KEY}example.com": [PUBLIC], "txt _dmarc.example.com": [POLICY]}
    raw = signed(RAW, "example.com", length=True)
    assert b" l=" in raw

    assert verdict(raw, dns).dmarc == "fail"
    assert verdict(raw + b"and more\r\n", dns).dmarc == "fail"


@pytest.mark.parametrize("blanks", [b" " * 3_000_000, (b" " * 900 + b"x") * 20_000])
def test_white_space_that_the_library_would_choke_on_is_not_given_to_it(blanks: bytes) -> None:
    dns = {f"{KEY}example.com": [PUBLIC], "txt _dmarc.example.com": [POLICY]}
    head = signed(RAW, "example.com")
    began = time.process_time()

    assert verdict(head + blanks, dns).dmarc == "fail"
    assert time.process_time() - began < 3  # the child's limit
