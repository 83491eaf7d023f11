"""An exam from the entry of a list that a person saw: tested by what the feeds say now."""

from __future__ import annotations

from datetime import datetime

from capture_app.clock import Clock
from capture_app.errors import RuleError
from capture_app.exam.doubted_orders import require_own_order
from capture_app.exam.following import People
from capture_app.exam.standing import as_it_is_now
from capture_app.model.exam import Exam
from capture_app.model.operator import Operator
from capture_app.model.order import Order
from capture_app.model.words import tr
from capture_app.model.worklist import Doubt, IdentifiedBy, PatientListEntry
from capture_app.settings.schema import Station


def new_exam(
    entry: PatientListEntry,
    operator: Operator,
    identified_by: IdentifiedBy,
    *,
    people: People,
    clock: Clock,
    station: Station,
    order: Order | None = None,
    is_of_another: bool = False,
    identified_at: datetime | None = None,
) -> Exam:
    """The exam, of no study yet; nothing is written. `is_of_another`: the order is another
    patient's, too. Raises RuleError where the entry has no
    identifier, left the list, is another by now, its visit was cancelled, its number retired; the
    order is none of it or shared.
    """
    if not entry.patient.patient_id.value:
        raise RuleError(tr("This patient has no record number: pictures cannot be filed."))
    entry = as_it_is_now(entry, people(entry.patient.patient_id))
    if order is not None and order not in entry.orders:
        raise RuleError(tr("This order is not one of the patient's orders."))
    require_own_order(is_of_another)
    return Exam(
        exam_id=clock.new_uid(),
        patient=entry.patient,
        encounter=entry.encounter,
        order=order,
        operator=operator,
        study_instance_uid="",
        started_at=clock.now(),
        identified_by=identified_by,
        identified_at=identified_at,
        department=station.department,
        station_name=station.name,
        is_visit_shared=Doubt.SHARED_VISIT_NUMBER in entry.doubts,
    )
