"""The quick faults are planted and caught, and the runner tells a survivor from an error."""

import dataclasses

import pytest

from tests.mutants.mutant import Mutant, Verdict
from tests.mutants.planting import ROOT, CannotPlantError, Copy, plant_in
from tests.mutants.table import MUTANTS

QUICK = [mutant for mutant in MUTANTS if mutant.quick]


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    return Copy(tmp_path_factory.mktemp("mutants") / "tree")


def test_the_table_is_whole() -> None:
    names = [mutant.name for mutant in MUTANTS]
    assert len(set(names)) == len(names)
    assert len(MUTANTS) >= 37
    assert len(QUICK) >= 12


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_every_fault_can_be_planted_and_has_its_tests(mutant: Mutant) -> None:
    """Where the code moved on, its mutant has to follow: see tests/mutants."""
    plant_in((ROOT / mutant.file).read_text(encoding="utf-8"), mutant)
    for test in mutant.tests:
        file, _, name = test.partition("::")
        assert (ROOT / file).exists(), test
        assert not name or f"def {name}(" in (ROOT / file).read_text(encoding="utf-8"), test


@pytest.mark.parametrize("mutant", QUICK, ids=lambda mutant: mutant.name)
def test_a_planted_fault_is_caught(tree: Copy, mutant: Mutant) -> None:
    outcome = tree.try_out(mutant)
    assert outcome.verdict is Verdict.CAUGHT, f"{outcome.verdict}: {outcome.said}"
    assert (tree.folder / mutant.file).read_bytes() == (ROOT / mutant.file).read_bytes()


HARMLESS = Mutant(
    "harmless",
    "capture_app/archive/identity.py",
    '"""Whose image it is to the archive',
    '"""Whose picture it is to the archive',
    ("tests/unit/archive/test_identity.py::test_padding_and_absence_are_read_as_what_they_are",),
)


def test_a_survivor_is_told_from_an_error(tree: Copy) -> None:
    assert tree.try_out(HARMLESS).verdict is Verdict.SURVIVED
    for change in (
        {"text": "no such text"},
        {"text": "return", "instead": "pass"},
        {"instead": HARMLESS.text},
        {"tests": ("tests/unit/archive/test_identity.py::test_that_there_is_not",)},
    ):
        broken = dataclasses.replace(HARMLESS, **change)
        assert tree.try_out(broken).verdict is Verdict.ERROR, change


def test_a_text_that_stands_twice_is_not_planted() -> None:
    with pytest.raises(CannotPlantError):
        plant_in(HARMLESS.text * 2, HARMLESS)
