"""The conformance statement names every attribute that is written, and the identifiers in use."""

import re
from pathlib import Path

import pytest

from capture_app.dicom.kinds import SOP_CLASSES
from capture_app.dicom.modules.image import INSTANCE_CREATOR_UID
from capture_app.dicom.part10 import IMPLEMENTATION_CLASS_UID

TESTS = Path(__file__).parents[2]
STATEMENT = (TESTS.parent / "docs" / "conformance.md").read_text(encoding="utf-8")
GOLDEN = sorted(path for path in (TESTS / "golden").glob("*.txt") if path.stem != "side_rules")


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_every_attribute_is_in_the_statement(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tags = re.findall(r"^\((\w{4},\w{4})\)", text, flags=re.MULTILINE)
    written = {tag for tag in tags if not tag.startswith("0002")}
    assert len(written) > 60
    assert {tag for tag in written if f"({tag})" not in STATEMENT} == set()


def test_classes_and_identifiers_are_in_the_statement() -> None:
    for kind, uid in SOP_CLASSES.items():
        assert f"| {uid} | {kind.value} |" in STATEMENT
    assert IMPLEMENTATION_CLASS_UID in STATEMENT
    assert INSTANCE_CREATOR_UID in STATEMENT
