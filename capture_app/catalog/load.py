"""Reads the catalogue that ships, and says every row that cannot be read at once."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeVar

from capture_app.catalog.catalog import (
    Catalog,
    CodingScheme,
    Defaults,
    EntryNotes,
    RegionKey,
    RegionList,
    SiteNotes,
)
from capture_app.catalog.sense import SiteKind
from capture_app.errors import CatalogError
from capture_app.model.coding import Code
from capture_app.model.procedure import (
    Choice,
    ImageKind,
    ProcedureEntry,
    Region,
    SideRule,
)
from capture_app.settings.resources import resource

_CATALOGUE: Final = "catalogue.toml"
_PROCEDURES: Final = "procedures.csv"
_REGIONS: Final = "regions.csv"
_YES_OR_NOTHING: Final = {"": False, "yes": True}
_VERIFIED: Final = {"no": False, "yes": True}

SENSITIVE_CONTENT: Final[Mapping[str, Code]] = MappingProxyType(
    {
        "131391": Code("131391", "DCM", "Nudity"),
        "131392": Code("131392", "DCM", "Personal"),
        "131393": Code("131393", "DCM", "Identifying"),
        "131394": Code("131394", "DCM", "Gruesome"),
        "131395": Code("131395", "DCM", "Sensitive"),
    }
)
"""DICOM CID 900."""
VIEWS: Final[Mapping[str, Code]] = MappingProxyType(
    {
        "399033003": Code("399033003", "SCT", "frontal"),
        "399173006": Code("399173006", "SCT", "left lateral"),
        "399198007": Code("399198007", "SCT", "right lateral"),
        "399255003": Code("399255003", "SCT", "submentovertical"),
    }
)
"""Of DICOM CID 4062, by which an act may say from where it is taken."""
_SHOWS_ONLY_WHO_IT_IS: Final = "131393"

_SiteRow = tuple[Region, tuple[str, ...], SiteNotes]
"""A region, the names of the lists that it is on, and what else is said of it."""

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)


def load_catalog(folder: Path | None = None) -> Catalog:
    """The catalogue of `folder`, by default the one that ships.

    Raises CatalogError naming every row that cannot be read. What can be read may still be wrong:
    see catalog.check.
    """
    root = resource("catalog") if folder is None else folder
    try:
        head = tomllib.loads((root / _CATALOGUE).read_text(encoding="utf-8"))
        regions = list(_rows(root / _REGIONS, _region))
        lists = _region_lists(head, regions)
        by_name = {one.name: one.regions for one in lists}
        procedures = list(_rows(root / _PROCEDURES, lambda row: _procedure(row, by_name)))
        return _catalog(head, procedures, regions, lists)
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"The catalogue cannot be read: {type(error).__name__} {error}"
        raise CatalogError(message) from error


def _catalog(
    head: Mapping[str, Any],
    procedures: list[tuple[ProcedureEntry, Defaults, EntryNotes]],
    regions: list[_SiteRow],
    lists: tuple[RegionList, ...],
) -> Catalog:
    return Catalog(
        version=head["version"],
        sources=tuple(head["sources"]),
        schemes=tuple(
            CodingScheme(row["designator"], row["check"], row.get("local", False))
            for row in head["schemes"]
        ),
        procedures=tuple(entry for entry, _, _ in procedures),
        regions=tuple(region for region, _, _ in regions),
        region_lists=lists,
        purposes=_choices(head["purposes"]),
        keeps=_choices(head["keeps"]),
        consents=_choices(head["consents"]),
        procedure_defaults=MappingProxyType(
            {entry.entry_id: defaults for entry, defaults, _ in procedures}
        ),
        department_favourites=MappingProxyType(
            {name: tuple(ids) for name, ids in head["favourites"].items()}
        ),
        notes=MappingProxyType({entry.entry_id: notes for entry, _, notes in procedures}),
        site_notes=MappingProxyType({region.code.key: notes for region, _, notes in regions}),
    )


def _region_lists(head: Mapping[str, Any], regions: list[_SiteRow]) -> tuple[RegionList, ...]:
    plain: dict[str, list[RegionKey]] = {"any": [region.code.key for region, _, _ in regions]}
    for region, names, _ in regions:
        for name in names:
            plain.setdefault(name, []).append(region.code.key)
    for row in head["lists"]:
        keys = [_key(text) for text in row.get("regions", [])]
        for name in row.get("then", []):
            keys += plain[name]
        plain[row["name"]] = list(dict.fromkeys(keys))
    return tuple(RegionList(name, tuple(keys)) for name, keys in plain.items())


def _choices(rows: list[dict[str, Any]]) -> tuple[Choice, ...]:
    """The choices that are offered; the others are known but not built yet."""
    return tuple(
        Choice(
            choice_id=row["id"],
            label=row["label"],
            code=Code(row["code"], row["scheme"], row["meaning"]),
            days=row.get("days"),
            asks_keep=row.get("asks_keep", False),
        )
        for row in rows
        if row.get("offered", True)
    )


def _rows(path: Path, read: Callable[[Mapping[str, str]], T]) -> Iterator[T]:
    faults: list[str] = []
    with path.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            try:
                yield read(row)
            except (ValueError, KeyError, AttributeError) as error:
                faults.append(f"{path.name}, line {number}: {error}")
    if faults:
        raise CatalogError("\n".join(faults))


def _procedure(
    row: Mapping[str, str], lists: Mapping[str, tuple[RegionKey, ...]]
) -> tuple[ProcedureEntry, Defaults, EntryNotes]:
    sensitive = SENSITIVE_CONTENT[row["sensitive_content"]] if row["sensitive_content"] else None
    entry = ProcedureEntry(
        entry_id=row["entry_id"],
        display_name=row["display_name"],
        code=Code(row["code"], row["scheme"], row["meaning"]),
        department=row["department"],
        department_code=_sct(row["department_code"], row["department_meaning"]),
        image_kind=_enum(ImageKind, row["image_kind"]),
        region_choices=_sites(row["regions"], lists),
        reason=_sct(row["reason_code"], row["reason_meaning"]),
        sensitive=sensitive is not None and sensitive.value != _SHOWS_ONLY_WHO_IT_IS,
        selectable=_YES_OR_NOTHING[row["selectable"]],
        other_kinds=tuple(_enum(ImageKind, text) for text in row["other_kinds"].split()),
        sensitive_content=sensitive,
        one_sided=_YES_OR_NOTHING[row["one_sided"]],
        recognizable=_YES_OR_NOTHING[row["recognizable"]],
        view=VIEWS[row["view"]] if row["view"] else None,
    )
    notes = EntryNotes(
        departments=tuple(name.strip() for name in row["also"].split(";") if name.strip()),
        synonyms=row["synonyms"],
        source=row["source"],
        verified=_VERIFIED[row["verified"]],
        merged_into=row["merged_into"],
    )
    default = _key(row["default_region"]) if row["default_region"] else None
    return entry, Defaults(row["purpose"], row["keep"], row["consent"], default), notes


def _sites(text: str, lists: Mapping[str, tuple[RegionKey, ...]]) -> tuple[RegionKey, ...]:
    """Sites and names of lists, in their order, each site once."""
    keys: list[RegionKey] = []
    for word in text.split():
        if ":" in word:
            keys.append(_key(word))
        elif word in lists:
            keys += lists[word]
        else:
            message = f"there is no list of regions {word}"
            raise ValueError(message)
    return tuple(dict.fromkeys(keys))


def _region(row: Mapping[str, str]) -> _SiteRow:
    region = Region(
        code=Code(row["code"], row["scheme"], row["meaning"]),
        cids=tuple(row["cids"].split()),
        side_rule=_enum(SideRule, row["side_rule"]),
        label=row["label"],
        body_part_examined=row["body_part_examined"],
        recognizable=_YES_OR_NOTHING[row["recognizable"]],
        intimate=_YES_OR_NOTHING[row["intimate"]],
    )
    notes = SiteNotes(
        kind=_enum(SiteKind, row["kind"]),
        synonyms=row["synonyms"],
        source=row["source"],
        verified=_VERIFIED[row["verified"]],
    )
    return region, tuple(row["lists"].split()), notes


def _key(text: str) -> RegionKey:
    scheme, colon, code = text.partition(":")
    if not (scheme and colon and code):
        message = f"{text} is not SCHEME:CODE"
        raise ValueError(message)
    return (scheme, code)


def _sct(code: str, meaning: str) -> Code | None:
    return Code(code, "SCT", meaning) if code else None


def _enum(kind: type[E], text: str) -> E:
    try:
        return kind(text)
    except ValueError:
        allowed = ", ".join(kind)
        message = f"{text} is none of {allowed}"
        raise ValueError(message) from None
