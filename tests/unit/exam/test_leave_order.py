"""An order that a worklist gave to another patient: its pictures stop, and go on without it."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from capture_app.audit.trail import read_trail
from capture_app.clock import FixedClock
from capture_app.dicom import part10
from capture_app.errors import RuleError
from capture_app.exam.session import ExamService
from capture_app.exam.standing import Stop
from capture_app.imaging import surgery
from capture_app.model.audit_event import AuditAction, AuditEvent
from capture_app.model.delivery import ImageState
from capture_app.model.exam import Exam
from capture_app.model.operator import Operator, Role
from capture_app.model.patient import Sex
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.recovery.start_up import recover
from capture_app.outbox.sealing.seal import Sending
from capture_app.outbox.steps.tasks import claim, open_tasks
from capture_app.store.sealed import open_sealed
from tests import outboxes, sealing
from tests.outboxes import PACS
from tests.unit.exam.examining import FEED, SCAN, as_kept, entry, frame

pytestmark = pytest.mark.expects_log("order-doubted")

THEIRS = frozenset({sealing.ORDER.key})


def moved_away(clock: FixedClock) -> None:
    """The worklist gives the order to somebody else."""
    entry(clock, orders=())
    FEED.orders_of_others = THEIRS


def dropped(clock: FixedClock) -> None:
    """And some time later to nobody any more."""
    entry(clock, orders=())
    FEED.orders_of_others = frozenset()


@pytest.fixture
def exam(exams: ExamService, clock: FixedClock) -> Exam:
    return exams.open(entry(clock), sealing.NURSE, SCAN, order=sealing.ORDER)


def trail(outbox: Outbox, action: AuditAction) -> list[AuditEvent]:
    rows = read_trail(outbox.spool.database.read())
    return [row.event for row in rows if row.event.action is action]


def sealed(outbox: Outbox) -> Iterator[tuple[str, str, str, bool]]:
    for path in sorted(outbox.spool.instances.glob("*.sealed")):
        ds = part10.read(open_sealed(path, outbox.spool.cipher).content)
        yield (
            str(ds.StudyInstanceUID),
            str(ds.get("AccessionNumber", "")),
            str(ds.PatientID),
            "RequestAttributesSequence" in ds or "ReferencedRequestSequence" in ds,
        )


def test_what_nobody_had_open_is_seen_by_who_watches_and_stays_seen(
    exams: ExamService, outbox: Outbox, clock: FixedClock, exam: Exam, tmp_path: Path
) -> None:
    outboxes.keep(outbox, exam)
    exams.close()
    exams.look_at_orders()
    assert not trail(outbox, AuditAction.STOPPED_BY_FEED)
    moved_away(clock)
    exams.look_at_orders()
    exams.look_at_orders()
    (event,) = trail(outbox, AuditAction.STOPPED_BY_FEED)
    assert (event.exam_id, event.details) == (exam.exam_id, {"reason": "order-doubted"})
    dropped(clock)
    again = outboxes.open_outbox(tmp_path, clock)
    others = ExamService(
        *(again, sealing.catalog(), clock, sealing.STATION),
        *(FEED.get_now, FEED.get_orders, surgery),
    )
    assert others.standing(exam).stop is Stop.ORDER_DOUBTED
    (draft,) = others.drafts_by_patient()
    reopened = others.reopen(exam.exam_id, sealing.NURSE, SCAN, shown=draft.patient)
    assert reopened.order is None
    assert reopened.study_instance_uid != sealing.ORDER.study_instance_uid
    assert others.standing(reopened).stop is None
    assert others.standing(reopened, [exam.exam_id]).stop is Stop.ORDER_DOUBTED
    outboxes.close(again)


def test_without_the_order_they_are_sent_in_a_study_of_their_own(
    exams: ExamService, outbox: Outbox, clock: FixedClock, exam: Exam
) -> None:
    one, two = outboxes.keep(outbox, exam), outboxes.keep(outbox, exam)
    assert isinstance(exams.send(exam, as_kept(outbox, two), shown=sealing.MAI), Sending)
    coded = as_kept(outbox, one, two)
    moved_away(clock)
    assert exams.standing(exam).stop is Stop.ORDER_DOUBTED
    dropped(clock)
    left = exams.leave_order(exam, (), sealing.NURSE)
    assert left.capture_ids == {one, two}
    assert left.stayed == 0
    assert left.exam.order is None
    assert left.exam.is_without_order_of(exam)
    assert as_kept(outbox, one, two) == coded
    (event,) = trail(outbox, AuditAction.ORDER_LEFT)
    assert event.exam_id == left.exam.exam_id
    assert event.details == {"of-exam": exam.exam_id, "images": "2", "stayed": "0"}
    (back,) = trail(outbox, AuditAction.CALLED_BACK)
    assert (back.sop_instance_uid, back.details) == (two, {"reason": "order-left"})
    assert exams.standing(left.exam).stop is None
    three = exams.take(left.exam, frame(clock), device=sealing.CAMERA)
    exams.describe({three: outbox.description_of(three)}, coded[one], sealing.NURSE)
    with pytest.raises(RuleError, match="Another patient is open"):
        exams.take(exam, frame(clock), device=sealing.CAMERA)
    sent = exams.send(left.exam, as_kept(outbox, one, two, three), shown=sealing.MAI)
    assert isinstance(sent, Sending)
    found = list(sealed(outbox))
    assert len(found) == 3
    assert {study for study, *_ in found} == {left.exam.study_instance_uid}
    assert {row[1:] for row in found} == {("", sealing.MAI.patient_id.value, False)}
    assert left.exam.study_instance_uid != sealing.ORDER.study_instance_uid
    assert two not in {s.sop_instance_uid for s in outbox.statuses()}, "sealed anew: a new UID"


def test_what_an_archive_may_have_stays_where_it_is_and_is_counted(
    exams: ExamService, outbox: Outbox, clock: FixedClock, exam: Exam
) -> None:
    one, two = outboxes.keep(outbox, exam), outboxes.keep(outbox, exam)
    exams.send(exam, as_kept(outbox, one), shown=sealing.MAI)
    recover(outbox.spool, [PACS])
    assert len(claim(outbox.spool, open_tasks(outbox.spool))) == 1
    moved_away(clock)
    assert exams.standing(exam).stop is Stop.ORDER_DOUBTED
    left = exams.leave_order(exam, (), sealing.NURSE)
    assert left.capture_ids == {two}
    assert left.stayed == 1
    assert outbox.exam_of(one) == exam
    assert outbox.exam_of(two) == left.exam


def test_a_deleted_draft_is_brought_back_without_the_order_too(
    exams: ExamService, outbox: Outbox, clock: FixedClock, exam: Exam
) -> None:
    capture_id = outboxes.keep(outbox, exam)
    seen = as_kept(outbox, capture_id)
    exams.delete(seen, sealing.NURSE)
    moved_away(clock)
    exams.look_at_orders()
    left = exams.leave_order(exam, (), sealing.NURSE)
    exams.restore(seen, sealing.NURSE)
    assert outbox.exam_of(capture_id) == left.exam


@pytest.mark.parametrize("role", [Role.CORRECT, Role.AUDIT])
def test_who_takes_no_pictures_leaves_no_order(
    exams: ExamService, outbox: Outbox, clock: FixedClock, exam: Exam, role: Role
) -> None:
    capture_id = outboxes.keep(outbox, exam)
    moved_away(clock)
    exams.look_at_orders()
    with pytest.raises(RuleError, match="roles do not allow"):
        exams.leave_order(exam, (), Operator("other", "Other", (role,)))
    assert outbox.exam_of(capture_id) == exam


def test_an_order_that_is_not_in_doubt_is_not_left(
    exams: ExamService, outbox: Outbox, clock: FixedClock, exam: Exam
) -> None:
    capture_id = outboxes.keep(outbox, exam)
    with pytest.raises(RuleError, match="not another patient's"):
        exams.leave_order(exam, (), sealing.NURSE)
    assert outbox.exam_of(capture_id) == exam
    moved_away(clock)
    exams.look_at_orders()


def test_an_order_without_a_study_is_known_by_its_accession_number(
    exams: ExamService, outbox: Outbox, clock: FixedClock
) -> None:
    bare = replace(sealing.ORDER, study_instance_uid="")
    exam = exams.open(entry(clock, orders=(bare,)), sealing.NURSE, SCAN, order=bare)
    outboxes.keep(outbox, exam)
    FEED.orders_of_others = frozenset({bare.key})
    assert bare.accession_number in bare.key
    assert exams.standing(exam).stop is Stop.ORDER_DOUBTED


def test_stopped_pictures_are_sent_without_it_from_the_outbox_at_once(
    exams: ExamService, outbox: Outbox, clock: FixedClock, exam: Exam
) -> None:
    one = outboxes.keep(outbox, exam)
    exams.send(exam, as_kept(outbox, one), shown=sealing.MAI)
    moved_away(clock)
    exams.look_at_orders()
    seen = {one: ImageState.HELD}
    with pytest.raises(RuleError, match="otherwise by now"):
        exams.send_without_order([one], sealing.NURSE, {one: ImageState.QUEUED}, sealing.MAI)
    sent = exams.send_without_order([one], sealing.NURSE, seen, sealing.MAI)
    assert sent.sending.capture_ids
    assert sent.called_back == 0
    ((study, accession, _, is_requested),) = sealed(outbox)
    assert study != sealing.ORDER.study_instance_uid
    assert (accession, is_requested) == ("", False)


def test_others_that_were_sent_under_it_are_told_as_drafts_and_what_is_away_stays(
    exams: ExamService, outbox: Outbox, clock: FixedClock, exam: Exam
) -> None:
    one, two, three = (outboxes.keep(outbox, exam) for _ in range(3))
    for each in (one, two):
        exams.send(exam, as_kept(outbox, each), shown=sealing.MAI)
    moved_away(clock)
    exams.look_at_orders()
    seen = {one: ImageState.HELD}
    assert exams.send_without_order([one], sealing.NURSE, seen, sealing.MAI).called_back == 1
    assert outbox.exam_of(two) == outbox.exam_of(three) != exam
    entry(clock)
    FEED.orders_of_others = frozenset()
    again = exams.open(entry(clock), sealing.NURSE, SCAN, order=sealing.ORDER)
    away = outboxes.keep(outbox, again)
    exams.send(again, as_kept(outbox, away), shown=sealing.MAI)
    recover(outbox.spool, [PACS])
    moved_away(clock)
    exams.look_at_orders()
    claim(outbox.spool, open_tasks(outbox.spool))
    states = {s.sop_instance_uid: s.state for s in outbox.statuses() if s.capture_id == away}
    with pytest.raises(RuleError, match="may have these pictures by now"):
        exams.send_without_order([away], sealing.NURSE, states, sealing.MAI)
    assert outbox.exam_of(away) == again


def test_an_order_under_a_new_study_is_known_by_its_accession_number(
    exams: ExamService, outbox: Outbox, clock: FixedClock, exam: Exam
) -> None:
    outboxes.keep(outbox, exam)
    assert sealing.ORDER.key != sealing.ORDER.accession_key
    FEED.orders_of_others = frozenset({sealing.ORDER.accession_key})
    assert exams.standing(exam).stop is Stop.ORDER_DOUBTED


def test_where_that_cannot_be_sent_it_is_a_draft_without_the_order(
    exams: ExamService, outbox: Outbox, clock: FixedClock, exam: Exam
) -> None:
    one = outboxes.keep(outbox, exam)
    exams.send(exam, as_kept(outbox, one), shown=sealing.MAI)
    moved_away(clock)
    exams.look_at_orders()
    entry(clock, orders=(), patient=replace(sealing.MAI, sex=Sex.UNKNOWN))
    with pytest.raises(RuleError, match=r"drafts without the order now\. The feed changed"):
        exams.send_without_order([one], sealing.NURSE, {one: ImageState.HELD}, sealing.MAI)
    (status,) = outbox.statuses()
    assert status.state is ImageState.DRAFT
    assert outbox.exam_of(one).order is None


def test_a_row_that_names_another_exam_moves_no_picture(
    exams: ExamService, outbox: Outbox, clock: FixedClock, exam: Exam
) -> None:
    """Damage that names an exam of another visit counts for nothing: the file says whose it is."""
    capture_id = outboxes.keep(outbox, exam)
    other = outboxes.begin(outbox, clock, encounter=replace(sealing.VISIT, visit_number="V9"))
    with outbox.spool.database.transaction() as connection:
        connection.execute("UPDATE capture SET exam_id = ?", (other.exam_id,))
    outbox.seal([capture_id], sealing.NURSE)
    ((study, accession, _, is_requested),) = sealed(outbox)
    assert study == sealing.ORDER.study_instance_uid
    assert accession == sealing.ORDER.accession_number
    assert is_requested
    moved_away(clock)
    exams.standing(exam)


@pytest.mark.parametrize("fails_at", ["exam", "capture", "audit"])
def test_it_is_done_whole_or_not_at_all(
    exams: ExamService, outbox: Outbox, clock: FixedClock, exam: Exam, fails_at: str
) -> None:
    one, two = outboxes.keep(outbox, exam), outboxes.keep(outbox, exam)
    exams.send(exam, as_kept(outbox, two), shown=sealing.MAI)
    moved_away(clock)
    exams.look_at_orders()
    act = {"capture": "UPDATE OF exam_id ON capture"}.get(fails_at, f"INSERT ON {fails_at}")
    with outbox.spool.database.transaction() as connection:
        connection.execute(
            f"CREATE TRIGGER no_room BEFORE {act} BEGIN SELECT RAISE(ABORT, 'no room'); END"
        )
    with pytest.raises(sqlite3.IntegrityError, match="no room"):
        exams.leave_order(exam, (), sealing.NURSE)
    with outbox.spool.database.transaction() as connection:
        connection.execute("DROP TRIGGER no_room")
    assert {outbox.exam_of(capture_id) for capture_id in (one, two)} == {exam}
    assert outbox.counts().held == 1
    assert exams.leave_order(exam, (), sealing.NURSE).capture_ids == {one, two}
