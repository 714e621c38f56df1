"""Subtraction of what we sent from answers to it, as clients of many kinds write them."""

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.quotes import subtract

pytestmark = pytest.mark.feature("I08")

SENT = """Good morning Emma,

our technician can come on Tuesday between 9 and 11, or on
Wednesday after 15:00. Which of the two suits you better?

Is the router in the hall or in the kitchen? Please leave it switched
on over night.

Ana Lopez
Example Telecom
"""


def marked(text: str, mark: str = "> ") -> str:
    return "\n".join(mark + line for line in text.strip().split("\n"))


def test_an_introduction_in_a_language_nobody_listed_goes_with_the_quote() -> None:
    text = f"Tuesday is fine.\n\nAna Lopez-ek hau idatzi du (2026/11/22 10:14):\n\n{SENT}"

    assert subtract(text, SENT, text, with_context=True) == "Tuesday is fine."


def test_a_block_of_header_fields_and_a_ruled_line_go_with_the_quote() -> None:
    text = (
        "Tuesday is fine.\n\n________________________________\nNork: Ana Lopez\n"
        f"Noiz: 2026-11-22 10:14\nGaia: [T-12] Router\n\n{SENT}"
    )

    assert subtract(text, SENT, text, with_context=True) == "Tuesday is fine."


def test_answers_between_unmarked_lines_of_ours_survive_with_what_they_answer() -> None:
    first, _, rest = SENT.partition("\n\nIs the router")
    text = f"See below.\n\nFrom: Ana\nSent: today\n\n{first}\nTuesday!\n\nIs the router{rest}"

    new = subtract(text, SENT, "See below.", with_context=True)

    assert new == (
        "See below.\n\n> our technician can come on Tuesday between 9 and 11, or on\n"
        "> Wednesday after 15:00. Which of the two suits you better?\nTuesday!"
    )


def test_marked_answers_keep_their_context_and_the_rest_of_the_quote_goes() -> None:
    top, question = SENT.strip().split("\n\nIs the router")
    text = f"{marked(top)}\n\nWednesday, please.\n\n{marked('Is the router' + question)}\n\nThanks"
    reply = "Wednesday, please.\n\nThanks"

    new = subtract(text, SENT, reply, with_context=True)

    assert "> Wednesday after 15:00. Which of the two suits you better?\nWednesday, please." in new
    assert new.endswith("Thanks")
    assert "Good morning" not in new


def test_lines_that_a_client_wrapped_anew_are_still_ours() -> None:
    wrapped = "\n".join(textwrap.wrap(" ".join(SENT.split()), 38))
    text = f"Tuesday.\n\n{marked(wrapped, '| ')}"

    assert subtract(text, SENT, text, with_context=True) == "Tuesday."


def test_an_answer_below_the_quote_is_found() -> None:
    text = f"{marked(SENT)}\n\nTuesday it is.\n"

    new = subtract(text, SENT, "Tuesday it is.", with_context=True)

    assert new.endswith("Tuesday it is.")
    assert "Good morning" not in new


def test_links_and_pictures_that_clients_write_out_do_not_hide_our_lines() -> None:
    sent = "Please confirm here that the line works again: the form.\nYour Example team in Leeds"
    quoted = (
        "Please confirm here<https://desk.example/f?x=1> that the line works again: the form.\n"
        "[cid:logo.png] Your Example team<mailto:a@desk.example> in Leeds"
    )

    assert subtract(f"Done.\n\n{quoted}", sent, f"Done.\n\n{quoted}", with_context=True) == "Done."


def test_nothing_of_a_notice_gets_into_an_agents_answer() -> None:
    notice = (
        "T-12 is assigned to you.\n\nInternal note by Bo Chen:\n"
        "the customer is behind with three invoices, be careful\n\n"
        "Emma Brand wrote:\nThere is no dial tone since this morning.\n"
    )
    text = (
        f"#take\nWe look into it.\n\n{notice}\nAnd a line that Outlook changed: invoices be careful"
    )

    new = subtract(text, notice, text, with_context=False)

    assert new.startswith("#take\nWe look into it.")
    assert "three invoices" not in new
    assert "dial tone" not in new


def test_a_mail_that_quotes_nothing_of_ours_is_left_alone() -> None:
    reply = "Good morning,\n\nmy phone is dead.\nAna Lopez told me to write."

    assert subtract(reply, SENT, reply, with_context=True) == reply


def test_a_few_words_of_ours_by_chance_are_not_taken_out() -> None:
    reply = "Good morning\nPlease leave it\nThanks"

    assert subtract(reply, SENT, reply, with_context=True) == reply


def test_repeating_our_words_inside_a_longer_line_keeps_the_line() -> None:
    reply = "You ask: Is the router in the hall or in the kitchen? In the hall, of course."
    text = f"{reply}\n\n{marked(SENT)}"

    assert subtract(text, SENT, reply, with_context=True) == reply


NEW = st.lists(st.sampled_from(["Ja.", "Nein danke", "Wir sind ab elf Uhr daheim"]), min_size=1)


@given(
    new=NEW,
    width=st.integers(20, 90),
    mark=st.sampled_from(["", "> ", ">> ", "| "]),
    is_below=st.booleans(),
)
def test_every_new_line_survives_and_no_quoted_one_does(
    new: list[str], width: int, mark: str, is_below: bool
) -> None:
    quoted = marked("\n".join(textwrap.wrap(" ".join(SENT.split()), width)), mark)
    answer = "\n".join(new)
    text = f"{quoted}\n\n{answer}" if is_below else f"{answer}\n\n{quoted}"

    found = subtract(text, SENT, answer, with_context=False)

    assert found.split("\n") == new
