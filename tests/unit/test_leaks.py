from pathlib import Path

from tests.leaks import TOKEN, leaks


def test_a_leak_is_named_with_its_place(tmp_path: Path) -> None:
    log = tmp_path / "tickets.log"
    log.write_text('{"event":"batch"}\n{"subject":"A Canary sings"}\n')

    assert leaks([log], {"canary", "ann@example.com"}) == [
        'tickets.log:2 has {\'Canary\'}: {"subject":"A Canary sings"}'
    ]


def test_a_token_is_found_in_its_address() -> None:
    token = "ab2" * 13 + "c"

    assert TOKEN.findall(f"Reply-To: support+{token}@desk.example") == [token]


def test_a_token_of_ours_is_a_leak_and_an_id_is_none(tmp_path: Path) -> None:
    log = tmp_path / "notify.log"
    log.write_text(f"{'a' * 40}\nsupport+{'b' * 40}@desk.example\n")

    assert leaks([log], {"canary"}, {"b" * 40})[0].startswith("notify.log:2 has")
    assert len(leaks([log], {"canary"}, {"b" * 40})) == 1
