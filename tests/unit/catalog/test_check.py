"""Every fault that a catalogue can have is planted once and found."""

from dataclasses import replace
from types import MappingProxyType

import pytest

from capture_app.catalog.catalog import Catalog, RegionList
from capture_app.catalog.check import check, mod10_is_right, verhoeff_is_right
from capture_app.catalog.load import load_catalog
from capture_app.model.coding import Code
from capture_app.model.procedure import ProcedureEntry, Region


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
        ({"region_picker": "CID9999"}, "There is no list of regions 'CID9999'"),
        ({"region_choices": (("SCT", "60496002"),)}, "both regions and a list"),
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
