"""What `capture-app catalog` lists."""

import json
from typing import Any

import pytest

from capture_app.cli.main import EXIT_DONE, EXIT_FAILED, main


def listed(capsys: pytest.CaptureFixture[str], *options: str) -> list[dict[str, Any]]:
    assert main(["catalog", "list", "--json", *options]) == EXIT_DONE
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return found


def test_a_department_lists_its_own_and_what_it_shares(capsys: pytest.CaptureFixture[str]) -> None:
    ids = {row["id"] for row in listed(capsys, "--department", "podiatry")}
    assert {"POD-CALLUS", "WND-DFU", "DERM-NAIL"} <= ids
    assert "GI-EGD" not in ids


def test_a_procedure_lists_its_regions_also_by_the_id_that_it_had(
    capsys: pytest.CaptureFixture[str],
) -> None:
    regions = listed(capsys, "--regions", "--procedure", "ENT-EAR")
    assert [row["region"] for row in regions] == ["External auditory canal", "Eardrum"]
    assert listed(capsys, "--regions", "--procedure", "DERM-MOUTH") == listed(
        capsys, "--regions", "--procedure", "ENT-MOUTH"
    )


def test_what_no_public_code_was_found_for_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    acts = {row["id"]: row["verified"] for row in listed(capsys)}
    assert (acts["ED-FAST"], acts["OB-US"]) == ("no", "yes")
    sites = {row["code"]: row["verified"] for row in listed(capsys, "--regions")}
    assert (sites["JOINT-PIP-3"], sites["78961009"]) == ("no", "yes")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--department", "Bakery"), "No procedure is of Bakery. Departments: Cardiology, Dental,"),
        (("--regions", "--procedure", "NO-SUCH"), "There is no procedure NO-SUCH."),
    ],
)
def test_an_unknown_name_is_said(
    capsys: pytest.CaptureFixture[str], options: tuple[str, ...], said: str
) -> None:
    assert main(["catalog", "list", *options]) == EXIT_FAILED
    assert said in capsys.readouterr().err
