"""What the feeds say of exams while they are open and while their pictures wait."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from capture_app.exam.doubted_orders import DoubtedOrders
from capture_app.exam.standing import (
    Standing,
    combined,
    differences,
    hindrances_of,
    standing_of,
)
from capture_app.model.audit_event import AuditAction
from capture_app.model.exam import Exam
from capture_app.model.operator import Operator
from capture_app.model.patient import Patient, PatientId
from capture_app.model.reason import Reason
from capture_app.model.worklist import IdentifiedBy, PersonNow
from capture_app.outbox.outbox import Outbox

People = Callable[[PatientId], PersonNow | None]
"""What the feeds say now of the patient with a record number."""


class Following:
    """Compares exams with the feeds; what a person said of it, and what was told, is kept."""

    def __init__(self, outbox: Outbox, people: People, orders: DoubtedOrders) -> None:
        self._outbox = outbox
        self._people = people
        self._orders = orders
        self._confirmed: dict[str, Patient] = {}
        self._followed: dict[str, Patient] = {}

    def standing(self, exam: Exam, earlier: Iterable[str] = ()) -> Standing:
        """What the feed says now of the person and visit of an exam, and of the earlier exams of
        the same patient whose drafts would be sent with it, by their ids.
        """
        return combined(self.standings(exam, earlier).values())

    def standings(self, exam: Exam, earlier: Iterable[str]) -> dict[str, Standing]:
        """The same of each exam, by its id; the open one first."""
        now = self._people(exam.patient.patient_id)
        confirmed = self._confirmed.get(exam.exam_id)
        others = (self._outbox.exam(one) for one in dict.fromkeys(earlier) if one != exam.exam_id)
        standings = {
            one.exam_id: self._standing(one, now, confirmed or self._outbox.known_wording(one))
            for one in others
        }
        own = self._standing(exam, now, self._outbox.known_wording(exam))
        return {exam.exam_id: own, **standings}

    def _standing(self, exam: Exam, now: PersonNow | None, known: Patient | None) -> Standing:
        doubted = self._orders.is_doubted(exam, now)
        return standing_of(exam, now, known, is_order_doubted=doubted)

    def confirm(
        self, exam: Exam, patient: Patient, identified_by: IdentifiedBy, operator: Operator
    ) -> None:
        """Somebody identified the patient of an open exam once more, in this wording: trail."""
        self._outbox.record_about(
            exam, operator, AuditAction.IDENTITY_CHECKED, {"identified-by": identified_by}
        )
        self._confirmed[exam.exam_id] = patient
        self._outbox.note_known_wording(exam, patient)

    def follow(self, exam: Exam) -> None:
        """Writes into the trail that the feed words the patient of an open exam anew; once each."""
        standing = self.standing(exam)
        known, patient = standing.known, standing.patient
        if known is not None and known != (self._outbox.known_wording(exam) or exam.patient):
            self._outbox.note_known_wording(exam, known)
        before = self._followed.get(exam.exam_id, exam.patient)
        if not (changed := differences(before, patient)):
            return
        self._followed[exam.exam_id] = patient
        details = {"changed": ",".join(changed)}
        self._outbox.record_about(exam, exam.operator, AuditAction.WORDING_FOLLOWED, details)

    def hindrances(self, exam: Exam) -> tuple[Reason, ...]:
        """What the feeds say now against sending pictures of an exam that are on their way, whose
        patient is worded as they are sealed.
        """
        return hindrances_of(self._standing(exam, self._people(exam.patient.patient_id), None))

    def look_at_orders(self) -> None:
        """Notes which exams whose pictures wait have an order that is another patient's now; asked
        whenever the feeds said something. Raises StoreError.
        """
        self._orders.look(self._people)

    def carry(self, exam: Exam, anew: Exam) -> None:
        """The exam goes on as another one: what was said of it holds for that."""
        for noted in (self._confirmed, self._followed):
            if (said := noted.get(exam.exam_id)) is not None:
                noted[anew.exam_id] = said
