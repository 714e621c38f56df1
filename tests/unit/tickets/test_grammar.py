import pytest

from services.tickets.mail_commands import grammar
from services.tickets.mail_commands.words import BY_NAME, WORDS


def words(text):
    return [command.word for command in grammar.read(text, BY_NAME).commands]


def test_the_block_ends_at_the_first_other_line():
    block = grammar.read("#take\n#priority high\nDear Emma,\nsee below.", BY_NAME)

    assert [(c.word, c.arguments) for c in block.commands] == [("take", ""), ("priority", "high")]
    assert block.text == "Dear Emma,\nsee below."


def test_blank_lines_between_commands_do_not_end_the_block():
    assert words("\n\n#take\n\n#close\n\nBye") == ["take", "close"]


def test_a_word_below_the_text_is_text_and_noted_as_stray():
    block = grammar.read("Hello\n#close\n#take this for example\n> #close", BY_NAME)

    assert block.commands == ()
    assert block.stray == ("#close",)


@pytest.mark.parametrize(
    "line",
    ["＃take", "/take", "@take", "#TAKE", "#take:", "＃take　", "\u200f#take", "#t\u200bake"],
)
def test_every_way_to_write_a_known_word_counts(line):
    assert words(line) == ["take"]


@pytest.mark.parametrize("line", ["#closs", "@closs", "/closs", "#foo_bar", "#tag2 x", "#naïve"])
def test_an_unknown_word_is_part_of_the_block_so_that_it_stops_the_mail(line):
    block = grammar.read(f"{line}\nHello", BY_NAME)

    assert len(block.commands) == 1
    assert block.commands[0].word not in BY_NAME


@pytest.mark.parametrize(
    "line",
    ["#123 is the order", "# heading", "/home/ana is full", "@ana please look", "!close", "#",
     " #close", "Hello #close"],
)  # fmt: skip
def test_other_lines_are_text(line):
    assert grammar.read(line, BY_NAME).commands == ()


def test_a_backslash_writes_the_sign_itself():
    block = grammar.read("\\#close is what you write\n\\#close", BY_NAME)

    assert (block.commands, block.stray) == ((), ())
    assert block.text == "#close is what you write\n#close"


def test_a_mail_of_commands_alone_has_no_text():
    assert grammar.read("#take\n\n\u00a0\n", BY_NAME).text == ""


@pytest.mark.parametrize("quotes", ['""', "“”", "„“", "«»"])
def test_quoted_values_keep_their_spaces(quotes):
    given = f"2 {quotes[0]}contract penalty{quotes[1]} x"

    assert grammar.values(given) == ["2", "contract penalty", "x"]


def test_a_quote_that_never_closes_is_an_ordinary_value():
    assert grammar.values('"half open') == ['"half', "open"]


@pytest.mark.parametrize(("written", "meant"), [("résoudre", "resoudre"), ("STRASSE", "straße")])
def test_case_accents_and_sharp_s_make_no_difference(written, meant):
    assert grammar.fold(written) == grammar.fold(meant)


def test_no_name_or_alias_belongs_to_two_words():
    names = [grammar.fold(name) for word in WORDS for name in (word.name, *word.aliases)]

    assert len(names) == len(set(names))
