"""A mail that rates how its ticket was resolved."""

from services.tickets.domain import survey
from services.tickets.domain.filing import Filing, is_requester
from services.tickets.domain.story import Story
from shared.contracts import ticket as contract
from shared.contracts.ticket_state import Survey


def rate_by_token(story: Story, filing: Filing) -> None:
    """Record the rating of the resolution that the survey's address names, if there was one."""
    token = filing.mail.token
    cycle, score = survey.of_token(token.number if token else 0)
    rating = survey.rating(score, filing.mail.reply_text)
    if rating and 1 <= cycle <= story.ticket.cycle:
        _record(story, rating, cycle)


def rate_by_words(story: Story, filing: Filing) -> bool:
    """Whether the answer is a rating of the latest resolution, which is then recorded."""
    ticket = story.ticket
    asked = ticket.is_done and ticket.is_survey_asked and is_requester(story, filing.mail)
    rating = survey.in_words(filing.mail.reply_text) if asked else None
    if rating:
        _record(story, rating, ticket.cycle)
    return rating is not None


def _record(story: Story, rating: Survey, cycle: int) -> None:
    """Note the rating of a resolution; the last one counts, the same again is silent."""
    if story.ticket.ratings.get(cycle) != rating:
        agent = story.ticket.resolved_by.get(cycle)
        story.tell(contract.SurveyAnswered, survey=rating, cycle=cycle, agent=agent)
