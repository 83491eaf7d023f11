"""What the banner, Send and their question say of the patient. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from capture_app.exam.second_identifier import Question
from capture_app.exam.standing import Caution, Standing, Stop, WordingPart, differences
from capture_app.model.encounter import Encounter, Location
from capture_app.model.exam import Exam
from capture_app.model.patient import Patient
from capture_app.model.words import isolated, tr, trn
from capture_app.model.worklist import IdentifiedBy
from capture_app.ui.words import wording
from capture_app.ui.words.marks import ChipText, Message, Tone

_HIDDEN = "····"


@dataclass(frozen=True, slots=True)
class Identified:
    """By what the patient was identified last, and when that was."""

    by: IdentifiedBy
    at: datetime


@dataclass(frozen=True, slots=True)
class BannerFact:
    """One fact of the banner: its label over its value."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class BannerState:
    """What the banner shows. The facts that may go into the "more" line come in `droppable`."""

    name: str
    native: str
    facts: tuple[BannerFact, ...]
    droppable: tuple[BannerFact, ...]
    """In the order in which they are shown; the last goes first."""
    identified: ChipText
    note: ChipText | None = None
    """What the feed changed or stops, under the name."""
    place: str = ""
    """What the button says that picks the place; empty where it may not be picked."""


def banner_of(
    exam: Exam,
    standing: Standing,
    identified: Identified,
    today: date,
    *,
    due: bool = False,
    asked: Question | None = None,
    changed_at: datetime | None = None,
    picked: Location | None = None,
    picks_place: bool = False,
) -> BannerState:
    """The banner: the person and visit of the exam, in the words in which they would be sent.

    While the second identifier is `asked` nothing here gives an answer away.
    """
    patient = standing.patient
    name, native = wording.shown_name(patient.name), wording.native(patient.name)
    age, born = wording.age(patient, today), wording.born(patient)
    number = wording.record_number(patient.patient_id)
    if asked is not None:
        name, native, age = masked_name(patient), "", ""
        born = wording.born_without_year(patient)
        number = wording.record_number_without_end(patient.patient_id, asked.last)
    facts = (
        BannerFact(tr("Born"), f"{born} ({age})" if age else born),
        BannerFact(tr("Sex"), wording.sex(patient.sex)),
        BannerFact(wording.record_label(patient.patient_id), number),
    )
    return BannerState(
        name,
        native,
        facts,
        _visit_facts(standing.encounter, picked, has_number=not standing.is_visit_shared),
        _identified_words(identified, due=due or bool(standing.asks)),
        _note(exam.patient, standing, changed_at, hidden=asked is not None),
        _place_act(standing.encounter, picked) if picks_place else "",
    )


def masked_name(patient: Patient) -> str:
    """NGUYEN, ....: the family name alone."""
    family = wording.family(patient.name)
    return f"{family}, {_HIDDEN}" if family else _HIDDEN


def _visit_facts(
    encounter: Encounter | None, picked: Location | None, *, has_number: bool
) -> tuple[BannerFact, ...]:
    facts = []
    if where := place_shown(encounter, picked):
        facts.append(BannerFact(tr("Place"), where))
    if encounter is not None and encounter.visit_number and has_number:
        facts.append(BannerFact(tr("Visit"), isolated(encounter.visit_number)))
    return tuple(facts)


def place_shown(encounter: Encounter | None, picked: Location | None) -> str:
    """Where the patient is, and whether somebody picked that; empty where nobody knows."""
    if picked is not None:
        return tr("{place} (picked)", place=wording.place(picked))
    return wording.place(encounter.location if encounter is not None else None)


def _place_act(encounter: Encounter | None, picked: Location | None) -> str:
    if where := place_shown(encounter, picked):
        return tr("Place: {place}. Pick another (Alt+P)", place=where)
    return tr("No place is known. Pick one (Alt+P)")


def _identified_words(identified: Identified, *, due: bool) -> ChipText:
    time = wording.clock_time(identified.at)
    if due:
        return ChipText(tr("Identity asked at Send"), "warning", Tone.WARN)
    words = {
        IdentifiedBy.SCAN: tr("Wristband scanned {time}", time=time),
        IdentifiedBy.INITIALS_AND_YEAR: tr("Initials and year checked {time}", time=time),
        IdentifiedBy.INITIALS_AND_NUMBER: tr("Initials and number checked {time}", time=time),
        IdentifiedBy.INITIALS_YEAR_AND_NUMBER: tr(
            "Initials, year and number checked {time}", time=time
        ),
        IdentifiedBy.YEAR_AND_NUMBER: tr("Year and number checked {time}", time=time),
        IdentifiedBy.NUMBER: tr("End of number checked {time}", time=time),
        IdentifiedBy.KNOWN: tr("Opened again, identified {time}", time=time),
        IdentifiedBy.SLATE: tr("By a slate {time}", time=time),
        IdentifiedBy.COMMAND_AND_SECOND_IDENTIFIER: tr("Named by a command {time}", time=time),
    }.get(identified.by)
    if words is None:
        return ChipText(tr("Picked from the list {time}, not checked", time=time), "info")
    return ChipText(words, "check-circle", Tone.OK)


def _note(
    before: Patient, standing: Standing, changed_at: datetime | None, *, hidden: bool
) -> ChipText | None:
    match standing.stop:
        case Stop.VISIT_CANCELLED:
            return ChipText(tr("Visit cancelled: Send is stopped"), "warning-circle", Tone.BAD)
        case Stop.VISIT_MOVED:
            words = tr("Visit is another patient's now: Send is stopped")
            return ChipText(words, "warning-circle", Tone.BAD)
        case Stop.NUMBER_RETIRED:
            words = tr("Number no longer in use: Send is stopped")
            return ChipText(words, "warning-circle", Tone.BAD)
        case Stop.NUMBER_OF_TWO:
            words = tr("Two people have this number: Send is stopped")
            return ChipText(words, "warning-circle", Tone.BAD)
        case Stop.ORDER_DOUBTED:
            words = tr("The order became another patient's: Send is stopped")
            return ChipText(words, "warning-circle", Tone.BAD)
        case None:
            pass
    if standing.newer and changed_at is not None and not hidden:
        time = wording.clock_time(changed_at)
        words = tr("{time}: {what}", time=time, what=_what_changed(before, standing))
        return ChipText(words, "warning" if standing.asks else "info", Tone.WARN)
    match standing.caution:
        case Caution.MERGE_REFUSED:
            return ChipText(
                tr("The feed merged or deleted this patient: ask IT"), "warning", Tone.WARN
            )
        case Caution.DISCHARGED:
            return ChipText(tr("Discharged; pictures may be taken"), "warning", Tone.WARN)
        case None:
            return None


def _what_changed(before: Patient, standing: Standing) -> str:
    """Name was NGUYEN, Mai; birth date was 14-Jul-1956."""
    old = {
        WordingPart.NAME: lambda: tr("name was {old}", old=wording.shown_name(before.name)),
        WordingPart.BIRTH_DATE: lambda: tr("birth date was {old}", old=wording.born(before)),
        WordingPart.SEX: lambda: tr("sex was {old}", old=wording.sex(before.sex)),
    }
    return "; ".join(old[part]() for part in differences(before, standing.patient))


def parts_words(parts: tuple[WordingPart, ...]) -> str:
    """Name and birth date."""
    names = {
        WordingPart.NAME: tr("name"),
        WordingPart.BIRTH_DATE: tr("birth date"),
        WordingPart.SEX: tr("sex"),
    }
    *most, last = (names[part] for part in parts)
    return tr("{most} and {last}", most=", ".join(most), last=last) if most else last


def why_asked(before: Patient, standing: Standing) -> str:
    """What makes it necessary to ask at Send; nothing where time or a lock did."""
    if not standing.asks:
        return ""
    said = tr(
        "The feed changed {parts} of this patient since the pictures were begun.",
        parts=parts_words(standing.asks),
    )
    if WordingPart.NAME in standing.newer:
        said += " " + tr("The name was {old}.", old=wording.shown_name(before.name))
    return said


def stop_message(stop: Stop, drafts: int, held: int = 0) -> Message:
    """Nothing can be sent, what is safe, what still goes by itself, and what to do."""
    safe = trn("{n} picture is safe here.", "{n} pictures are safe here.", drafts) if drafts else ""
    if held:
        goes = trn(
            "{n} picture was sent before and is held: Ctrl+Z takes it back.",
            "{n} pictures were sent before and are held: Ctrl+Z takes them back.",
            held,
        )
        safe = f"{goes} {safe}".strip()
    what, todo = _stop_words(stop)
    said = Message(what, f"{safe} {todo}".strip(), "warning-circle", Tone.BAD)
    if stop is not Stop.ORDER_DOUBTED:
        return said
    return replace(said, act=tr("Go on without the order"), act_icon="arrow-right", stop=True)


def order_left_message(n: int, stayed: int) -> Message:
    """The pictures go on without the order that may be another patient's."""
    what = trn(
        "{n} picture is without the order now, coded as it was.",
        "{n} pictures are without the order now, coded as they were.",
        n,
    )
    todo = tr("Send sends all that is here, in a study of its own.") if n else ""
    if not stayed:
        return Message(what, todo, "check-circle", Tone.OK)
    left = trn(
        "The archive may have {n} picture under the order already: tell IT.",
        "The archive may have {n} pictures under the order already: tell IT.",
        stayed,
    )
    return Message(what, f"{left} {todo}".strip(), "warning", Tone.WARN)


def _stop_words(stop: Stop) -> tuple[str, str]:
    """What happened, and what to do."""
    match stop:
        case Stop.VISIT_CANCELLED:
            what = tr("The visit was cancelled: nothing can be sent.")
            return what, tr("Ask admissions. If the visit comes back, Send works again.")
        case Stop.VISIT_MOVED:
            what = tr("The visit is another patient's now: nothing can be sent.")
            return what, tr("Look who is in front of you; ask admissions whose pictures these are.")
        case Stop.NUMBER_RETIRED:
            what = tr("The record number is no longer in use: nothing can be sent.")
            todo = tr("Look for the patient under the new number, and ask IT about these pictures.")
            return what, todo
        case Stop.NUMBER_OF_TWO:
            what = tr("Two people have this record number: nothing can be sent.")
            return what, tr("Tell IT: it has to be put right in the worklist first.")
        case Stop.ORDER_DOUBTED:
            what = tr("A worklist gave the order to another patient: nothing is sent under it.")
            return what, tr("Go on without the order, and tell IT.")


def confirmed_message(patient: Patient) -> Message:
    """The band of the patient who is open was scanned."""
    what = tr("Wristband checked: {name}.", name=wording.shown_name(patient.name))
    return Message(what, "", "check-circle", Tone.OK)
