"""The feed says something while pictures wait to be sent: a person decides, before any attempt."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pytest

from capture_app.audit.trail import read_trail
from capture_app.clock import FixedClock
from capture_app.errors import StoreError
from capture_app.exam.session import ExamService
from capture_app.imaging import surgery
from capture_app.model.audit_event import AuditAction
from capture_app.model.delivery import ImageState, ImageStatus
from capture_app.model.encounter import EncounterState
from capture_app.model.exam import Exam
from capture_app.model.order import Order
from capture_app.model.patient import NameGroup, PatientId, PersonName, Sex
from capture_app.model.reason import Asked, Reason
from capture_app.model.worklist import Doubt, FeedSource, IdentifiedBy, PatientListEntry, PersonNow
from capture_app.outbox.delivery.engine import Engine
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.ports import Hindrances
from capture_app.outbox.sealing.seal import Sending
from capture_app.store.role import EngineRole
from tests import outboxes, sealing
from tests.outboxes import DirectoryArchive
from tests.waiting import Eventually

CANCELLED = replace(sealing.VISIT, state=EncounterState.CANCELLED)
DISCHARGED = replace(sealing.VISIT, state=EncounterState.CLOSED)
TRAN = replace(sealing.MAI, name=PersonName(NameGroup("Tran", "Linh")), sex=Sex.MALE)
HOLD_S = 10.0


@dataclass
class Ward:
    """A window that sends, and the process that delivers, on one data folder."""

    folder: Path
    clock: FixedClock
    eventually: Eventually
    archive: DirectoryArchive
    now: PersonNow | None = None
    orders_of_others: frozenset[str] = frozenset()
    opened: list[Outbox] = field(default_factory=list)
    engines: list[Engine] = field(default_factory=list)

    def process(self) -> tuple[Outbox, ExamService]:
        outbox = outboxes.open_outbox(self.folder, self.clock)
        self.opened.append(outbox)
        catalog, station = sealing.catalog(), sealing.STATION
        return outbox, ExamService(
            *(outbox, catalog, self.clock, station),
            *(self._people, lambda _number: self.orders_of_others, surgery),
        )

    def _people(self, _number: PatientId) -> PersonNow | None:
        return self.now

    def says(
        self, *doubts: Doubt, patient: object = sealing.MAI, visit: object = sealing.VISIT
    ) -> PatientListEntry:
        row = PatientListEntry(
            patient,  # type: ignore[arg-type]
            visit,  # type: ignore[arg-type]
            (sealing.ORDER,),
            FeedSource.ADT,
            self.clock.now(),
            frozenset(doubts),
        )
        self.now = PersonNow(row.patient, (row.encounter,), (row,), row.doubts)  # type: ignore[arg-type]
        return row

    def deliver(
        self, outbox: Outbox, exams: ExamService, hindrances: Hindrances | None = None
    ) -> None:
        engine = Engine(
            outbox,
            [self.archive],
            self.clock,
            role=EngineRole(self.folder / "engine.lock"),
            hindrances=hindrances or exams.hindrances,
        )
        self.engines.append(engine)
        engine.start()
        self.eventually(lambda: engine.leads)

    def send(
        self,
        outbox: Outbox,
        exams: ExamService,
        row: PatientListEntry,
        order: Order | None = None,
    ) -> str:
        """Sends a picture, which is held for a while then."""
        exam = exams.open(row, sealing.NURSE, IdentifiedBy.SCAN, order)
        capture_id = outboxes.keep(outbox, exam)
        seen = {capture_id: outbox.description_of(capture_id)}
        assert isinstance(exams.send(exam, seen, shown=row.patient), Sending)
        return capture_id

    def hold_ends(self) -> None:
        """Whenever the engine saw what is held: it counts from there."""

        def is_over() -> bool:
            self.clock.advance(HOLD_S)
            return all(s.state is not ImageState.HELD for s in self.opened[0].statuses())

        self.eventually(is_over)

    def becomes(self, outbox: Outbox, capture_id: str, state: ImageState) -> ImageStatus:
        def found() -> ImageStatus:
            (status,) = [s for s in outbox.statuses() if s.capture_id == capture_id]
            return status

        self.eventually(lambda: found().state is state, what=f"{state} but {found().state}")
        return found()


@pytest.fixture
def ward(tmp_path: Path, clock: FixedClock, eventually: Eventually) -> Iterator[Ward]:
    ward = Ward(tmp_path, clock, eventually, DirectoryArchive(tmp_path / "archive"))
    yield ward
    for engine in ward.engines:
        assert engine.stop()
    for outbox in ward.opened:
        outboxes.close(outbox)


def has_stopped(outbox: Outbox, times: int) -> bool:
    """Whether a picture was stopped so often before an attempt."""
    rows = read_trail(outbox.spool.database.read())
    events = [row.event for row in rows if row.event.action is AuditAction.STOPPED_BY_FEED]
    return sum("destination" in event.details for event in events) == times


def stored(ward: Ward, since: int = 0) -> bool:
    return any(act == "store" for act, _ in ward.archive.asked[since:])


@pytest.mark.expects_log("delivery-hindered")
@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_visit_cancelled_during_the_hold_stops_the_picture_before_an_attempt(
    ward: Ward,
    elsewhere: bool,
) -> None:
    outbox, exams = ward.process()
    ward.deliver(*(ward.process() if elsewhere else (outbox, exams)))
    capture_id = ward.send(outbox, exams, ward.says())
    ward.says(visit=CANCELLED)
    ward.becomes(outbox, capture_id, ImageState.HELD)
    ward.hold_ends()
    stopped = ward.becomes(outbox, capture_id, ImageState.NEEDS_YOU)
    assert stopped.reason is not None
    assert (stopped.reason.code, stopped.reason.asked) == ("visit-cancelled", Asked.CLINICIAN)
    assert "Back to draft" in str(stopped.reason)
    assert not stored(ward)
    trail = [row.event for row in read_trail(outbox.spool.database.read())]
    (event,) = [event for event in trail if event.action is AuditAction.STOPPED_BY_FEED]
    assert event.details == {"destination": "pacs", "reason": "visit-cancelled"}
    assert event.sop_instance_uid == capture_id


@pytest.mark.expects_log("delivery-hindered")
def test_so_does_a_visit_that_became_another_patients(ward: Ward) -> None:
    outbox, exams = ward.process()
    ward.deliver(outbox, exams)
    capture_id = ward.send(outbox, exams, ward.says())
    ward.says(visit=replace(sealing.VISIT, state=EncounterState.MOVED))
    ward.hold_ends()
    stopped = ward.becomes(outbox, capture_id, ImageState.NEEDS_YOU)
    assert stopped.reason is not None
    assert (stopped.reason.code, stopped.reason.asked) == ("visit-moved", Asked.CLINICIAN)
    assert "another patient" in str(stopped.reason)
    assert not stored(ward)


@pytest.mark.expects_log("delivery-hindered")
def test_a_person_sends_it_all_the_same_or_takes_it_back(ward: Ward) -> None:
    outbox, exams = ward.process()
    ward.deliver(outbox, exams)
    one, two = (ward.send(outbox, exams, ward.says()) for _ in range(2))
    ward.says(visit=CANCELLED)
    ward.hold_ends()
    for capture_id in (one, two):
        ward.becomes(outbox, capture_id, ImageState.NEEDS_YOU)
    assert outbox.call_back([two], sealing.NURSE) == 1
    assert outbox.try_now([one], sealing.NURSE) == 1
    ward.becomes(outbox, one, ImageState.CONFIRMED)
    ward.becomes(outbox, two, ImageState.DRAFT)


@pytest.mark.expects_log("delivery-hindered")
def test_what_a_person_answered_is_asked_once_and_another_thing_again(ward: Ward) -> None:
    outbox, exams = ward.process()
    ward.deliver(outbox, exams)
    capture_id = ward.send(outbox, exams, ward.says())
    ward.says(visit=CANCELLED)
    ward.hold_ends()
    ward.becomes(outbox, capture_id, ImageState.NEEDS_YOU)
    ward.says(Doubt.MERGE_REFUSED)
    outbox.try_now([capture_id], sealing.NURSE)
    ward.eventually(lambda: getattr(outbox.statuses()[0].reason, "code", "") == "patient-merged")
    outbox.try_now([capture_id], sealing.NURSE)
    ward.becomes(outbox, capture_id, ImageState.CONFIRMED)


@pytest.mark.expects_log("delivery-hindered")
@pytest.mark.parametrize(
    ("doubts", "patient", "code"),
    [
        ((Doubt.MERGE_REFUSED,), sealing.MAI, "patient-merged"),
        ((Doubt.NUMBER_RETIRED,), sealing.MAI, "number-retired"),
        ((Doubt.NUMBER_OF_TWO,), sealing.MAI, "number-of-two"),
        ((), TRAN, "identity-changed"),
    ],
)
def test_so_do_a_merge_a_number_out_of_use_and_another_person(
    ward: Ward, doubts: tuple[Doubt, ...], patient: object, code: str
) -> None:
    outbox, exams = ward.process()
    ward.deliver(outbox, exams)
    capture_id = ward.send(outbox, exams, ward.says())
    ward.says(*doubts, patient=patient)
    ward.hold_ends()
    stopped = ward.becomes(outbox, capture_id, ImageState.NEEDS_YOU)
    assert stopped.reason is not None
    assert stopped.reason.code == code
    assert not stored(ward)


@pytest.mark.expects_log("delivery-hindered", "order-doubted")
def test_nobody_sends_under_an_order_that_became_another_patients(ward: Ward) -> None:
    outbox, exams = ward.process()
    ward.deliver(outbox, exams)
    capture_id = ward.send(outbox, exams, ward.says(), order=sealing.ORDER)
    ward.says(visit=CANCELLED)
    ward.orders_of_others = frozenset({sealing.ORDER.key})
    ward.hold_ends()
    stopped = ward.becomes(outbox, capture_id, ImageState.NEEDS_YOU)
    assert stopped.reason is not None
    assert stopped.reason.code == "order-doubted"
    ward.orders_of_others = frozenset()
    for asked in (2, 3):  # whoever wants it, and however often
        outbox.try_now([capture_id], sealing.NURSE)
        ward.eventually(partial(has_stopped, outbox, asked))
    assert not stored(ward)
    sent = exams.leave_order(outbox.exam_of(capture_id), (), sealing.NURSE)
    assert sent.capture_ids == {capture_id}


def test_nothing_is_sent_unasked_where_the_database_does_not_answer(ward: Ward) -> None:
    outbox, exams = ward.process()
    asked: list[str] = []

    def hindrances(exam: Exam) -> tuple[Reason, ...]:
        asked.append(exam.exam_id)
        assert len(asked) > 1 or not stored(ward)
        if len(asked) == 1:
            raise StoreError("busy")
        return exams.hindrances(exam)

    ward.deliver(outbox, exams, hindrances)
    capture_id = ward.send(outbox, exams, ward.says())

    def is_asked_again() -> bool:
        ward.clock.advance(HOLD_S)
        assert len(asked) > 1 or not stored(ward)
        return len(asked) > 1

    ward.eventually(is_asked_again)
    ward.becomes(outbox, capture_id, ImageState.CONFIRMED)


@pytest.mark.expects_log("delivery-hindered")
def test_what_was_answered_hides_nothing_else_that_is_said_then(ward: Ward) -> None:
    outbox, exams = ward.process()
    ward.deliver(outbox, exams)
    capture_id = ward.send(outbox, exams, ward.says())
    ward.says(visit=CANCELLED)
    ward.hold_ends()
    ward.becomes(outbox, capture_id, ImageState.NEEDS_YOU)
    ward.says(Doubt.NUMBER_RETIRED, visit=CANCELLED)
    outbox.try_now([capture_id], sealing.NURSE)
    ward.eventually(lambda: getattr(outbox.statuses()[0].reason, "code", "") == "number-retired")
    assert not stored(ward)


def test_a_discharge_and_what_was_known_at_send_stop_nothing(ward: Ward) -> None:
    outbox, exams = ward.process()
    ward.deliver(outbox, exams)
    left = ward.send(outbox, exams, ward.says())
    ward.says(visit=DISCHARGED)
    ward.hold_ends()
    ward.becomes(outbox, left, ImageState.CONFIRMED)
    merged = ward.send(outbox, exams, ward.says(Doubt.MERGE_REFUSED))  # the banner warned of it
    ward.hold_ends()
    ward.becomes(outbox, merged, ImageState.CONFIRMED)


@pytest.mark.expects_log("delivery-hindered")
def test_what_the_end_of_a_process_released_is_asked_about_too(ward: Ward) -> None:
    outbox, exams = ward.process()
    capture_id = ward.send(outbox, exams, ward.says())
    outboxes.close(ward.opened.pop())
    ward.says(visit=CANCELLED)
    again, feeds = ward.process()
    ward.deliver(again, feeds)
    ward.becomes(again, capture_id, ImageState.NEEDS_YOU)
    assert not stored(ward)


@pytest.mark.expects_log("destination-silent", "delivery-hindered")
def test_an_attempt_that_reached_nobody_was_none_and_the_feed_is_asked_again(ward: Ward) -> None:
    ward.archive.is_out_of_reach = True
    outbox, exams = ward.process()
    ward.deliver(outbox, exams)
    one, two = (ward.send(outbox, exams, ward.says()) for _ in range(2))
    ward.hold_ends()

    def are_tried_in_vain() -> bool:
        ward.clock.advance(HOLD_S)
        return all(s.failures for s in outbox.statuses())

    ward.eventually(are_tried_in_vain)
    assert all(s.can_be_recalled for s in outbox.statuses())
    assert outbox.call_back([two], sealing.NURSE) == 1
    ward.becomes(outbox, two, ImageState.DRAFT)
    ward.says(visit=CANCELLED)
    ward.archive.is_out_of_reach = False
    asked = len(ward.archive.asked)
    outbox.try_now([one], sealing.NURSE)
    stopped = ward.becomes(outbox, one, ImageState.NEEDS_YOU)
    assert stopped.reason is not None
    assert stopped.reason.code == "visit-cancelled"
    assert not stored(ward, since=asked)
    assert outbox.try_now([one], sealing.NURSE) == 1
    ward.becomes(outbox, one, ImageState.CONFIRMED)


@pytest.mark.expects_log("destination-silent", "delivery-hindered")
def test_that_holds_over_an_end_of_the_process(ward: Ward) -> None:
    ward.archive.is_out_of_reach = True
    outbox, exams = ward.process()
    ward.deliver(outbox, exams)
    capture_id = ward.send(outbox, exams, ward.says())
    ward.hold_ends()
    ward.eventually(lambda: outbox.statuses()[0].failures == 1)
    assert ward.engines.pop().stop()
    outboxes.close(ward.opened.pop())
    ward.says(visit=CANCELLED)
    ward.archive.is_out_of_reach = False
    again, feeds = ward.process()
    ward.deliver(again, feeds)
    ward.becomes(again, capture_id, ImageState.NEEDS_YOU)


@pytest.mark.expects_log("destination-silent")
def test_what_may_have_reached_the_archive_goes_on(ward: Ward) -> None:
    ward.archive.is_down = True
    outbox, exams = ward.process()
    ward.deliver(outbox, exams)
    capture_id = ward.send(outbox, exams, ward.says())
    ward.hold_ends()
    ward.eventually(lambda: outbox.statuses()[0].failures == 1)
    assert not outbox.statuses()[0].can_be_recalled
    ward.says(visit=CANCELLED)
    ward.archive.is_down = False
    outbox.try_now([capture_id], sealing.NURSE)
    ward.becomes(outbox, capture_id, ImageState.CONFIRMED)
