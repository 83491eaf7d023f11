"""Every fault that a catalogue can have is planted once and found."""

from dataclasses import replace
from types import MappingProxyType

import pytest

from capture_app.catalog.catalog import Catalog, RegionList
from capture_app.catalog.check import check, mod10_is_right, verhoeff_is_right
from capture_app.catalog.load import load_catalog
from capture_app.model.coding import Code
from capture_app.model.procedure import ImageKind, ProcedureEntry, Region


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


def found(catalog: Catalog) -> list[str]:
    return [str(fault) for fault in check(catalog)]


def with_first(catalog: Catalog, **changes: object) -> Catalog:
    """The catalogue with its first procedure changed."""
    first: ProcedureEntry = replace(catalog.procedures[0], **changes)  # type: ignore[arg-type]
    defaults = dict(catalog.procedure_defaults)
    defaults[first.entry_id] = catalog.procedure_defaults[catalog.procedures[0].entry_id]
    return replace(
        catalog,
        procedures=(first, *catalog.procedures[1:]),
        procedure_defaults=MappingProxyType(defaults),
    )


def with_first_region(catalog: Catalog, **changes: object) -> Catalog:
    first: Region = replace(catalog.regions[0], **changes)  # type: ignore[arg-type]
    return replace(catalog, regions=(first, *catalog.regions[1:]))


def test_what_ships_has_no_fault(catalog: Catalog) -> None:
    assert found(catalog) == []


PHOTO = Code("197157006", "SCT", "Photography of patient")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"entry_id": "DERM-LESION"}, "The id stands 2 times"),
        ({"display_name": "Nail photo"}, "The display name stands 2 times"),
        ({"entry_id": "A-VERY-LONG-LOCAL-ID"}, "The id is 20 characters long, 16 are allowed"),
        ({"display_name": "x" * 65}, "The display name is 65 characters long"),
        ({"display_name": "left\\right"}, "does not allow here"),
        ({"display_name": " "}, "The display name is empty"),
        ({"code": replace(PHOTO, scheme="SNM3")}, "The coding scheme 'SNM3' is not known"),
        ({"code": replace(PHOTO, value="197157009")}, "wrong check digit (Verhoeff)"),
        ({"code": replace(PHOTO, value="19715700A")}, "is no SNOMED CT identifier"),
        ({"code": Code("24907-9", "LN", "US Shoulder")}, "wrong check digit (mod 10)"),
        ({"code": Code("24907", "LN", "US Shoulder")}, "is no LOINC code"),
        ({"code": Code("12A", "FMA", "Skin")}, "12A is not a number"),
        ({"code": replace(PHOTO, meaning="m" * 65)}, "The meaning is 65 characters long"),
        ({"code": replace(PHOTO, value="1" * 17, scheme="DCM")}, "The code is 17 characters"),
        ({"reason": Code("271807004", "SCT", "Rash")}, "wrong check digit (Verhoeff)"),
        ({"region_choices": (("SCT", "404684003"),)}, "404684003 is not in the catalogue"),
        ({"region_choices": ()}, "It names no region"),
        ({"region_choices": (("SCT", "76752008"), ("SCT", "82038008"))}, "2 of its regions have"),
        ({"region_choices": (("SCT", "69695003"),)}, "(Stomach), a site of the kind organ, cannot"),
        ({"region_choices": (("SCT", "706342009"),)}, "(Phantom), a site of the kind nothing"),
        ({"image_kind": ImageKind.DERMOSCOPY, "region_choices": (("SCT", "38199008"),)}, "tooth"),
        (
            {"one_sided": True, "region_choices": (("SCT", "35900000"),)},
            "It is done on a side, and SCT:35900000 (Skin of penis) has none",
        ),
        ({"one_sided": True, "region_choices": (("SCT", "50519007"),)}, "done on a side"),
    ],
)
def test_a_wrong_procedure_is_found(
    catalog: Catalog, changes: dict[str, object], said: str
) -> None:
    assert any(said in fault for fault in found(with_first(catalog, **changes)))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"code": Code("818982008", "SCT", "Abdomen")}, "The region stands 2 times"),
        ({"code": Code("818981002", "SCT", "Abdomen")}, "wrong check digit (Verhoeff)"),
        ({"label": ""}, "The label is empty"),
        ({"label": "Heart"}, "2 of its regions have the label 'Heart'"),
        ({"body_part_examined": "abdomen wall"}, "is no term for Body Part Examined"),
    ],
)
def test_a_wrong_region_is_found(catalog: Catalog, changes: dict[str, object], said: str) -> None:
    assert any(said in fault for fault in found(with_first_region(catalog, **changes)))


def with_choices(catalog: Catalog, entry_id: str, *keys: tuple[str, str]) -> Catalog:
    """The catalogue with more sites for one act."""
    return replace(
        catalog,
        procedures=tuple(
            replace(e, region_choices=(*e.region_choices, *keys)) if e.entry_id == entry_id else e
            for e in catalog.procedures
        ),
    )


@pytest.mark.parametrize(
    ("entry_id", "site", "said"),
    [
        ("RH-US-TENDON", "69695003", "(Stomach) has none"),
        ("RH-US-TENDON", "64033007", "(Kidney), a site of the kind organ, is not what 'US Tendon'"),
        ("RH-US-MSK-LTD", "955009", "(Bronchus), a site of the kind organ, is not what"),
        ("RH-MUSCLE-BX", "81745001", "(Eye), a site of the kind eye, is not what"),
        ("SU-ARTHRO", "66288003", "cannot be seen by it"),
        ("RH-PHOTO-JOINT", "39937001", "(Skin) has none"),
        ("ED-USG-PIV", "7832008", "(Abdominal aorta) has none"),
        ("GI-EGD", "33712006", "(Skin of hand), a site of the kind skin, cannot be seen by it"),
        ("DERM-NAIL", "71341001", "(Femur), a site of the kind bone, cannot be seen by it"),
    ],
)
def test_an_act_at_a_site_where_it_makes_no_sense_is_found(
    catalog: Catalog, entry_id: str, site: str, said: str
) -> None:
    (fault,) = found(with_choices(catalog, entry_id, ("SCT", site)))
    assert fault.startswith(f"{entry_id}: ")
    assert said in fault


def test_a_camera_may_see_inside_only_where_the_body_is_open(catalog: Catalog) -> None:
    assert found(with_choices(catalog, "SU-PERIOP", ("SCT", "42859004"))) == []
    assert found(with_choices(catalog, "SU-PLASTIC", ("SCT", "42859004"))) != []


def test_what_was_merged_into_nothing_and_codes_without_source_are_found(
    catalog: Catalog,
) -> None:
    notes = dict(catalog.notes)
    notes["ED-US-MSK"] = replace(notes["ED-US-MSK"], merged_into="LAB-GROSS")
    notes["DERM-NAIL"] = replace(notes["DERM-NAIL"], merged_into="DERM-LESION")
    notes["DERM-HAIR"] = replace(notes["DERM-HAIR"], source=" ")
    notes["DERM-FACE"] = replace(notes["DERM-FACE"], verified=False)
    notes["ED-FAST"] = replace(notes["ED-FAST"], verified=True)
    faults = found(replace(catalog, notes=MappingProxyType(notes)))
    assert "ED-US-MSK: It cannot be merged into LAB-GROSS." in faults
    assert "DERM-NAIL: It cannot be merged into DERM-LESION." in faults
    assert "DERM-HAIR: No source of its code is named." in faults
    for entry_id in ("DERM-FACE", "ED-FAST"):
        assert f"{entry_id}: A public code is verified, and a local one is not." in faults


def test_a_favourite_that_was_merged_is_found(catalog: Catalog) -> None:
    old = MappingProxyType({"": ("ED-US-MSK",)})
    faults = found(replace(catalog, department_favourites=old))
    assert faults == ["favourites of '': ED-US-MSK cannot be chosen."]


def test_a_default_that_is_not_offered_is_found(catalog: Catalog) -> None:
    defaults = dict(catalog.procedure_defaults)
    defaults["RH-US-KNEE"] = replace(
        defaults["RH-US-KNEE"], purpose="fun", region=("SCT", "16982005")
    )
    faults = found(replace(catalog, procedure_defaults=MappingProxyType(defaults)))
    assert "RH-US-KNEE: fun is no purpose." in faults
    assert any("chosen beforehand but not offered" in fault for fault in faults)


def test_wrong_lists_and_favourites_are_found(catalog: Catalog) -> None:
    broken = replace(
        catalog,
        region_lists=(*catalog.region_lists, RegionList("odd", (("SCT", "1"),))),
        department_favourites=MappingProxyType(
            {"": ("NO-SUCH-ID",), "Bakery": ("GEN-OTHER", "GEN-OTHER")}
        ),
        consents=(catalog.consents[0], *catalog.consents),
    )
    faults = found(broken)
    assert "odd: The region SCT:1 is not in the catalogue." in faults
    assert "favourites of '': NO-SUCH-ID cannot be chosen." in faults
    assert "favourites of 'Bakery': No procedure is of this department." in faults
    assert "ward-policy: The choice stands 2 times." in faults
    assert any("GEN-OTHER: favourites" in fault and "2 times" in fault for fault in faults)


@pytest.mark.parametrize("code", ["7771000", "24028007", "197157006", "1231522001"])
def test_one_wrong_digit_breaks_a_snomed_code(code: str) -> None:
    assert verhoeff_is_right(code)
    for place in range(len(code)):
        for digit in "0123456789":
            changed = code[:place] + digit + code[place + 1 :]
            assert verhoeff_is_right(changed) is (changed == code)


@pytest.mark.parametrize("code", ["249078", "808550", "725309"])
def test_one_wrong_digit_breaks_a_loinc_code(code: str) -> None:
    assert mod10_is_right(code)
    for place in range(len(code)):
        for digit in "0123456789":
            changed = code[:place] + digit + code[place + 1 :]
            assert mod10_is_right(changed) is (changed == code)
