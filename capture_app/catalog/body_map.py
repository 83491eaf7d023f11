"""The body map as values: views with their regions, outlines as SVG paths of M, L, C and Z."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from capture_app.errors import CatalogError
from capture_app.model.procedure import Side, SideRule
from capture_app.settings.resources import resource

_FILE: Final = "bodymap.json"


@dataclass(frozen=True, slots=True)
class BodyMapRegion:
    """One touchable area. Its code is a region of the catalogue."""

    region_id: str
    """View, key and side: "front.shin.L"."""
    key: str
    code: str
    scheme: str
    label: str
    """Plain English, without the side; translated at the rim."""
    side: Side | None
    """The side that a touch fills in; None for an undivided area, which claims no midline."""
    side_rule: SideRule
    path: str
    """Fill rule even-odd."""
    zoom: str = ""
    """The view that this area opens, for a closer choice."""
    finer: tuple[tuple[str, str], ...] = ()
    """Keys (scheme, value) of closer regions that are not drawn, for a list."""


@dataclass(frozen=True, slots=True)
class BodyView:
    """One drawing. Never mirrored, not even where the language runs from right to left."""

    name: str
    title: str
    width: float
    height: float
    silhouette: str
    regions: tuple[BodyMapRegion, ...]
    details: tuple[str, ...]
    """Lines that are not touchable; left out when drawn small."""
    left_of_picture: Side | None = None
    """The patient's side that is on the viewer's left, to print R and L beside the figure."""
    side: Side | None = None
    """The side of a hand or foot."""


@dataclass(frozen=True, slots=True)
class BodyMap:
    """All views by name, front and back first."""

    version: int
    views: Mapping[str, BodyView]
    hit_slop: float
    """A touch outside the figure counts for the nearest region within this many units."""


def load_body_map() -> BodyMap:
    """The body map that ships. Raises CatalogError where it cannot be read."""
    try:
        content = json.loads(resource(_FILE).read_text(encoding="utf-8"))
        views = {name: _view(name, view) for name, view in content["views"].items()}
        return BodyMap(
            version=int(content["version"]),
            views=MappingProxyType(views),
            hit_slop=float(content["hit_slop"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"The body map cannot be read: {type(error).__name__} {error}"
        raise CatalogError(message) from error


def _view(name: str, view: Mapping[str, Any]) -> BodyView:
    _, _, width, height = view["viewBox"]
    return BodyView(
        name=name,
        title=view["title"],
        width=float(width),
        height=float(height),
        silhouette=view["silhouette"],
        regions=tuple(_region(row) for row in view["regions"]),
        details=tuple(view["details"]),
        left_of_picture=_side(view.get("left_of_picture", "")),
        side=_side(view.get("side", "")),
    )


def _region(row: Mapping[str, Any]) -> BodyMapRegion:
    return BodyMapRegion(
        region_id=row["id"],
        key=row["key"],
        code=row["code"],
        scheme=row["scheme"],
        label=row["label"],
        side=_side(row["side"]),
        side_rule=SideRule(row["side_rule"]),
        path=row["d"],
        zoom=row.get("zoom", ""),
        finer=tuple(_finer(item) for item in row.get("finer", ())),
    )


def _finer(item: Any) -> tuple[str, str]:
    if isinstance(item, str):
        return ("SCT", item)
    return (item["scheme"], item["code"])


def _side(text: str) -> Side | None:
    """R and L only: the drawing's M is an undivided region, not a claim of midline."""
    return Side(text) if text in {"R", "L"} else None
