"""The catalogue as the rest of the application asks for it: loaded once, never changed."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from capture_app.catalog.sense import SiteKind
from capture_app.errors import CatalogError
from capture_app.model.procedure import Choice, ProcedureEntry, Region

RegionKey = tuple[str, str]
"""Coding scheme and code value."""

MOST_FAVOURITES: Final = 9
"""Keys 1 to 9."""


@dataclass(frozen=True, slots=True)
class CodingScheme:
    """A coding scheme that the catalogue may use, and how its check digit is proved."""

    designator: str
    check: str
    """verhoeff, mod10, digits or none."""
    local: bool = False


@dataclass(frozen=True, slots=True)
class Defaults:
    """What is chosen for a procedure until a person chooses otherwise, by id."""

    purpose: str
    keep: str
    consent: str
    region: RegionKey | None = None


@dataclass(frozen=True, slots=True)
class EntryNotes:
    """What the catalogue says of an entry beside what it puts into pictures."""

    departments: tuple[str, ...] = ()
    """Other departments that offer it too."""
    synonyms: str = ""
    """Words by which it is looked for."""
    source: str = ""
    """Where its code was looked up."""
    verified: bool = False
    """False where no public code was found: the code is a local one."""
    merged_into: str = ""
    """The id of the entry that took its place, for one that is out of use."""


@dataclass(frozen=True, slots=True)
class SiteNotes:
    """What the catalogue says of a region beside what it puts into pictures."""

    kind: SiteKind
    synonyms: str = ""
    source: str = ""
    verified: bool = False


@dataclass(frozen=True, slots=True)
class RegionList:
    """A named list of regions, in the order in which it is offered."""

    name: str
    regions: tuple[RegionKey, ...]


@dataclass(frozen=True, slots=True)
class _Searchable:
    entry: ProcedureEntry
    name: str
    name_words: tuple[str, ...]
    other_words: tuple[str, ...]
    synonyms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Catalog:
    """All coded choices: procedures, regions, purposes, keeping rules, consents."""

    version: str
    sources: tuple[str, ...]
    schemes: tuple[CodingScheme, ...]
    procedures: tuple[ProcedureEntry, ...]
    """Every entry, those that may not be chosen yet included."""
    regions: tuple[Region, ...]
    region_lists: tuple[RegionList, ...]
    purposes: tuple[Choice, ...]
    keeps: tuple[Choice, ...]
    consents: tuple[Choice, ...]
    procedure_defaults: Mapping[str, Defaults]
    """By entry id."""
    department_favourites: Mapping[str, tuple[str, ...]]
    """Entry ids by department; "" is for every other department."""
    notes: Mapping[str, EntryNotes]
    """By entry id."""
    site_notes: Mapping[RegionKey, SiteNotes]
    _procedures: Mapping[str, ProcedureEntry] = field(init=False, repr=False, compare=False)
    _regions: Mapping[RegionKey, Region] = field(init=False, repr=False, compare=False)
    _searchable: tuple[_Searchable, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        index = {e.entry_id: e for e in reversed(self.procedures)}
        regions = {r.code.key: r for r in reversed(self.regions)}
        for name, value in (
            ("_procedures", MappingProxyType(index)),
            ("_regions", MappingProxyType(regions)),
            (
                "_searchable",
                tuple(
                    _searchable(e, self.notes.get(e.entry_id, EntryNotes()))
                    for e in self.procedures
                    if e.selectable
                ),
            ),
        ):
            object.__setattr__(self, name, value)

    @property
    def selectable(self) -> tuple[ProcedureEntry, ...]:
        """The entries that a person may choose, in the order of the catalogue."""
        return tuple(entry for entry in self.procedures if entry.selectable)

    def procedure(self, entry_id: str) -> ProcedureEntry | None:
        """The entry with this id, or the one that took its place; None where there is none. It may
        be one that is out of use.
        """
        notes = self.notes.get(entry_id)
        return self._procedures.get((notes and notes.merged_into) or entry_id)

    def region(self, code: str, scheme: str | None = None) -> Region | None:
        """The region with this code; without a scheme only if one scheme alone knows the code."""
        if scheme is not None:
            return self._regions.get((scheme, code))
        found = [region for key, region in self._regions.items() if key[1] == code]
        return found[0] if len(found) == 1 else None

    def regions_for(self, entry: ProcedureEntry) -> tuple[Region, ...]:
        """The regions to offer for an act, best first."""
        now = self._procedures.get(entry.entry_id, entry)
        keys = entry.region_choices or now.region_choices  # of earlier: as it is done today
        return tuple(self._regions[key] for key in keys if key in self._regions)

    def departments_of(self, entry: ProcedureEntry) -> tuple[str, ...]:
        """The departments that offer an act, its own first."""
        return (entry.department, *self.notes.get(entry.entry_id, EntryNotes()).departments)

    def of_department(self, department: str) -> tuple[ProcedureEntry, ...]:
        """What a department offers, as the catalogue orders it; its name without regard to case."""
        wanted = department.strip().casefold()
        return tuple(
            entry
            for entry in self.selectable
            if wanted in {name.casefold() for name in self.departments_of(entry)}
        )

    def words_of(self, region: Region) -> str:
        """The words by which a region is looked for, beside its label."""
        notes = self.site_notes.get(region.code.key)
        return f"{region.code.meaning} {notes.synonyms if notes else ''}".strip()

    def default_region(self, entry: ProcedureEntry) -> Region | None:
        """The region that is chosen for an act beforehand; None where a person must choose."""
        key = self.procedure_defaults[entry.entry_id].region
        return None if key is None else self._regions.get(key)

    def defaults(self, entry: ProcedureEntry) -> tuple[Choice, Choice, Choice]:
        """Purpose, keeping rule and consent that are chosen for an act beforehand."""
        chosen = self.procedure_defaults[entry.entry_id]
        return (
            choice_of(self.purposes, chosen.purpose),
            choice_of(self.keeps, chosen.keep),
            choice_of(self.consents, chosen.consent),
        )

    def favourites(
        self, department: str, configured: Sequence[str] = ()
    ) -> tuple[ProcedureEntry, ...]:
        """The entries on keys 1 to 9: those of the settings, else those of the department.

        An id that is unknown or out of use gives up its key: the others keep theirs closed up. One
        that was merged into another gives its key to that.
        """
        ids: Iterable[str] = configured
        if not configured:
            wanted = department.strip().casefold()
            by_name = {name.casefold(): ids for name, ids in self.department_favourites.items()}
            ids = by_name.get(wanted, by_name.get("", ()))
        entries = {e.entry_id: e for i in ids if (e := self.procedure(i)) and e.selectable}
        return tuple(entries.values())[:MOST_FAVOURITES]

    def search(self, text: str) -> tuple[ProcedureEntry, ...]:
        """The entries that may be chosen and match every word typed, best first; all for "".

        Best: the name begins with what was typed; then every word begins a word of the name; then
        a word of the code's meaning, a department or the id does; then a synonym; then it is inside
        the name.
        """
        typed = folded(text)
        words = typed.split()
        if not words:
            return tuple(row.entry for row in self._searchable)
        ranked = [(_rank(row, typed, words), row) for row in self._searchable]
        ranked.sort(key=lambda pair: pair[0])  # stable: ties keep the order of the catalogue
        return tuple(row.entry for rank, row in ranked if rank < _NO_MATCH)


_NO_MATCH: Final = 9


def choice_of(choices: Sequence[Choice], choice_id: str) -> Choice:
    """The choice with this id. Raises CatalogError where there is none."""
    for choice in choices:
        if choice.choice_id == choice_id:
            return choice
    message = f"The catalogue has no choice {choice_id}."
    raise CatalogError(message)


def folded(text: str) -> str:
    """Text for comparing: lower case, without accents, punctuation as blanks."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    kept = (c if c.isalnum() else " " for c in parts if not unicodedata.combining(c))
    return " ".join("".join(kept).split())


def _searchable(entry: ProcedureEntry, notes: EntryNotes) -> _Searchable:
    name = folded(entry.display_name)
    departments = " ".join((entry.department, *notes.departments))
    other = folded(f"{entry.code.meaning} {departments} {entry.entry_id}").split()
    synonyms = folded(notes.synonyms).split()
    return _Searchable(entry, name, tuple(name.split()), tuple(other), tuple(synonyms))


def _rank(row: _Searchable, typed: str, words: Sequence[str]) -> int:
    if row.name.startswith(typed):
        return 0
    if all(any(w.startswith(word) for w in row.name_words) for word in words):
        return 1
    both = row.name_words + row.other_words
    if all(any(w.startswith(word) for w in both) for word in words):
        return 2
    if all(any(w.startswith(word) for w in both + row.synonyms) for word in words):
        return 3
    return 4 if all(word in row.name for word in words) else _NO_MATCH
