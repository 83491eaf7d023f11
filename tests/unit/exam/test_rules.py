from dataclasses import replace
from itertools import product

import pytest

from capture_app.exam.rules import (
    Missing,
    MissingPart,
    Ready,
    allowed_sides,
    gate,
    gate_to_send,
    side_required,
)
from capture_app.model.patient import PatientId
from capture_app.model.procedure import (
    Description,
    LateralityRule,
    ProcedureEntry,
    Region,
    Side,
    SideRule,
)
from tests import sealing

R, L, M, B = Side.RIGHT, Side.LEFT, Side.MIDLINE, Side.BOTH
NO, OPT = LateralityRule.NO, LateralityRule.OPTIONAL
REQ, REQ_MID = LateralityRule.REQUIRED, LateralityRule.REQUIRED_OR_MIDLINE


def entry(rule: LateralityRule = NO, **changes: object) -> ProcedureEntry:
    found = sealing.catalog().procedure("WND-LEG-ULCER")
    assert found is not None
    plain = replace(found, laterality_rule=rule, region_choices=())
    return replace(plain, **changes)  # type: ignore[arg-type]


def region(rule: SideRule) -> Region:
    found = sealing.catalog().region("25763004")
    assert found is not None
    return replace(found, side_rule=rule)


@pytest.mark.parametrize(
    ("site", "act", "sides", "required"),
    [
        *((SideRule.PAIRED, act, (R, L, B), True) for act in LateralityRule),
        *((SideRule.SIDE_OR_MIDLINE, act, (R, L, M, B), True) for act in (NO, OPT, REQ_MID)),
        (SideRule.SIDE_OR_MIDLINE, REQ, (R, L, B), True),
        *((SideRule.LEFT_ONLY, act, (L,), True) for act in LateralityRule),
        *((SideRule.NONE, act, (), False) for act in LateralityRule),
        (SideRule.UNPAIRED, NO, (), False),
        (SideRule.UNPAIRED, OPT, (R, L, B), False),
        (SideRule.UNPAIRED, REQ, (R, L, B), True),
        (SideRule.UNPAIRED, REQ_MID, (R, L, M, B), True),
    ],
)
def test_which_sides_a_site_and_an_act_leave(
    site: SideRule, act: LateralityRule, sides: tuple[Side, ...], *, required: bool
) -> None:
    assert allowed_sides(entry(act), region(site)) == sides
    assert side_required(entry(act), region(site)) is required


def test_the_gate_opens_for_every_allowed_choice_and_for_no_other() -> None:
    for site, act, side in product(SideRule, LateralityRule, [*Side, None]):
        procedure, place = entry(act), region(site)
        verdict = gate(Description(procedure, place, side))
        fits = (
            not side_required(procedure, place)
            if side is None
            else side in allowed_sides(procedure, place)
        )
        if fits:
            assert verdict == Ready(procedure, place, side)
        else:
            assert verdict == Missing((MissingPart.SIDE,))


def test_what_is_missing_is_said_in_the_order_of_choosing() -> None:
    paired = region(SideRule.PAIRED)
    assert gate(Description()) == Missing((MissingPart.PROCEDURE, MissingPart.REGION))
    assert gate(Description(procedure=entry())) == Missing((MissingPart.REGION,))
    assert gate(Description(region=paired)) == Missing((MissingPart.PROCEDURE, MissingPart.SIDE))
    assert gate(Description(region=paired, side=L)) == Missing((MissingPart.PROCEDURE,))
    assert gate(Description(entry(), paired)) == Missing((MissingPart.SIDE,))


def test_what_contradicts_counts_as_missing() -> None:
    paired = region(SideRule.PAIRED)
    elsewhere = entry(region_choices=(("SCT", "72696002"),))
    assert gate(Description(elsewhere, paired, L)) == Missing((MissingPart.REGION,))
    out_of_use = entry(selectable=False)
    assert gate(Description(out_of_use, paired, L)) == Missing((MissingPart.PROCEDURE,))


def test_nothing_leaves_without_a_patient_who_has_a_number() -> None:
    complete = sealing.description()
    nobody = replace(sealing.MAI, patient_id=PatientId("", "ST_ANNE"))
    assert isinstance(gate_to_send(sealing.MAI, complete), Ready)
    assert gate_to_send(None, complete) == Missing((MissingPart.PATIENT,))
    assert gate_to_send(nobody, complete) == Missing((MissingPart.PATIENT,))
    assert gate_to_send(None, Description()) == Missing(
        (MissingPart.PATIENT, MissingPart.PROCEDURE, MissingPart.REGION)
    )


def test_every_act_of_the_catalogue_can_pass_the_gate_somewhere() -> None:
    catalog = sealing.catalog()
    for act in catalog.selectable:
        for place in catalog.regions_for(act):
            sides = allowed_sides(act, place)
            assert sides or not side_required(act, place)
            side = sides[0] if sides else None
            assert isinstance(gate(Description(act, place, side)), Ready), act.entry_id
