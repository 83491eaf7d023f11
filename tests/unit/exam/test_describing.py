from dataclasses import replace

import pytest

from capture_app.catalog.catalog import Catalog
from capture_app.catalog.load import load_catalog
from capture_app.exam.describing import (
    common,
    from_order,
    sides_of,
    with_procedure,
    with_region,
    with_side,
)
from capture_app.exam.rules import is_about
from capture_app.model.coding import Code
from capture_app.model.order import Order
from capture_app.model.procedure import Description, ProcedureEntry, Region, Side

SHIN, BACK, FOREARM = "25763004", "66643007", "70559009"
EMPTY = Description()


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


def entry(catalog: Catalog, entry_id: str) -> ProcedureEntry:
    found = catalog.procedure(entry_id)
    assert found is not None
    return found


def region(catalog: Catalog, code: str) -> Region:
    found = catalog.region(code, "SCT")
    assert found is not None
    return found


def order(*codes: Code) -> Order:
    return Order("1.2.3", "A1", "R1", "", None, "S1", "", codes, "XC", "CAPTURE", None)


def test_an_act_fills_in_purpose_keeping_and_consent(catalog: Catalog) -> None:
    wound = entry(catalog, "WND-OTHER")
    chosen = with_procedure(EMPTY, wound, catalog)
    assert (chosen.purpose, chosen.keep, chosen.consent) == catalog.defaults(wound)
    assert chosen.region is None


def test_another_act_keeps_site_and_side_where_both_hold(catalog: Catalog) -> None:
    chosen = with_procedure(EMPTY, entry(catalog, "WND-OTHER"), catalog)
    chosen = with_region(chosen, region(catalog, SHIN), Side.LEFT)
    changed = with_procedure(chosen, entry(catalog, "WND-LEG-ULCER"), catalog)
    assert (changed.region, changed.side) == (chosen.region, Side.LEFT)


def test_another_act_clears_a_site_that_it_is_not_about(catalog: Catalog) -> None:
    chosen = with_region(EMPTY, region(catalog, FOREARM), Side.LEFT)
    foot = entry(catalog, "WND-DFU")
    changed = with_procedure(chosen, foot, catalog)
    assert changed.region == catalog.default_region(foot)
    assert changed.side is None
    assert not is_about(foot, region(catalog, FOREARM))


def test_another_site_clears_the_side_unless_the_touch_gives_one(catalog: Catalog) -> None:
    chosen = with_region(EMPTY, region(catalog, SHIN), Side.LEFT)
    assert with_region(chosen, region(catalog, FOREARM)).side is None
    assert with_region(chosen, region(catalog, FOREARM), Side.RIGHT).side is Side.RIGHT


def test_a_side_that_the_site_does_not_have_is_never_taken(catalog: Catalog) -> None:
    shin = with_region(EMPTY, region(catalog, SHIN))
    assert with_side(shin, Side.MIDLINE) == shin
    assert with_side(shin, Side.RIGHT).side is Side.RIGHT
    assert Side.MIDLINE in sides_of(with_region(EMPTY, region(catalog, BACK)))
    assert with_side(EMPTY, Side.LEFT) == EMPTY


def test_both_is_only_what_a_person_says(catalog: Catalog) -> None:
    shin = with_region(EMPTY, region(catalog, SHIN))
    assert shin.side is None
    assert with_side(shin, Side.BOTH).side is Side.BOTH


def test_an_order_says_act_site_and_side(catalog: Catalog) -> None:
    said = from_order(
        order(
            Code("WND-OTHER", "99CAPTURE", "Other wound"),
            Code(SHIN, "SCT", "Skin of anterior surface of lower leg"),
            Code("7771000", "SCT", "Left"),
        ),
        catalog,
    )
    assert said.procedure == entry(catalog, "WND-OTHER")
    assert said.region == region(catalog, SHIN)
    assert said.side is Side.LEFT
    assert said.purpose is not None


def test_an_order_that_names_two_sides_sites_or_acts_names_none(catalog: Catalog) -> None:
    left, right = Code("7771000", "SCT", "Left"), Code("24028007", "SCT", "Right")
    shin, forearm = Code(SHIN, "SCT", "Shin"), Code(FOREARM, "SCT", "Forearm")
    ulcer, other = (Code(act, "99CAPTURE", act) for act in ("WND-LEG-ULCER", "WND-OTHER"))
    assert from_order(order(shin, left, right), catalog).side is None
    assert from_order(order(shin, left, left), catalog).side is Side.LEFT
    assert from_order(order(shin, forearm, left), catalog).region is None
    assert from_order(order(ulcer, other), catalog).procedure is None
    body = Code("DERM-TBP-BASE", "99CAPTURE", "Total body photography")
    assert from_order(order(body), catalog).region is not None
    assert from_order(order(body, shin, forearm), catalog).region is None


def test_the_midline_is_known_by_both_its_codes(catalog: Catalog) -> None:
    for midline in (Code("130290", "DCM", "Median"), Code("260528009", "SCT", "Median")):
        said = from_order(order(Code(BACK, "SCT", "Back"), midline), catalog)
        assert said.side is Side.MIDLINE


def test_a_code_that_many_acts_share_says_no_act(catalog: Catalog) -> None:
    assert from_order(order(Code("197157006", "SCT", "Photography of patient")), catalog) == EMPTY
    assert from_order(None, catalog) == EMPTY


def test_a_code_of_one_act_alone_says_it(catalog: Catalog) -> None:
    said = from_order(order(Code("69286-3", "LN", "US Eye limited")), catalog)
    assert said.procedure == entry(catalog, "ED-US-EYE")


def test_what_several_pictures_share(catalog: Catalog) -> None:
    left = with_side(with_region(EMPTY, region(catalog, SHIN)), Side.LEFT)
    right = replace(left, side=Side.RIGHT)
    assert common((left, right)) == replace(left, side=None)
    assert common((left, left)) == left
    elsewhere = with_region(EMPTY, region(catalog, FOREARM), Side.LEFT)
    assert common((left, elsewhere)) == EMPTY
    assert common(()) == EMPTY
