"""A row of the patient list, as it is shown: made from what the census says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from capture_app.exam.second_identifier import Question
from capture_app.model.encounter import EncounterState
from capture_app.model.patient import Patient
from capture_app.model.words import isolated, tr, trn
from capture_app.model.worklist import Doubt, PatientListEntry
from capture_app.patients.finding.look_alikes import LookAlike
from capture_app.ui.words import wording
from capture_app.ui.words.marks import ChipText, Tone

_HIDDEN = "····"


class RowKey(NamedTuple):
    """What makes two rows the same: the patient's number, who issued it, and the visit."""

    number: str
    issuer: str
    visit: str
    person: str = ""
    """Who it is, where two people have the number."""

    @property
    def patient(self) -> tuple[str, str]:
        """The patient, whatever the visit."""
        return (self.number, self.issuer)


@dataclass(frozen=True, slots=True)
class PatientRow:
    """One row, in words."""

    key: RowKey
    name: str
    native: str
    born: str
    age: str
    sex: str
    record: str
    issuer: str
    """Shown under the number only where the list mixes issuers."""
    place: str
    note: str
    badges: tuple[ChipText, ...]

    @property
    def spoken(self) -> str:
        """The row for a screen reader."""
        parts = (self.name, self.native, self.born, self.age, self.sex, self.record, self.place)
        badges = (badge.whole or badge.words for badge in self.badges)
        return ", ".join(part for part in (*parts, self.note, *badges) if part)


def key_of(entry: PatientListEntry) -> RowKey:
    """The key of an entry."""
    visit = entry.encounter.visit_number if entry.encounter else ""
    number = entry.patient.patient_id
    return RowKey(number.value, number.issuer, visit, entry.person)


def rows_of(
    entries: Iterable[PatientListEntry],
    *,
    now: datetime,
    drafts: Mapping[tuple[str, str], int],
    last_taken: Mapping[tuple[str, str], datetime],
    alike: Mapping[tuple[str, str], LookAlike],
) -> tuple[PatientRow, ...]:
    """The rows of a list, look-alikes badged.

    `drafts`: how many each patient has here; `last_taken`: when the last picture was taken;
    `alike`: who may be taken for another one of the list, also where a filter hides that one.
    """
    shown = tuple(entries)
    issuers = {entry.patient.patient_id.issuer for entry in shown}
    is_mixed = len(issuers) > 1
    return tuple(
        _row(entry, alike, now=now, drafts=drafts, last_taken=last_taken, mixed=is_mixed)
        for entry in shown
    )


def _row(
    entry: PatientListEntry,
    alike: Mapping[tuple[str, str], LookAlike],
    *,
    now: datetime,
    drafts: Mapping[tuple[str, str], int],
    last_taken: Mapping[tuple[str, str], datetime],
    mixed: bool,
) -> PatientRow:
    patient = entry.patient
    number = patient.patient_id
    badges: list[ChipText] = []
    # Whose number it is by admissions is alike to whom they are; who claims it beside is not.
    if not entry.is_of_another and (kind := alike.get(number.key)) is not None:
        badges.append(ChipText(_alike_words(kind), "users", Tone.WARN))
    badges.extend(
        ChipText(words, "warning", Tone.WARN)
        for doubt, words in _doubts().items()
        if doubt in entry.doubts
    )
    if not entry.is_of_another and (n := drafts.get(number.key, 0)):
        badges.append(ChipText(trn("{n} draft", "{n} drafts", n), "tray"))
    if entry.orders:
        badges.append(_order_badge(entry))
    return PatientRow(
        key=key_of(entry),
        name=wording.shown_name(patient.name),
        native=wording.native(patient.name),
        born=wording.born(patient),
        age=wording.age(patient, now.date()),
        sex=wording.sex(patient.sex),
        record=wording.record_number(number),
        issuer=isolated(number.issuer) if mixed else "",
        place=wording.place(entry.encounter.location if entry.encounter else None),
        note=_note(entry, None if entry.is_of_another else last_taken.get(number.key), now),
        badges=tuple(badges),
    )


def _alike_words(kind: LookAlike) -> str:
    return tr("Same surname") if kind is LookAlike.SURNAME else tr("Same birth date")


def _doubts() -> Mapping[Doubt, str]:
    """What a badge says of each doubt, the gravest first."""
    return {
        Doubt.MERGE_REFUSED: tr("Merge or deletion waits"),
        Doubt.NUMBER_RETIRED: tr("Old number"),
        Doubt.NUMBER_OF_TWO: tr("Number of two people"),
        Doubt.NUMBER_OF_ANOTHER: tr("Number of another person"),
        Doubt.NUMBER_ON_WORKLIST: tr("Other name on worklist"),
        Doubt.SHARED_VISIT_NUMBER: tr("Visit shared"),
        Doubt.SHARED_STUDY_UID: tr("Study shared"),
        Doubt.SHARED_BED: tr("Bed shared"),
    }


def _order_badge(entry: PatientListEntry) -> ChipText:
    icon = "file-text"
    if len(entry.orders) > 1:
        return ChipText(trn("{n} order", "{n} orders", len(entry.orders)), icon)
    what = wording.order_what(entry.orders[0])
    if not what:
        return ChipText(tr("Order"), icon)
    short = what if len(what) <= 16 else what[:15].rstrip() + "…"
    shown, whole = (tr("Order: {what}", what=isolated(words)) for words in (short, what))
    return ChipText(shown, icon, whole=whole)


def _note(entry: PatientListEntry, last_taken: datetime | None, now: datetime) -> str:
    """What the last column says: that the visit is over, else when the last picture was taken."""
    state = entry.encounter.state if entry.encounter else EncounterState.OPEN
    match state:
        case EncounterState.CLOSED:
            return tr("Discharged")
        case EncounterState.CANCELLED:
            return tr("Cancelled")
        case EncounterState.MOVED:
            return tr("Moved")
        case EncounterState.OPEN | EncounterState.PENDING:
            return wording.moment(last_taken, now) if last_taken else ""


def masked(row: PatientRow, patient: Patient, question: Question) -> PatientRow:
    """The row while a second identifier is asked: nothing on it gives an answer away."""
    group = patient.name.alphabetic if str(patient.name.alphabetic) else patient.name.ideographic
    name = f"{group.family.upper()}, {_HIDDEN}" if group.family else _HIDDEN
    number = wording.record_number_without_end(patient.patient_id, question.last)
    born = wording.born_without_year(patient) if question.year else row.born
    return replace(row, name=name, native="", born=born, age="", record=number)
