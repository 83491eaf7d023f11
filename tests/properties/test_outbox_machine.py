"""The outbox under any order of acts, moods of the archive, crashes and restarts: what was promised
is never lost, doubled, changed or filed to another patient.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from threading import Event

import structlog
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from capture_app.audit.verify import verify_chain
from capture_app.clock import FixedClock
from capture_app.dicom.part10 import pixel_sha256, read
from capture_app.errors import DeliveryError, RuleError
from capture_app.imaging.jpeg import prepare_jpeg
from capture_app.model.delivery import ImageState, Instance, StoreReceipt
from capture_app.model.encoded_image import EncodedImage
from capture_app.model.exam import Exam
from capture_app.model.part10_file import Part10File
from capture_app.model.patient import PatientId
from capture_app.model.procedure import Side
from capture_app.outbox.delivery.batch import Delivery
from capture_app.outbox.delivery.schedule import Schedule
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.recovery.start_up import recover
from capture_app.outbox.status import StatusFilter
from capture_app.outbox.steps.retain import clean_deleted, purge_due
from capture_app.outbox.steps.tasks import open_tasks, release_held, requeue_running
from tests import outboxes, sealing
from tests.outboxes import PACS, DirectoryArchive, begin, keep

PATIENTS = [replace(sealing.MAI, patient_id=PatientId(f"90000{n}", "ST_ANNE")) for n in range(3)]
AT = datetime(2024, 7, 2, 9, 30, tzinfo=timezone(timedelta(hours=2)))


class PowerCutError(BaseException):
    """The process ends here: no code of ours may catch it."""


class CrashingArchive(DirectoryArchive):
    """Has what it was sent when the process ends, before that could be written down."""

    crashes_after: int | None = None

    def store(
        self, instances: Sequence[Instance], read: Callable[[Instance], Part10File]
    ) -> Iterator[tuple[str, StoreReceipt | DeliveryError]]:
        for n, outcome in enumerate(super().store(instances, read)):
            if n == self.crashes_after:
                raise PowerCutError
            yield outcome


@dataclass
class Promise:
    """What a person was told of one picture."""

    image: EncodedImage
    patient_id: str
    is_deleted: bool = False


class OutboxMachine(RuleBasedStateMachine):
    captures = Bundle("captures")
    sends = Bundle("sends")

    def __init__(self) -> None:
        super().__init__()
        # An archive in a bad mood is a person's matter in some runs and not in others.
        self.logs = structlog.testing.capture_logs()
        self.entries = self.logs.__enter__()
        self.folder = Path(tempfile.mkdtemp(prefix="outbox-machine-"))
        self.clock = FixedClock(AT)
        self.archive = CrashingArchive(self.folder / "archive")
        self.promises: dict[str, Promise] = {}
        self.stored: dict[str, bytes] = {}
        self.undone: set[str] = set()
        self.outbox: Outbox
        self.delivery: Delivery
        self.exams: dict[int, Exam] = {}
        self.start()

    def start(self) -> None:
        self.outbox = outboxes.open_outbox(self.folder, self.clock)
        schedule = Schedule(self.clock, hold_seconds=10)
        stopping = Event()
        self.delivery = Delivery(
            self.outbox.spool, self.archive, schedule, stopping, self.outbox.tell_changes
        )
        report = recover(self.outbox.spool, (PACS,))
        assert not report.alarms

    def teardown(self) -> None:
        self.archive.is_down = self.archive.loses = self.archive.lists_only = False
        self.archive.crashes_after = None
        on_their_way = self.uids(lambda s: s.state is not ImageState.DRAFT)
        self.outbox.release(on_their_way, sealing.NURSE)
        for _ in range(30):
            self.outbox.try_now(on_their_way, sealing.NURSE)
            self.clock.advance(20)
            self.deliver()
        states = {s.state for s in self.outbox.statuses() if s.state is not ImageState.DRAFT}
        assert states <= {ImageState.CONFIRMED, ImageState.PURGED}, states
        self.nothing_is_lost_doubled_changed_or_misfiled()
        spool = self.outbox.spool
        assert verify_chain(spool.database.read(), cipher=spool.cipher).whole
        outboxes.close(self.outbox)
        shutil.rmtree(self.folder)
        self.logs.__exit__(None, None, None)
        loud = {entry["event"] for entry in self.entries if entry["log_level"] != "info"}
        assert loud <= {"delivery-needs-you"}, loud

    def uids(self, fits: Callable[..., bool]) -> list[str]:
        return [s.sop_instance_uid for s in self.outbox.statuses() if fits(s)]

    def uid_of(self, capture_id: str) -> str:
        found = self.outbox.statuses(StatusFilter(capture_ids=(capture_id,)))
        return found[0].sop_instance_uid if found else capture_id

    # ------------------------------------------------------------------------------ a person

    @initialize()
    def open_exams(self) -> None:
        for number, patient in enumerate(PATIENTS):
            self.exams[number] = begin(self.outbox, self.clock, patient=patient)

    @rule(target=captures, patient=st.integers(0, 2))
    def keep(self, patient: int) -> str:
        number = len(self.promises)
        image = prepare_jpeg(sealing.jpeg(16 + number, 24))
        capture_id = keep(self.outbox, self.exams[patient], image=image)
        self.promises[capture_id] = Promise(image, PATIENTS[patient].patient_id.value)
        return capture_id

    @rule(capture_id=captures, side=st.sampled_from([Side.LEFT, Side.RIGHT, Side.BOTH]))
    def describe(self, capture_id: str, side: Side) -> None:
        before = self.state(capture_id)
        try:
            self.outbox.describe([capture_id], sealing.description(side=side), sealing.NURSE)
        except RuleError:
            assert before is not ImageState.DRAFT
        else:
            assert before is ImageState.DRAFT

    @rule(capture_id=captures)
    def delete(self, capture_id: str) -> None:
        before = self.state(capture_id)
        try:
            self.outbox.delete([capture_id], sealing.NURSE)
        except RuleError:
            assert before is not ImageState.DRAFT
        else:
            assert before is ImageState.DRAFT
            self.promises[capture_id].is_deleted = True

    @rule(capture_id=captures)
    def restore(self, capture_id: str) -> None:
        try:
            self.outbox.restore([capture_id], sealing.NURSE)
        except RuleError:
            return
        assert self.promises[capture_id].is_deleted
        self.promises[capture_id].is_deleted = False

    @rule(
        target=sends,
        chosen=st.lists(captures, min_size=1, max_size=3, unique=True),
        now=st.booleans(),
    )
    def seal(self, chosen: list[str], *, now: bool) -> str:
        are_drafts = all(self.state(c) is ImageState.DRAFT for c in chosen)
        try:
            send_id = self.outbox.seal(chosen, sealing.NURSE, release_now=now).send_id
        except RuleError:
            assert not are_drafts
            return ""
        assert are_drafts
        assert not self.undone & {self.uid_of(c) for c in chosen}, "a withdrawn UID came back"
        return send_id

    @rule(send_id=sends)
    def undo(self, send_id: str) -> None:
        before = {c: self.uid_of(c) for c in self.promises}
        if self.outbox.undo(send_id, sealing.NURSE):
            drafts = {draft.capture_id for draft in self.outbox.drafts()}
            self.undone |= {uid for c, uid in before.items() if c in drafts and uid != c}
            rows = self.outbox.spool.database.read().execute(
                "SELECT sop_instance_uid FROM instance WHERE withdrawn = 1"
            )
            self.undone |= {uid for (uid,) in rows}

    @rule(capture_id=captures, act=st.sampled_from(["try_now", "hold", "release"]))
    def act(self, capture_id: str, act: str) -> None:
        getattr(self.outbox, act)([self.uid_of(capture_id)], sealing.NURSE)

    # ------------------------------------------------------------------ the world, and the engine

    @rule(
        is_down=st.booleans(),
        loses=st.sampled_from([False, False, True]),
        lists_only=st.sampled_from([False, False, True]),
    )
    def mood(self, *, is_down: bool, loses: bool, lists_only: bool) -> None:
        self.archive.is_down, self.archive.loses = is_down, loses
        self.archive.lists_only = lists_only

    @rule(seconds=st.sampled_from([1.0, 11.0, 40.0, 700.0, 26 * 3600.0, 40 * 24 * 3600.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule()
    def deliver(self) -> None:
        schedule, spool = self.delivery.schedule, self.outbox.spool
        requeue_running(spool, tuple)
        for _ in range(3):
            release_held(spool, schedule.see(open_tasks(spool)))
            schedule.see(open_tasks(spool))
            while batch := schedule.take(PACS, 2):
                self.delivery.deliver(batch)
            assert not schedule.in_flight()
        purge_due(spool)
        clean_deleted(spool)

    @precondition(lambda self: not self.archive.is_down)
    @rule(after=st.integers(0, 1))
    def deliver_and_crash(self, after: int) -> None:
        self.archive.crashes_after = after
        try:
            self.deliver()
        except PowerCutError:
            self.restart()
        self.archive.crashes_after = None

    @rule()
    def restart(self) -> None:
        outboxes.close(self.outbox)
        self.start()

    # ----------------------------------------------------------------------------- always true

    @invariant()
    def nothing_is_lost_doubled_changed_or_misfiled(self) -> None:
        held = self.archive.holds()
        for uid, part10 in held.items():
            assert self.stored.setdefault(uid, part10) == part10, "other bytes under one UID"
        by_pixels: dict[str, list[str]] = {}
        for uid, part10 in self.stored.items():
            by_pixels.setdefault(pixel_sha256(read(part10)), []).append(uid)
        assert all(len(uids) == 1 for uids in by_pixels.values()), "one picture under two UIDs"
        assert not self.undone & held.keys(), "what was undone was sent"
        for capture_id, promise in self.promises.items():
            uid, state = self.uid_of(capture_id), self.state(capture_id)
            if uid in held:
                assert str(read(held[uid]).PatientID) == promise.patient_id
                assert promise.image.data in held[uid]
            if state in {ImageState.CONFIRMED, ImageState.PURGED}:
                assert uid in held, "confirmed, and not there"
            if state is None:
                assert promise.is_deleted
            elif state is not ImageState.PURGED:
                assert self.outbox.image_of(capture_id) == promise.image

    @invariant()
    def counts_are_those_of_the_list(self) -> None:
        counts, states = self.outbox.counts(), [s.state for s in self.outbox.statuses()]
        assert counts.drafts == states.count(ImageState.DRAFT)
        assert counts.needs_you == states.count(ImageState.NEEDS_YOU)
        waiting = {ImageState.HELD, ImageState.QUEUED, ImageState.SENDING, ImageState.SENT}
        waiting.add(ImageState.LISTED)
        assert counts.waiting == sum(state in waiting for state in states)

    def state(self, capture_id: str) -> ImageState | None:
        found = self.outbox.statuses(StatusFilter(capture_ids=(capture_id,)))
        return found[0].state if found else None


TestOutbox = OutboxMachine.TestCase
TestOutbox.settings = settings(max_examples=20, stateful_step_count=25)
