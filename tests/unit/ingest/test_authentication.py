"""Authentication-Results are believed only from our own relay, and only the topmost (RFC 8601)."""

import pytest

from services.ingest.authentication import authentication_of
from services.ingest.parse import Mail

TRUSTED = ("mx.desk.example",)


def verdict(*fields: str, sender: str = "ann@example.com", count: int = 1) -> tuple[str, str]:
    mail = Mail(from_addr=sender, from_count=count, authentication_results=list(fields))
    found = authentication_of(mail, TRUSTED)
    return found.get("dmarc", "none"), found.get("domain", "")


DMARC = "mx.desk.example; dmarc=pass header.from=example.com"


@pytest.mark.parametrize(
    "field",
    [
        DMARC,
        "mx.desk.example 1; spf=fail smtp.mailfrom=x@bulk.example; dmarc=pass (p=none) header.from=example.com",
        "MX.Desk.Example; dkim=pass header.d=example.com; dmarc=pass header.from=example.com",
        "mx.desk.example; dkim=pass header.d=example.com",
        "mx.desk.example; dkim=pass header.i=@mail.example.com",
        "mx.desk.example; spf=pass smtp.mailfrom=bounce@news.example.com",
        "mx.desk.example; dkim=fail header.d=example.com; dkim=pass header.d=example.com",
    ],
)
def test_an_aligned_pass_of_our_relay_vouches_for_the_domain(field: str) -> None:
    assert verdict(field) == ("pass", "example.com")


@pytest.mark.parametrize(
    "field",
    [
        "mx.evil.example; dmarc=pass header.from=example.com",
        "mx.desk.example.evil.example; dmarc=pass header.from=example.com",
        "mx.desk.example; dmarc=pass header.from=other.example",
        "mx.desk.example; dkim=pass header.d=evil.example",
        "mx.desk.example; spf=pass smtp.mailfrom=evil.example",
        "mx.desk.example; spf=pass smtp.helo=example.com",
        "mx.desk.example; none",
        "mx.desk.example; dmarc=none header.from=example.com",
        "x; mx.desk.example; dmarc=pass header.from=example.com",
        "; dmarc=pass", "", "\x00", "mx.desk.example; dmarc=pass (" + "(" * 3000,
    ],
)  # fmt: skip
def test_anything_else_proves_nothing(field: str) -> None:
    assert verdict(field) == ("none", "")


def test_a_temporary_error_of_the_relay_is_no_pass() -> None:
    field = (
        "mx.desk.example; dmarc=temperror header.from=example.com; dkim=pass header.d=example.com"
    )

    assert verdict(field) == ("temperror", "")


def test_names_under_a_suffix_that_no_list_knows_are_strangers_to_each_other() -> None:
    field = "mx.desk.example; dkim=pass header.d=evil.example"

    assert verdict(field, sender="ann@good.example") == ("none", "")


def test_a_failure_is_told() -> None:
    assert verdict("mx.desk.example; dmarc=fail header.from=example.com") == ("fail", "")


def test_a_forged_field_above_hides_ours_and_one_below_is_not_read() -> None:
    forged = "mx.evil.example; dmarc=pass header.from=example.com"

    assert verdict(forged, DMARC) == ("none", "")
    assert verdict("mx.desk.example; none", DMARC) == ("none", "")


def test_a_neighbour_under_a_public_suffix_is_not_aligned() -> None:
    field = "mx.desk.example; dkim=pass header.d=evil.co.uk"

    assert verdict(field, sender="ann@good.co.uk") == ("none", "")


@pytest.mark.parametrize("count", [0, 2])
def test_no_or_several_senders_cannot_be_vouched_for(count: int) -> None:
    assert verdict(DMARC, count=count) == ("none", "")


def test_without_a_relay_of_ours_nothing_is_believed() -> None:
    mail = Mail(from_addr="ann@example.com", from_count=1, authentication_results=[DMARC])

    assert authentication_of(mail, ()) == {}
