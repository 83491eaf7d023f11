"""The clinician's act, frozen at its start."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from capture_app.model.encounter import Encounter
from capture_app.model.operator import Operator
from capture_app.model.order import Order
from capture_app.model.patient import Patient
from capture_app.model.worklist import IdentifiedBy


@dataclass(frozen=True, slots=True)
class Exam:
    """One patient, one visit, one operator, one study. Another patient is another Exam.

    Person and visit are frozen here. The wording (name, birth date, sex) is as it was when the
    exam began; what is sealed is the feed's newest, as it was shown at Send.
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
    identified_at: datetime | None = None
    """When that identification really took place; None: when the exam began."""
    is_visit_shared: bool = False
    """Another patient has a visit of the same number: no picture carries it."""

    @property
    def known_since(self) -> datetime:
        """When the patient was identified."""
        return self.identified_at or self.started_at

    def is_without_order_of(self, other: Exam) -> bool:
        """Whether it is the other exam without its order, and differs in nothing else."""
        return self == replace(
            other,
            exam_id=self.exam_id,
            study_instance_uid=self.study_instance_uid,
            order=None,
        )

    @property
    def visit_to_record(self) -> Encounter | None:
        """The visit as pictures carry it: without its number where two patients hold that."""
        if self.encounter is None or not self.is_visit_shared:
            return self.encounter
        return replace(
            self.encounter, visit_number="", issuer="", universal_id="", universal_id_type=""
        )
