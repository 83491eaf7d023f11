"""A child process that takes, describes and sends pictures, or delivers them: made to be killed.

Wired as the application wires itself. It says `SAFE <uid>` at the moment of each promise. To be
killed hundreds of times it starts fast: one process imports everything, and each order read from
its standard input runs in a fork of it, a process of its own that does one thing and ends.

Faults of ours are planted here by name (PLANT), to see that the tests would notice them.
"""

import ctypes
import dataclasses
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from threading import Event

from capture_app.archive.connect import connect
from capture_app.archive.held_copy import read_held_copy
from capture_app.clock import SystemClock
from capture_app.dicom import part10
from capture_app.errors import CaptureAppError, DeliveryError
from capture_app.imaging import surgery
from capture_app.imaging.jpeg import prepare_jpeg
from capture_app.model.delivery import ImageState, Instance, ProofReceipt, StoreReceipt
from capture_app.model.exam import Exam
from capture_app.model.part10_file import Part10File
from capture_app.model.patient import PatientId
from capture_app.outbox.delivery.engine import Engine
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.ports import Archive
from capture_app.outbox.rules import OutboxRules
from capture_app.outbox.sealing.leave_order import leave_order
from capture_app.settings import log
from capture_app.settings.schema import ArchiveDestination, Capture
from capture_app.store.cipher import Cipher
from capture_app.store.database import Database
from capture_app.store.role import EngineRole
from tests import sealing

CLOCK = SystemClock()
PICTURES = 3
_PR_SET_PTRACER = 0x59616D61
SAFE_FIRST = "safe-before-the-write"
NEW_UID = "new-uid-on-retry"


@dataclasses.dataclass(frozen=True)
class Order:
    """What one child does."""

    act: str
    """shoot, deliver (what is queued), finish (send what is left, deliver, until Confirmed),
    serve (lead or follow until a line comes on standard input, and say what happens), prepare
    (pictures for an order, sent, held and not sent) or leave (let them go on without it).
    """
    folder: str
    patient_id: str
    archive: dict[str, object]
    plant: str = ""
    waits: bool = False
    """Until a line comes on standard input: somebody attaches to this process first."""
    within: float = 20.0


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def picture(patient_id: str, number: int) -> bytes:
    """The JPEG that is shot: another one for each patient and number."""
    more, width = divmod(int(patient_id[-4:]), 400)
    return sealing.jpeg(40 + PICTURES * more + number, 48 + width, quality=60 + number)


class NewUidOnRetry:
    """A planted fault: what is sent by this process goes under a UID of its own."""

    def __init__(self, inner: Archive) -> None:
        self.inner = inner
        self.name = inner.name
        self.uids: dict[str, str] = {}

    def store(
        self, instances: Sequence[Instance], read: Callable[[Instance], Part10File]
    ) -> Iterator[tuple[str, StoreReceipt | DeliveryError]]:
        ours = {instance.sop_instance_uid: instance for instance in instances}

        def read_anew(instance: Instance) -> Part10File:
            before = next(u for u, new in self.uids.items() if new == instance.sop_instance_uid)
            ds = part10.read(read(ours[before]).whole())
            ds.SOPInstanceUID = instance.sop_instance_uid
            return Part10File.of(part10.write(ds))

        self.uids |= {uid: CLOCK.new_uid() for uid in ours}
        anew = [self._anew(instance) for instance in instances]
        for (_, outcome), uid in zip(self.inner.store(anew, read_anew), ours, strict=True):
            yield uid, outcome

    def prove(
        self, instances: Sequence[Instance]
    ) -> Iterator[tuple[str, ProofReceipt | DeliveryError]]:
        anew = [self._anew(instance) for instance in instances]
        for (_, outcome), before in zip(self.inner.prove(anew), instances, strict=True):
            yield before.sop_instance_uid, outcome

    def interrupt(self) -> None:
        self.inner.interrupt()

    def _anew(self, instance: Instance) -> Instance:
        uid = self.uids.get(instance.sop_instance_uid, instance.sop_instance_uid)
        return dataclasses.replace(instance, sop_instance_uid=uid)


def open_outbox(order: Order) -> Outbox:
    folder = Path(order.folder)
    database = Database.open(folder / "outbox.db", files("capture_app.outbox") / "migrations")
    rules = OutboxRules(
        (str(order.archive["name"]),), sealing.INSTITUTION, sealing.STATION, Capture(min_free_mb=1)
    )
    return Outbox(database, folder, Cipher(bytes(range(32))), CLOCK, rules, surgery)


def shoot(order: Order, outbox: Outbox) -> None:
    patient = dataclasses.replace(sealing.MAI, patient_id=PatientId(order.patient_id, "ST_ANNE"))
    act = sealing.exam(exam_id=CLOCK.new_uid(), patient=patient, started_at=CLOCK.now())
    exam = outbox.open_exam(act)
    kept = [keep(order, outbox, exam, number) for number in range(PICTURES)]
    outbox.describe(kept, sealing.description(), sealing.NURSE)
    outbox.seal(kept, sealing.NURSE, release_now=True)
    say("SENT")


def prepare(order: Order, outbox: Outbox) -> None:
    patient = dataclasses.replace(sealing.MAI, patient_id=PatientId(order.patient_id, "ST_ANNE"))
    act = sealing.exam(
        exam_id=CLOCK.new_uid(),
        patient=patient,
        started_at=CLOCK.now(),
        order=sealing.ORDER,
        study_instance_uid=sealing.ORDER.study_instance_uid,
    )
    exam = outbox.open_exam(act)
    queued, held, draft = [keep(order, outbox, exam, number) for number in range(PICTURES)]
    outbox.describe([queued, held, draft], sealing.description(), sealing.NURSE)
    outbox.seal([queued], sealing.NURSE, release_now=True)
    outbox.seal([held], sealing.NURSE)
    say("PREPARED")


def leave(_order: Order, outbox: Outbox) -> None:
    (exam_id,) = {draft.exam_id for draft in outbox.drafts()}
    leave_order(outbox.spool, outbox.exam(exam_id), sealing.NURSE)
    say("LEFT")


def keep(order: Order, outbox: Outbox, exam: Exam, number: int) -> str:
    def safe(uid: str) -> None:
        say(f"SAFE {uid} {number}")

    image = prepare_jpeg(picture(order.patient_id, number))
    if order.plant == SAFE_FIRST:
        promised = CLOCK.new_uid()
        safe(promised)
    return outbox.keep(
        exam,
        image,
        device=sealing.CAMERA,
        taken_at=CLOCK.now(),
        description=sealing.description(side=None),
        on_safe=None if order.plant == SAFE_FIRST else safe,
    )


def send_what_is_left(outbox: Outbox) -> None:
    drafts = [draft.capture_id for draft in outbox.drafts()]
    if drafts:
        outbox.describe(drafts, sealing.description(), sealing.NURSE)
        outbox.seal(drafts, sealing.NURSE, release_now=True)


def open_engine(
    order: Order, outbox: Outbox, on_role: Callable[[bool], None] | None = None
) -> Engine:
    archive: Archive = connect(
        ArchiveDestination(**order.archive),  # type: ignore[arg-type]
        sealing.STATION,
        listener=None,
        clock=CLOCK,
        password={"pacs-password": "rigpass"}.get,
        read_copy=read_held_copy,
    )
    if order.plant == NEW_UID and order.act == "finish":
        archive = NewUidOnRetry(archive)
    role = EngineRole(Path(order.folder) / "engine.lock")
    return Engine(outbox, (archive,), CLOCK, role=role, on_role=on_role)


def deliver(order: Order, outbox: Outbox) -> None:
    engine = open_engine(order, outbox)
    moved = Event()
    outbox.on_change(lambda _: moved.set())
    engine.start()
    end = CLOCK.monotonic() + order.within
    while CLOCK.monotonic() < end:
        if order.act == "finish" and engine.leads:
            send_what_is_left(outbox)
        moved.clear()
        states = {status.state for status in outbox.statuses()}
        if engine.leads and states <= {ImageState.CONFIRMED}:
            say("CONFIRMED")
            break
        moved.wait(0.2)
    engine.stop()


def serve(order: Order, outbox: Outbox) -> None:
    def tell_role(leads: bool) -> None:
        say("LEADS" if leads else "FOLLOWS")

    def tell_change(capture_id: str) -> None:
        say(f"CHANGED {capture_id}")

    outbox.on_change(tell_change)
    engine = open_engine(order, outbox, on_role=tell_role)
    engine.start()
    say("SERVES")
    sys.stdin.readline()
    engine.stop()


def _let_strace_attach() -> None:
    """Where the system lets nobody but a parent trace (Yama), this child allows anyone."""
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_PTRACER, ctypes.c_ulong(-1), 0, 0, 0)


def run(order: Order) -> None:
    """The whole life of one child."""
    log.configure(None, console_level="critical")
    if order.waits:
        _let_strace_attach()
    say(f"CHILD {os.getpid()}")
    if order.waits:
        sys.stdin.readline()
    try:
        outbox = open_outbox(order)
        acts = {"shoot": shoot, "serve": serve, "prepare": prepare, "leave": leave}
        act = acts.get(order.act, deliver)
        act(order, outbox)
        outbox.spool.database.close()
    except CaptureAppError as error:
        say(f"ERROR {type(error).__name__}: {error}")


def main() -> None:
    """Runs each order in a fork, one after the other, and says how it ended."""
    sealing.catalog()
    say("READY")
    for line in iter(sys.stdin.readline, ""):
        order = Order(**json.loads(line))
        child = os.fork()  # noqa: TID251 - one thread so far; an import for each kill is too slow
        if not child:
            try:
                run(order)
            except BaseException:  # noqa: BLE001 - a fork must not go on as its parent
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        say(f"ENDED {os.waitstatus_to_exitcode(status)}")


if __name__ == "__main__":
    main()
