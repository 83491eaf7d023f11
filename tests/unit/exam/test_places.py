"""Where a picture was taken: the visit's place, one that was picked, or the station's own."""

from dataclasses import replace

import pytest

from capture_app.audit.trail import read_trail
from capture_app.clock import FixedClock
from capture_app.dicom import part10
from capture_app.errors import RuleError
from capture_app.exam.session import ExamService
from capture_app.imaging import surgery
from capture_app.model.audit_event import AuditAction
from capture_app.model.encounter import Location
from capture_app.model.exam import Exam
from capture_app.outbox.outbox import Outbox
from capture_app.store.sealed import open_sealed
from tests import outboxes, sealing
from tests.unit.exam.examining import FEED, SCAN, as_kept, entry, frame


def test_where_it_was_taken_is_where_the_patient_was_at_the_shutter(
    exams: ExamService, outbox: Outbox, clock: FixedClock
) -> None:
    exam = exams.open(entry(clock), sealing.NURSE, SCAN)
    described = sealing.description()
    there = exams.take(exam, frame(clock), device=sealing.CAMERA, description=described)
    moved = replace(sealing.VISIT, location=Location("Burns", "7", "1"))
    FEED.says(replace(entry(clock), encounter=moved))
    here = exams.take(exam, frame(clock), device=sealing.CAMERA, description=described)
    exams.send(exam, as_kept(outbox, there, here), shown=sealing.MAI)
    sent = {
        ds.SOPInstanceUID: ds
        for path in outboxes.sealed_files(outbox.spool.instances)
        for ds in [part10.read(open_sealed(path, outbox.spool.cipher).content)]
    }
    assert sent[there].InstitutionalDepartmentName == "Ward 4B, 3"
    assert sent[here].InstitutionalDepartmentName == "Burns, 7"
    assert "InstitutionalDepartmentTypeCodeSequence" not in sent[here]
    assert sent[there].SeriesInstanceUID != sent[here].SeriesInstanceUID
    assert sent[there].StudyInstanceUID == sent[here].StudyInstanceUID


def departments(outbox: Outbox) -> dict[str, str]:
    """The place that each sealed picture names."""
    sealed = (
        part10.read(open_sealed(path, outbox.spool.cipher).content)
        for path in outboxes.sealed_files(outbox.spool.instances)
    )
    return {ds.SOPInstanceUID: ds.InstitutionalDepartmentName for ds in sealed}


def test_a_place_that_was_picked_holds_for_the_next_pictures_of_this_exam(
    exams: ExamService, outbox: Outbox, clock: FixedClock
) -> None:
    def shot(exam: Exam) -> str:
        described = sealing.description()
        return exams.take(exam, frame(clock), device=sealing.CAMERA, description=described)

    plain = exams.open(entry(clock), sealing.NURSE, SCAN)
    exams.pick_place(plain, Location("Theatre 2", "A"))
    with_order = exams.choose_order(plain, sealing.ORDER, (sealing.ORDER,))
    picked = shot(with_order)
    exams.pick_place(with_order, None)
    visit = shot(with_order)
    exams.send(with_order, as_kept(outbox, picked, visit), shown=sealing.MAI)
    exams.pick_place(with_order, Location("Theatre 2"))
    again = exams.open(entry(clock), sealing.NURSE, SCAN)
    anew = shot(again)
    exams.send(again, as_kept(outbox, anew), shown=sealing.MAI)
    assert departments(outbox) == {
        picked: "Theatre 2, A",
        visit: "Ward 4B, 3",
        anew: "Ward 4B, 3",
    }
    trail = [row.event for row in read_trail(outbox.spool.database.read())]
    acts = [event for event in trail if event.action is AuditAction.PLACE_PICKED]
    assert [event.details["place"] for event in acts] == ["picked", "visit", "picked"]
    assert {event.user_id for event in acts} == {sealing.NURSE.user_id}
    assert "Theatre" not in repr(acts)


def test_a_place_is_not_picked_for_an_exam_that_is_left_nor_without_a_ward(
    exams: ExamService, outbox: Outbox, clock: FixedClock
) -> None:
    exam = exams.open(entry(clock), sealing.NURSE, SCAN)
    with pytest.raises(RuleError, match="ward"):
        exams.pick_place(exam, Location(room="3"))
    exams.close()
    with pytest.raises(RuleError, match="was left"):
        exams.pick_place(exam, Location("Burns"))
    station = replace(sealing.STATION, goes_to_patients=False)
    stays = ExamService(
        outbox, sealing.catalog(), clock, station, FEED.get_now, FEED.get_orders, surgery
    )
    exam = stays.open(entry(clock), sealing.NURSE, SCAN)
    with pytest.raises(RuleError, match="own department"):
        stays.pick_place(exam, Location("Burns"))
    trail = [row.event.action for row in read_trail(outbox.spool.database.read())]
    assert AuditAction.PLACE_PICKED not in trail


def test_a_station_that_stays_where_it_is_writes_its_own_department(
    outbox: Outbox, clock: FixedClock
) -> None:
    station = replace(sealing.STATION, goes_to_patients=False)
    exams = ExamService(
        outbox, sealing.catalog(), clock, station, FEED.get_now, FEED.get_orders, surgery
    )
    exam = exams.open(entry(clock), sealing.NURSE, SCAN)
    described = sealing.description()
    one = exams.take(exam, frame(clock), device=sealing.CAMERA, description=described)
    exams.send(exam, as_kept(outbox, one), shown=sealing.MAI)
    (path,) = outboxes.sealed_files(outbox.spool.instances)
    ds = part10.read(open_sealed(path, outbox.spool.cipher).content)
    assert ds.InstitutionalDepartmentName == "Wound care"
    assert len(ds.InstitutionalDepartmentTypeCodeSequence) == 1
