"""What the page of received images says: both identities line by line, and what differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from capture_app.model.patient import Patient, Sex
from capture_app.model.received import Contradiction, StatedPatient, WaitingObject
from capture_app.model.words import isolated, tr, trn
from capture_app.model.worklist import PatientListEntry
from capture_app.ui.words import wording
from capture_app.ui.words.shown import ListRow


@dataclass(frozen=True, slots=True)
class IdentityLine:
    """One thing that is said of a person, by the machine and by the feed."""

    label: str
    said: str
    own: str
    """Empty where nobody is chosen."""
    differs: bool = False


_OF: tuple[Contradiction, ...] = (
    Contradiction.NAME,
    Contradiction.BIRTH_DATE,
    Contradiction.SEX,
    Contradiction.NUMBER,
    Contradiction.ISSUER,
)


def waiting_row(one: WaitingObject, now: datetime, *, masked: bool) -> ListRow:
    """NGUYEN, Mai; at its end the machine and the time. Masked as `person_row`."""
    received = one.received
    at = wording.moment(received.received_at.astimezone(now.tzinfo), now)
    return ListRow(
        one.letter,
        tr("Image") if masked else _name(received.stated),
        note=f"{isolated(received.sender)}, {at}",
        also=at,
    )


def person_row(entry: PatientListEntry, row_id: str, *, masked: bool) -> ListRow:
    """A person of the list; masked while the second identifier of one of them is asked."""
    patient = entry.patient
    name = wording.family(patient.name) if masked else wording.shown_name(patient.name)
    born = "" if masked else wording.born(patient)
    digits = "" if masked else wording.last_digits(patient.patient_id)
    return ListRow(row_id, name, note=" ".join(filter(None, (born, digits))))


def lines_of(
    stated: StatedPatient, patient: Patient | None, against: Sequence[Contradiction]
) -> tuple[IdentityLine, ...]:
    """Both identities, in the order in which one compares them."""
    own = ("", "", "", "", "") if patient is None else _own(patient)
    labels = (tr("Name"), tr("Born"), tr("Sex"), tr("Record number"), tr("Issued by"))
    return tuple(
        IdentityLine(label, said, mine, patient is not None and what in against)
        for label, said, mine, what in zip(labels, _said(stated), own, _OF, strict=True)
    )


def _said(stated: StatedPatient) -> tuple[str, ...]:
    not_said = tr("not said")
    is_known = stated.sex in {sex.value for sex in Sex}
    sex = wording.sex(Sex(stated.sex)) if is_known else isolated(stated.sex)
    return (
        _name(stated),
        _day(stated.birth_date) or not_said,
        sex if stated.sex else not_said,
        isolated(stated.patient_id) if stated.patient_id else not_said,
        isolated(stated.issuer or stated.universal_id)
        if stated.issuer or stated.universal_id
        else not_said,
    )


def _own(patient: Patient) -> tuple[str, ...]:
    number = patient.patient_id
    issuer = number.issuer or number.universal_id
    return (
        wording.shown_name(patient.name),
        wording.born(patient),
        wording.sex(patient.sex),
        isolated(number.value),
        isolated(issuer) if issuer else tr("not said"),
    )


def _name(stated: StatedPatient) -> str:
    """As list and banner write names: NGUYEN, Mai."""
    first = next((group for group in stated.name.split("=") if group.strip("^ ")), "")
    family, *given = (part.strip() for part in first.split("^"))
    rest = " ".join(part for part in given[:2] if part)
    if not first:
        return tr("No name")
    return isolated(", ".join(part for part in (family, rest) if part))


def _day(text: str) -> str:
    try:
        return wording.day(datetime.strptime(text, "%Y%m%d").date())  # noqa: DTZ007 - a date, of no zone
    except ValueError:
        return isolated(text)


def about(one: WaitingObject, now: datetime) -> str:
    """What made it and when it came."""
    received = one.received
    at = wording.moment_inside(received.received_at.astimezone(now.tzinfo), now)
    made = " ".join(filter(None, (received.manufacturer, received.model_name)))
    parts = (received.sender, received.modality, made)
    what = ", ".join(isolated(part) for part in parts if part)
    return tr("From {what}. Came {time}.", what=what, time=at)


def note_of(one: WaitingObject) -> str:
    """What keeps it from being filed as any other."""
    if one.is_uid_sent:
        return tr(
            "Another image of the same number was filed already. This one can only be discarded; "
            "where it is needed, have the machine send it as a new image."
        )
    if one.letters > 1:
        return trn(
            "{n} image waits under this one number.",
            "{n} images that say different things wait under this one number. File the right one; "
            "the others can then only be discarded.",
            one.letters,
        )
    if one.received.stated.is_unreadable:
        return tr("Some of what the machine says of the patient cannot be read.")
    return ""
