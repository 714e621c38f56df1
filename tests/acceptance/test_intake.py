"""What customers and filters in front may say about a new mail, through the whole stack."""

import pytest

from tests.acceptance.company import Company

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]
SUPPORT = "support@desk.example"


@pytest.mark.feature("I09")
def test_a_customer_sets_the_priority_by_a_tag_or_the_mark_of_importance(company: Company) -> None:
    nils = company.person("nils@lindqvist.example", "Nils Lindqvist")

    nils.write(SUPPORT, "[urgent] The till is down", "Nobody can pay.")
    by_tag = nils.wait_for(lambda x: "The till is down" in x.subject)
    nils.write(SUPPORT, "The printer is slow", "When you have time.", headers={"X-Priority": "5"})
    by_mark = nils.wait_for(lambda x: "The printer is slow" in x.subject)

    nils.write("billing@desk.example", "[urgent] A refund", "Please.")
    elsewhere = nils.wait_for(lambda x: "A refund" in x.subject)

    found = {one["subject"]: one["priority"] for one in company.tickets()}
    assert "[urgent]" not in by_tag.subject
    assert found["The till is down"] == "urgent"
    assert found["The printer is slow"] == "low"
    assert found["[urgent] A refund"] == "normal"
    assert by_mark.subject.endswith("The printer is slow")
    assert elsewhere.subject.endswith("[urgent] A refund")
