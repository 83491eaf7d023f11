from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

import pytest
from pydicom.dataset import Dataset

from capture_app.clock import FixedClock
from capture_app.dicom.part10 import read
from capture_app.model.exam import Exam
from capture_app.model.order import Order
from capture_app.model.patient import NameGroup, PatientId, PersonName
from capture_app.model.procedure import Description, Side
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.steps.tasks import read_instance
from capture_app.store.sealed import open_sealed
from tests import sealing
from tests.outboxes import begin, keep
from tests.sealing import description

LEG = description()
FOOT = description(region="56459004")
# Another coded act than photography of a patient.
OTHER_ACT = description("DERM-DERMOSCOPY", region="33712006", side=Side.LEFT)


def sent(outbox: Outbox, exam: Exam, *descriptions: Description) -> list[Dataset]:
    """The datasets that come of pictures that are kept and sent together."""
    kept = [keep(outbox, exam, description=one) for one in descriptions]
    outbox.seal(kept, sealing.NURSE)
    by_capture = {status.capture_id: status.sop_instance_uid for status in outbox.statuses()}
    return [dataset(outbox, by_capture[capture_id]) for capture_id in kept]


def dataset(outbox: Outbox, uid: str) -> Dataset:
    _, file = read_instance(outbox.spool, uid)
    assert file is not None
    return read(open_sealed(outbox.spool.instances / file, outbox.spool.cipher).content)


def test_one_visit_one_act_one_study_over_exams_and_processes(
    outbox: Outbox, clock: FixedClock
) -> None:
    morning = begin(outbox, clock)
    clock.advance(3600)
    noon = begin(outbox, clock)
    (first,) = sent(outbox, morning, LEG)
    (second,) = sent(outbox, noon, FOOT)
    assert first.StudyInstanceUID == second.StudyInstanceUID == morning.study_instance_uid
    assert noon.study_instance_uid == morning.study_instance_uid
    for keyword in ("StudyDate", "StudyTime", "StudyID", "StudyDescription"):
        assert first[keyword] == second[keyword]


def test_a_study_says_the_same_when_the_visit_changes_meanwhile(
    outbox: Outbox, clock: FixedClock
) -> None:
    (first,) = sent(outbox, begin(outbox, clock), LEG)
    doctor = PersonName(NameGroup("Sato", "Kenichi"))
    visit = replace(sealing.VISIT, referring_physician=doctor, reason="Fall")
    (second,) = sent(outbox, begin(outbox, clock, encounter=visit), LEG)
    assert first.StudyInstanceUID == second.StudyInstanceUID
    assert first.ReasonForVisit == "Leg ulcer follow-up"
    for keyword in ("ReferringPhysicianName", "ReasonForVisit", "AdmissionID"):
        assert first[keyword] == second[keyword]


@pytest.mark.parametrize(
    "change",
    [
        {"patient": replace(sealing.MAI, patient_id=PatientId("0012345678", "OTHER"))},
        {"patient": replace(sealing.MAI, patient_id=PatientId("0012345679", "ST_ANNE"))},
        {"encounter": replace(sealing.VISIT, visit_number="V9922")},
        {"encounter": None},
        {"department": "Dermatology"},
    ],
)
def test_another_patient_visit_or_department_is_another_study(
    outbox: Outbox, clock: FixedClock, change: dict[str, object]
) -> None:
    assert (
        begin(outbox, clock).study_instance_uid != begin(outbox, clock, **change).study_instance_uid
    )


def test_another_day_is_another_study_but_midnight_does_not_split_one(
    outbox: Outbox, clock: FixedClock
) -> None:
    clock.at = datetime(2024, 7, 2, 23, 50, tzinfo=clock.at.tzinfo)
    late = begin(outbox, clock)
    (before,) = sent(outbox, late, LEG)
    clock.advance(20 * 60)
    (after,) = sent(outbox, late, LEG)
    assert after.StudyInstanceUID == before.StudyInstanceUID
    assert after.StudyDate == before.StudyDate == "20240702"
    assert begin(outbox, clock).study_instance_uid != late.study_instance_uid


def test_another_coded_act_gets_a_study_of_its_own_and_keeps_it(
    outbox: Outbox, clock: FixedClock
) -> None:
    exam = begin(outbox, clock)
    photo, other = sent(outbox, exam, LEG, OTHER_ACT)
    assert photo.StudyInstanceUID != other.StudyInstanceUID
    assert exam.study_instance_uid in {photo.StudyInstanceUID, other.StudyInstanceUID}
    again, other_again = sent(outbox, begin(outbox, clock), LEG, OTHER_ACT)
    assert again.StudyInstanceUID == photo.StudyInstanceUID
    assert other_again.StudyInstanceUID == other.StudyInstanceUID
    codes = {ds.ProcedureCodeSequence[0].CodeValue for ds in (other, other_again)}
    assert len(codes) == 1


def test_an_orders_uid_is_used_unchanged_whatever_the_act_and_the_day(
    outbox: Outbox, clock: FixedClock
) -> None:
    exam = begin(outbox, clock, order=sealing.ORDER)
    assert exam.study_instance_uid == sealing.ORDER.study_instance_uid
    first, second = sent(outbox, exam, LEG, OTHER_ACT)
    clock.advance(26 * 3600)
    (third,) = sent(outbox, begin(outbox, clock, order=sealing.ORDER), LEG)
    for ds in (first, second, third):
        assert ds.StudyInstanceUID == sealing.ORDER.study_instance_uid
        assert ds.StudyDate == first.StudyDate
        assert ds.ProcedureCodeSequence[0].CodeValue == "WOUNDPHOTO"
        assert "ReasonForPerformedProcedureCodeSequence" not in ds


def test_an_order_without_a_uid_is_given_one_once(outbox: Outbox, clock: FixedClock) -> None:
    order: Order = replace(sealing.ORDER, study_instance_uid="")
    first, second = begin(outbox, clock, order=order), begin(outbox, clock, order=order)
    assert first.study_instance_uid == second.study_instance_uid
    assert first.study_instance_uid.startswith("2.25.")
    assert begin(outbox, clock).study_instance_uid != first.study_instance_uid


@pytest.mark.expects_log("order-study-uid-taken")
def test_a_worklist_that_gives_two_patients_one_uid_does_not_join_them(
    outbox: Outbox, clock: FixedClock
) -> None:
    other = replace(sealing.MAI, patient_id=PatientId("77", "ST_ANNE"))
    (first,) = sent(outbox, begin(outbox, clock, order=sealing.ORDER), LEG)
    (second,) = sent(outbox, begin(outbox, clock, order=sealing.ORDER, patient=other), LEG)
    assert first.StudyInstanceUID != second.StudyInstanceUID


def test_a_series_holds_one_site_side_purpose_device_and_act(
    outbox: Outbox, clock: FixedClock
) -> None:
    exam = begin(outbox, clock)
    variants = [
        LEG,
        description(side=Side.RIGHT),
        FOOT,
        description(purpose=1),
        description("WND-DIABFOOT", region="56459004"),
    ]
    variants = [one for one in variants if one.procedure is not None]
    datasets = sent(outbox, exam, *variants, LEG)
    numbers = [ds.SeriesNumber for ds in datasets]
    assert sorted(numbers[:-1]) == list(range(1, len(variants) + 1))
    assert len({ds.SeriesInstanceUID for ds in datasets}) == len(variants)
    assert datasets[-1].SeriesInstanceUID == datasets[0].SeriesInstanceUID
    assert [datasets[0].InstanceNumber, datasets[-1].InstanceNumber] == [1, 2]
    (elsewhere,) = sent(outbox, begin(outbox, clock), LEG)
    assert elsewhere.SeriesInstanceUID not in {ds.SeriesInstanceUID for ds in datasets}
    assert elsewhere.SeriesNumber == len(variants) + 1
    kept = keep(outbox, exam, device=replace(sealing.CAMERA, device_id="usb-2"))
    outbox.seal([kept], sealing.NURSE)
    (status,) = [s for s in outbox.statuses() if s.capture_id == kept]
    assert dataset(outbox, status.sop_instance_uid).SeriesNumber == len(variants) + 2


def test_numbers_are_never_used_twice(outbox: Outbox, clock: FixedClock) -> None:
    exam = begin(outbox, clock)
    capture_id = keep(outbox, exam)
    numbers = []
    for _ in count():
        sending = outbox.seal([capture_id], sealing.NURSE)
        (status,) = outbox.statuses()
        numbers.append(int(dataset(outbox, status.sop_instance_uid).InstanceNumber))
        if len(numbers) == 3:
            break
        assert outbox.undo(sending.send_id, sealing.NURSE)
    assert numbers == [1, 2, 3]


def test_what_was_frozen_is_what_is_sealed(outbox: Outbox, clock: FixedClock) -> None:
    exam = begin(outbox, clock)
    (first,) = sent(outbox, exam, LEG)
    clock.advance(timedelta(hours=5).total_seconds())
    (second,) = sent(outbox, exam, LEG)
    assert second.StudyTime == first.StudyTime
    assert second.PatientName == first.PatientName == sealing.MAI.name.pn
