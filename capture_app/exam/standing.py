"""How the feed stands to an open exam: what it says now of the person and the visit. Pure.

The exam freezes who it is and which visit; the wording (name, birth date, sex) follows the feed,
is shown as it will be sent, and is asked about where so much changed that it may be someone else.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from capture_app.errors import ChangedSinceSeenError, RuleError
from capture_app.model import reason
from capture_app.model.encounter import Encounter, EncounterState
from capture_app.model.exam import Exam
from capture_app.model.patient import NameGroup, Patient, PersonName, Sex
from capture_app.model.reason import Reason
from capture_app.model.words import tr
from capture_app.model.worklist import Doubt, PatientListEntry, PersonNow

_TWO: Final = 2
_UNKNOWN_WORDS: Final = frozenset(
    """
    ANONYMOUS DESCONOCIDO INCONNU NN ONBEKEND SCONOSCIUTO TRAUMA UNBEKANNT UNIDENTIFIED UNKNOWN
    UNNAMED
    """.split()  # noqa: SIM905 - a list of words is read as words
)
"""First words of names that stand for a name not known yet: trauma, nobody knows."""
_NEWBORN_WORDS: Final = frozenset(
    """
    BABY BABYBOY BABYGIRL BB BBOY BG BGIRL BOY FEMALE GIRL INFANT MALE NEONATE NEUGEBORENES NEWBORN
    """.split()  # noqa: SIM905 - a list of words is read as words
)
"""First words of a newborn's name. Grown-ups are called Boy and Baby, too: of a newborn the birth
date is known, to some days."""
_SAME_BIRTH_DAYS: Final = 7

_NOBODY: Final = frozenset({("DOE", "JOHN"), ("DOE", "JANE")})


class WordingPart(StrEnum):
    """What of the wording is compared."""

    NAME = "name"
    BIRTH_DATE = "birth-date"
    SEX = "sex"


class Stop(StrEnum):
    """Why nothing of an exam may be sent now, first what is to be told first."""

    ORDER_DOUBTED = "order-doubted"
    """A worklist gave the order, or its study, to another patient while pictures waited under it;
    what it says since does not undo that."""
    VISIT_CANCELLED = "visit-cancelled"
    VISIT_MOVED = "visit-moved"
    """It is another patient's by now: who was pictured in it may be that one."""
    NUMBER_RETIRED = "number-retired"
    NUMBER_OF_TWO = "number-of-two"


class Caution(StrEnum):
    """What a person should know and which stops nothing."""

    DISCHARGED = "discharged"
    MERGE_REFUSED = "merge-refused"


@dataclass(frozen=True, slots=True)
class Standing:
    """The feed and an exam, compared."""

    patient: Patient
    """With the wording as it would be sent now."""
    encounter: Encounter | None
    """The visit of the exam as it is now."""
    newer: tuple[WordingPart, ...] = ()
    """What differs from the exam as it was opened, and follows by itself."""
    asks: tuple[WordingPart, ...] = ()
    """What changed so far that somebody must say again who is in front of them."""
    stops: tuple[Stop, ...] = ()
    """All that stop it, first the one to be told."""
    caution: Caution | None = None
    is_visit_shared: bool = False
    """Another patient has a visit of the same number, now or when the exam began: no picture
    carries it."""
    known: Patient | None = None
    """The wording that changes to come are compared with; None: that of the exam."""

    @property
    def stop(self) -> Stop | None:
        """The stop to be told; None where nothing stops."""
        return self.stops[0] if self.stops else None


def standing_of(
    exam: Exam,
    now: PersonNow | None,
    confirmed: Patient | None = None,
    *,
    is_order_doubted: bool = False,
) -> Standing:
    """Compares an exam with what the feeds say now; None: they say nothing of the patient any more.

    `confirmed`: the wording that changes are compared with in place of the exam's: somebody was
    asked about it and said that it is the patient, or a placeholder became known (see `known`).
    `is_order_doubted`: the order was seen to be another patient's, now or before.
    """
    stops = [Stop.ORDER_DOUBTED] if is_order_doubted else []
    if now is None:
        shares = exam.is_visit_shared
        return Standing(exam.patient, exam.encounter, stops=tuple(stops), is_visit_shared=shares)
    patient = worded(exam.patient, now.patient)
    known = confirmed or exam.patient
    changed = real_changes(known, patient)
    asks = changed if len(changed) >= _TWO else ()
    encounter = visit_now(exam.encounter, now)
    state = encounter.state if encounter is not None else None
    stops += [
        stop
        for stop, holds in (
            (Stop.VISIT_CANCELLED, state is EncounterState.CANCELLED),
            (Stop.VISIT_MOVED, state is EncounterState.MOVED),
            (Stop.NUMBER_RETIRED, Doubt.NUMBER_RETIRED in now.doubts),
            (Stop.NUMBER_OF_TWO, Doubt.NUMBER_OF_TWO in now.doubts),
        )
        if holds
    ]
    caution: Caution | None = None
    if Doubt.MERGE_REFUSED in now.doubts:
        caution = Caution.MERGE_REFUSED
    elif state is EncounterState.CLOSED:
        caution = Caution.DISCHARGED
    return Standing(
        patient,
        encounter,
        newer=differences(exam.patient, patient),
        asks=asks,
        stops=tuple(stops),
        caution=caution,
        is_visit_shared=exam.is_visit_shared or _is_shared(now, exam.encounter, encounter),
        known=known if asks else with_known(known, patient),
    )


_CODES: Final = {
    Stop.ORDER_DOUBTED: reason.ORDER_DOUBTED,
    Stop.VISIT_CANCELLED: reason.VISIT_CANCELLED,
    Stop.VISIT_MOVED: reason.VISIT_MOVED,
    Stop.NUMBER_RETIRED: reason.NUMBER_RETIRED,
    Stop.NUMBER_OF_TWO: reason.NUMBER_OF_TWO,
}


def hindrances_of(standing: Standing) -> tuple[Reason, ...]:
    """What of that speaks against sending pictures that are sealed and that no archive can have
    yet: what was said since. A discharge does not.
    """
    codes = [_CODES[stop] for stop in standing.stops]
    if standing.caution is Caution.MERGE_REFUSED:
        codes.append(reason.PATIENT_MERGED)
    if standing.asks:
        codes.append(reason.IDENTITY_CHANGED)
    return tuple(map(Reason, codes))


def _is_shared(now: PersonNow, *visits: Encounter | None) -> bool:
    """Whether another patient has the number of a visit, that of the exam or the one since."""
    numbers = {visit.visit_number for visit in visits if visit is not None}
    return not numbers.isdisjoint(now.shared_visits)


def combined(standings: Iterable[Standing]) -> Standing:
    """One answer for all exams whose pictures would be sent together; the first is the open one."""
    first, *others = standings
    everyone = (first, *others)
    asks = [part for part in WordingPart if any(part in one.asks for one in everyone)]
    return replace(
        first,
        asks=tuple(asks),
        stops=tuple(stop for stop in Stop if any(stop in one.stops for one in everyone)),
        caution=next((one.caution for one in everyone if one.caution), None),
    )


def as_it_is_now(entry: PatientListEntry, now: PersonNow | None) -> PatientListEntry:
    """A row that a person chose, as the feeds have it now: it may have been held still meanwhile.

    Raises RuleError where nobody may be opened by it.
    """
    if entry.is_of_another:
        raise RuleError(
            tr(
                "Admissions give this record number to somebody else than the worklist: the row "
                "opens nobody until the worklist is put right. Tell IT."
            )
        )
    if now is None:
        raise RuleError(tr("The patient has left the list. Look for them again."))
    if Doubt.NUMBER_RETIRED in now.doubts:
        raise RuleError(
            tr("This record number is no longer in use. Look for the patient's new one.")
        )
    if Doubt.NUMBER_OF_TWO in now.doubts:
        raise RuleError(
            tr(
                "Worklists give this record number to two people: neither can be opened until the "
                "worklist is put right. Tell IT."
            )
        )
    _require_shown(entry.patient, now.patient)
    encounter = visit_now(entry.encounter, now)
    if encounter is not None and encounter.state is EncounterState.CANCELLED:
        raise RuleError(tr("This visit was cancelled. Choose the patient from the list again."))
    if encounter is not None and encounter.state is EncounterState.MOVED:
        raise RuleError(
            tr("This visit is another patient's now. Choose the patient from the list again.")
        )
    listed = (row for row in now.entries if _is_same_visit(row.encounter, encounter))
    row = next(listed, None)
    return replace(
        entry,
        patient=worded(entry.patient, now.patient),
        encounter=encounter,
        orders=row.orders if row else (),
        doubts=row.doubts if row else now.doubts,
        shared_studies=row.shared_studies if row else frozenset(),
    )


def worded_as_shown(frozen: Patient, now: PersonNow | None, shown: Patient) -> Patient:
    """The person of an earlier exam in the newest wording, for whoever chose them as `shown`.

    Raises RuleError where the feed says by now that it is another.
    """
    patient = frozen if now is None else worded(frozen, now.patient)
    _require_shown(shown, patient)
    return patient


def is_somebody_else(before: Patient, after: Patient) -> bool:
    """Whether so much differs under one number that another person may be meant by now."""
    return len(real_changes(before, after)) >= _TWO


def _require_shown(shown: Patient, now: Patient) -> None:
    if is_somebody_else(shown, now):
        raise RuleError(
            tr("The feed changed who this is meanwhile. Look at the list, and choose again.")
        )


def require_standing(standing: Standing, shown: Patient) -> None:
    """That pictures of a patient, named to whoever sends them as `shown`, may be sent.

    Raises RuleError where the feed stops or asks; ChangedSinceSeenError where it words them
    otherwise by now.
    """
    if standing.stop is not None:
        raise RuleError(_why_nothing_is_sent(standing.stop))
    if standing.asks:
        raise RuleError(tr("The feed changed who this is: say first who is in front of you."))
    if differences(shown, standing.patient):
        raise ChangedSinceSeenError(
            tr("The feed changed the patient's name, birth date or sex. Look, then send again.")
        )


def _why_nothing_is_sent(stop: Stop) -> str:
    return {
        Stop.ORDER_DOUBTED: tr("A worklist gave the order to another patient."),
        Stop.VISIT_CANCELLED: tr("The visit was cancelled."),
        Stop.VISIT_MOVED: tr("The visit is another patient's now."),
        Stop.NUMBER_RETIRED: tr("The record number is no longer in use."),
        Stop.NUMBER_OF_TWO: tr("Two people have the record number. Tell IT."),
    }[stop]


def _is_same_visit(one: Encounter | None, other: Encounter | None) -> bool:
    if one is None or other is None:
        return one is other
    return (one.visit_number, one.issuer) == (other.visit_number, other.issuer)


def worded(frozen: Patient, newest: Patient) -> Patient:
    """The person of the exam in the newest wording: the identifier stays as it was frozen."""
    return replace(newest, patient_id=frozen.patient_id)


def differences(before: Patient, after: Patient) -> tuple[WordingPart, ...]:
    """The parts that are not the same to the letter."""
    born = (before.birth_date, before.partial_birth_date)
    parts = (
        (WordingPart.NAME, before.name != after.name),
        (WordingPart.BIRTH_DATE, born != (after.birth_date, after.partial_birth_date)),
        (WordingPart.SEX, before.sex is not after.sex),
    )
    return tuple(part for part, differs in parts if differs)


def real_changes(before: Patient, after: Patient) -> tuple[WordingPart, ...]:
    """The parts by which it may be somebody else now.

    A placeholder that becomes known is none: of an unidentified patient (PID-31) nothing was known,
    a newborn's or trauma name is no name, and neither is an empty birth date or sex. Nor is another
    spelling: case, accents, a middle name.
    """
    if before.identity_unknown:
        return ()
    parts = []
    is_named = is_placeholder(before.name) and (
        not _is_newborns(before.name) or _is_about_same_birth(before, after)
    )
    if not is_named and not _is_same_name(before.name, after.name):
        parts.append(WordingPart.NAME)
    if _birth_date_changed(before, after):
        parts.append(WordingPart.BIRTH_DATE)
    if before.sex not in (Sex.UNKNOWN, after.sex):
        parts.append(WordingPart.SEX)
    return tuple(parts)


def with_known(before: Patient, after: Patient) -> Patient:
    """What later changes are compared with: what was a placeholder as it became known, all else as
    it was.
    """
    if before.identity_unknown:
        return before if after.identity_unknown else after
    known = before
    if is_placeholder(before.name) and not is_placeholder(after.name):
        known = replace(known, name=after.name)
    if before.birth_date is None and not _birth_date_changed(before, after):
        known = known.with_birth_date(after.birth_date or after.partial_birth_date)
    return replace(known, sex=after.sex) if before.sex is Sex.UNKNOWN else known


def is_placeholder(name: PersonName) -> bool:
    """Whether a name stands for one that is not known yet: BABY GIRL OF NGUYEN, Unknown, empty."""
    groups = _groups(name)
    if any((_plain(g.family), _plain(g.given)) in _NOBODY for g in groups):
        return True
    return not groups or _begins_with(name, _UNKNOWN_WORDS | _NEWBORN_WORDS)


def _is_newborns(name: PersonName) -> bool:
    return not _begins_with(name, _UNKNOWN_WORDS) and _begins_with(name, _NEWBORN_WORDS)


def _begins_with(name: PersonName, words: Collection[str]) -> bool:
    return any(
        _plain(word) in words
        for group in _groups(name)
        for part in (group.family, group.given)
        for word in re.split(r"[^\w]+", part)[:1]
    )


def _is_about_same_birth(before: Patient, after: Patient) -> bool:
    """Whether the birth date stays as it was, to some days; one that is not known is no other."""
    if before.birth_date is None or after.birth_date is None:
        return not _birth_date_changed(before, after)
    return abs((after.birth_date - before.birth_date).days) <= _SAME_BIRTH_DAYS


def visit_now(frozen: Encounter | None, now: PersonNow) -> Encounter | None:
    """The visit of an exam as it is now; as it was frozen where the feed names it no more.

    A visit that was known by its account, or by no number, may have its own number by now.
    """
    if frozen is None:
        return None
    number, issuer = frozen.visit_number, frozen.issuer
    same = [visit for visit in now.visits if visit.visit_number == number]
    if not same and number:
        same = [
            visit
            for had, its_issuer, visit in now.by_former_number
            if had == number and (its_issuer == issuer or not its_issuer or not issuer)
        ]
    elif not same and len(now.visits) == 1:
        same = list(now.visits)
    exact = [visit for visit in same if visit.issuer == frozen.issuer]
    found = exact or same
    return found[0] if len(found) == 1 else frozen


def _birth_date_changed(before: Patient, after: Patient) -> bool:
    if before.birth_date is not None:
        partial = after.partial_birth_date
        if partial is not None:
            return not partial.agrees_with(before.birth_date)
        return after.birth_date != before.birth_date
    if before.partial_birth_date is None:
        return False
    if after.birth_date is not None:
        return not before.partial_birth_date.agrees_with(after.birth_date)
    return after.birth_year != before.birth_year


def _is_same_name(before: PersonName, after: PersonName) -> bool:
    """Family and first given name alike, in a script that both have."""
    pairs = [
        (one, other)
        for one, other in (
            (before.alphabetic, after.alphabetic),
            (before.ideographic, after.ideographic),
            (before.phonetic, after.phonetic),
        )
        if str(one) and str(other)
    ]
    return bool(pairs) and all(
        _plain(one.family) == _plain(other.family) and _first(one) == _first(other)
        for one, other in pairs
    )


def _first(group: NameGroup) -> str:
    words = f"{group.given} {group.middle}".split()
    return _plain(words[0]) if words else ""


def _groups(name: PersonName) -> list[NameGroup]:
    groups = (name.alphabetic, name.ideographic, name.phonetic)
    return [group for group in groups if group.family or group.given]


def _plain(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text)
    return "".join(c for c in apart if c.isalnum()).upper()
