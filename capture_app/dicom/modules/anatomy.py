"""Where on the body: region, side and what archives still call the body part (PS3.3 10.5)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pydicom.dataset import Dataset

from capture_app.dicom.elements import code_item, put, put_codes, put_known
from capture_app.errors import ConformanceError
from capture_app.model.coding import Code
from capture_app.model.procedure import Region, Side, SideRule

MODIFIERS: Final[Mapping[Side, Code]] = MappingProxyType(
    {
        Side.RIGHT: Code("24028007", "SCT", "Right"),
        Side.LEFT: Code("7771000", "SCT", "Left"),
        Side.MIDLINE: Code("130290", "DCM", "Median"),
        Side.BOTH: Code("51440002", "SCT", "Bilateral"),
    }
)
"""DICOM CID 2."""

_LATERALITIES: Final = {Side.RIGHT: "R", Side.LEFT: "L", Side.BOTH: "B", Side.MIDLINE: "U"}


def anatomy(ds: Dataset, region: Region, side: Side | None) -> None:
    """Writes the region always as a code, and Image Laterality always: R, L, B, or U.

    A paired region says its side by Image Laterality alone. Any other says it by its modifier too,
    for readers who take Image Laterality to be about paired organs only; its midline is U and the
    modifier. Laterality of the series (0020,0060) is never written: it cannot say both or midline.
    Raises ConformanceError where side and region contradict each other.
    """
    _agree(region, side)
    coded = code_item(region.code)
    if side is not None and region.side_rule is not SideRule.PAIRED:
        put_codes(coded, "AnatomicRegionModifierSequence", [MODIFIERS[side]])
    put(ds, "AnatomicRegionSequence", [coded])
    put_known(ds, "BodyPartExamined", region.body_part_examined)
    put(ds, "ImageLaterality", "U" if side is None else _LATERALITIES[side])


_AGREE: Final[Mapping[SideRule, frozenset[Side | None]]] = MappingProxyType(
    {
        SideRule.PAIRED: frozenset({Side.RIGHT, Side.LEFT, Side.BOTH}),
        SideRule.LEFT_ONLY: frozenset({Side.LEFT}),
        SideRule.RIGHT_ONLY: frozenset({Side.RIGHT}),
        SideRule.NONE: frozenset({None}),
        SideRule.SIDE_OR_MIDLINE: frozenset(Side),
        SideRule.UNPAIRED: frozenset({None}),
    }
)


def _agree(region: Region, side: Side | None) -> None:
    if side not in _AGREE[region.side_rule]:
        message = f"side {side} does not go with a region whose side rule is {region.side_rule}"
        raise ConformanceError(message)
