from dataclasses import replace
from itertools import product

import pytest

from capture_app.exam.rules import (
    SIDES,
    Missing,
    MissingPart,
    Ready,
    allowed_sides,
    gate,
    gate_to_send,
)
from capture_app.model.patient import PatientId
from capture_app.model.procedure import (
    Description,
    ProcedureEntry,
    Region,
    Side,
    SideRule,
)
from tests import sealing

PLACE = ("SCT", "25763004")
R, L, M, B = Side.RIGHT, Side.LEFT, Side.MIDLINE, Side.BOTH


def entry(*, one_sided: bool = False, **changes: object) -> ProcedureEntry:
    found = sealing.catalog().procedure("WND-LEG-ULCER")
    assert found is not None
    plain = replace(found, one_sided=one_sided, region_choices=(PLACE,))
    return replace(plain, **changes)  # type: ignore[arg-type]


def region(rule: SideRule) -> Region:
    found = sealing.catalog().region("25763004")
    assert found is not None
    return replace(found, side_rule=rule)


@pytest.mark.parametrize(
    ("site", "sides", "of_one_side"),
    [
        (SideRule.PAIRED, (R, L, B), (R, L, B)),
        (SideRule.SIDE_OR_MIDLINE, (R, L, M, B), (R, L, B)),
        (SideRule.LEFT_ONLY, (L,), (L,)),
        (SideRule.RIGHT_ONLY, (R,), (R,)),
        (SideRule.NONE, (), ()),
        (SideRule.UNPAIRED, (), ()),
    ],
)
def test_the_site_gives_the_sides_and_the_act_only_narrows_them(
    site: SideRule, sides: tuple[Side, ...], of_one_side: tuple[Side, ...]
) -> None:
    assert allowed_sides(None, region(site)) == sides
    assert allowed_sides(entry(), region(site)) == sides
    assert allowed_sides(entry(one_sided=True), region(site)) == of_one_side


def test_the_gate_opens_for_every_allowed_choice_and_for_no_other() -> None:
    for site, one_sided, side in product(SideRule, (False, True), [*Side, None]):
        procedure, place = entry(one_sided=one_sided), region(site)
        verdict = gate(Description(procedure, place, side))
        sides = allowed_sides(procedure, place)
        if (side in sides) if sides else side is None:
            assert verdict == Ready(procedure, place, side)
        elif sides:
            assert verdict == Missing((MissingPart.SIDE,))
        else:  # one of the two is wrong: the site is chosen again, and that clears the side
            assert verdict == Missing((MissingPart.REGION,))


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


def test_what_an_earlier_version_described_may_be_at_any_site() -> None:
    before = entry(region_choices=())
    assert isinstance(gate(Description(before, region(SideRule.PAIRED), L)), Ready)


def test_nothing_leaves_without_a_patient_who_has_a_number() -> None:
    complete = sealing.description()
    nobody = replace(sealing.MAI, patient_id=PatientId("", "ST_ANNE"))
    assert isinstance(gate_to_send(sealing.MAI, complete), Ready)
    assert gate_to_send(None, complete) == Missing((MissingPart.PATIENT,))
    assert gate_to_send(nobody, complete) == Missing((MissingPart.PATIENT,))
    assert gate_to_send(None, Description()) == Missing(
        (MissingPart.PATIENT, MissingPart.PROCEDURE, MissingPart.REGION)
    )


def test_every_pair_of_act_and_site_is_refused_or_asks_for_the_sides_that_the_site_has() -> None:
    """All 77,000 pairs: an act passes where the catalogue offers it, with each side that the site
    has and with no other, and nowhere else with any.
    """
    catalog = sealing.catalog()
    passed = 0
    for act, place in product(catalog.selectable, catalog.regions):
        ways = {
            side for side in (*Side, None) if isinstance(gate(Description(act, place, side)), Ready)
        }
        if place.code.key not in act.region_choices:
            assert ways == set(), (act.entry_id, place.label)
            continue
        passed += 1
        sides: set[Side | None] = {*SIDES[place.side_rule]}
        if act.one_sided:
            sides.discard(Side.MIDLINE)
            assert sides, (act.entry_id, place.label)
        assert ways == (sides or {None}), (act.entry_id, place.label)
    assert passed == sum(len(act.region_choices) for act in catalog.selectable)


@pytest.mark.parametrize(
    ("act", "site", "verdict"),
    [
        ("ED-USG-NERVE", "122496007", {None}),  # lumbar spine
        ("RH-US-TENDON", "69695003", set()),  # stomach
        ("RH-US-TENDON", "61352006", {R, L, B}),  # Achilles tendon
        ("SU-BRONCHO", "955009", {R, L, B}),
        ("SU-BRONCHO", "44567001", {None}),  # trachea
        ("ED-USG-CVC", "45048000", {R, L, B}),  # neck, never in the midline
        ("WND-PRESSURE", "5665001", set()),  # retina
        ("WND-PRESSURE", "51027004", {R, L, M, B}),  # sacrum
        ("ED-USG-PARAC", "818981001", {None}),  # abdomen
        ("ED-USG-PARAC", "68505006", {None}),  # left lower quadrant: its name is its side
        ("DEN-TEETH", "422653006", {R}),  # tooth 11
    ],
)
def test_an_act_at_a_site(act: str, site: str, verdict: set[Side | None]) -> None:
    procedure, place = sealing.catalog().procedure(act), sealing.catalog().region(site)
    assert procedure is not None
    assert place is not None
    ways = {
        side
        for side in (*Side, None)
        if isinstance(gate(Description(procedure, place, side)), Ready)
    }
    assert ways == verdict
