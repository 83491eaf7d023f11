"""What a builder is asked with: everything an instance says, known before it is built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from capture_app.dicom.descriptions import study_description
from capture_app.dicom.texts import descriptive
from capture_app.dicom.values import fits
from capture_app.model.coding import Code
from capture_app.model.device import DeviceInfo
from capture_app.model.encoded_image import EncodedImage
from capture_app.model.encounter import Location
from capture_app.model.exam import Exam
from capture_app.model.patient import PersonName
from capture_app.model.procedure import Description, ProcedureEntry
from capture_app.settings.schema import Institution, Station


@dataclass(frozen=True, slots=True)
class StudyValues:
    """What all instances of a study must say alike (PS3.3 C.7.2.1): fixed at the first seal, never
    worked out again.
    """

    started_at: datetime
    """Study Date and Time. Its zone is the zone of every time in every instance of the study."""
    description: str
    procedure_code: Code
    study_id: str
    """Requested Procedure ID of an order, else a short number of our own; at most 16 characters."""
    reason: Code | None = None
    """Only where it is true of the whole study."""
    referring_physician: PersonName | None = None
    """Of the order, else of the visit: a feed may change it while the study grows."""
    reason_for_visit: str = ""

    def fits(self, entry: ProcedureEntry) -> bool:
        """Whether an image of this act may join the study without making its values untrue."""
        return self.reason is None or entry.reason == self.reason


@dataclass(frozen=True, slots=True)
class SourceFrame:
    """The frame of a clip that an image is."""

    sop_class_uid: str
    sop_instance_uid: str
    number: int
    """The first is 1."""


@dataclass(frozen=True, slots=True)
class SealRequest:
    """One image and all that is known of it. `description` has passed the gate."""

    exam: Exam
    description: Description
    image: EncodedImage
    device: DeviceInfo
    sop_instance_uid: str
    series_instance_uid: str
    study_instance_uid: str
    series_number: int
    instance_number: int
    taken_at: datetime
    sealed_at: datetime
    study: StudyValues
    institution: Institution
    station: Station
    place: Location | None = None
    """Where the patient was when the picture was taken; None: where the station belongs."""
    is_time_known: bool = True
    """False where nobody knows when it was exposed: `taken_at` is when it came here."""
    source: SourceFrame | None = None


def first_study_values(
    exam: Exam,
    descriptions: Sequence[Description],
    *,
    started_at: datetime,
    study_id: str,
) -> StudyValues:
    """The values of a new study, from the images that are sealed first (at least one, all of one
    procedure code).

    An order brings its own description, code and Requested Procedure ID. The reason is taken over
    only where it is the reason of each of these images.
    """
    entries = [d.procedure for d in descriptions if d.procedure is not None]
    entry, order, encounter = entries[0], exam.order, exam.encounter
    reasons = {e.reason for e in entries}
    reason = reasons.pop() if len(reasons) == 1 else None
    description, code = study_description(entry, exam.department), entry.code
    if order is not None:
        description = descriptive(order.requested_procedure_description) or description
        code = order.requested_procedure_code or code
        if order.requested_procedure_id and fits("StudyID", order.requested_procedure_id):
            study_id = order.requested_procedure_id
    referring = order.referring_physician if order is not None else None
    if referring is None and encounter is not None:
        referring = encounter.referring_physician
    return StudyValues(
        started_at,
        description,
        code,
        study_id,
        reason,
        referring_physician=referring,
        reason_for_visit=encounter.reason if encounter is not None else "",
    )
