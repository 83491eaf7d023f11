"""The body map as values: views with their regions, outlines as SVG paths of M, L, C and Z."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from capture_app.catalog.catalog import RegionKey
from capture_app.catalog.site_tree import SiteTree, load_site_tree
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

    @property
    def site(self) -> RegionKey:
        """Coding scheme and code value."""
        return (self.scheme, self.code)


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


class How(StrEnum):
    """How views of the map show a site."""

    ITSELF = "itself"
    PARTS = "parts"
    """It is drawn in several parts."""
    WITHIN = "within"
    """By the nearest drawn sites: it lies in them or under them."""
    ELSEWHERE = "elsewhere"
    """Only another view draws it, or what it lies in."""
    NOWHERE = "nowhere"
    """It is not drawn, nor anything that it lies in."""


@dataclass(frozen=True, slots=True)
class Shown:
    """How views show a site, and at which drawn ones."""

    how: How
    sites: tuple[RegionKey, ...] = ()
    side: Side | None = None
    """Where in them it lies, for what is always on one side or in the middle."""
    title: str = ""
    """The view that draws it, where these do not."""


@dataclass(frozen=True, slots=True)
class BodyMap:
    """All views by name, front and back first."""

    version: int
    views: Mapping[str, BodyView]
    hit_slop: float
    """A touch outside the figure counts for the nearest region within this many units."""
    tree: SiteTree

    def label(self, site: RegionKey) -> str:
        """The name of a drawn site, in plain English. Raises KeyError where it is not drawn."""
        regions = (region for view in self.views.values() for region in view.regions)
        names = (region.label for region in regions if region.site == site)
        for name in names:
            return name
        raise KeyError(site)

    def shown_at(self, site: RegionKey, views: Collection[str]) -> Shown:
        """How these views show a site; all sites of the catalogue are known."""
        here = _drawn(self.views[name] for name in views)
        if site in here:
            return Shown(How.ITSELF, (site,))
        everywhere = _drawn(self.views.values())
        drawn = (site,) if site in everywhere else self.tree.places(site, everywhere)
        if not drawn:
            return Shown(How.NOWHERE)
        found = [
            place
            for one in drawn
            for place in (
                (one,)
                if one in here
                else self.tree.parts(one, here) or self.tree.holders(one, here)
            )
        ]
        side = self.tree.sides.get(site)
        if not found:
            titles = [v.title for v in self.views.values() if not _drawn((v,)).isdisjoint(drawn)]
            return Shown(How.ELSEWHERE, title=titles[0])
        sites = tuple(dict.fromkeys(found))
        is_whole = set(sites) <= set(self.tree.parts(site, here))
        return Shown(How.PARTS if is_whole else How.WITHIN, sites, side)


def load_body_map() -> BodyMap:
    """The body map that ships. Raises CatalogError where it cannot be read."""
    try:
        content = json.loads(resource(_FILE).read_text(encoding="utf-8"))
        views = {name: _view(name, view) for name, view in content["views"].items()}
        return BodyMap(
            version=int(content["version"]),
            views=MappingProxyType(views),
            hit_slop=float(content["hit_slop"]),
            tree=load_site_tree(),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"The body map cannot be read: {type(error).__name__} {error}"
        raise CatalogError(message) from error


def _drawn(views: Iterable[BodyView]) -> frozenset[RegionKey]:
    return frozenset(region.site for view in views for region in view.regions)


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
    )


def _side(text: str) -> Side | None:
    """R and L only: the drawing's M is an undivided region, not a claim of midline."""
    return Side(text) if text in {"R", "L"} else None
