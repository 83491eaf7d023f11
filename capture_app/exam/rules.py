"""The gate: nothing leaves without a patient, a coded procedure, a coded region and, where the site
asks for one, a side; nor for teaching or quality without a choice of what becomes of it. Pure
functions over values; the answers are typed, the words are the caller's.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from capture_app.model.patient import Patient
from capture_app.model.procedure import (
    Description,
    LateralityRule,
    ProcedureEntry,
    Region,
    Side,
    SideRule,
)

_ACT_ASKS = frozenset({LateralityRule.REQUIRED, LateralityRule.REQUIRED_OR_MIDLINE})
_SITE_ASKS = frozenset({SideRule.PAIRED, SideRule.SIDE_OR_MIDLINE, SideRule.LEFT_ONLY})


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


def allowed_sides(entry: ProcedureEntry, region: Region) -> tuple[Side, ...]:
    """The sides that may be chosen for an act at a site; empty where the site has none.

    The site rules: a paired one has no midline, and one that names its own side or lies in the
    middle of the body (SideRule.NONE) takes none. The act may narrow a choice that the site gives
    (REQUIRED leaves no midline) and may ask for a side where the site alone would not.
    """
    sides: tuple[Side, ...]
    match region.side_rule:
        case SideRule.PAIRED:
            sides = (Side.RIGHT, Side.LEFT, Side.BOTH)
        case SideRule.LEFT_ONLY:
            sides = (Side.LEFT,)
        case SideRule.NONE:
            sides = ()
        case SideRule.SIDE_OR_MIDLINE:
            sides = (Side.RIGHT, Side.LEFT, Side.MIDLINE, Side.BOTH)
            if entry.laterality_rule is LateralityRule.REQUIRED:
                sides = (Side.RIGHT, Side.LEFT, Side.BOTH)
        case SideRule.UNPAIRED:
            match entry.laterality_rule:
                case LateralityRule.NO:
                    sides = ()
                case LateralityRule.REQUIRED_OR_MIDLINE:
                    sides = (Side.RIGHT, Side.LEFT, Side.MIDLINE, Side.BOTH)
                case LateralityRule.OPTIONAL | LateralityRule.REQUIRED:
                    sides = (Side.RIGHT, Side.LEFT, Side.BOTH)
    return sides


def side_required(entry: ProcedureEntry, region: Region) -> bool:
    """True where a side must be chosen before the image may leave."""
    if not allowed_sides(entry, region):
        return False
    return region.side_rule in _SITE_ASKS or entry.laterality_rule in _ACT_ASKS


def is_about(entry: ProcedureEntry | None, region: Region) -> bool:
    """Whether an act may be done at a site. An act without sites of its own may be done at any."""
    return entry is None or not entry.region_choices or region.code.key in entry.region_choices


def gate(description: Description) -> Ready | Missing:
    """Whether an image is described well enough to leave, or every part that is missing.

    A region that the act is not about, a side that the site does not have, and an act that may not
    be chosen yet count as missing: they must be chosen again.
    """
    entry, region, side = description.procedure, description.region, description.side
    parts: list[MissingPart] = []
    if entry is None or not entry.selectable:
        parts.append(MissingPart.PROCEDURE)
    if region is None or not is_about(entry, region):
        parts.append(MissingPart.REGION)
    if entry is not None and region is not None and not _side_is_right(entry, region, side):
        parts.append(MissingPart.SIDE)
    if entry is None and region is not None and side is None and region.side_rule in _SITE_ASKS:
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


def _side_is_right(entry: ProcedureEntry, region: Region, side: Side | None) -> bool:
    if side is None:
        return not side_required(entry, region)
    return side in allowed_sides(entry, region)
