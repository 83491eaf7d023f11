"""How a description grows as a person chooses: what a choice fills in, keeps and clears. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Final, TypeVar

from capture_app.catalog.catalog import Catalog
from capture_app.exam.rules import allowed_sides, is_about
from capture_app.model.coding import Code
from capture_app.model.order import Order
from capture_app.model.procedure import Description, ProcedureEntry, Region, Side, SideRule

T = TypeVar("T")

_BY_SITE: Final = {
    SideRule.PAIRED: (Side.RIGHT, Side.LEFT, Side.BOTH),
    SideRule.SIDE_OR_MIDLINE: (Side.RIGHT, Side.LEFT, Side.MIDLINE, Side.BOTH),
    SideRule.LEFT_ONLY: (Side.LEFT,),
    SideRule.UNPAIRED: (),
    SideRule.NONE: (),
}
_SIDE_CODES: Final = {
    ("SCT", "24028007"): Side.RIGHT,
    ("SCT", "7771000"): Side.LEFT,
    ("SCT", "51440002"): Side.BOTH,
    ("DCM", "130290"): Side.MIDLINE,
    ("SCT", "260528009"): Side.MIDLINE,
}
"""Laterality (PS3.16 CID 244), and Median of CID 2, in its present and its earlier code."""


def sides_of(description: Description) -> tuple[Side, ...]:
    """The sides that may be chosen now; empty while there is no site, or where it has none."""
    if description.region is None:
        return ()
    if description.procedure is None:
        return _BY_SITE[description.region.side_rule]
    return allowed_sides(description.procedure, description.region)


def with_procedure(
    description: Description, entry: ProcedureEntry, catalog: Catalog
) -> Description:
    """Another act. The site stays where the act may be done there, and so does a side that holds;
    purpose, keeping and consent become those of the act.
    """
    region = description.region
    if region is None or not is_about(entry, region):
        region = catalog.default_region(entry)
    kept_side = description.side if region == description.region else None
    purpose, keep, consent = catalog.defaults(entry)
    changed = Description(entry, region, kept_side, purpose, keep, consent)
    return _with_holding_side(changed)


def with_region(description: Description, region: Region, side: Side | None = None) -> Description:
    """Another site. It clears the side, unless the same touch on the body map gives one."""
    return _with_holding_side(replace(description, region=region, side=side))


def with_side(description: Description, side: Side) -> Description:
    """Another side; the description as it was where the site does not have that side."""
    return replace(description, side=side) if side in sides_of(description) else description


def from_order(order: Order | None, catalog: Catalog) -> Description:
    """What an order says already, by its codes: act, site and side. Only what is unmistakable:
    where it names two sides, sites or acts, none is taken.

    Looked for in Scheduled Protocol Code Sequence (0040,0008) and in Requested Procedure Code
    Sequence (0032,1064), which names the act where the first does not. An act that shares its code
    with others is taken only by its local id.
    """
    if order is None:
        return Description()
    codes = [*order.scheduled_protocol_codes]
    acts = {found for code in codes if (found := _entry_of(code, catalog))}
    if order.requested_procedure_code is not None:
        codes.append(order.requested_procedure_code)
        if not acts and (requested := _entry_of(order.requested_procedure_code, catalog)):
            acts = {requested}
    description = Description()
    entry = _only(acts)
    if entry is not None:
        description = with_procedure(description, entry, catalog)
    regions = {catalog.region(code.value, code.scheme) for code in codes} - {None}
    region = _only(regions)
    if region is not None and is_about(entry, region):
        description = with_region(description, region)
    elif len(regions) > 1:  # nor the act's own: it is none of those that are named
        description = replace(description, region=None, side=None)
    side = _only({_SIDE_CODES[code.key] for code in codes if code.key in _SIDE_CODES})
    return description if side is None else with_side(description, side)


def _only(found: Collection[T]) -> T | None:
    """The one that was found; None for none, and for several."""
    return next(iter(found)) if len(found) == 1 else None


def _entry_of(code: Code, catalog: Catalog) -> ProcedureEntry | None:
    by_id = catalog.procedure(code.value)
    if by_id is not None and by_id.selectable:
        return by_id
    same = [entry for entry in catalog.selectable if entry.code.key == code.key]
    return same[0] if len(same) == 1 else None


def _with_holding_side(description: Description) -> Description:
    """Without a side that the site does not have; with the only one where there is but one."""
    sides = sides_of(description)
    if len(sides) == 1:
        return replace(description, side=sides[0])
    return description if description.side in sides else replace(description, side=None)


def common(descriptions: tuple[Description, ...]) -> Description:
    """The parts in which all agree; a part that differs is empty. Nothing for nothing."""
    if not descriptions:
        return Description()
    first, *rest = descriptions

    def same(part: str) -> bool:
        return all(getattr(other, part) == getattr(first, part) for other in rest)

    return Description(
        procedure=first.procedure if same("procedure") else None,
        region=first.region if same("region") else None,
        side=first.side if same("region") and same("side") else None,
        purpose=first.purpose if same("purpose") else None,
        keep=first.keep if same("keep") else None,
        consent=first.consent if same("consent") else None,
    )
