"""How a description grows as a person chooses: what a choice fills in, keeps and clears. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final, TypeVar

from capture_app.catalog.catalog import Catalog
from capture_app.exam.rules import Missing, allowed_sides, gate, is_about
from capture_app.model.coding import Code
from capture_app.model.order import Order
from capture_app.model.procedure import Choice, Description, ProcedureEntry, Region, Side, Turn

T = TypeVar("T")

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
    return allowed_sides(description.procedure, description.region)


class DescriptionPart(StrEnum):
    """The parts of a description, named as its fields are."""

    PROCEDURE = "procedure"
    REGION = "region"
    SIDE = "side"
    PURPOSE = "purpose"
    KEEP = "keep"
    CONSENT = "consent"


CHOICES: Final = (DescriptionPart.PURPOSE, DescriptionPart.KEEP, DescriptionPart.CONSENT)
"""The parts that are chosen from the small coded sets."""


@dataclass(frozen=True, slots=True)
class Coding:
    """A description, and what of it a person chose: another act changes the rest, never that.

    The panels have one, for the next picture, and so has every picture.
    """

    chosen: Description = Description()  # noqa: RUF009 - frozen
    """Only what a person chose. A side is never chosen without its site."""
    proposed: Description = Description()  # noqa: RUF009 - frozen
    """What holds where nothing was chosen: an order's words, or what the shutter took over."""
    usual_site: bool = False
    """Whether the usual site of an act is proposed: before the shot, never after it."""
    description: Description = Description()  # noqa: RUF009 - frozen
    """The whole: what is shown, and sealed."""

    @property
    def proposes_site(self) -> bool:
        """Whether there is a site that nobody chose."""
        return self.description.region is not None and self.chosen.region is None


def coding(
    chosen: Description, proposed: Description, catalog: Catalog, *, usual_site: bool = False
) -> Coding:
    """The whole description that follows from what was chosen and from what is proposed."""
    entry = chosen.procedure or proposed.procedure
    region, side = _place(chosen, proposed, entry, catalog, usual_site=usual_site)
    purpose, keep, consent = (None, None, None) if entry is None else catalog.defaults(entry)
    purpose = chosen.purpose or purpose or proposed.purpose
    keep = None if purpose is not None and purpose.asks_keep else keep or proposed.keep
    whole = Description(
        entry,
        region,
        side,
        purpose,
        chosen.keep or keep,
        chosen.consent or consent or proposed.consent,
        chosen.turn,
    )
    return Coding(chosen, proposed, usual_site, _with_holding_side(whole))


def as_chosen(description: Description) -> Coding:
    """All of it was chosen: a draft of earlier, of which nobody knows who said what."""
    return Coding(chosen=description, description=description)


def taken_with(panels: Coding) -> Coding:
    """What a picture gets at the shutter: all that the panels show, chosen or proposed."""
    return Coding(panels.chosen, panels.description, description=panels.description)


def with_procedure(before: Coding, entry: ProcedureEntry, catalog: Catalog) -> Coding:
    """Another act. Whatever a person chose stays, also a site at which the act is not done: the
    gate says so. What nobody chose becomes what follows from the act.
    """
    chosen = replace(before.chosen, procedure=entry)
    return coding(chosen, before.proposed, catalog, usual_site=before.usual_site)


def with_region(before: Coding, region: Region, side: Side | None, catalog: Catalog) -> Coding:
    """Another site. It clears the side, unless the same touch on the body map gives one."""
    chosen = replace(before.chosen, region=region, side=side)
    return coding(chosen, before.proposed, catalog, usual_site=before.usual_site)


def with_side(before: Coding, side: Side, catalog: Catalog) -> Coding:
    """Another side, and with it the site that is shown is chosen; as it was where that site does
    not have the side.
    """
    if side not in sides_of(before.description):
        return before
    chosen = replace(before.chosen, region=before.description.region, side=side)
    return coding(chosen, before.proposed, catalog, usual_site=before.usual_site)


def with_choice(before: Coding, part: DescriptionPart, choice: Choice, catalog: Catalog) -> Coding:
    """Another purpose, keeping or consent. A keeping that was chosen for care, or of which nobody
    knows who chose it, is none for a purpose that asks what becomes of the picture.
    """
    changes: dict[str, Any] = {part.value: choice}
    said = before.description.purpose
    if part is DescriptionPart.PURPOSE and choice.asks_keep and not (said and said.asks_keep):
        changes["keep"] = None
    chosen = replace(before.chosen, **changes)
    return coding(chosen, before.proposed, catalog, usual_site=before.usual_site)


def with_turn(before: Coding, turn: Turn) -> Coding:
    """Turned further than it was. It is the picture's own: what it shows stays as it is said."""
    return replace(
        before,
        chosen=replace(before.chosen, turn=before.chosen.turn.then(turn)),
        description=replace(before.description, turn=before.description.turn.then(turn)),
    )


def differing(one: Description, other: Description) -> frozenset[DescriptionPart]:
    """The parts in which two descriptions differ."""
    return frozenset(p for p in DescriptionPart if getattr(one, p.value) != getattr(other, p.value))


def only_fills(before: Description, after: Description) -> bool:
    """Whether a change gives only what was still needed before: nothing that held is replaced, and
    no act and site come together that do not fit.

    A purpose, a keeping or a consent that follows from the act is no change of what held.
    """
    verdict = gate(before)
    parts = verdict.parts if isinstance(verdict, Missing) else ()
    needed = {DescriptionPart(part.value) for part in parts}
    if DescriptionPart.REGION in needed:
        needed.add(DescriptionPart.SIDE)
    if DescriptionPart.PROCEDURE in needed:
        needed.update(CHOICES)
    needed.update(part for part in CHOICES if getattr(before, part.value) is None)
    changed = differing(before, after)
    fits = after.region is None or is_about(after.procedure, after.region)
    return bool(changed) and changed <= needed and fits


def _place(
    chosen: Description,
    proposed: Description,
    entry: ProcedureEntry | None,
    catalog: Catalog,
    *,
    usual_site: bool,
) -> tuple[Region | None, Side | None]:
    if chosen.region is not None:
        return chosen.region, chosen.side
    if proposed.region is not None and is_about(entry, proposed.region):
        return proposed.region, proposed.side
    if entry is None:
        return None, None
    if len(entry.region_choices) == 1:  # nothing else can be meant
        return catalog.region(entry.region_choices[0][1], entry.region_choices[0][0]), None
    if usual_site and entry != proposed.procedure:  # an order that leaves the site open is heard
        return catalog.default_region(entry), None
    return None, None


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
    entry = _only(acts)
    said = Description(procedure=entry)
    regions = {catalog.region(code.value, code.scheme) for code in codes} - {None}
    region = _only(regions)
    if region is not None and is_about(entry, region):
        said = replace(said, region=region)
    whole = coding(said, Description(), catalog, usual_site=len(regions) < 2).description
    if len(regions) > 1:  # nor the act's only one: it is none of those that are named
        whole = replace(whole, region=None, side=None)
    side = _only({_SIDE_CODES[code.key] for code in codes if code.key in _SIDE_CODES})
    return replace(whole, side=side) if side in sides_of(whole) else whole


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
    """The parts in which all agree; a part that differs is empty. Nothing for nothing. A turn is
    each picture's own, and none of them.
    """
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


def completed(description: Description, catalog: Catalog) -> Description:
    """With the purpose, keeping and consent that follow from the procedure where none was chosen
    (no keeping where the purpose asks for a choice), and with the side where the site leaves only
    one.
    """
    entry, region = description.procedure, description.region
    if entry is None:
        return description
    purpose, keep, consent = catalog.defaults(entry)
    side = description.side
    if side is None and region is not None:
        sides = allowed_sides(entry, region)
        side = sides[0] if len(sides) == 1 else None
    purpose = description.purpose or purpose
    return replace(
        description,
        side=side,
        purpose=purpose,
        keep=description.keep or (None if purpose.asks_keep else keep),
        consent=description.consent or consent,
    )
