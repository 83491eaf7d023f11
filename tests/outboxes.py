"""Outboxes on a real disk for tests, and an archive that is a folder."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from capture_app.clock import Clock
from capture_app.dicom.part10 import pixel_sha256, read
from capture_app.errors import DeliveryError, RefusedDeliveryError, TransientDeliveryError
from capture_app.imaging import surgery
from capture_app.model.delivery import (
    MOST_BROKEN_OFF,
    Instance,
    ProofKind,
    ProofReceipt,
    StoreReceipt,
)
from capture_app.model.device import DeviceInfo
from capture_app.model.encoded_image import EncodedImage
from capture_app.model.exam import Exam
from capture_app.model.part10_file import Part10File
from capture_app.model.procedure import Description
from capture_app.model.reason import (
    CONTENT_MISMATCH,
    IDENTITY_MISMATCH,
    NOT_IN_ARCHIVE,
    Reason,
)
from capture_app.outbox.delivery.engine import Engine
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.ports import Hindrances
from capture_app.outbox.rules import OutboxRules
from capture_app.settings.schema import Capture
from capture_app.store.cipher import Cipher
from capture_app.store.database import Database
from capture_app.store.role import EngineRole
from tests import sealing

KEY = bytes(range(32))
PACS = "pacs"


def open_database(folder: Path) -> Database:
    return Database.open(folder / "outbox.db", files("capture_app.outbox") / "migrations")


def open_outbox(
    folder: Path,
    clock: Clock,
    *,
    destinations: Sequence[str] = (PACS,),
    capture: Capture = Capture(min_free_mb=1),  # noqa: B008 - frozen
) -> Outbox:
    """An outbox of its own on that folder, as another process would open it."""
    rules = OutboxRules(tuple(destinations), sealing.INSTITUTION, sealing.STATION, capture)
    return Outbox(open_database(folder), folder, Cipher(KEY), clock, rules, surgery)


def open_engine(
    outbox: Outbox,
    folder: Path,
    clock: Clock,
    *archives: "DirectoryArchive",
    batch: int = 20,
    hindrances: Hindrances | None = None,
) -> Engine:
    role = EngineRole(folder / "engine.lock")
    return Engine(outbox, archives, clock, role=role, batch=batch, hindrances=hindrances)


def close(outbox: Outbox) -> None:
    """As the end of its process would."""
    outbox.close()


def begin(outbox: Outbox, clock: Clock, **changes: object) -> Exam:
    """An exam that was opened now."""
    return outbox.open_exam(
        sealing.exam(exam_id=clock.new_uid(), started_at=clock.now(), **changes)
    )


def keep(
    outbox: Outbox,
    exam: Exam,
    *,
    image: EncodedImage | None = None,
    description: Description | None = None,
    device: DeviceInfo = sealing.CAMERA,
    on_safe: Callable[[str], None] | None = None,
) -> str:
    """A picture, described completely unless said otherwise."""
    return outbox.keep(
        exam,
        image or sealing.photo(),
        device=device,
        taken_at=outbox.spool.clock.now(),
        description=sealing.description() if description is None else description,
        on_safe=on_safe,
    )


def sealed_files(folder: Path) -> list[Path]:
    """Every sealed file of a data folder."""
    return sorted(folder.rglob("*.sealed"))


@dataclass(slots=True)
class DirectoryArchive:
    """An archive that keeps Part 10 files in a folder. Its bad days are set from outside."""

    folder: Path
    name: str = PACS
    is_down: bool = False
    """Takes the question, and falls silent."""
    is_out_of_reach: bool = False
    """Nothing listens where it should be."""
    loses: bool = False
    """Says that it stored, and keeps nothing."""
    lists_only: bool = False
    relabels: bool = False
    """Files what it gets under another patient."""
    repaints: bool = False
    """Keeps other pixels than it was sent."""
    refuses: dict[str, DeliveryError] = field(default_factory=dict)
    """Outcomes of instances, by SOP Instance UID."""
    hangs: set[str] = field(default_factory=set)
    """Instances at which it falls silent, by SOP Instance UID."""
    asked: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    """What it was asked, in order: "store" or "prove", and which instances."""

    def store(
        self, instances: Sequence[Instance], read: Callable[[Instance], Part10File]
    ) -> Iterator[tuple[str, StoreReceipt | DeliveryError]]:
        self._note("store", instances)
        broken_off = 0
        for instance in instances:
            uid = instance.sop_instance_uid
            broken_off = broken_off + 1 if uid in self.hangs else 0
            if broken_off:
                yield uid, TransientDeliveryError(Reason.of("timeout", name=self.name))
                if broken_off == MOST_BROKEN_OFF:
                    return
                continue
            if uid in self.refuses:
                yield uid, self.refuses[uid]
                continue
            try:
                part10 = read(instance).whole()
            except DeliveryError as error:
                yield uid, error
                continue
            if not self.loses:
                self._path(uid).write_bytes(part10)
            yield uid, StoreReceipt(uid, 0)

    def prove(
        self, instances: Sequence[Instance]
    ) -> Iterator[tuple[str, ProofReceipt | DeliveryError]]:
        self._note("prove", instances)
        for instance in instances:
            yield instance.sop_instance_uid, self._proof(instance)

    def interrupt(self) -> None:
        """Nothing here takes long."""

    def holds(self) -> dict[str, bytes]:
        """What it keeps, by SOP Instance UID."""
        return {path.stem: path.read_bytes() for path in self.folder.glob("*.dcm")}

    def _proof(self, instance: Instance) -> ProofReceipt | DeliveryError:
        path = self._path(instance.sop_instance_uid)
        if not path.exists():
            return RefusedDeliveryError(Reason.of(NOT_IN_ARCHIVE, name=self.name))
        part10 = path.read_bytes()
        ds = read(part10)
        patient = "other" if self.relabels else ds.PatientID
        if (patient, ds.StudyInstanceUID) != (instance.patient_id, instance.study_instance_uid):
            return RefusedDeliveryError(Reason.of(IDENTITY_MISMATCH, name=self.name))
        if self.repaints or pixel_sha256(ds) != instance.pixel_sha256:
            return RefusedDeliveryError(Reason.of(CONTENT_MISMATCH, name=self.name))
        kind = ProofKind.LISTED if self.lists_only else ProofKind.PIXEL_HASH
        return ProofReceipt(instance.sop_instance_uid, kind, self.name)

    def _note(self, act: str, instances: Sequence[Instance]) -> None:
        self.asked.append((act, tuple(i.sop_instance_uid for i in instances)))
        if self.is_out_of_reach:
            raise TransientDeliveryError(Reason.of("refused", name=self.name), reached_nobody=True)
        if self.is_down:
            raise TransientDeliveryError(Reason.of("timeout", name=self.name))

    def _path(self, uid: str) -> Path:
        self.folder.mkdir(exist_ok=True)
        return self.folder / f"{uid}.dcm"
