"""The catalogue that ships: what there is, what is offered, what is found."""

from collections import Counter
from pathlib import Path
from typing import cast

import pytest
from pydicom.sr._concepts_dict import concepts

from capture_app.catalog.catalog import Catalog, folded
from capture_app.catalog.load import load_catalog
from capture_app.errors import CatalogError
from capture_app.model.procedure import ImageKind, ProcedureEntry, SideRule
from capture_app.settings.resources import resource

_Coded = dict[str, tuple[str, list[int]]]
"""Meaning and context groups by code, as pydicom keeps the tables of PS3.16."""

GOLDEN = Path(__file__).parents[2] / "golden"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


def entry(catalog: Catalog, entry_id: str) -> ProcedureEntry:
    found = catalog.procedure(entry_id)
    assert found is not None
    return found


def test_all_acts_and_regions_are_there(catalog: Catalog) -> None:
    assert len(catalog.procedures) == 170
    assert len({e.display_name for e in catalog.procedures}) == 170
    assert len(catalog.regions) == 474
    assert Counter(e.image_kind for e in catalog.procedures) == {
        ImageKind.PHOTO: 91,
        ImageKind.ULTRASOUND: 63,
        ImageKind.ENDOSCOPY: 12,
        ImageKind.DERMOSCOPY: 3,
        ImageKind.MICROSCOPY: 1,
    }


def test_the_side_rules_are_those_that_were_agreed(catalog: Catalog) -> None:
    agreed = (GOLDEN / "side_rules.txt").read_text(encoding="utf-8").splitlines()
    assert [f"{':'.join(r.code.key)} {r.side_rule}" for r in catalog.regions] == agreed


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
        ("86367003", SideRule.NONE),  # left upper quadrant
        ("61439", SideRule.LEFT_ONLY),  # upper outer quadrant of left breast, as CID 4029 prints it
        ("422653006", SideRule.RIGHT_ONLY),  # tooth 11
        ("955009", SideRule.PAIRED),  # bronchus
        ("431491007", SideRule.PAIRED),  # upper urinary tract
        ("2095001", SideRule.PAIRED),  # paranasal sinus
        ("39607008", SideRule.PAIRED),  # lung
        ("46353006", SideRule.SIDE_OR_MIDLINE),  # lining of the lower lip
        ("122496007", SideRule.UNPAIRED),  # lumbar spine
    ],
)
def test_a_region_asks_for_its_side(catalog: Catalog, code: str, rule: SideRule) -> None:
    region = catalog.region(code)
    assert region is not None
    assert region.side_rule is rule


def test_specimens_wait_until_their_container_can_be_scanned(catalog: Catalog) -> None:
    hidden = {e.entry_id for e in catalog.procedures} - {e.entry_id for e in catalog.selectable}
    merged = {e.entry_id for e in catalog.procedures if catalog.notes[e.entry_id].merged_into}
    assert hidden - merged == {"LAB-GROSS", "LAB-MICRO", "LAB-PLATE"}
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
        ("MTP", "Ultrasound: foot and toe joints"),
        ("bedsore", "Pressure ulcer (pressure injury)"),
        ("vacuum", "Negative pressure dressing"),
        ("callus", "Callus, corn or verruca"),
        ("bruise", "Injury: bruise, laceration or other wound"),
        ("melanoma", "Skin: close-up of one lesion"),
        ("mole", "Skin: close-up of one lesion"),
        ("eczema", "Skin: overview of a region"),
        ("acne", "Skin: overview of a region"),
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
    rows[3] = rows[3].replace(",surface,", ",sometimes,")
    rows[7] = rows[7].replace(",XC,", ",XX,")
    (tmp_path / "procedures.csv").write_text("\n".join(rows), encoding="utf-8")
    with pytest.raises(CatalogError) as caught:
        load_catalog(tmp_path)
    assert "procedures.csv, line 4: there is no list of regions sometimes" in str(caught.value)
    assert "procedures.csv, line 8: XX is none of XC, DMS" in str(caught.value)


def test_a_missing_catalogue_is_said(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="cannot be read"):
        load_catalog(tmp_path)


@pytest.mark.parametrize(
    ("act", "site"),
    [
        ("ED-FAST", "Spleen"),
        ("ED-FAST", "Left upper quadrant of abdomen"),
        ("ED-US-LUNG", "Lung"),
        ("ED-US-TESTIS", "Testicle"),
        ("ENT-SCOPE", "Nasal cavity"),
        ("ENT-EAR", "Eardrum"),
        ("RH-US-HAND", "Knuckle (MCP joint)"),
        ("RH-US-HAND", "PIP 3, middle joint of middle finger"),
        ("RH-INJ-FOOT", "MTP 1, ball joint of great toe"),
        ("RH-US-FOOT", "Second toe"),
        ("RH-US-TENDON", "Achilles tendon"),
        ("DEN-TEETH", "Tooth 36, lower left first molar"),
        ("ENT-MOUTH", "Teeth and gums"),
    ],
)
def test_what_the_title_of_an_act_promises_is_among_its_sites(
    catalog: Catalog, act: str, site: str
) -> None:
    assert site in {region.label for region in catalog.regions_for(entry(catalog, act))}


def test_all_teeth_stand_under_the_number_that_dentists_say(catalog: Catalog) -> None:
    teeth = {r.label.split(",")[0] for r in catalog.regions if r.label.startswith("Tooth ")}
    permanent = {f"Tooth {q}{n}" for q in (1, 2, 3, 4) for n in range(1, 9)}
    assert teeth == permanent | {f"Tooth {q}{n}" for q in (5, 6, 7, 8) for n in range(1, 6)}
    for region in catalog.regions:
        if region.label.startswith("Tooth "):
            assert ("left" in region.code.meaning) is ("left" in region.label), region.label
            side = SideRule.LEFT_ONLY if "left" in region.label else SideRule.RIGHT_ONLY
            assert region.side_rule is side


@pytest.mark.parametrize(
    ("old", "now", "department"),
    [
        ("ED-US-MSK", "RH-US-MSK-LTD", "Emergency"),
        ("DERM-MOUTH", "ENT-MOUTH", "Dermatology"),
        ("WND-TRAUMA", "ED-PHOTO-INJURY", "Wound care"),
        ("RH-PHOTO-SKIN", "DERM-OVERVIEW", "Rheumatology"),
    ],
)
def test_an_act_that_was_merged_is_the_one_that_took_its_place_in_its_department(
    catalog: Catalog, old: str, now: str, department: str
) -> None:
    found = catalog.procedure(old)
    assert found is not None
    assert found.entry_id == now
    assert found in catalog.of_department(department.upper())
    assert old not in {e.entry_id for e in catalog.search("")}
    assert [e.entry_id for e in catalog.favourites("", (old, now))] == [now]
    before = next(e for e in catalog.procedures if e.entry_id == old)
    assert catalog.regions_for(before)  # what was described with it has its sites
    assert catalog.defaults(before)


def test_no_two_acts_that_may_be_chosen_are_the_same(catalog: Catalog) -> None:
    same = Counter(
        (e.code, e.image_kind, e.region_choices, e.reason, e.sensitive_content, e.one_sided)
        for e in catalog.selectable
        if len(e.region_choices) > 1 and e.reason is not None
    )
    assert [key for key, count in same.items() if count > 1] == []


def test_no_photograph_is_said_to_treat(catalog: Catalog) -> None:
    for e in catalog.procedures:
        purpose, _, _ = catalog.defaults(e)
        if e.image_kind in {ImageKind.PHOTO, ImageKind.DERMOSCOPY}:
            assert purpose.choice_id != "treatment", e.entry_id


@pytest.mark.parametrize(
    "department",
    ["Physiotherapy", "Podiatry", "Dental", "Obstetrics", "Orthopaedics", "Vascular surgery"],
)
def test_a_department_finds_its_acts_under_its_name(catalog: Catalog, department: str) -> None:
    own = catalog.of_department(department)
    assert len(own) >= 5
    assert set(own) <= set(catalog.search(department))
    favourites = catalog.favourites(department)
    assert favourites != catalog.favourites("")
    assert favourites[-1].entry_id == "GEN-OTHER"


@pytest.mark.parametrize(
    "typed",
    [
        *("lymphoedema", "lymphedema", "radiation", "ischaemia", "gangrene", "amputation"),
        *("phlebitis", "perineal tear", "ptosis", "squint", "strabismus", "burn follow"),
        *("forensic set", "caesarean", "range of movement", "occlusion", "verruca", "physio"),
    ],
)
def test_what_wards_photograph_is_found_by_its_names(catalog: Catalog, typed: str) -> None:
    assert catalog.search(typed)


def test_every_code_says_where_it_was_looked_up(catalog: Catalog) -> None:
    local = {e.entry_id for e in catalog.procedures if not catalog.notes[e.entry_id].verified}
    assert local == {"RH-CAPILLARO", "ED-FAST", "ED-EFAST", "ED-US-IVC", "LAB-PLATE"}
    sites = {key for key, notes in catalog.site_notes.items() if not notes.verified}
    assert {scheme for scheme, _ in sites} == {"99CAPTURE"}
    assert len(sites) == 22


def test_a_code_that_dicom_lists_has_the_meaning_that_dicom_gives_it(catalog: Catalog) -> None:
    listed = {
        code: {meaning.casefold() for meaning in meanings}
        for code, meanings in dicom_meanings().items()
    }
    for region in catalog.regions:
        source = catalog.site_notes[region.code.key].source
        if source.startswith("DICOM PS3.16 CID"):
            assert region.code.meaning.casefold() in listed[region.code.value], region.label


def dicom_meanings() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for scheme in ("SCT", "DCM", "FMA"):
        for keyword in cast("dict[str, _Coded]", concepts[scheme]).values():
            for code, (meaning, _cids) in keyword.items():
                found.setdefault(code, set()).add(meaning)
    return found
