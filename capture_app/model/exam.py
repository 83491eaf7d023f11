"""The clinician's act, frozen at its start."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from capture_app.model.encounter import Encounter
from capture_app.model.operator import Operator
from capture_app.model.order import Order
from capture_app.model.patient import Patient
from capture_app.model.worklist import IdentifiedBy


@dataclass(frozen=True, slots=True)
class Exam:
    """One patient, one visit, one operator, one study. Another patient is another Exam.

    What was shown when the patient was chosen is what is sealed: nothing is looked up at send.
    """

    exam_id: str
    patient: Patient
    encounter: Encounter | None
    order: Order | None
    operator: Operator
    study_instance_uid: str
    started_at: datetime
    identified_by: IdentifiedBy
    department: str = ""
    station_name: str = ""
