"""Rules of routing, and who is next when some are away, full, off hours or of another language."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from services.tickets.domain.facts import Facts
from services.tickets.domain.routing import chosen_agent, next_agent
from services.tickets.domain.routing_rules import Question, Route, is_within, judged, route
from shared.config.models import Desk
from shared.config.routing import Hours
from tests.builders import ANA, BEN, BILLING, LENA, NOON, SUPPORT, a_desk

SUNDAY_NIGHT = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)


def asked(text: str = "My line is dead.", **changes: Any) -> Question:
    given: dict[str, Any] = {
        "mailbox": SUPPORT,
        "department": "technical",
        "subject": "Telephone",
        "text": text,
        "language": "de",
        "sender": "emma@mail.bakery.example",
        "now": NOON,
    }
    return Question(**{**given, **changes})


def desk_with(*rules: dict[str, Any], match: str = "first", **changes: Any) -> Desk:
    named = [{"name": f"rule {n}", **rule} for n, rule in enumerate(rules)]
    return a_desk(routing={"match": match, "rules": named}, **changes)


def team(members: list[dict[str, Any]], **changes: Any) -> Desk:
    """A desk with one team of these agents."""
    agents = [{"name": "X", "address": f"a{n}@x.example", **m} for n, m in enumerate(members)]
    names = [agent["address"] for agent in agents]
    return a_desk(
        agents=agents,
        teams=[{"name": name, "members": names, **changes} for name in ("support", "billing")],
    )


@pytest.mark.feature("R01")
@pytest.mark.parametrize(
    ("when", "question"),
    [
        ({"mailboxes": [SUPPORT]}, asked()),
        ({"departments": ["Technical"]}, asked()),
        ({"words": ["line is dead"]}, asked("my LINE\n is   dead!")),
        ({"words": ["ligne coupee"]}, asked("Ligne coupée depuis hier")),
        ({"words": ["Straße"]}, asked("in der STRASSE")),
        ({"words": ["telephone"]}, asked()),
        ({"subject": ["telephone"]}, asked()),
        ({"pattern": r"INV-\d{4}"}, asked("about inv-2041, please")),
        ({"languages": ["de"]}, asked(language="de-AT")),
        ({"segments": ["vip"]}, asked(segments=("business", "vip"))),
        ({"accounts": ["A-1"]}, asked(account_id="A-1")),
        ({"domains": ["bakery.example"]}, asked()),
        ({"attachments": [".PDF"]}, asked(files=("photo.jpg", "bill.pdf"))),
        ({"attachments": ["*"]}, asked(files=("x",))),
        ({"sources": ["portal"]}, asked(source="portal")),
        ({"during": {"between": ["11:00", "13:00"]}}, asked()),
        ({}, asked()),
    ],
)
def test_each_condition_fits_what_it_names(when: dict[str, Any], question: Question) -> None:
    desk = desk_with({"when": when, "then": {"team": "billing"}})

    assert route(question, desk).team == "billing"


@pytest.mark.feature("R01")
@pytest.mark.parametrize(
    "when",
    [
        {"mailboxes": [BILLING]},
        {"words": ["lin"]},
        {"words": ["dead line"]},
        {"subject": ["line"]},
        {"pattern": r"INV-\d{4}"},
        {"languages": ["fr"]},
        {"segments": ["vip"]},
        {"accounts": ["A-1"]},
        {"domains": ["akery.example"]},
        {"attachments": ["*"]},
        {"sources": ["portal"]},
        {"during": {"between": ["13:00", "11:00"]}},
        {"mailboxes": [SUPPORT], "words": ["invoice"]},
    ],
)
def test_one_condition_that_does_not_hold_is_enough(when: dict[str, Any]) -> None:
    desk = desk_with({"when": when, "then": {"team": "billing"}})

    assert route(asked(), desk) == Route(team="support", priority="normal")


def test_the_first_that_fits_decides_alone_and_says_why() -> None:
    desk = desk_with(
        {"when": {"words": ["invoice"]}, "then": {"team": "billing"}},
        {"when": {"words": ["dead"]}, "then": {"priority": "high"}},
        {"then": {"priority": "low", "category": "fault"}},
    )

    decided = route(asked(), desk)

    assert (decided.priority, decided.category) == ("high", "")
    assert decided.fired == (("rule 1", "words 'dead'"),)


@pytest.mark.feature("R01", "S01")
def test_a_rule_may_give_a_policy_of_service_levels() -> None:
    gold = {"calendar": "always", "targets": {}}
    desk = desk_with(
        {"then": {"sla_policy": "gold"}},
        {"when": {"words": ["dead"]}, "then": {"priority": "urgent"}},
        match="all",
        calendars={"always": {"timezone": "UTC", "week": "always"}},
        sla={"policies": {"gold": gold}},
    )

    assert route(asked(), desk).sla_policy == "gold"


def test_where_all_matches_count_later_ones_override_and_tags_add_up() -> None:
    desk = desk_with(
        {"then": {"priority": "high", "tags": ["a"], "category": "fault"}},
        {"when": {"words": ["dead"]}, "then": {"priority": "urgent", "tags": ["b", "a"]}},
        match="all",
    )

    decided = route(asked(), desk)

    assert (decided.priority, decided.category, decided.tags) == ("urgent", "fault", ("a", "b"))
    assert decided.rules == ["rule 0", "rule 1"]


def test_an_expression_that_would_take_for_ever_does_not_fit() -> None:
    desk = desk_with({"when": {"pattern": r"(a|aa)+$"}, "then": {"team": "billing"}})

    [(_, reasons)] = judged(asked("a" * 60 + "!"), desk.routing.rules)

    assert reasons is None


@pytest.mark.parametrize(
    "rule",
    [
        {"then": {"team": "nobody"}},
        {"then": {"assign": "eve@x.example"}},
        {"then": {"priority": "extreme"}},
        {"then": {"category": "unheard of"}},
        {"then": {"skill": "juggling"}},
        {"then": {}},
        {"when": {"pattern": "("}, "then": {"team": "billing"}},
        {"when": {"words": ["…"]}, "then": {"team": "billing"}},
        {"when": {"mailboxes": ["none@x.example"]}, "then": {"team": "billing"}},
    ],
)
def test_a_rule_that_names_what_is_not_there_is_refused(rule: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"rule|unknown|expression|word"):
        desk_with(rule)


def test_hours_may_run_over_midnight_and_belong_to_the_day_they_begin_on() -> None:
    nights = Hours(days=["sun"], between=("22:00", "06:00"), timezone="Europe/Berlin")

    assert is_within(nights, SUNDAY_NIGHT)
    assert is_within(nights, SUNDAY_NIGHT.replace(day=23, hour=4))
    assert not is_within(nights, SUNDAY_NIGHT.replace(day=22, hour=4))
    assert not is_within(nights, SUNDAY_NIGHT.replace(day=23, hour=5))
    assert is_within(Hours(days=["mon"]), SUNDAY_NIGHT.replace(day=23, hour=0))


@pytest.mark.feature("R02")
def test_a_thousand_tickets_to_five_equal_agents_are_two_hundred_each() -> None:
    facts = Facts(NOON, team([{}] * 5))

    turns = Counter(next_agent("support", slot, facts) for slot in range(1_000))

    assert set(turns.values()) == {200}


@pytest.mark.feature("R02")
@pytest.mark.parametrize(
    "members",
    [
        [{"away": [["2026-11-20", "2026-11-30"]]}, {}],
        [{"hours": {"between": ["20:00", "22:00"]}}, {}],
        [{"languages": ["fr"]}, {"languages": ["de", "fr"]}],
        [{"capacity": 3}, {"capacity": 4}],
        [{}, {"skills": ["dsl"]}],
    ],
)
def test_the_rotation_passes_by_who_cannot_take_it(members: list[dict[str, Any]]) -> None:
    desk = team(members)
    facts = Facts(NOON, desk, loads={"a0@x.example": 3, "a1@x.example": 3})

    found = {next_agent("support", slot, facts, language="de", skill="dsl") for slot in range(4)}

    assert found == {"a1@x.example"}


@pytest.mark.feature("R02")
def test_wishes_are_given_up_where_nobody_fulfils_them_but_nobody_is_called_back() -> None:
    off = {"hours": {"between": ["20:00", "22:00"]}, "languages": ["fr"], "capacity": 1}
    away = {"away": [["2026-11-01", "2026-12-01"]]}
    facts = Facts(NOON, team([off, away]), loads={"a0@x.example": 9})

    assert next_agent("support", 1, facts, language="de", skill="x") == "a0@x.example"
    assert next_agent("support", 0, Facts(NOON, team([away]))) is None


@pytest.mark.feature("R02")
def test_by_load_the_one_with_the_fewest_open_tickets_is_next() -> None:
    desk = team([{}, {}, {}], rotation="load")
    facts = Facts(NOON, desk, loads={"a0@x.example": 2, "a1@x.example": 1, "a2@x.example": 1})

    assert [next_agent("support", slot, facts) for slot in (0, 1)] == [
        "a1@x.example",
        "a2@x.example",
    ]


@pytest.mark.feature("R01")
def test_a_named_agent_or_role_gets_the_ticket_and_somebody_away_is_stood_in_for() -> None:
    desk = a_desk()
    facts = Facts(NOON, desk)
    plain = Route(team="support", priority="normal")

    assert chosen_agent(plain, 1, facts) == BEN
    assert chosen_agent(Route(team="support", priority="normal", assign=BEN), 0, facts) == BEN
    vip = a_desk(
        teams=[
            {"name": "support", "members": [ANA, BEN], "lead": LENA},
            {"name": "billing", "members": [ANA]},
        ]
    )
    senior = Route(team="support", priority="normal", assign="senior")
    assert chosen_agent(senior, 0, Facts(NOON, vip)) == LENA
    away = {"away": [("2026-11-01", "2026-12-01")]}
    agents = [a.model_dump() | (away if a.address == LENA else {}) for a in vip.agents]
    gone = Desk.model_validate(vip.model_dump() | {"agents": agents})
    assert chosen_agent(senior, 0, Facts(NOON, gone)) == ANA
