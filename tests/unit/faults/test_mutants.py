from pathlib import Path

import pytest

from tests.actors.judge import CHECKS
from tests.faults.mutants import MUTANTS, ROOT, Edit, Mutant, mutate
from tests.faults.plan import WEIGHTS

PLANNED = {" ".join(what) for what in WEIGHTS}
NAMES = [f"M{number}" for number in range(1, 13)]


def test_there_are_twelve() -> None:
    assert [mutant.name for mutant in MUTANTS] == NAMES


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_every_mutant_names_faults_and_checks_that_there_are(mutant: Mutant) -> None:
    assert set(mutant.faults) <= PLANNED
    assert set(mutant.checks) <= set(CHECKS)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_every_mutant_finds_its_places_and_is_code(mutant: Mutant, tmp_path: Path) -> None:
    files = {edit.file for edit in mutant.edits}
    for file in files:
        copy = tmp_path / file
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text((ROOT / file).read_text(encoding="utf-8"), encoding="utf-8")

    mutate(tmp_path, mutant)

    for file in files:
        assert (tmp_path / file).read_text() != (ROOT / file).read_text()


def test_a_mutant_whose_place_is_gone_fails_loudly(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def f():\n    one()\n\ndef g():\n    two()\n")

    with pytest.raises(LookupError, match=r"f: 'two' is 0 times there"):
        mutate(tmp_path, Mutant("M0", "gone", (), (Edit("a.py", "f", "two", "three"),)))


def test_a_mutant_whose_function_is_gone_fails_loudly(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def f():\n    one()\n")

    with pytest.raises(LookupError, match=r"no function A\.f"):
        mutate(tmp_path, Mutant("M0", "gone", (), (Edit("a.py", "A.f", "one", "two"),)))


def test_a_mutant_that_is_no_code_fails_loudly(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def f():\n    one()\n")

    with pytest.raises(SyntaxError):
        mutate(tmp_path, Mutant("M0", "broken", (), (Edit("a.py", "f", "one()", "one("),)))
