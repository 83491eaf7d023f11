import sqlite3
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from capture_app.audit.trail import read_trail
from capture_app.audit.verify import verify_chain
from capture_app.clock import FixedClock
from capture_app.errors import DiskFullError, RuleError, SealBrokenError
from capture_app.model.audit_event import AuditAction
from capture_app.model.delivery import ImageState
from capture_app.model.encoded_image import EncodedImage, PixelCoding
from capture_app.model.operator import Operator, Role
from capture_app.model.patient import PatientId
from capture_app.model.procedure import Description, Side
from capture_app.model.worklist import IdentifiedBy
from capture_app.outbox.keeping import drafts
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.steps.retain import clean_deleted
from capture_app.settings.schema import Capture
from tests import outboxes, sealing
from tests.outboxes import begin, keep


@dataclass(frozen=True)
class SameUid:
    """A clock that mints one UID over and over: the second row with it cannot be written."""

    inner: FixedClock
    uid: str

    def now(self) -> datetime:
        return self.inner.now()

    def monotonic(self) -> float:
        return self.inner.monotonic()

    def start(self) -> str:
        return self.inner.start()

    def heard(self, now: datetime) -> None:
        self.inner.heard(now)

    def is_confirmed(self) -> bool:
        return self.inner.is_confirmed()

    def new_uid(self) -> str:
        return self.uid


DOCTOR = Operator("twong", "T. Wong, MD", (Role.CAPTURE,))


def actions(outbox: Outbox) -> list[AuditAction]:
    return [row.event.action for row in read_trail(outbox.spool.database.read())]


def test_a_kept_picture_is_a_draft_and_comes_back_as_it_was(
    outbox: Outbox, clock: FixedClock
) -> None:
    exam = begin(outbox, clock)
    safe: list[str] = []
    image = replace(sealing.photo(), icc_profile=b"profile", grey=True)
    capture_id = keep(outbox, exam, image=image, on_safe=safe.append)
    assert safe == [capture_id]
    assert outbox.image_of(capture_id) == image
    assert outbox.exam_of(capture_id) == exam
    (draft,) = outbox.drafts()
    assert (draft.capture_id, draft.user_id) == (capture_id, "aokafor")
    assert draft.description == sealing.description()
    assert [status.state for status in outbox.statuses()] == [ImageState.DRAFT]
    assert outbox.counts().drafts == 1


def test_a_raw_picture_is_kept_in_parts_and_comes_back_whole(
    outbox: Outbox, clock: FixedClock
) -> None:
    pixels = bytes(range(256)) * 3 * 4096
    image = EncodedImage(PixelCoding.RGB, 1024, 1024, pixels, came_from_lossy=True)
    capture_id = keep(outbox, begin(outbox, clock), image=image)
    assert outbox.image_of(capture_id) == image


def test_drafts_outlive_the_process(tmp_path: Path, clock: FixedClock) -> None:
    first = outboxes.open_outbox(tmp_path, clock)
    exam = begin(first, clock)
    capture_id = keep(first, exam)
    outboxes.close(first)
    again = outboxes.open_outbox(tmp_path, clock)
    assert [draft.capture_id for draft in again.drafts(exam_id=exam.exam_id)] == [capture_id]
    assert again.exam_of(capture_id) == exam
    assert again.image_of(capture_id) == sealing.photo()
    outboxes.close(again)


def test_nothing_of_the_patient_stands_in_clear(
    outbox: Outbox, clock: FixedClock, tmp_path: Path
) -> None:
    exam = begin(outbox, clock)
    capture_id = keep(outbox, exam)
    outbox.seal([capture_id], sealing.NURSE)
    outbox.spool.database.read().execute("PRAGMA wal_checkpoint(FULL)")
    words = ("0012345678", "Nguy", "Mai", "氏梅", "1956", "V9921", "Ward 4B", "ulcer", "25763004")
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    trail = "".join(str(row) for row in read_trail(outbox.spool.database.read()))
    for word in words[:-1]:
        assert word.encode() not in written, word
    assert "25763004" not in trail  # what was chosen is in the trail only when a person describes


def test_too_little_room_is_said_before_the_disk_is_full(tmp_path: Path, clock: FixedClock) -> None:
    greedy = Capture(min_free_mb=1_000_000)
    outbox = outboxes.open_outbox(tmp_path, clock, capture=greedy)
    exam = begin(outbox, clock)
    with pytest.raises(DiskFullError, match="too little room"):
        keep(outbox, exam)
    assert not outbox.drafts()
    assert not outboxes.sealed_files(tmp_path)
    outboxes.close(outbox)


def test_what_is_not_written_leaves_no_file(
    outbox: Outbox, clock: FixedClock, tmp_path: Path
) -> None:
    exam = begin(outbox, clock)
    keep(outbox, exam)
    before = outboxes.sealed_files(tmp_path)
    uid = outbox.drafts()[0].capture_id
    broken = replace(outbox.spool, clock=SameUid(clock, uid))
    with pytest.raises(sqlite3.IntegrityError):
        drafts.keep(
            broken,
            exam,
            sealing.photo(),
            device=sealing.CAMERA,
            taken_at=clock.now(),
            description=Description(),
            min_free_bytes=0,
        )
    assert outboxes.sealed_files(tmp_path) == before
    assert not list(tmp_path.rglob("*.tmp"))


def test_describing_changes_the_draft_and_is_in_the_trail(
    outbox: Outbox, clock: FixedClock
) -> None:
    capture_id = keep(outbox, begin(outbox, clock), description=Description())
    chosen = sealing.description(side=Side.RIGHT)
    outbox.describe([capture_id], chosen, DOCTOR)
    assert outbox.description_of(capture_id) == chosen
    last = list(read_trail(outbox.spool.database.read()))[-1].event
    assert (last.action, last.user_id) == (AuditAction.DESCRIBED, "twong")
    assert chosen.purpose is not None
    assert chosen.keep is not None
    assert chosen.consent is not None
    assert last.details == {
        "procedure": "WND-LEG-ULCER",
        "region": "SCT:25763004",
        "side": "R",
        "turn": "",
        "purpose": chosen.purpose.choice_id,
        "keep": chosen.keep.choice_id,
        "consent": chosen.consent.choice_id,
    }
    outbox.describe([capture_id], Description(), DOCTOR)
    last = list(read_trail(outbox.spool.database.read()))[-1].event
    assert set(last.details.values()) == {""}


def test_deleting_can_be_undone_for_a_day(
    outbox: Outbox, clock: FixedClock, tmp_path: Path
) -> None:
    capture_id = keep(outbox, begin(outbox, clock))
    outbox.delete([capture_id], sealing.NURSE)
    assert not outbox.drafts()
    assert not outbox.statuses()
    outbox.restore([capture_id], sealing.NURSE)
    assert len(outbox.drafts()) == 1
    outbox.delete([capture_id], sealing.NURSE)
    clock.advance(23 * 3600)
    assert clean_deleted(outbox.spool) == 0
    clock.advance(2 * 3600)
    assert clean_deleted(outbox.spool) == 1
    assert not outboxes.sealed_files(tmp_path)
    with pytest.raises(RuleError, match="too long ago"):
        outbox.restore([capture_id], sealing.NURSE)
    assert actions(outbox)[2:] == [
        AuditAction.DELETED,
        AuditAction.RESTORED,
        AuditAction.DELETED,
        AuditAction.PURGED,
    ]
    assert verify_chain(outbox.spool.database.read(), cipher=outbox.spool.cipher).whole


def test_acts_on_what_is_no_draft_change_nothing(outbox: Outbox, clock: FixedClock) -> None:
    exam = begin(outbox, clock)
    draft, sent = keep(outbox, exam), keep(outbox, exam)
    outbox.seal([sent], sealing.NURSE)
    before = actions(outbox)
    with pytest.raises(RuleError, match="not a draft any more"):
        outbox.describe([draft, sent], Description(), sealing.NURSE)
    with pytest.raises(RuleError, match="not a draft any more"):
        outbox.delete([draft, sent], sealing.NURSE)
    with pytest.raises(RuleError, match="not a draft any more"):
        outbox.delete([draft, draft], sealing.NURSE)
    assert outbox.description_of(draft) == sealing.description()
    assert actions(outbox) == before


def test_drafts_are_found_by_patient_over_exams(outbox: Outbox, clock: FixedClock) -> None:
    other = replace(sealing.MAI, patient_id=PatientId("0012345678", "ANOTHER"))
    first, second = begin(outbox, clock), begin(outbox, clock)
    stranger = begin(outbox, clock, patient=other)
    kept = [keep(outbox, exam) for exam in (first, stranger, second)]
    key = outbox.patient_key(first)
    assert [d.capture_id for d in outbox.drafts(patient_key=key)] == [kept[0], kept[2]]
    assert outbox.patient_key(stranger) != key


def test_changes_are_told_by_id_alone(outbox: Outbox, clock: FixedClock) -> None:
    told: list[str] = []
    leave = outbox.on_change(told.append)
    exam = begin(outbox, clock)
    capture_id = keep(outbox, exam)
    outbox.describe([capture_id], Description(), sealing.NURSE)
    assert told == [exam.exam_id, capture_id, capture_id]
    leave()
    keep(outbox, exam)
    assert told == [exam.exam_id, capture_id, capture_id]


@pytest.mark.expects_log("change-listener-failed")
def test_a_listener_that_fails_neither_fails_the_act_nor_deafens_others(
    outbox: Outbox, clock: FixedClock
) -> None:
    def fail(_: str) -> None:
        raise ValueError

    told: list[str] = []
    outbox.on_change(fail)
    outbox.on_change(told.append)
    assert told == [] and keep(outbox, begin(outbox, clock)) in told  # noqa: PT018


def test_a_damaged_picture_needs_a_person_and_is_never_shown(
    outbox: Outbox, clock: FixedClock, tmp_path: Path
) -> None:
    capture_id = keep(outbox, begin(outbox, clock))
    (path,) = outboxes.sealed_files(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(SealBrokenError):
        outbox.image_of(capture_id)
    (status,) = outbox.statuses()
    assert status.state is ImageState.NEEDS_YOU
    assert "changed or cut short" in status.last_error
    with pytest.raises(SealBrokenError):
        outbox.seal([capture_id], sealing.NURSE)
    path.unlink()
    with pytest.raises(SealBrokenError, match="missing"):
        outbox.image_of(capture_id)


def test_a_mended_picture_is_a_draft_again_when_asked(
    outbox: Outbox, clock: FixedClock, tmp_path: Path
) -> None:
    capture_id = keep(outbox, begin(outbox, clock))
    (path,) = outboxes.sealed_files(tmp_path)
    away = path.rename(tmp_path / "away")
    with pytest.raises(SealBrokenError):
        outbox.image_of(capture_id)
    assert outbox.try_now([capture_id], DOCTOR) == 0
    away.rename(path)
    assert outbox.try_now([capture_id], DOCTOR) == 1
    assert [status.state for status in outbox.statuses()] == [ImageState.DRAFT]


def test_the_record_of_the_act_stands_or_falls_with_the_act(
    outbox: Outbox, clock: FixedClock
) -> None:
    exam = begin(outbox, clock)
    keep(outbox, exam)
    assert actions(outbox) == [AuditAction.PATIENT_OPENED, AuditAction.CAPTURED]
    by_command = begin(outbox, clock, identified_by=IdentifiedBy.COMMAND_AND_SECOND_IDENTIFIER)
    keep(outbox, by_command)
    assert actions(outbox)[2:] == [AuditAction.PATIENT_OPENED, AuditAction.IMPORTED]
    outbox.record_refusal(exam.patient, DOCTOR, AuditAction.IDENTITY_CHECK_FAILED)
    assert actions(outbox)[-1] is AuditAction.IDENTITY_CHECK_FAILED
    assert clock.now() - exam.started_at < timedelta(seconds=1)
