"""What an earlier version described: with acts that were merged since, fields that are gone, and
sides where there are none.
"""

import json
from dataclasses import replace
from typing import Any

import pytest

from capture_app.dicom.build import build
from capture_app.dicom.conformance import verify
from capture_app.dicom.descriptions import series_description
from capture_app.exam.describing import as_chosen, completed, sides_of, with_region
from capture_app.exam.rules import Missing, MissingPart, Ready, gate
from capture_app.model.procedure import Description, ImageKind, Side
from capture_app.store.record import from_record, to_record
from tests import sealing


def earlier(
    entry_id: str, name: str, code: tuple[str, str, str], kind: str, site: dict[str, Any], side: str
) -> Description:
    """Read from the record that the earlier version wrote."""
    record: dict[str, Any] = {
        "procedure": {
            "entry_id": entry_id,
            "display_name": name,
            "code": dict(zip(("value", "scheme", "meaning"), code, strict=True)),
            "department": "Emergency",
            "department_code": None,
            "image_kind": kind,
            "laterality_rule": "req",
            "region_choices": [],
            "region_picker": "body",
            "reason": None,
            "sensitive": False,
            "selectable": True,
            "other_kinds": [],
            "sensitive_content": None,
        },
        "region": {"cids": ["4031"], "recognizable": False, "intimate": False, **site},
        "side": side,
        "purpose": {
            "choice_id": "treatment",
            "label": "Treatment",
            "code": {"value": "262202000", "scheme": "SCT", "meaning": "Therapeutic Intent"},
            "days": None,
            "asks_keep": False,
        },
        "keep": None,
        "consent": None,
    }
    return from_record(Description, json.dumps(record).encode())


KNEE = {
    "code": {"value": "72696002", "scheme": "SCT", "meaning": "Knee"},
    "side_rule": "paired",
    "label": "Knee",
    "body_part_examined": "KNEE",
}
SPINE = {
    "code": {"value": "122496007", "scheme": "SCT", "meaning": "Lumbar spine"},
    "side_rule": "unpaired",
    "label": "Lumbar spine",
    "body_part_examined": "LSPINE",
}
PROBE = replace(sealing.CAMERA, image_kind=ImageKind.ULTRASOUND)
NEEDLE = ("64993-9", "LN", "US Guidance for placement of needle in Unspecified body region")


@pytest.mark.parametrize(
    ("entry_id", "name", "code"),
    [
        (
            "ED-US-MSK",
            "Ultrasound: joint or bone, limited (ED)",
            ("80854-3", "LN", "US Extremity musculoskeletal tissue limited"),
        ),
        ("ED-GONE", "An act that is in no catalogue", NEEDLE),
    ],
)
def test_an_act_that_was_merged_is_shown_and_goes_as_it_was_described(
    entry_id: str, name: str, code: tuple[str, str, str]
) -> None:
    said = earlier(entry_id, name, code, "US", KNEE, "R")
    assert said.procedure is not None
    assert isinstance(gate(said), Ready)
    assert series_description(said).endswith("Knee, right")
    assert from_record(Description, to_record(said)) == said
    ds = build(sealing.request(description=said, device=PROBE))
    verify(ds)
    assert ds.SeriesDescriptionCodeSequence[0].CodeValue == entry_id


def test_an_act_that_was_merged_still_has_its_defaults_and_sites() -> None:
    said = earlier("ED-US-MSK", "Ultrasound: joint or bone", NEEDLE, "US", KNEE, "R")
    catalog = sealing.catalog()
    assert said.procedure is not None
    assert "Knee" in {region.label for region in catalog.regions_for(said.procedure)}
    whole = completed(said, catalog)
    assert whole.keep is not None
    assert whole.purpose == said.purpose


def test_a_side_where_there_is_none_asks_for_the_site_again_which_clears_it() -> None:
    said = earlier("ED-USG-NERVE", "Guided nerve block", NEEDLE, "US", SPINE, "R")
    assert gate(said) == Missing((MissingPart.REGION,))
    spine = sealing.catalog().region("122496007")
    assert spine is not None
    again = with_region(as_chosen(said), spine, None, sealing.catalog()).description
    assert (again.side, sides_of(again)) == (None, ())
    assert isinstance(gate(again), Ready)
    assert said.side is Side.RIGHT
