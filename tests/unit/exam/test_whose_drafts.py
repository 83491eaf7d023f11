"""Drafts of a colleague: any capture user of the ward finishes and sends them; deleting needs who
took them, or a role.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from io import BytesIO

import pytest
from pydicom import dcmread

from capture_app.audit.trail import read_trail
from capture_app.clock import FixedClock
from capture_app.errors import RuleError
from capture_app.exam.session import ExamService
from capture_app.exam.standing import WordingPart
from capture_app.model.audit_event import AuditAction, AuditEvent
from capture_app.model.operator import Operator, Role
from capture_app.model.patient import NameGroup, PersonName, Sex
from capture_app.model.worklist import IdentifiedBy
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.sealing.seal import Sending
from capture_app.store.sealed import open_sealed
from tests import sealing
from tests.unit.exam.examining import FEED, SCAN, as_kept, entry, frame

NAME = PersonName(NameGroup("Wong", "Ting"))


def who(user_id: str, *roles: Role) -> Operator:
    return Operator(user_id, user_id.title(), roles, NAME)


DOCTOR = who("twong", Role.CAPTURE)


def drafts_of_the_nurse(exams: ExamService, clock: FixedClock, count: int = 1) -> tuple[str, ...]:
    exam = exams.open(entry(clock), sealing.NURSE, SCAN)
    return tuple(
        exams.take(exam, frame(clock), device=sealing.CAMERA, description=sealing.description())
        for _ in range(count)
    )


def events(outbox: Outbox, action: AuditAction) -> list[AuditEvent]:
    rows = read_trail(outbox.spool.database.read())
    return [row.event for row in rows if row.event.action is action]


def test_a_colleague_finishes_and_sends_and_both_are_recorded(
    exams: ExamService, outbox: Outbox, clock: FixedClock
) -> None:
    (taken,) = drafts_of_the_nurse(exams, clock)
    (waiting,) = exams.drafts_by_patient()
    reopened = exams.reopen(
        waiting.exam.exam_id, DOCTOR, IdentifiedBy.YEAR_AND_NUMBER, shown=waiting.patient
    )
    exams.describe(as_kept(outbox, taken), sealing.description(), DOCTOR)
    sent = exams.send(reopened, as_kept(outbox, taken), shown=sealing.MAI)
    assert isinstance(sent, Sending)

    (described,) = events(outbox, AuditAction.DESCRIBED)
    assert described.user_id == "twong"
    (asked,) = events(outbox, AuditAction.SEND_ASKED)
    assert (asked.user_id, asked.details["photographer"]) == ("twong", "aokafor")
    row = outbox.spool.database.read().execute(
        "SELECT capture.user_id, instance.user_id FROM capture JOIN instance USING (capture_id)"
    )
    assert row.fetchall() == [("aokafor", "twong")]
    (file,) = outbox.spool.instances.glob("*.sealed")
    ds = dcmread(BytesIO(open_sealed(file, outbox.spool.cipher, uid=taken).content))
    assert str(ds.OperatorsName) == "Okafor^Ada"  # who took it


@pytest.mark.parametrize("roles", [(Role.CAPTURE,), (Role.AUDIT,), ()])
def test_nobody_else_deletes_without_a_role(
    exams: ExamService, outbox: Outbox, clock: FixedClock, roles: Iterable[Role]
) -> None:
    seen = as_kept(outbox, *drafts_of_the_nurse(exams, clock, 2))
    with pytest.raises(RuleError, match="Somebody else took this picture"):
        exams.delete(seen, who("twong", *roles))
    assert len(outbox.drafts()) == 2
    exams.delete(seen, sealing.NURSE)
    with pytest.raises(RuleError, match="Somebody else took this picture"):
        exams.restore(seen, who("twong", *roles))
    exams.restore(seen, sealing.NURSE)
    assert len(outbox.drafts()) == 2
    assert {event.user_id for event in events(outbox, AuditAction.DELETED)} == {"aokafor"}


@pytest.mark.parametrize("role", [Role.CORRECT, Role.ADMINISTER])
def test_a_role_deletes_what_others_took(
    exams: ExamService, outbox: Outbox, clock: FixedClock, role: Role
) -> None:
    seen = as_kept(outbox, *drafts_of_the_nurse(exams, clock))
    exams.delete(seen, who("chief", role))
    assert not outbox.drafts()
    exams.restore(seen, who("chief", role))
    assert len(outbox.drafts()) == 1
    assert [event.user_id for event in events(outbox, AuditAction.DELETED)] == ["chief"]


def test_all_or_none_are_deleted(exams: ExamService, outbox: Outbox, clock: FixedClock) -> None:
    (nurses,) = drafts_of_the_nurse(exams, clock)
    own = exams.open(entry(clock), DOCTOR, SCAN)
    mine = exams.take(own, frame(clock), device=sealing.CAMERA, description=sealing.description())
    with pytest.raises(RuleError, match="nothing was deleted"):
        exams.delete(as_kept(outbox, mine, nurses), DOCTOR)
    assert len(outbox.drafts()) == 2


def test_drafts_of_whom_the_feed_calls_another_by_now_are_not_reopened_by_the_old_name(
    exams: ExamService, clock: FixedClock
) -> None:
    drafts_of_the_nurse(exams, clock)
    (seen,) = exams.drafts_by_patient()
    other = replace(sealing.MAI, name=PersonName(NameGroup("Tran", "Linh")), sex=Sex.MALE)
    FEED.says(entry(clock, patient=other))
    with pytest.raises(RuleError, match="changed who this is"):
        exams.reopen(seen.exam.exam_id, DOCTOR, SCAN, shown=seen.patient)
    (seen,) = exams.drafts_by_patient()
    assert seen.patient == other
    reopened = exams.reopen(seen.exam.exam_id, DOCTOR, SCAN, shown=seen.patient)
    assert reopened.patient == other
    earlier = [draft.exam_id for draft in seen.drafts]
    assert exams.standing(reopened, earlier).asks == (WordingPart.NAME, WordingPart.SEX)


@pytest.mark.parametrize("roles", [(), (Role.CORRECT,), (Role.ADMINISTER, Role.AUDIT)])
def test_who_takes_no_pictures_opens_nobody(
    exams: ExamService, outbox: Outbox, clock: FixedClock, roles: Iterable[Role]
) -> None:
    drafts_of_the_nurse(exams, clock)
    (waiting,) = exams.drafts_by_patient()
    someone = who("twong", *roles)
    with pytest.raises(RuleError, match=r"needed: capture"):
        exams.open(entry(clock), someone, SCAN)
    with pytest.raises(RuleError, match=r"needed: capture"):
        exams.reopen(waiting.exam.exam_id, someone, SCAN, shown=waiting.patient)


def test_who_only_audits_steers_no_delivery(
    exams: ExamService, outbox: Outbox, clock: FixedClock
) -> None:
    (taken,) = drafts_of_the_nurse(exams, clock)
    outbox.seal([taken], sealing.NURSE)
    auditor = who("audrey", Role.AUDIT)
    acts: tuple[Callable[[list[str], Operator], int], ...] = (
        outbox.try_now,
        outbox.hold,
        outbox.release,
        outbox.call_back,
    )
    for act in acts:
        with pytest.raises(RuleError, match="needed: capture, correct, administer"):
            act([taken], auditor)
