"""What two patients share is never recorded silently, though it was shared after the exam began."""

from dataclasses import replace

import pytest

from capture_app.clock import FixedClock
from capture_app.dicom import part10
from capture_app.errors import RuleError
from capture_app.exam.session import ExamService
from capture_app.exam.standing import Stop
from capture_app.model import reason
from capture_app.model.reason import Reason
from capture_app.model.worklist import Doubt
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.sealing.seal import Sending
from capture_app.store.sealed import open_sealed
from tests import outboxes, sealing
from tests.unit.exam.examining import FEED, SCAN, as_kept, entry

SHARED_VISIT = frozenset({Doubt.SHARED_VISIT_NUMBER})
SHARED_STUDY = {
    "doubts": frozenset({Doubt.SHARED_STUDY_UID}),
    "shared_studies": frozenset({sealing.ORDER.study_instance_uid}),
}


def admission_of(outbox: Outbox, capture_id: str) -> str:
    (path,) = outbox.spool.instances.glob("*.sealed")
    ds = part10.read(open_sealed(path, outbox.spool.cipher, uid=capture_id).content)
    return str(ds.get("AdmissionID", ""))


@pytest.mark.parametrize("is_shared", [False, True])
def test_a_visit_number_that_became_shared_after_the_exam_began_is_left_out_at_seal(
    exams: ExamService,
    outbox: Outbox,
    clock: FixedClock,
    is_shared: bool,
) -> None:
    exam = exams.open(entry(clock), sealing.NURSE, SCAN)
    capture_id = outboxes.keep(outbox, exam)
    assert not exams.standing(exam).is_visit_shared
    if is_shared:
        entry(clock, doubts=SHARED_VISIT)
    assert exams.standing(exam).is_visit_shared is is_shared
    assert isinstance(exams.send(exam, as_kept(outbox, capture_id), shown=sealing.MAI), Sending)
    number = sealing.VISIT.visit_number
    assert admission_of(outbox, capture_id) == ("" if is_shared else number)


@pytest.mark.parametrize("is_shared", [False, True])
def test_a_visit_is_recorded_under_the_number_that_it_has_by_now(
    exams: ExamService, outbox: Outbox, clock: FixedClock, is_shared: bool
) -> None:
    account = replace(sealing.VISIT, visit_number="ACC9")
    exam = exams.open(entry(clock, encounter=account), sealing.NURSE, SCAN)
    capture_id = outboxes.keep(outbox, exam)
    doubts = SHARED_VISIT if is_shared else frozenset()
    entry(clock, encounter=sealing.VISIT, doubts=doubts)
    key = sealing.MAI.patient_id.key
    FEED.people[key] = replace(
        FEED.people[key], by_former_number=(("ACC9", "ST_ANNE", sealing.VISIT),)
    )
    assert exams.standing(exam).is_visit_shared is is_shared
    assert isinstance(exams.send(exam, as_kept(outbox, capture_id), shown=sealing.MAI), Sending)
    number = sealing.VISIT.visit_number
    assert admission_of(outbox, capture_id) == ("" if is_shared else number)


def test_another_visit_of_the_patient_that_is_shared_takes_no_number_away(
    exams: ExamService,
    outbox: Outbox,
    clock: FixedClock,
) -> None:
    exam = exams.open(entry(clock), sealing.NURSE, SCAN)
    entry(clock, encounter=replace(sealing.VISIT, visit_number="V9"), doubts=SHARED_VISIT)
    assert not exams.standing(exam).is_visit_shared


@pytest.mark.expects_log("order-doubted")
def test_a_study_that_became_shared_after_the_exam_began_stops_send_whatever_is_said_since(
    exams: ExamService,
    outbox: Outbox,
    clock: FixedClock,
) -> None:
    exam = exams.open(entry(clock), sealing.NURSE, SCAN, order=sealing.ORDER)
    capture_id = outboxes.keep(outbox, exam)
    entry(clock, **SHARED_STUDY)
    assert exams.standing(exam).stop is Stop.ORDER_DOUBTED
    entry(clock)
    assert exams.standing(exam).stop is Stop.ORDER_DOUBTED
    FEED.people.clear()
    assert exams.standing(exam).stop is Stop.ORDER_DOUBTED
    with pytest.raises(RuleError, match="gave the order to another patient"):
        exams.send(exam, as_kept(outbox, capture_id), shown=sealing.MAI)
    assert not list(outbox.spool.instances.glob("*.sealed"))


@pytest.mark.expects_log("order-doubted")
@pytest.mark.parametrize("is_listed", [False, True])
def test_an_order_that_became_another_patients_alone_stops_send_and_what_is_on_its_way(
    exams: ExamService, outbox: Outbox, clock: FixedClock, *, is_listed: bool
) -> None:
    """The order was moved in the worklist. Who was listed by it alone is not listed any more."""
    exam = exams.open(entry(clock), sealing.NURSE, SCAN, order=sealing.ORDER)
    capture_id = outboxes.keep(outbox, exam)
    entry(clock, orders=())
    assert exams.standing(exam).stop is None, "worklists drop what was done"
    if not is_listed:
        FEED.people.clear()
    FEED.orders_of_others = frozenset({sealing.ORDER.key})
    assert exams.standing(exam).stop is Stop.ORDER_DOUBTED
    assert exams.hindrances(exam) == (Reason(reason.ORDER_DOUBTED),)
    with pytest.raises(RuleError, match="gave the order to another patient"):
        exams.send(exam, as_kept(outbox, capture_id), shown=sealing.MAI)
    without = exams.open(entry(clock), sealing.NURSE, SCAN)
    with pytest.raises(RuleError, match="Another patient has this order too"):
        exams.choose_order(without, sealing.ORDER, [sealing.ORDER])
    with pytest.raises(RuleError, match="Another patient has this order too"):
        exams.open(entry(clock), sealing.NURSE, SCAN, order=sealing.ORDER)


def test_an_exam_without_that_order_is_sent(
    exams: ExamService,
    outbox: Outbox,
    clock: FixedClock,
) -> None:
    exam = exams.open(entry(clock), sealing.NURSE, SCAN)
    capture_id = outboxes.keep(outbox, exam)
    entry(clock, **SHARED_STUDY)
    assert exams.standing(exam).stop is None
    assert isinstance(exams.send(exam, as_kept(outbox, capture_id), shown=sealing.MAI), Sending)
