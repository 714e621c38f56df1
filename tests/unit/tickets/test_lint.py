import pytest

from services.tickets.domain.facts import Actor, Facts
from services.tickets.mail_commands import grammar, lint
from services.tickets.mail_commands.arguments import Reader
from services.tickets.mail_commands.words import BY_NAME
from tests.builders import ANA, BEN, NOON, a_desk


def checked(text, desk=None):
    desk = desk or a_desk()
    actor = Actor.of(desk.agents_by_address[ANA])
    block = grammar.read(text, BY_NAME)
    return lint.check(block, Reader(actor, Facts(NOON, desk), last=BEN))


def only(text):
    (line,) = checked(text)
    return line


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("#closs", "E01"),
        ("#take now", "E02"),
        ("#assign", "E02"),
        ("#assign ana ben", "E02"),
        ("#priority", "E02"),
        ("#comment", "E02"),
        ("#priority huge", "E03"),
        ("#assign zoe", "E03"),
        ("#team sales", "E03"),
        ("#status new", "E03"),
        ("#survey maybe", "E03"),
        ("#category sport", "E03"),
        ("#show x9", "E03"),
        ("#show at 03/04", "E06"),
    ],
)
def test_each_kind_of_mistake_has_its_code(line, code):
    assert only(line).code == code


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("#assign ben", BEN),
        ("#assign Ben", BEN),
        ("#assign okafor", BEN),
        ("#assign BEN@team.example", BEN),
        ("#assign @ben", BEN),
        ("#assign me", ANA),
        ("#assign last", BEN),
        ("#assign none", None),
        ("#owner ben", BEN),
        ("#team bill", "billing"),
        ("#team Money", "billing"),
        ("#note ben lena", [BEN, "lena@team.example"]),
        ("#priority HIGH", ("priority", "high")),
        ("#status on-hold", "on-hold"),
        ("#status hold", "on-hold"),
        ("#survey off", False),
        ("#subject „New words“", ("subject", "New words")),
        ('#escalate billing "much money"', ("billing", "much money")),
        ('#escalate 2 "contract penalty"', ("", "contract penalty")),
        ("#escalate", ("", "")),
        ("#show 1042", ("T-1042", None)),
    ],
)
def test_values_are_read(line, value):
    found = only(line)

    assert (found.code, found.value) == ("", value)


def test_several_people_with_that_beginning_are_listed_and_none_is_guessed():
    agents = [{"address": ANA, "name": "Ana Lopez"}, {"address": BEN, "name": "Anton Berg"}]
    agents += [{"address": f"{n}@team.example", "name": n} for n in ("carla", "marta")]

    (line,) = checked("#assign an", a_desk(agents=agents))

    assert line.code == "E04"
    assert "Ana Lopez" in line.message
    assert "Anton Berg" in line.message


@pytest.mark.parametrize(
    "block", ["#resolve\n#reopen", "#take\n#release", "#assign ana\n#assign ben", "#note\n#reply"]
)
def test_lines_that_contradict_are_refused(block):
    assert [line.code for line in checked(f"{block}\nText")] == ["", "E07"]


@pytest.mark.parametrize(
    ("typed", "meant"), [("clos", "#close"), ("asign", "#assign"), ("resolv", "#resolve")]
)
def test_the_nearest_word_is_named(typed, meant):
    assert meant in only(f"#{typed}").message


def test_no_word_is_guessed_from_its_beginning():
    assert only("#res").code == "E01"


def test_more_than_thirty_commands_or_two_hundred_characters_are_refused():
    many = checked("\n".join(f"#comment {number}" for number in range(31)))

    assert many[-1].code == "E02"
    assert only(f"#comment {'x' * 200}").code == "E02"


def test_every_line_is_checked_though_the_first_is_wrong():
    assert [line.code for line in checked("#closs\n#assign ben\n#priority huge")] == [
        "E01",
        "",
        "E03",
    ]
