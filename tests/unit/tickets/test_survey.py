import pytest

from services.tickets.domain import survey


@pytest.mark.parametrize(
    ("text", "score", "comment"),
    [
        ("5, great", 5, "great"),
        ("5", 5, ""),
        (" 4/5 - quick\n", 4, "quick"),
        ("3.", 3, ""),
        ("2: slow", 2, "slow"),
        ("5\nThank you!", 5, "Thank you!"),
        ("4 stars", 4, ""),
        ("★★★★★", 5, ""),
        ("⭐⭐⭐ ok", 3, "ok"),
    ],
)
def test_ratings_in_words_are_read(text, score, comment):
    found = survey.in_words(text)

    assert found is not None
    assert (found.score, found.comment) == (score, comment)


@pytest.mark.parametrize(
    "text", ["", "Thanks!", "3 phones are dead", "5.5 volts", "6, super", "10", "5, " + "x" * 300]
)
def test_ordinary_answers_are_no_rating(text):
    assert survey.in_words(text) is None


def test_a_clicks_score_wins_over_the_words():
    found = survey.rating(4, "5, great")

    assert found is not None
    assert (found.score, found.comment) == (4, "great")


def test_a_click_without_score_needs_words():
    assert survey.rating(0, "") is None
    assert survey.of_token(3 * 8 + 5) == (3, 5)
