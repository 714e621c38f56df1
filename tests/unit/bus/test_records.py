from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.bus import Outgoing, RecordTooLargeError, UndecodableError, decode, encode
from shared.bus.memory import StoredRecord
from shared.contracts.base import Meta
from shared.contracts.topics import Topic
from tests.bus_records import NOON, Erased, Noted, a_meta, a_note, a_topic

TOPIC = a_topic()
COMPACTED = a_topic(compacted=True)
META = Meta(
    id="e-1",
    source="postdesk/tests",
    time=NOON,
    subject="T-7",
    correlation_id="c-1",
    causation_id="m-1",
)


def stored(outgoing: Outgoing, *more_headers: tuple[str, bytes]) -> StoredRecord:
    key, value, headers = encode(outgoing)
    return StoredRecord(outgoing.topic.name, 2, 41, 1_000, key, value, [*headers, *more_headers])


def without(record: StoredRecord, header: str) -> StoredRecord:
    return replace(record, headers=[h for h in record.headers if h[0] != header])


def test_a_record_comes_back_as_it_was_sent() -> None:
    sent = Outgoing(TOPIC, "T-7", Noted(text="Grüße"), META)

    received = decode(TOPIC, stored(sent))

    assert (received.record, received.meta, received.key) == (sent.record, META, "T-7")
    assert (received.topic, received.partition, received.offset) == (TOPIC.name, 2, 41)


def test_the_attributes_are_the_headers_of_cloudevents_binary_mode() -> None:
    _, value, headers = encode(Outgoing(TOPIC, "T-7", Noted(text="x"), META))

    assert value == b'{"type":"test.noted","version":1,"text":"x"}'
    assert dict(headers) == {
        "content-type": b"application/json",
        "ce_specversion": b"1.0",
        "ce_id": b"e-1",
        "ce_type": b"test.noted",
        "ce_source": b"postdesk/tests",
        "ce_time": b"2026-03-02T12:00:00+00:00",
        "ce_subject": b"T-7",
        "ce_dataschema": b"urn:postdesk:test.noted:1",
        "ce_correlationid": b"c-1",
        "ce_causationid": b"m-1",
    }


def test_extensions_are_read_without_their_prefix_too() -> None:
    record = without(stored(a_note(TOPIC, "x")), "ce_correlationid")

    received = decode(TOPIC, replace(record, headers=[*record.headers, ("correlationid", b"c-9")]))

    assert received.meta.correlation_id == "c-9"


def test_what_a_newer_release_adds_is_ignored() -> None:
    record = replace(stored(a_note(TOPIC, "x")), value=b'{"text":"x","mood":"glad"}')

    assert decode(TOPIC, record).record == Noted(text="x")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda r: without(r, "ce_type"), "does not carry"),
        (lambda r: without(r, "ce_id"), "id"),
        (lambda r: without(r, "ce_time"), "time"),
        (lambda r: replace(without(r, "ce_type"), headers=[("ce_type", b"\xff")]), "UTF-8"),
        (lambda r: replace(r, value=b"{"), "JSON"),
        (lambda r: replace(r, value=b"\xff\xfe"), "JSON"),
        (lambda r: replace(r, value=None), "JSON"),
        (lambda r: replace(r, value=b'{"text":"x","version":2}'), "version"),
        (lambda r: replace(r, value=b'{"text":7}'), "text"),
    ],
)
def test_a_record_that_the_topic_may_not_carry_is_refused_with_the_reason(change, reason) -> None:
    record = change(stored(a_note(TOPIC, "x")))

    with pytest.raises(UndecodableError, match=reason):
        decode(TOPIC, record)


def test_the_reason_does_not_quote_the_content() -> None:
    record = replace(stored(a_note(TOPIC, "x")), value=b'{"text":["secret words"]}')

    with pytest.raises(UndecodableError) as refused:
        decode(TOPIC, record)

    assert "secret" not in str(refused.value)


def test_headers_of_others_are_left_alone_whatever_they_hold() -> None:
    record = stored(a_note(TOPIC, "x"), ("traceparent", b"\xff\xfe"))

    assert decode(TOPIC, record).record == Noted(text="x")


def test_an_empty_value_on_a_compacted_topic_deletes() -> None:
    received = decode(COMPACTED, stored(Outgoing(COMPACTED, "account:A-7", None, META)))

    assert (received.record, received.key, received.meta.id) == (None, "account:A-7", "e-1")


def test_a_deletion_needs_no_attributes() -> None:
    record = StoredRecord(COMPACTED.name, 1, 5, 86_400_000, b"account:A-7", None, [])

    meta = decode(COMPACTED, record).meta

    assert meta.id == f"{COMPACTED.name}/1/5"
    assert meta.time == datetime(1970, 1, 2, tzinfo=UTC)


def test_nothing_is_deleted_on_a_topic_that_is_not_compacted() -> None:
    with pytest.raises(ValueError, match="not compacted"):
        encode(Outgoing(TOPIC, "k", None, a_meta()))


def test_a_record_of_another_topic_is_not_sent() -> None:
    other = Topic("other", "key", "tests", (), records=(Erased,))

    with pytest.raises(ValueError, match="does not carry"):
        encode(Outgoing(other, "k", Noted(), a_meta()))


def test_a_record_above_64_kib_is_not_sent() -> None:
    empty = len(encode(Outgoing(TOPIC, "k", Noted(text=""), a_meta()))[1] or b"")
    most = 64 * 1024 - empty

    encode(Outgoing(TOPIC, "k", Noted(text="x" * most), a_meta()))
    with pytest.raises(RecordTooLargeError):
        encode(Outgoing(TOPIC, "k", Noted(text="x" * (most + 1)), a_meta()))
