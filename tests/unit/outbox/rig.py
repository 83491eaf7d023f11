"""An engine with an archive that does as it is told."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from capture_app.audit.trail import read_trail
from capture_app.clock import FixedClock
from capture_app.model.audit_event import AuditAction
from capture_app.model.delivery import (
    ImageState,
    ImageStatus,
    ProofKind,
    ProofReceipt,
    StoreReceipt,
    TaskKind,
)
from capture_app.outbox.delivery.engine import Engine
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.steps import tasks
from tests import outboxes, sealing
from tests.outboxes import DirectoryArchive, begin, keep
from tests.waiting import Eventually


def prove_at(outbox: Outbox, destinations: Sequence[str]) -> None:
    """Stores and proves what is open for these archives, as their workers would."""
    for task in tasks.open_tasks(outbox.spool):
        uid = task.sop_instance_uid
        if task.destination in destinations and task.kind is TaskKind.STORE:
            tasks.settle_stored(outbox.spool, task, StoreReceipt(uid, 0))
    for task in tasks.open_tasks(outbox.spool):
        if task.destination in destinations and task.kind is TaskKind.PROVE:
            receipt = ProofReceipt(task.sop_instance_uid, ProofKind.PIXEL_HASH, task.destination)
            tasks.settle_proved(outbox.spool, task, receipt)


@dataclass
class Rig:
    """An outbox, its engine, and the archive it sends to."""

    folder: Path
    clock: FixedClock
    eventually: Eventually
    outbox: Outbox
    archive: DirectoryArchive
    engines: list[Engine] = field(default_factory=list)

    def start(self, *archives: DirectoryArchive, batch: int = 20) -> Engine:
        engine = outboxes.open_engine(
            self.outbox, self.folder, self.clock, *(archives or (self.archive,)), batch=batch
        )
        self.engines.append(engine)
        engine.start()
        self.eventually(lambda: engine.leads)
        return engine

    def send(self, n: int = 1, *, release_now: bool = True) -> list[str]:
        exam = begin(self.outbox, self.clock)
        kept = [keep(self.outbox, exam) for _ in range(n)]
        self.outbox.seal(kept, sealing.NURSE, release_now=release_now)
        return kept

    def status(self, capture_id: str) -> ImageStatus:
        (found,) = [s for s in self.outbox.statuses() if s.capture_id == capture_id]
        return found

    def until(self, state: ImageState, *capture_ids: str) -> None:
        def are_all() -> bool:
            return all(self.status(capture_id).state is state for capture_id in capture_ids)

        self.eventually(are_all, what=f"{state} but {[s.state for s in self.outbox.statuses()]}")

    def failed(self, capture_id: str, times: int) -> ImageStatus:
        self.eventually(lambda: self.status(capture_id).failures == times, what=f"{times} failures")
        return self.status(capture_id)

    def pass_time(self, seconds: float) -> None:
        # The next try is timed from when the last one was settled, which is after its row tells.
        self.eventually(lambda: not any(engine._schedule.in_flight() for engine in self.engines))
        self.clock.advance(seconds)
        for engine in self.engines:
            engine._wake.set()

    def passing(self, seconds: float, state: ImageState, capture_id: str) -> None:
        """Lets so much time pass over and over until the picture stands there."""

        def is_there() -> bool:
            self.pass_time(seconds)
            return self.status(capture_id).state is state

        self.eventually(is_there, what=state)

    def actions(self) -> list[AuditAction]:
        return [row.event.action for row in read_trail(self.outbox.spool.database.read())]
