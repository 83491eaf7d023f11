from dataclasses import replace
from typing import Any

import pytest

from capture_app.catalog.catalog import Catalog, choice_of
from capture_app.catalog.load import load_catalog
from capture_app.exam.describing import (
    Coding,
    DescriptionPart,
    as_chosen,
    coding,
    common,
    completed,
    differing,
    from_order,
    only_fills,
    sides_of,
    taken_with,
    with_choice,
    with_procedure,
    with_region,
    with_side,
    with_turn,
)
from capture_app.exam.rules import Missing, MissingPart, Ready, gate
from capture_app.model.coding import Code
from capture_app.model.order import Order
from capture_app.model.procedure import Description, ProcedureEntry, Region, Side, Turn

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


def panels(**chosen: Any) -> Coding:
    """The panels before a picture, with what a person chose."""
    return coding(Description(**chosen), EMPTY, load_catalog(), usual_site=True)


def test_a_turn_is_the_pictures_own(catalog: Catalog) -> None:
    ulcer = entry(catalog, "WND-LEG-ULCER")
    before = taken_with(with_procedure(panels(), ulcer, catalog))
    turned = with_turn(with_turn(before, Turn.RIGHT), Turn.RIGHT)
    assert turned.description == replace(before.description, turn=Turn.HALF)
    assert not differing(turned.description, before.description)
    for change in (
        with_procedure(turned, entry(catalog, "WND-DFU"), catalog),
        with_region(turned, region(catalog, SHIN), Side.LEFT, catalog),
        with_choice(turned, DescriptionPart.CONSENT, catalog.consents[-1], catalog),
        as_chosen(turned.description),
    ):
        assert change.description.turn is Turn.HALF
    assert completed(turned.description, catalog).turn is Turn.HALF
    assert common((turned.description, turned.description)).turn is Turn.NONE
    assert with_turn(turned, Turn.HALF) == before


def test_an_act_fills_in_purpose_keeping_and_consent(catalog: Catalog) -> None:
    wound = entry(catalog, "WND-OTHER")
    said = with_procedure(panels(), wound, catalog).description
    assert (said.purpose, said.keep, said.consent) == catalog.defaults(wound)
    assert said.region is None


def test_a_wrong_act_and_the_right_one_leave_everything_that_a_person_chose(
    catalog: Catalog,
) -> None:
    ulcer, foot = entry(catalog, "WND-LEG-ULCER"), entry(catalog, "WND-DFU")
    before = with_procedure(panels(), ulcer, catalog)
    before = with_region(before, region(catalog, SHIN), Side.LEFT, catalog)
    before = with_choice(before, DescriptionPart.CONSENT, catalog.consents[-1], catalog)
    wrong = with_procedure(before, foot, catalog)
    assert (wrong.description.region, wrong.description.side) == (
        region(catalog, SHIN),
        Side.LEFT,
    )
    assert gate(wrong.description) == Missing((MissingPart.REGION,))  # and it is not sent so
    assert with_procedure(wrong, ulcer, catalog) == before


def test_every_two_acts_leave_a_chosen_site_and_side_alone(catalog: Catalog) -> None:
    before = with_region(panels(), region(catalog, BACK), Side.MIDLINE, catalog)
    for act in catalog.selectable:
        changed = with_procedure(before, act, catalog)
        assert changed.description.region == region(catalog, BACK)
        assert changed.description.side in (Side.MIDLINE, None)  # None: the act has no such side
        assert with_procedure(changed, entry(catalog, "WND-OTHER"), catalog).description.side is (
            Side.MIDLINE
        )


def test_the_usual_site_is_proposed_until_a_person_touches_it(catalog: Catalog) -> None:
    face, patch = entry(catalog, "DERM-FACE"), entry(catalog, "DERM-PATCH-1")
    proposed = with_procedure(panels(), face, catalog)
    assert proposed.description.region == catalog.default_region(face)
    assert proposed.proposes_site
    other = with_procedure(proposed, patch, catalog)
    assert other.description.region == catalog.default_region(patch)
    touched = with_side(proposed, Side.LEFT, catalog)
    assert not touched.proposes_site
    assert with_procedure(touched, patch, catalog).description.region == catalog.default_region(
        face
    )


def test_a_picture_gets_what_the_panels_show_and_no_usual_site_later(catalog: Catalog) -> None:
    face, patch = entry(catalog, "DERM-FACE"), entry(catalog, "DERM-PATCH-1")
    proposed = with_procedure(panels(), face, catalog)
    taken = taken_with(proposed)
    assert taken.description == proposed.description
    assert with_procedure(taken, patch, catalog).description.region is None
    bare = taken_with(panels())
    assert with_procedure(bare, face, catalog).description.region is None
    only = entry(catalog, "RH-US-ELBOW")  # nothing else can be meant
    assert with_procedure(bare, only, catalog).description.region == catalog.default_region(only)


def test_another_site_clears_the_side_unless_the_touch_gives_one(catalog: Catalog) -> None:
    chosen = with_region(panels(), region(catalog, SHIN), Side.LEFT, catalog)
    forearm = region(catalog, FOREARM)
    assert with_region(chosen, forearm, None, catalog).description.side is None
    assert with_region(chosen, forearm, Side.RIGHT, catalog).description.side is Side.RIGHT


def test_a_side_that_the_site_does_not_have_is_never_taken(catalog: Catalog) -> None:
    shin = with_region(panels(), region(catalog, SHIN), None, catalog)
    assert with_side(shin, Side.MIDLINE, catalog) == shin
    assert with_side(shin, Side.RIGHT, catalog).description.side is Side.RIGHT
    back = with_region(panels(), region(catalog, BACK), None, catalog)
    assert Side.MIDLINE in sides_of(back.description)
    assert with_side(panels(), Side.LEFT, catalog) == panels()


def test_both_is_only_what_a_person_says(catalog: Catalog) -> None:
    shin = with_region(panels(), region(catalog, SHIN), None, catalog)
    assert shin.description.side is None
    assert with_side(shin, Side.BOTH, catalog).description.side is Side.BOTH


@pytest.mark.parametrize("purpose", ["teaching", "quality"])
def test_teaching_and_quality_are_kept_nowhere_by_default(catalog: Catalog, purpose: str) -> None:
    chosen = choice_of(catalog.purposes, purpose)
    said = with_procedure(panels(), entry(catalog, "DERM-LESION"), catalog)
    said = with_region(said, region(catalog, SHIN), Side.LEFT, catalog)
    assert gate(said.description) == Ready(
        entry(catalog, "DERM-LESION"), region(catalog, SHIN), Side.LEFT
    )
    said = with_choice(said, DescriptionPart.PURPOSE, chosen, catalog)
    assert said.description.keep is None
    assert gate(said.description) == Missing((MissingPart.KEEP,))
    said = with_choice(said, DescriptionPart.KEEP, catalog.keeps[0], catalog)
    assert isinstance(gate(said.description), Ready)
    care = with_choice(said, DescriptionPart.PURPOSE, catalog.purposes[0], catalog)
    assert care.description.keep == catalog.keeps[0]


@pytest.mark.parametrize("purpose", ["teaching", "quality"])
def test_a_keeping_for_care_is_none_for_teaching_and_quality(
    catalog: Catalog, purpose: str
) -> None:
    chosen = choice_of(catalog.purposes, purpose)
    said = with_procedure(panels(), entry(catalog, "DERM-LESION"), catalog)
    said = with_region(said, region(catalog, SHIN), Side.LEFT, catalog)
    by_person = with_choice(said, DescriptionPart.KEEP, catalog.keeps[1], catalog)
    reopened = as_chosen(said.description)  # a draft: its keeping followed from the act
    for before in (by_person, reopened):
        assert before.description.keep is not None
        after = with_choice(before, DescriptionPart.PURPOSE, chosen, catalog)
        assert gate(after.description) == Missing((MissingPart.KEEP,))
    after = with_choice(by_person, DescriptionPart.PURPOSE, chosen, catalog)
    other = choice_of(catalog.purposes, "quality" if purpose == "teaching" else "teaching")
    teaching = with_choice(after, DescriptionPart.KEEP, catalog.keeps[1], catalog)
    again = with_choice(teaching, DescriptionPart.PURPOSE, other, catalog)
    assert again.description.keep == catalog.keeps[1]


def test_what_only_fills_in_and_what_replaces(catalog: Catalog) -> None:
    wound, foot = entry(catalog, "WND-OTHER"), entry(catalog, "WND-DFU")
    shin = region(catalog, SHIN)
    bare = taken_with(panels())

    def fills(before: Coding, after: Coding) -> bool:
        return only_fills(before.description, after.description)

    acted = with_procedure(bare, wound, catalog)
    assert fills(bare, acted)
    sited = with_region(acted, shin, None, catalog)
    whole = with_region(acted, shin, Side.LEFT, catalog)
    assert fills(acted, sited)
    assert fills(acted, whole)
    assert fills(sited, whole)
    assert not fills(whole, with_region(whole, shin, Side.RIGHT, catalog))
    assert not fills(whole, with_procedure(whole, foot, catalog))
    assert not fills(sited, with_region(sited, region(catalog, FOREARM), Side.LEFT, catalog))
    elsewhere = with_region(bare, region(catalog, FOREARM), Side.LEFT, catalog)
    assert fills(elsewhere, with_procedure(elsewhere, wound, catalog))
    assert not fills(elsewhere, with_procedure(elsewhere, foot, catalog))  # not done there
    assert not fills(whole, whole)


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
    left = with_region(panels(), region(catalog, SHIN), Side.LEFT, catalog).description
    right = replace(left, side=Side.RIGHT)
    assert common((left, right)) == replace(left, side=None)
    assert common((left, left)) == left
    elsewhere = Description(region=region(catalog, FOREARM), side=Side.LEFT)
    assert common((left, elsewhere)) == EMPTY
    assert common(()) == EMPTY
