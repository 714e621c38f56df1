from services.tickets.documents import ANNOUNCED_AT_ONCE, announcements


def test_announcements_name_each_event_once_in_order_under_the_last_number() -> None:
    count = ANNOUNCED_AT_ONCE + 1
    events = [{"_id": f"T-1.{n}", "order": 1000 + n} for n in range(1, count + 1)]

    rows = announcements(events)

    assert [name for row in rows for name in row["events"]] == [event["_id"] for event in events]
    assert [(row["order"], row["place"]) for row in rows] == [(1000 + count, 0), (1000 + count, 1)]
    assert {row["published_at"] for row in rows} == {None}


def test_a_batch_without_events_announces_nothing() -> None:
    assert announcements([]) == []
