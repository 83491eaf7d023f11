"""The gate: nothing leaves without a patient, a coded procedure, a coded region and, where the site
asks for one, a side; nor for teaching or quality without a choice of what becomes of it. Pure
functions over values; the answers are typed, the words are the caller's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from capture_app.model.patient import Patient
from capture_app.model.procedure import Description, ProcedureEntry, Region, Side, SideRule

SIDES: Final[Mapping[SideRule, tuple[Side, ...]]] = MappingProxyType(
    {
        SideRule.PAIRED: (Side.RIGHT, Side.LEFT, Side.BOTH),
        SideRule.SIDE_OR_MIDLINE: (Side.RIGHT, Side.LEFT, Side.MIDLINE, Side.BOTH),
        SideRule.LEFT_ONLY: (Side.LEFT,),
        SideRule.RIGHT_ONLY: (Side.RIGHT,),
        SideRule.UNPAIRED: (),
        SideRule.NONE: (),
    }
)
"""The sides that a site has. No act gives a site a side that it does not have."""


class MissingPart(StrEnum):
    """What must still be chosen. Also said of a choice that contradicts another one."""

    PATIENT = "patient"
    PROCEDURE = "procedure"
    REGION = "region"
    SIDE = "side"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Ready:
    """Complete: these parts are there, so that nobody has to ask again."""

    procedure: ProcedureEntry
    region: Region
    side: Side | None
    """None only where the site has no side to choose."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Not complete: every part that is missing, in the order in which a person chooses them."""

    parts: tuple[MissingPart, ...]


def allowed_sides(entry: ProcedureEntry | None, region: Region) -> tuple[Side, ...]:
    """The sides that may be chosen for an act at a site; empty where the site has none.

    The site rules: a paired one has no midline, and one that is single, names its own side or lies
    in the middle of the body takes none. The act may only narrow what the site gives: where it is
    one-sided, midline is no answer.
    """
    sides = SIDES[region.side_rule]
    if entry is not None and entry.one_sided:
        return tuple(side for side in sides if side is not Side.MIDLINE)
    return sides


def is_about(entry: ProcedureEntry | None, region: Region) -> bool:
    """Whether an act may be done at a site. Before an act is chosen any site may be."""
    return entry is None or not entry.region_choices or region.code.key in entry.region_choices


def gate(description: Description) -> Ready | Missing:
    """Whether an image is described well enough to leave, or every part that is missing.

    A region that the act is not about, a side that the site does not have, and an act that may not
    be chosen yet count as missing: they must be chosen again. A side at a site that has none says
    that one of the two is wrong: the site is chosen again, which clears the side.
    """
    entry, region, side = description.procedure, description.region, description.side
    parts: list[MissingPart] = []
    if entry is None or not entry.selectable:
        parts.append(MissingPart.PROCEDURE)
    sides = () if region is None else allowed_sides(entry, region)
    if region is None or not is_about(entry, region) or (side is not None and not sides):
        parts.append(MissingPart.REGION)
    if sides and side not in sides:
        parts.append(MissingPart.SIDE)
    purpose = description.purpose
    if purpose is not None and purpose.asks_keep and description.keep is None:
        parts.append(MissingPart.KEEP)
    if parts or entry is None or region is None:
        return Missing(tuple(parts))
    return Ready(entry, region, side)


def gate_to_send(patient: Patient | None, description: Description) -> Ready | Missing:
    """The gate at Send: as `gate`, and there must be a patient with an identifier."""
    verdict = gate(description)
    if patient is not None and patient.patient_id.value:
        return verdict
    rest = verdict.parts if isinstance(verdict, Missing) else ()
    return Missing((MissingPart.PATIENT, *rest))
