"""The catalogue that ships: what there is, what is offered, what is found."""

from collections import Counter
from pathlib import Path

import pytest

from capture_app.catalog.catalog import Catalog, folded
from capture_app.catalog.load import load_catalog
from capture_app.errors import CatalogError
from capture_app.model.procedure import ImageKind, LateralityRule, ProcedureEntry, SideRule
from capture_app.settings.resources import resource

GOLDEN = Path(__file__).parents[2] / "golden"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


def entry(catalog: Catalog, entry_id: str) -> ProcedureEntry:
    found = catalog.procedure(entry_id)
    assert found is not None
    return found


def test_all_acts_and_regions_are_there(catalog: Catalog) -> None:
    assert len(catalog.procedures) == 145
    assert len({e.display_name for e in catalog.procedures}) == 145
    assert len(catalog.regions) == 366
    assert Counter(e.image_kind for e in catalog.procedures) == {
        ImageKind.PHOTO: 67,
        ImageKind.ULTRASOUND: 62,
        ImageKind.ENDOSCOPY: 12,
        ImageKind.DERMOSCOPY: 3,
        ImageKind.MICROSCOPY: 1,
    }


def test_the_side_rules_are_those_that_were_agreed(catalog: Catalog) -> None:
    agreed = (GOLDEN / "side_rules.txt").read_text(encoding="utf-8").splitlines()
    assert [f"{':'.join(r.code.key)} {r.side_rule}" for r in catalog.regions] == agreed
    assert Counter(e.laterality_rule for e in catalog.procedures) == {
        LateralityRule.REQUIRED: 56,
        LateralityRule.REQUIRED_OR_MIDLINE: 51,
        LateralityRule.NO: 30,
        LateralityRule.OPTIONAL: 8,
    }


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("60496002", SideRule.PAIRED),  # foot
        ("82038008", SideRule.PAIRED),  # breast
        ("41310005", SideRule.PAIRED),  # upper eyelid
        ("39723000", SideRule.PAIRED),  # sacroiliac joint
        ("66643007", SideRule.SIDE_OR_MIDLINE),  # back
        ("73897004", SideRule.SIDE_OR_MIDLINE),  # face
        ("51027004", SideRule.SIDE_OR_MIDLINE),  # sacral skin
        ("816094009", SideRule.SIDE_OR_MIDLINE),  # chest
        ("80891009", SideRule.UNPAIRED),  # heart
        ("35900000", SideRule.UNPAIRED),  # penis
        ("7832008", SideRule.NONE),  # abdominal aorta
        ("50519007", SideRule.NONE),  # right upper quadrant: its name is its side
        ("61439", SideRule.LEFT_ONLY),  # upper outer quadrant of left breast, as CID 4029 prints it
    ],
)
def test_a_region_asks_for_its_side(catalog: Catalog, code: str, rule: SideRule) -> None:
    region = catalog.region(code)
    assert region is not None
    assert region.side_rule is rule


def test_specimens_wait_until_their_container_can_be_scanned(catalog: Catalog) -> None:
    hidden = {e.entry_id for e in catalog.procedures} - {e.entry_id for e in catalog.selectable}
    assert hidden == {"LAB-GROSS", "LAB-MICRO", "LAB-PLATE"}
    assert "Gross specimen photo" not in {e.display_name for e in catalog.search("specimen")}


def test_every_act_that_may_be_chosen_has_regions_and_defaults(catalog: Catalog) -> None:
    for e in catalog.selectable:
        assert catalog.regions_for(e), e.entry_id
        purpose, keep, consent = catalog.defaults(e)
        assert purpose.code is not None
        assert keep.choice_id == "record"
        assert consent.label
        default = catalog.default_region(e)
        assert default is None or default in catalog.regions_for(e)


def test_an_act_offers_its_own_regions(catalog: Catalog) -> None:
    shoulder = catalog.regions_for(entry(catalog, "RH-US-SHOULDER"))
    assert [r.label for r in shoulder] == [
        "Shoulder",
        "Acromioclavicular joint",
        "Sternoclavicular joint",
    ]
    pressure = catalog.regions_for(entry(catalog, "WND-PRESSURE"))
    assert [r.label for r in pressure][:2] == ["Sacrum", "Heel"]
    assert len(pressure) > 200  # every other skin site follows


def test_what_is_not_built_is_not_offered(catalog: Catalog) -> None:
    assert [k.choice_id for k in catalog.keeps] == ["record", "record-30"]
    assert [k.days for k in catalog.keeps] == [None, 30]


@pytest.mark.parametrize(
    ("department", "first"),
    [
        ("Dermatology", "DERM-OVERVIEW"),
        ("wound care ", "WND-PRESSURE"),
        ("Ward 4B", "WND-PRESSURE"),
        ("", "WND-PRESSURE"),
    ],
)
def test_a_department_has_its_favourites(catalog: Catalog, department: str, first: str) -> None:
    favourites = catalog.favourites(department)
    assert favourites[0].entry_id == first
    assert len(favourites) <= 9


def test_configured_favourites_go_first_and_unknown_ones_give_up_their_key(
    catalog: Catalog,
) -> None:
    wanted = ("GEN-OTHER", "NO-SUCH-ID", "LAB-GROSS", "GEN-OTHER", "DERM-NAIL")
    assert [e.entry_id for e in catalog.favourites("Dermatology", wanted)] == [
        "GEN-OTHER",
        "DERM-NAIL",
    ]


@pytest.mark.parametrize(
    ("typed", "best"),
    [
        ("press", "Pressure ulcer (pressure injury)"),
        ("ulcer leg", "Leg ulcer (venous, arterial or mixed)"),
        ("nail", "Nail photo"),
        ("us kn", "Ultrasound: knee"),
        ("DERM-MOHS", "Mohs surgery, stage photo"),
        ("BURN", "Burn or scald"),
        ("Läsion", ""),
    ],
)
def test_search_ranks_what_was_meant_first(catalog: Catalog, typed: str, best: str) -> None:
    found = catalog.search(typed)
    assert (found[0].display_name if found else "") == best


def test_an_empty_search_offers_everything(catalog: Catalog) -> None:
    assert catalog.search("  ") == catalog.selectable


def test_accents_and_case_do_not_matter() -> None:
    assert folded("Crème-brûlée") == "creme brulee"


def test_a_region_is_found_with_and_without_its_scheme(catalog: Catalog) -> None:
    assert catalog.region("60496002") == catalog.region("60496002", "SCT")
    assert catalog.region("60496002", "FMA") is None
    assert catalog.region("1") is None


def test_every_unreadable_row_is_named(tmp_path: Path) -> None:
    for name in ("catalogue.toml", "procedures.csv", "regions.csv"):
        (tmp_path / name).write_bytes((resource("catalog") / name).read_bytes())
    rows = (tmp_path / "procedures.csv").read_text(encoding="utf-8").splitlines()
    rows[3] = rows[3].replace(",req-or-midline,", ",sometimes,")
    rows[7] = rows[7].replace(",XC,", ",XX,")
    (tmp_path / "procedures.csv").write_text("\n".join(rows), encoding="utf-8")
    with pytest.raises(CatalogError) as caught:
        load_catalog(tmp_path)
    assert "procedures.csv, line 4: sometimes is none of no, opt, req" in str(caught.value)
    assert "procedures.csv, line 8: XX is none of XC, DMS" in str(caught.value)


def test_a_missing_catalogue_is_said(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="cannot be read"):
        load_catalog(tmp_path)
