from dataclasses import replace
from datetime import date
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from capture_app.audit.trail import read_trail
from capture_app.clock import FixedClock
from capture_app.errors import ChangedSinceSeenError, RuleError
from capture_app.exam.encoding import Picture
from capture_app.exam.rules import MissingPart
from capture_app.exam.session import ExamService, Stopped
from capture_app.exam.standing import Stop, WordingPart
from capture_app.imaging import surgery
from capture_app.model.audit_event import AuditAction, EventOutcome
from capture_app.model.delivery import ImageState
from capture_app.model.device import DeviceKind
from capture_app.model.encoded_image import Handling, PixelCoding
from capture_app.model.encounter import EncounterState
from capture_app.model.operator import Operator, Role
from capture_app.model.patient import NameGroup, PatientId, PersonName, Sex
from capture_app.model.procedure import Description, Side
from capture_app.model.worklist import Doubt, IdentifiedBy
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.sealing.seal import Sending
from tests import outboxes, sealing
from tests.jpeg_parts import entropy_coded
from tests.unit.exam.examining import FEED, SCAN, as_kept, entry, frame

DOCTOR = Operator("twong", "T. Wong, MD", (Role.CAPTURE,))


def test_an_exam_is_frozen_from_the_list_and_the_settings(
    exams: ExamService, outbox: Outbox, clock: FixedClock
) -> None:
    exam = exams.open(entry(clock), sealing.NURSE, SCAN, order=sealing.ORDER)
    assert (exam.patient, exam.encounter, exam.order) == (
        sealing.MAI,
        sealing.VISIT,
        sealing.ORDER,
    )
    assert (exam.department, exam.station_name) == ("Wound care", "TROLLEY-4B")
    assert exam.study_instance_uid == sealing.ORDER.study_instance_uid
    assert outbox.exam(exam.exam_id) == exam
    (row,) = read_trail(outbox.spool.database.read())
    assert row.event.action is AuditAction.PATIENT_OPENED
    assert row.event.details == {"identified-by": "scan", "order": "used"}


def test_an_order_is_chosen_before_the_first_picture_and_audited(
    exams: ExamService, outbox: Outbox, clock: FixedClock
) -> None:
    plain = exams.open(entry(clock), sealing.NURSE, SCAN)
    assert plain.order is None
    assert plain.study_instance_uid != sealing.ORDER.study_instance_uid
    seen = frame(clock)
    clock.advance(1)
    ordered = exams.choose_order(plain, sealing.ORDER, (sealing.ORDER,))
    assert ordered.exam_id != plain.exam_id
    assert ordered.study_instance_uid == sealing.ORDER.study_instance_uid
    assert replace(ordered, exam_id="", order=None, study_instance_uid="") == replace(
        plain, exam_id="", study_instance_uid=""
    )
    with pytest.raises(RuleError, match="Another patient"):
        exams.take(plain, seen, device=sealing.CAMERA)
    # What the camera showed of this patient before the order was chosen is no other patient's.
    taken = exams.take(ordered, seen, device=sealing.CAMERA)
    assert outbox.exam_of(taken) == ordered
    opened, chosen = [row.event for row in read_trail(outbox.spool.database.read())][:2]
    assert (opened.action, opened.details["order"]) == (AuditAction.PATIENT_OPENED, "none")
    assert (chosen.action, chosen.details["order"]) == (AuditAction.ORDER_CHOSEN, "used")
    assert (chosen.exam_id, chosen.study_instance_uid) == (
        ordered.exam_id,
        sealing.ORDER.study_instance_uid,
    )
    assert chosen.patient_key == opened.patient_key


def test_an_order_is_declined_again_and_the_study_is_the_one_without(
    exams: ExamService, clock: FixedClock
) -> None:
    plain = exams.open(entry(clock), sealing.NURSE, SCAN)
    ordered = exams.choose_order(plain, sealing.ORDER, (sealing.ORDER,))
    again = exams.choose_order(ordered, None)
    assert again.order is None
    assert again.study_instance_uid == plain.study_instance_uid


def test_after_a_picture_the_order_stays_until_the_picture_is_deleted(
    exams: ExamService, outbox: Outbox, clock: FixedClock
) -> None:
    exam = exams.open(entry(clock), sealing.NURSE, SCAN)
    clock.advance(1)
    taken = exams.take(exam, frame(clock), device=sealing.CAMERA)
    with pytest.raises(RuleError, match="taken already"):
        exams.choose_order(exam, sealing.ORDER, (sealing.ORDER,))
    exams.delete(as_kept(outbox, taken), sealing.NURSE)
    ordered = exams.choose_order(exam, sealing.ORDER, (sealing.ORDER,))
    exams.restore(as_kept(outbox, taken), sealing.NURSE)
    assert outbox.exam_of(taken).order is None
    assert ordered.order == sealing.ORDER


def test_another_patients_order_and_a_closed_exam_are_refused(
    exams: ExamService, outbox: Outbox, clock: FixedClock
) -> None:
    exam = exams.open(entry(clock), sealing.NURSE, SCAN)
    with pytest.raises(RuleError, match="not one of the patient's"):
        exams.choose_order(exam, sealing.ORDER, (replace(sealing.ORDER, accession_number="X"),))
    exams.close()
    with pytest.raises(RuleError, match="Another patient"):
        exams.choose_order(exam, sealing.ORDER, (sealing.ORDER,))
    assert len(list(read_trail(outbox.spool.database.read()))) == 1


def test_whom_no_picture_can_be_filed_for_is_not_opened(
    exams: ExamService, outbox: Outbox, clock: FixedClock
) -> None:
    nobody = replace(sealing.MAI, patient_id=PatientId("", "ST_ANNE"))
    cancelled = replace(sealing.VISIT, state=EncounterState.CANCELLED)
    other = replace(sealing.ORDER, accession_number="A4712")
    with pytest.raises(RuleError, match="no record number"):
        exams.open(entry(clock, patient=nobody), sealing.NURSE, SCAN)
    with pytest.raises(RuleError, match="cancelled"):
        exams.open(entry(clock, encounter=cancelled), sealing.NURSE, SCAN)
    with pytest.raises(RuleError, match="not one of"):
        exams.open(entry(clock), sealing.NURSE, SCAN, order=other)
    assert not list(read_trail(outbox.spool.database.read()))


def test_the_cameras_jpeg_is_kept_untouched(
    exams: ExamService, outbox: Outbox, clock: FixedClock
) -> None:
    exam = exams.open(entry(clock), sealing.NURSE, SCAN)
    safe: list[str] = []
    capture_id = exams.take(exam, frame(clock), device=sealing.CAMERA, on_safe=safe.append)
    assert safe == [capture_id]
    kept = outbox.image_of(capture_id)
    assert kept.coding is PixelCoding.JPEG_BASELINE
    assert entropy_coded(kept.data) == entropy_coded(sealing.jpeg())


@pytest.mark.parametrize(
    ("kind", "lossy"),
    [
        (DeviceKind.CAMERA, False),
        (DeviceKind.SYNTHETIC, False),
        (DeviceKind.STREAM, True),
        (DeviceKind.FILE, True),
    ],
)
def test_other_frames_are_kept_losslessly_and_say_where_they_come_from(
    exams: ExamService, outbox: Outbox, clock: FixedClock, kind: DeviceKind, *, lossy: bool
) -> None:
    exam = exams.open(entry(clock), sealing.NURSE, SCAN)
    device = replace(sealing.CAMERA, kind=kind)
    kept = outbox.image_of(exams.take(exam, frame(clock, jpeg=None), device=device))
    assert kept.coding is PixelCoding.RGB
    assert kept.data == sealing.pixels().tobytes()
    assert kept.came_from_lossy is lossy


def test_a_jpeg_that_is_no_baseline_is_kept_whole_though_shown_smaller(
    exams: ExamService, outbox: Outbox, clock: FixedClock
) -> None:
    progressive = BytesIO()
    Image.fromarray(sealing.pixels()).save(progressive, "JPEG", progressive=True)
    exam = exams.open(entry(clock), sealing.NURSE, SCAN)
    shown = sealing.pixels()[::2, ::2]
    odd = replace(frame(clock, jpeg=progressive.getvalue()), pixels=shown)
    kept = outbox.image_of(exams.take(exam, odd, device=sealing.CAMERA))
    assert (kept.coding, kept.handling) == (PixelCoding.JPEG_BASELINE, Handling.MADE_BASELINE)
    assert (kept.rows, kept.columns) == sealing.pixels().shape[:2]
    last = list(read_trail(outbox.spool.database.read()))[-1].event
    assert (last.action, last.details["handling"]) == (AuditAction.CAPTURED, "made-baseline")


def test_a_frame_from_before_the_exam_is_refused(
    exams: ExamService, outbox: Outbox, clock: FixedClock
) -> None:
    stale = frame(clock)
    clock.advance(0.001)
    exam = exams.open(entry(clock), sealing.NURSE, SCAN)
    with pytest.raises(RuleError, match="before the exam began"):
        exams.take(exam, stale, device=sealing.CAMERA)
    assert exams.take(exam, frame(clock), device=sealing.CAMERA)
    assert len(outbox.drafts()) == 1


def test_only_the_open_exam_takes_pictures(
    exams: ExamService, outbox: Outbox, clock: FixedClock
) -> None:
    first = exams.open(entry(clock), sealing.NURSE, SCAN)
    other = replace(sealing.MAI, patient_id=PatientId("77", "ST_ANNE"))
    second = exams.open(entry(clock, patient=other), sealing.NURSE, SCAN)
    with pytest.raises(RuleError, match="Another patient"):
        exams.take(first, frame(clock), device=sealing.CAMERA)
    with pytest.raises(RuleError, match="another device"):
        exams.take(second, frame(clock, device_id="usb-9"), device=sealing.CAMERA)
    exams.close()
    with pytest.raises(RuleError, match="Another patient"):
        exams.take(second, frame(clock), device=sealing.CAMERA)
    with pytest.raises(RuleError, match="Another patient"):
        exams.keep(second, Picture(sealing.photo(), clock.now()), device=sealing.CAMERA)
    assert not outbox.drafts()


def test_after_a_lock_nothing_is_taken_that_the_camera_saw_before(
    exams: ExamService, outbox: Outbox, clock: FixedClock
) -> None:
    exam = exams.open(entry(clock), sealing.NURSE, SCAN)
    clock.advance(5)
    seen_before = frame(clock)
    exams.close()
    clock.advance(60)
    exams.resume(exam)
    with pytest.raises(RuleError, match="before the exam began"):
        exams.take(exam, seen_before, device=sealing.CAMERA)
    assert not outbox.drafts()
    exams.take(exam, frame(clock), device=sealing.CAMERA)
    assert len(outbox.drafts()) == 1


def test_what_follows_from_the_procedure_is_filled_in(exams: ExamService) -> None:
    chosen = sealing.description()
    bare = Description(chosen.procedure, chosen.region)
    completed = exams.completed(bare)
    assert chosen.procedure is not None
    assert (completed.purpose, completed.keep, completed.consent) == sealing.catalog().defaults(
        chosen.procedure
    )
    assert completed.side is None, "a side is never guessed where there are two"
    left_only = sealing.catalog().region("61439", "FMA")
    assert left_only is not None
    assert exams.completed(replace(bare, region=left_only)).side is Side.LEFT
    assert exams.completed(Description()) == Description()
    other = sealing.catalog().purposes[1]
    assert exams.completed(replace(bare, purpose=other)).purpose == other
    for purpose in sealing.catalog().purposes:  # teaching and quality are a choice of a person
        keep = exams.completed(replace(bare, purpose=purpose)).keep
        assert (keep is None) is purpose.asks_keep


def test_send_stops_and_says_what_is_missing_of_each(
    exams: ExamService, outbox: Outbox, clock: FixedClock
) -> None:
    exam = exams.open(entry(clock), sealing.NURSE, SCAN)
    good = exams.take(exam, frame(clock), device=sealing.CAMERA, description=sealing.description())
    bare = exams.take(exam, frame(clock), device=sealing.CAMERA)
    sideless = exams.take(
        exam, frame(clock), device=sealing.CAMERA, description=sealing.description(side=None)
    )
    stopped = exams.send(exam, as_kept(outbox, good, bare, sideless), shown=sealing.MAI)
    assert isinstance(stopped, Stopped)
    assert [(capture_id, missing.parts) for capture_id, missing in stopped.missing] == [
        (bare, (MissingPart.PROCEDURE, MissingPart.REGION)),
        (sideless, (MissingPart.SIDE,)),
    ]
    assert {s.state for s in outbox.statuses()} == {ImageState.DRAFT}
    exams.describe(as_kept(outbox, bare, sideless), sealing.description(), sealing.NURSE)
    sending = exams.send(exam, as_kept(outbox, good, bare, sideless), shown=sealing.MAI)
    assert isinstance(sending, Sending)
    assert {s.state for s in outbox.statuses()} == {ImageState.HELD}
    assert exams.undo(sending.send_id, sealing.NURSE)
    assert len(outbox.drafts()) == 3


def test_an_act_on_what_another_window_changed_is_refused_and_changes_nothing(
    exams: ExamService, outbox: Outbox, clock: FixedClock
) -> None:
    heel = sealing.description()
    knee = sealing.description(side=Side.RIGHT)
    exam = exams.open(entry(clock), sealing.NURSE, SCAN)
    one = exams.take(exam, frame(clock), device=sealing.CAMERA, description=heel)
    two = exams.take(exam, frame(clock), device=sealing.CAMERA, description=heel)
    seen = as_kept(outbox, one, two)
    exams.describe(as_kept(outbox, two), knee, DOCTOR)  # the other window
    trail = len(list(read_trail(outbox.spool.database.read())))
    for act in (
        lambda: exams.send(exam, seen, shown=sealing.MAI),
        lambda: exams.delete(seen, sealing.NURSE),
        lambda: exams.describe(seen, sealing.description(purpose=1), sealing.NURSE),
    ):
        with pytest.raises(ChangedSinceSeenError, match="another window"):
            act()
    assert as_kept(outbox, one, two) == {one: heel, two: exams.completed(knee)}
    assert {s.state for s in outbox.statuses()} == {ImageState.DRAFT}
    assert len(list(read_trail(outbox.spool.database.read()))) == trail
    exams.delete(as_kept(outbox, one), sealing.NURSE)
    exams.restore({one: heel}, sealing.NURSE)
    with pytest.raises(RuleError, match="brought back already"):
        exams.restore({one: heel}, DOCTOR)
    assert isinstance(exams.send(exam, as_kept(outbox, one, two), shown=sealing.MAI), Sending)


def test_pictures_of_another_patient_are_not_sent_along(
    exams: ExamService, outbox: Outbox, clock: FixedClock
) -> None:
    def taken(patient_id: str) -> tuple[str, str]:
        someone = replace(sealing.MAI, patient_id=PatientId(patient_id, "ST_ANNE"))
        exam = exams.open(entry(clock, patient=someone), sealing.NURSE, SCAN)
        shot = frame(clock)
        described = sealing.description()
        return exam.exam_id, exams.take(exam, shot, device=sealing.CAMERA, description=described)

    _, first = taken("1")
    exam_id, second = taken("2")
    with pytest.raises(RuleError, match="another patient"):
        exams.send(
            outbox.exam(exam_id), as_kept(outbox, second, first), shown=outbox.exam(exam_id).patient
        )
    assert {s.state for s in outbox.statuses()} == {ImageState.DRAFT}


def test_drafts_wait_with_their_patient_and_are_told_after_an_hour(
    exams: ExamService, outbox: Outbox, clock: FixedClock
) -> None:
    first = exams.open(entry(clock), sealing.NURSE, SCAN)
    old = exams.take(first, frame(clock), device=sealing.CAMERA)
    clock.advance(3600)
    reopened = exams.reopen(
        first.exam_id, DOCTOR, IdentifiedBy.YEAR_AND_NUMBER, shown=first.patient
    )
    assert (reopened.patient, reopened.identified_by) == (
        sealing.MAI,
        IdentifiedBy.YEAR_AND_NUMBER,
    )
    assert reopened.study_instance_uid == first.study_instance_uid
    new = exams.take(reopened, frame(clock), device=sealing.CAMERA)
    other = replace(sealing.MAI, patient_id=PatientId("77", "ST_ANNE"))
    stranger = exams.open(entry(clock, patient=other), DOCTOR, SCAN)
    exams.take(stranger, frame(clock), device=sealing.CAMERA)
    mai, someone = exams.drafts_by_patient()
    assert [draft.capture_id for draft in mai.drafts] == [old, new]
    assert (mai.exam, mai.is_overdue) == (reopened, True)
    assert (someone.exam, someone.is_overdue) == (stranger, False)
    (mine,) = exams.drafts_by_patient(sealing.NURSE)
    assert [draft.capture_id for draft in mine.drafts] == [old]
    described = sealing.description()
    exams.describe(as_kept(outbox, old, new), described, DOCTOR)
    assert isinstance(
        exams.send(reopened, as_kept(outbox, old, new), DOCTOR, shown=sealing.MAI), Sending
    )
    left = as_kept(outbox, someone.drafts[0].capture_id)
    exams.delete(left, DOCTOR)
    assert exams.drafts_by_patient() == ()
    exams.restore(left, DOCTOR)
    assert len(exams.drafts_by_patient()) == 1


def test_a_failed_identity_check_is_in_the_trail_and_opens_nothing(
    exams: ExamService, outbox: Outbox
) -> None:
    exams.identity_check_failed(sealing.MAI, sealing.NURSE)
    (row,) = read_trail(outbox.spool.database.read())
    assert row.event.action is AuditAction.IDENTITY_CHECK_FAILED
    assert row.event.outcome is EventOutcome.MINOR_FAILURE
    assert row.event.patient_key == outbox.patient_key(sealing.exam())


def test_a_visit_number_that_two_patients_hold_goes_into_no_exam(
    exams: ExamService, clock: FixedClock
) -> None:
    doubted = entry(clock, doubts=frozenset({Doubt.SHARED_VISIT_NUMBER}))
    exam = exams.open(doubted, sealing.NURSE, SCAN)
    assert exam.visit_to_record == replace(sealing.VISIT, visit_number="", issuer="")


def test_a_visit_whose_number_is_shared_stops_the_exam_when_it_is_cancelled(
    exams: ExamService, clock: FixedClock
) -> None:
    doubted = entry(clock, doubts=frozenset({Doubt.SHARED_VISIT_NUMBER}))
    exam = exams.open(doubted, sealing.NURSE, SCAN)
    capture_id = exams.take(exam, frame(clock), device=sealing.CAMERA)
    cancelled = replace(sealing.VISIT, state=EncounterState.CANCELLED)
    entry(clock, encounter=cancelled, orders=())
    assert exams.standing(exam).stop is Stop.VISIT_CANCELLED
    seen = {capture_id: sealing.description()}
    exams.describe({capture_id: Description()}, sealing.description(), sealing.NURSE)
    with pytest.raises(RuleError, match="visit was cancelled"):
        exams.send(exam, seen, shown=sealing.MAI)


def test_an_order_of_a_study_that_two_patients_have_is_refused_in_words(
    exams: ExamService, clock: FixedClock
) -> None:
    shared = frozenset({sealing.ORDER.study_instance_uid})
    row = entry(clock)
    plain = exams.open(row, sealing.NURSE, SCAN)
    entry(clock, doubts=frozenset({Doubt.SHARED_STUDY_UID}), shared_studies=shared)
    with pytest.raises(RuleError, match="Another patient has this order too"):
        exams.open(row, sealing.NURSE, SCAN, order=sealing.ORDER)
    with pytest.raises(RuleError, match="Another patient has this order too"):
        exams.choose_order(plain, sealing.ORDER, (sealing.ORDER,))
    entry(clock)
    assert exams.choose_order(plain, sealing.ORDER, (sealing.ORDER,)).order == sealing.ORDER


def test_a_patient_who_became_known_is_not_somebody_else_unasked(
    exams: ExamService, clock: FixedClock
) -> None:
    unnamed = PersonName(NameGroup("Unknown", "Trauma 7"))
    nobody = replace(sealing.MAI, name=unnamed, birth_date=None, sex=Sex.UNKNOWN)
    exam = exams.open(entry(clock, patient=nobody), sealing.NURSE, SCAN)
    entry(clock, patient=sealing.MAI)
    assert exams.standing(exam).asks == ()
    exams.follow(exam)
    other = PersonName(NameGroup("Jones", "Mary"))
    entry(clock, patient=replace(sealing.MAI, name=other, birth_date=date(1980, 1, 1)))
    exams.follow(exam)
    assert exams.standing(exam).asks == (WordingPart.NAME, WordingPart.BIRTH_DATE)
    exam = exams.choose_order(exam, sealing.ORDER, (sealing.ORDER,))
    assert exams.standing(exam).asks == (WordingPart.NAME, WordingPart.BIRTH_DATE)
    capture_id = exams.take(exam, frame(clock), device=sealing.CAMERA)
    exams.describe({capture_id: Description()}, sealing.description(), sealing.NURSE)
    with pytest.raises(RuleError, match="changed who this is"):
        exams.send(exam, {capture_id: sealing.description()}, shown=sealing.MAI)


def test_nor_after_a_restart_or_in_another_window(
    exams: ExamService, outbox: Outbox, clock: FixedClock, tmp_path: Path
) -> None:
    unnamed = PersonName(NameGroup("Unknown", "Trauma 7"))
    nobody = replace(sealing.MAI, name=unnamed, birth_date=None, sex=Sex.UNKNOWN)
    exam = exams.open(entry(clock, patient=nobody), sealing.NURSE, SCAN)
    entry(clock, patient=sealing.MAI)
    exams.follow(exam)
    jones = replace(sealing.MAI, name=PersonName(NameGroup("Jones")), birth_date=date(1980, 1, 1))
    row = entry(clock, patient=jones)
    elsewhere = outboxes.open_outbox(tmp_path, clock)
    try:
        others = ExamService(
            *(elsewhere, sealing.catalog(), clock, sealing.STATION),
            *(FEED.get_now, FEED.get_orders, surgery),
        )
        assert others.standing(exam).asks == (WordingPart.NAME, WordingPart.BIRTH_DATE)
        again = others.open(row, sealing.NURSE, SCAN)
        assert others.standing(again).asks == ()
        assert others.standing(again, [exam.exam_id]).asks == (
            WordingPart.NAME,
            WordingPart.BIRTH_DATE,
        )
        others.confirm(again, jones, SCAN, sealing.NURSE)
        assert others.standing(again, [exam.exam_id]).asks == ()
    finally:
        outboxes.close(elsewhere)
    assert outbox.known_wording(exam) == sealing.MAI
