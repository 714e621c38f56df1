from pathlib import Path

import pytest

from tests.faults.mutants import MUTANTS, ROOT, Mutant, mutate


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_every_mutant_finds_its_place_once(mutant: Mutant) -> None:
    text = (ROOT / mutant.file).read_text(encoding="utf-8")

    assert text.count(mutant.before) == 1
    compile(text.replace(mutant.before, mutant.after), mutant.file, "exec")


def test_a_mutant_whose_place_is_gone_fails_loudly(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("one\n")

    with pytest.raises(LookupError, match="its place is 0 times"):
        mutate(tmp_path, Mutant("gone", "a.py", "two", "three"))
