from pathlib import Path

import pytest

from tests import features

MARKED = """
import pytest
pytestmark = [pytest.mark.stack, pytest.mark.feature("I02")]

@pytest.mark.feature("I01", "N01")
async def test_a_mail_becomes_a_ticket() -> None: ...

def test_plain(): ...

@pytest.mark.feature("T01")
class TestNotice:
    def test_shows_the_account(self): ...
    def helper(self): ...
"""


def test_marks_of_module_class_and_function_add_up(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_it.py").write_text(MARKED)

    found = features.tests_by_row(tmp_path / "tests")

    first, plain, shows = (
        ("tests/test_it.py", f"test_{name}")
        for name in ("a_mail_becomes_a_ticket", "plain", "shows_the_account")
    )
    assert found == {"I01": [first], "N01": [first], "I02": [first, plain, shows], "T01": [shows]}


def test_a_mark_that_names_no_row_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_it.py").write_text(
        'import pytest\n@pytest.mark.feature("Z99")\ndef test_it(): ...\n'
    )
    monkeypatch.setattr(features, "ROOT", tmp_path)

    with pytest.raises(ValueError, match="Z99"):
        features.page()


def test_the_page_in_the_docs_is_up_to_date() -> None:
    assert features.main(["--check"]) == 0
