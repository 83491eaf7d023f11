"""What the page says of each picture that Send would take, for its sealed file. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from capture_app.model.shown import ShownAtSend
from capture_app.model.words import tr
from capture_app.ui.words import wording
from capture_app.ui.workspace import words
from capture_app.ui.workspace.state import Known
from capture_app.ui.workspace.whose_words import place_shown


def as_shown(known: Known) -> Mapping[str, ShownAtSend]:
    """By capture id: the banner's words for the patient, and those of the picture's thumbnail."""
    patient = known.standing.patient
    place = place_shown(known.standing.encounter, known.picked)
    return {
        shot.capture_id: ShownAtSend(
            name=wording.shown_name(patient.name),
            native_name=wording.native(patient.name),
            birth_date=wording.born(patient),
            sex=wording.sex(patient.sex),
            record_number=wording.record_number(patient.patient_id),
            place=place,
            procedure=tr(shot.description.procedure.display_name),
            site=words.thumb_words(shot.description),
            side=words.side_mark(shot.description),
        )
        for shot in known.drafts
        if shot.description.procedure is not None
    }
