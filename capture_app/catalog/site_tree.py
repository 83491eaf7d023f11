"""What lies in what: by which drawn sites the body map shows a site that is not drawn itself."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from capture_app.catalog.catalog import RegionKey
from capture_app.errors import CatalogError
from capture_app.model.procedure import Side
from capture_app.settings.resources import resource

_FILE: Final = "catalog/within.csv"


@dataclass(frozen=True, slots=True)
class SiteTree:
    """Each site with the sites that it lies in or under; several where it lies across them.

    Raises CatalogError where a site lies in one that is not listed, or in itself.
    """

    within: Mapping[RegionKey, tuple[RegionKey, ...]]
    sides: Mapping[RegionKey, Side]
    """Where in the site it lies, for what is always on one side or in the middle."""
    _parts: Mapping[RegionKey, tuple[RegionKey, ...]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        parts: dict[RegionKey, list[RegionKey]] = {key: [] for key in self.within}
        for key, holders in self.within.items():
            for holder in holders:
                if holder not in parts:
                    message = f"{key[1]} lies in {holder[1]}, which is no site."
                    raise CatalogError(message)
                parts[holder].append(key)
        frozen = MappingProxyType({key: tuple(kept) for key, kept in parts.items()})
        object.__setattr__(self, "_parts", frozen)
        for key in self.within:
            if key in _reached(self.within.get(key, ()), self.within):
                message = f"{key[1]} lies in itself."
                raise CatalogError(message)

    def parts(self, key: RegionKey, drawn: Iterable[RegionKey]) -> tuple[RegionKey, ...]:
        """The drawn sites that make up a site: the largest ones, each once."""
        return _nearest(self._parts.get(key, ()), frozenset(drawn), self._parts)

    def holders(self, key: RegionKey, drawn: Iterable[RegionKey]) -> tuple[RegionKey, ...]:
        """The smallest drawn sites that a site lies in."""
        return _nearest(self.within.get(key, ()), frozenset(drawn), self.within)

    def places(self, key: RegionKey, drawn: Iterable[RegionKey]) -> tuple[RegionKey, ...]:
        """Where a site that is not drawn is to be shown: at its parts, else at what it lies in,
        which may again be shown by its parts. Empty where nothing of it is drawn.
        """
        known = frozenset(drawn)
        level: tuple[RegionKey, ...] = (key,)
        while level:
            found = [
                place
                for site in level
                for place in ((site,) if site in known else self.parts(site, known))
            ]
            if found:
                return tuple(dict.fromkeys(found))
            level = tuple(
                dict.fromkeys(holder for site in level for holder in self.within.get(site, ()))
            )
        return ()


def _nearest(
    start: tuple[RegionKey, ...],
    drawn: frozenset[RegionKey],
    onward: Mapping[RegionKey, tuple[RegionKey, ...]],
) -> tuple[RegionKey, ...]:
    """The first drawn site on each way onward."""
    found: list[RegionKey] = []
    for site in start:
        found += (site,) if site in drawn else _nearest(onward.get(site, ()), drawn, onward)
    return tuple(dict.fromkeys(found))


def _reached(
    start: tuple[RegionKey, ...], onward: Mapping[RegionKey, tuple[RegionKey, ...]]
) -> set[RegionKey]:
    reached: set[RegionKey] = set()
    ahead = list(start)
    while ahead:
        site = ahead.pop()
        if site not in reached:
            reached.add(site)
            ahead += onward.get(site, ())
    return reached


def load_site_tree() -> SiteTree:
    """The tree that ships. Raises CatalogError where it cannot be read."""
    try:
        with resource(_FILE).open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        within = {(row["scheme"], row["code"]): _keys(row["within"]) for row in rows}
        sides = {(row["scheme"], row["code"]): Side(row["side"]) for row in rows if row["side"]}
        return SiteTree(MappingProxyType(within), MappingProxyType(sides))
    except (OSError, ValueError, KeyError, AttributeError) as error:
        message = f"The tree of sites cannot be read: {type(error).__name__} {error}"
        raise CatalogError(message) from error


def _keys(text: str) -> tuple[RegionKey, ...]:
    pairs = (item.partition(":") for item in text.split())
    return tuple((scheme, code) for scheme, _colon, code in pairs)
