"""Finds what is wrong in a catalogue before a patient's image says it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from capture_app.catalog.catalog import MOST_FAVOURITES, Catalog
from capture_app.catalog.sense import nonsense
from capture_app.model.coding import Code
from capture_app.model.procedure import ProcedureEntry

SH_LENGTH: Final = 16
LO_LENGTH: Final = 64
CS_LENGTH: Final = 16


@dataclass(frozen=True, slots=True)
class CatalogFault:
    """One thing that is wrong."""

    where: str
    """The id of the entry, region (SCHEME:CODE), choice or list."""
    problem: str

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}"


def check(catalog: Catalog) -> tuple[CatalogFault, ...]:
    """Every fault of a catalogue; empty where it may be used."""
    parts = (_procedures, _pairs, _merged, _verified, _regions, _choices, _lists, _favourites)
    return tuple(fault for part in parts for fault in part(catalog))


# ---------------------------------------------------------------------------------- check digits

_D: Final = (
    "0123456789",
    "1234067895",
    "2340178956",
    "3401289567",
    "4012395678",
    "5987604321",
    "6598710432",
    "7659821043",
    "8765932104",
    "9876543210",
)
_P: Final = (
    "0123456789",
    "1576283094",
    "5803796142",
    "8916043527",
    "9453126870",
    "4286573901",
    "2793806415",
    "7046913258",
)


def verhoeff_is_right(digits: str) -> bool:
    """Whether the last digit is the Verhoeff check digit of the others, as in SNOMED CT ids."""
    check_digit = 0
    for place, digit in enumerate(reversed(digits)):
        check_digit = int(_D[check_digit][int(_P[place % 8][int(digit)])])
    return check_digit == 0


def mod10_is_right(digits: str) -> bool:
    """Whether the last digit is the Luhn (modulus 10) check digit of the others, as in LOINC."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 if place % 2 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def _sct(value: str) -> str:
    if not (_is_ascii_number(value) and 6 <= len(value) <= 18):
        return f"{value} is no SNOMED CT identifier."
    return "" if verhoeff_is_right(value) else f"{value} has a wrong check digit (Verhoeff)."


def _loinc(value: str) -> str:
    number, dash, digit = value.partition("-")
    if not (dash and _is_ascii_number(number) and _is_ascii_number(digit) and len(digit) == 1):
        return f"{value} is no LOINC code."
    return "" if mod10_is_right(number + digit) else f"{value} has a wrong check digit (mod 10)."


def _digits(value: str) -> str:
    return "" if _is_ascii_number(value) else f"{value} is not a number."


def _is_ascii_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


_CHECKS: Final[dict[str, Callable[[str], str]]] = {
    "verhoeff": _sct,
    "mod10": _loinc,
    "digits": _digits,
    "none": lambda value: "" if value else "The code is empty.",
}

# -------------------------------------------------------------------------------------- the parts


def _procedures(catalog: Catalog) -> Iterator[CatalogFault]:
    yield from _duplicates("The id", (e.entry_id for e in catalog.procedures))
    yield from _duplicates("The display name", (e.display_name for e in catalog.procedures))
    for entry in catalog.procedures:
        problems = [
            *_text("The id", entry.entry_id, SH_LENGTH),
            *_text("The display name", entry.display_name, LO_LENGTH),
            *_code(catalog, entry.code),
        ]
        for code in (entry.department_code, entry.reason, entry.sensitive_content, entry.view):
            problems += _code(catalog, code) if code is not None else []
        problems += _regions_of(catalog, entry)
        chosen = catalog.procedure_defaults[entry.entry_id]
        for what, choice_id, choices in (
            ("purpose", chosen.purpose, catalog.purposes),
            ("keeping rule", chosen.keep, catalog.keeps),
            ("consent", chosen.consent, catalog.consents),
        ):
            if choice_id not in {choice.choice_id for choice in choices}:
                problems.append(f"{choice_id} is no {what}.")
        yield from (CatalogFault(entry.entry_id, problem) for problem in problems)


def _regions_of(catalog: Catalog, entry: ProcedureEntry) -> Iterator[str]:
    known = {region.code.key for region in catalog.regions}
    default = catalog.procedure_defaults[entry.entry_id].region
    for key in (*entry.region_choices, *((default,) if default else ())):
        if key not in known:
            yield f"The region {':'.join(key)} is not in the catalogue."
    if default and entry.region_choices and default not in entry.region_choices:
        yield f"The region {':'.join(default)} is chosen beforehand but not offered."
    if not entry.region_choices:
        yield "It names no region."
    offered = catalog.regions_for(entry) if entry.selectable else ()
    labels = Counter(region.label for region in offered)
    yield from (
        f"{count} of its regions have the label {label!r}."
        for label, count in labels.items()
        if count > 1
    )


def _pairs(catalog: Catalog) -> Iterator[CatalogFault]:
    """Every act that may be chosen with each of its regions."""
    for entry in catalog.selectable:
        for region in catalog.regions_for(entry):
            notes = catalog.site_notes.get(region.code.key)
            if notes and (problem := nonsense(entry, region, notes.kind)):
                yield CatalogFault(entry.entry_id, problem)


def _merged(catalog: Catalog) -> Iterator[CatalogFault]:
    """An entry that another took the place of is out of use, and the other is in use."""
    for entry in catalog.procedures:
        notes = catalog.notes.get(entry.entry_id)
        if notes is None or not notes.merged_into:
            continue
        now = catalog.procedure(entry.entry_id)
        if now is None or not now.selectable or entry.selectable:
            yield CatalogFault(entry.entry_id, f"It cannot be merged into {notes.merged_into}.")


def _verified(catalog: Catalog) -> Iterator[CatalogFault]:
    """Each code says where it was looked up; one that was not found anywhere is a local one."""
    local = {scheme.designator for scheme in catalog.schemes if scheme.local}
    of_entries = [(e.entry_id, e.code, catalog.notes.get(e.entry_id)) for e in catalog.procedures]
    of_sites = [
        (":".join(r.code.key), r.code, catalog.site_notes.get(r.code.key)) for r in catalog.regions
    ]
    for where, code, notes in (*of_entries, *of_sites):
        if notes is None:
            continue
        if not notes.source.strip():
            yield CatalogFault(where, "No source of its code is named.")
        if notes.verified is (code.scheme in local):
            yield CatalogFault(where, "A public code is verified, and a local one is not.")


def _regions(catalog: Catalog) -> Iterator[CatalogFault]:
    yield from _duplicates("The region", (":".join(r.code.key) for r in catalog.regions))
    for region in catalog.regions:
        problems = [
            *_code(catalog, region.code),
            *_text("The label", region.label, LO_LENGTH),
        ]
        term = region.body_part_examined
        if len(term) > CS_LENGTH or (term and not (term.isascii() and term.isalnum())):
            problems.append(f"{term} is no term for Body Part Examined.")
        where = ":".join(region.code.key)
        yield from (CatalogFault(where, problem) for problem in problems)


def _choices(catalog: Catalog) -> Iterator[CatalogFault]:
    for choices in (catalog.purposes, catalog.keeps, catalog.consents):
        yield from _duplicates("The choice", (choice.choice_id for choice in choices))
        yield from _duplicates("The label", (choice.label for choice in choices))
        for choice in choices:
            problems = [*_text("The label", choice.label, LO_LENGTH)]
            if choice.code is not None:
                problems += _code(catalog, choice.code)
            yield from (CatalogFault(choice.choice_id, problem) for problem in problems)


def _lists(catalog: Catalog) -> Iterator[CatalogFault]:
    labels = {region.code.key: region.label for region in catalog.regions}
    for row in catalog.region_lists:
        for key in row.regions:
            if key not in labels:
                yield CatalogFault(row.name, f"The region {':'.join(key)} is not in the catalogue.")
        if row.name == "any":
            continue  # skin of foot and foot meet only here
        twice = Counter(labels[key] for key in row.regions if key in labels)
        for label, count in twice.items():
            if count > 1:
                yield CatalogFault(row.name, f"{count} of its regions have the label {label!r}.")


def _favourites(catalog: Catalog) -> Iterator[CatalogFault]:
    departments = {""}.union(*(catalog.departments_of(entry) for entry in catalog.procedures))
    for name, ids in catalog.department_favourites.items():
        where = f"favourites of {name!r}"
        if name not in departments:
            yield CatalogFault(where, "No procedure is of this department.")
        if len(ids) > MOST_FAVOURITES:
            yield CatalogFault(where, f"There are more than {MOST_FAVOURITES}.")
        yield from _duplicates(where, ids)
        for entry_id in ids:
            entry = catalog.procedure(entry_id)
            if entry is None or not entry.selectable or entry.entry_id != entry_id:
                yield CatalogFault(where, f"{entry_id} cannot be chosen.")


# ----------------------------------------------------------------------------------- small pieces


def _duplicates(what: str, values: Iterable[str]) -> Iterator[CatalogFault]:
    for value, count in Counter(values).items():
        if count > 1:
            yield CatalogFault(value, f"{what} stands {count} times.")


def _code(catalog: Catalog, code: Code) -> list[str]:
    problems = [
        *_text("The code", code.value, SH_LENGTH),
        *_text("The meaning", code.meaning, LO_LENGTH),
    ]
    scheme = next((s for s in catalog.schemes if s.designator == code.scheme), None)
    if scheme is None:
        problems.append(f"The coding scheme {code.scheme!r} is not known.")
    elif scheme.check not in _CHECKS:
        problems.append(f"The check {scheme.check!r} of {code.scheme} is not known.")
    elif problem := _CHECKS[scheme.check](code.value):
        problems.append(problem)
    return problems


def _text(what: str, text: str, longest: int) -> Iterator[str]:
    if not text.strip():
        yield f"{what} is empty."
    if len(text) > longest:
        yield f"{what} is {len(text)} characters long, {longest} are allowed."
    if "\\" in text or not text.isprintable():
        yield f"{what} holds a character that DICOM does not allow here."
