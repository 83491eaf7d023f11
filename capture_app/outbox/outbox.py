"""The outbox as everybody sees it: the acts of a person on pictures, and where pictures stand."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from capture_app.clock import Clock
from capture_app.model.audit_event import AuditAction, AuditEvent, EventOutcome
from capture_app.model.clip import ClipFormat, FrameOfClip
from capture_app.model.delivery import AtArchive, ImageStatus
from capture_app.model.device import DeviceInfo
from capture_app.model.encoded_image import EncodedImage
from capture_app.model.encounter import Encounter, Location
from capture_app.model.exam import Exam
from capture_app.model.operator import Operator
from capture_app.model.patient import Patient
from capture_app.model.procedure import Description
from capture_app.model.shown import ShownAtSend
from capture_app.outbox import acts, destinations, status
from capture_app.outbox.changes import Changes, OnChange
from capture_app.outbox.keeping import clips, drafts, exams
from capture_app.outbox.keeping.clips import Film, Recording
from capture_app.outbox.keeping.description import Seen, read_description
from capture_app.outbox.keeping.drafts import Draft, PictureIdentity
from capture_app.outbox.recovery.set_apart import FileSetApart, files_set_apart
from capture_app.outbox.rules import OutboxRules
from capture_app.outbox.sealing import seal, sent, withdraw
from capture_app.outbox.sealing.seal import SealingRules, Sending
from capture_app.outbox.sealing.withdraw import RecallReason
from capture_app.outbox.spool import Spool
from capture_app.outbox.status import Counts, SeenStates, StatusFilter
from capture_app.store.cipher import Cipher
from capture_app.store.clip import Clip
from capture_app.store.database import Database
from capture_app.store.role import Presence

if TYPE_CHECKING:  # its libraries are read by the first picture
    from capture_app.imaging.decoder import Decoder

SENDERS: Final = "senders"
"""Folder of the locks by which processes know of each other that a Send may still be undone."""


class Outbox:
    """Safe for use by many threads, and by many processes on one data folder.

    Everything that a person does here is in the trail, written in the transaction of the act.
    """

    def __init__(
        self,
        database: Database,
        folder: Path,
        cipher: Cipher,
        clock: Clock,
        rules: OutboxRules,
        decoder: Decoder,
    ) -> None:
        """`decoder`: what looks into the coded data of pictures that are to be turned or cut."""
        self.spool = Spool.open(database, folder, cipher, clock)
        self.rules = rules
        self._changes = Changes(database)
        self._held_until: dict[str, float] = {}
        self._presence = Presence(folder / SENDERS)
        self._sealing = SealingRules(
            *(rules.destinations, rules.institution, rules.station),
            *(rules.capture.hold_seconds, rules.capture.retention_days, decoder),
        )

    # ------------------------------------------------------------------------------------ exams

    def open_exam(self, exam: Exam, action: AuditAction = AuditAction.PATIENT_OPENED) -> Exam:
        """Writes down that an exam began, by this act; returns it with its Study Instance UID."""
        return exams.open_exam(self.spool, exam, action)

    def exam(self, exam_id: str) -> Exam:
        """An exam as it was frozen. Raises RuleError where there is none."""
        return exams.read_exam(self.spool, exam_id)

    def readable_exams(self, exam_ids: Iterable[str]) -> Mapping[str, Exam]:
        """Those of the exams whose rows can be read, by their id."""
        return exams.readable_exams(self.spool, exam_ids)

    def known_wording(self, exam: Exam) -> Patient | None:
        """The wording that changes to an exam's patient are compared with, where it was noted."""
        return exams.read_known_wording(self.spool, exam.exam_id)

    def note_known_wording(self, exam: Exam, patient: Patient) -> None:
        """Keeps it, for all windows and after a restart."""
        exams.note_known_wording(self.spool, exam.exam_id, patient)

    def has_pictures(self, exam: Exam) -> bool:
        """Whether a picture of the exam was taken and not deleted, sent or not."""
        return exams.has_pictures(self.spool, exam.exam_id)

    def exam_of(self, capture_id: str) -> Exam:
        """The exam of a picture. Raises RuleError where there is no such picture."""
        return exams.read_exam_of(self.spool, capture_id)

    def sent_patients(self, sop_instance_uids: Iterable[str]) -> Mapping[str, Patient]:
        """The patients of what was sent, as they were named then, by SOP Instance UID.

        Without those of before, and of rows that cannot be read: their exams name them.
        """
        return sent.sent_patients(self.spool, sop_instance_uids)

    def patient_key(self, exam: Exam) -> str:
        """What tells an exam's patient from others without naming anyone."""
        return self.spool.patient_key(exam.patient)

    def record_about(
        self, exam: Exam, operator: Operator, action: AuditAction, details: Mapping[str, str]
    ) -> None:
        """Writes into the trail what was done or learnt about an open exam: who, or where."""
        event = AuditEvent(
            action,
            operator.user_id,
            exam_id=exam.exam_id,
            patient_key=self.spool.patient_key(exam.patient),
            details=details,
        )
        with self.spool.database.transaction() as connection:
            self.spool.record(connection, event)

    def record_refusal(self, patient: Patient, operator: Operator, action: AuditAction) -> None:
        """Writes into the trail that an act on a patient was refused, and nothing else."""
        event = AuditEvent(
            action,
            operator.user_id,
            outcome=EventOutcome.MINOR_FAILURE,
            patient_key=self.spool.patient_key(patient),
        )
        with self.spool.database.transaction() as connection:
            self.spool.record(connection, event)

    # --------------------------------------------------------------------------------- pictures

    def keep(
        self,
        exam: Exam,
        image: EncodedImage,
        *,
        device: DeviceInfo,
        taken_at: datetime,
        description: Description,
        is_time_known: bool = True,
        place: Location | None = None,
        file_digest: str = "",
        on_safe: Callable[[str], None] | None = None,
    ) -> str:
        """The promise: when this returns, the picture is encrypted and durable on this computer.

        Returns the capture id, which is the SOP Instance UID minted at the shutter. `on_safe` is
        called with it at the first moment at which that holds. `place`: where the patient is now.
        `is_time_known`: False where `taken_at` is only when it came here. `file_digest`: SHA-256 of
        the file that it came in, by which `slates.kept_files` finds it.
        Raises DiskFullError, StoreError: then nothing was kept.
        """
        capture_id = drafts.keep(
            self.spool,
            exam,
            image,
            device=device,
            taken_at=taken_at,
            description=description,
            is_time_known=is_time_known,
            place=place,
            file_digest=file_digest,
            min_free_bytes=self.rules.least_free,
        )
        if on_safe is not None:
            on_safe(capture_id)
        self._changes.tell()
        return capture_id

    def keep_film(self, kept: PictureIdentity, film: Film) -> str:
        """As `keep`, of a film that is all there."""
        try:
            return clips.keep_film(self.spool, kept, film, min_free_bytes=self.rules.least_free)
        finally:
            self._changes.tell()

    def record(self, kept: PictureIdentity, shape: ClipFormat) -> Recording:
        """Begins a film that is promised second by second. Raises DiskFullError, StoreError."""
        return Recording(self.spool, kept, shape, self.rules.least_free, self._changes.tell)

    @contextmanager
    def film_of(self, capture_id: str) -> Iterator[Clip]:
        """A kept film, to be read in parts by one thread. Raises as `image_of`."""
        with clips.open_film(self.spool, capture_id, self._changes.tell) as clip:
            yield clip

    def keep_still(self, source: FrameOfClip, said: Description, operator: Operator) -> str:
        """As `keep`, of one frame of a kept film, as a picture of its own; and as `film_of`."""
        least, decoder = self.rules.least_free, self._sealing.decoder
        try:
            return clips.keep_still(self.spool, source, said, operator, decoder, least)
        finally:
            self._changes.tell()

    def describe(
        self,
        capture_ids: Sequence[str],
        description: Description,
        operator: Operator,
        seen: Seen | None = None,
    ) -> None:
        """Says what drafts show and are for. `seen`: what they said before, to who asks for it.

        Raises RuleError where one is no draft any more, ChangedSinceSeenError where one says
        something else than was seen; then none is changed.
        """
        drafts.describe(self.spool, capture_ids, description, operator, seen)
        self._changes.tell()

    def delete(
        self, capture_ids: Sequence[str], operator: Operator, seen: Seen | None = None
    ) -> None:
        """Takes drafts out of sight; `restore` undoes it for a day. Raises as `describe`."""
        drafts.delete(self.spool, capture_ids, operator, seen)
        self._changes.tell()

    def restore(
        self, capture_ids: Sequence[str], operator: Operator, seen: Seen | None = None
    ) -> None:
        """Brings deleted drafts back. Raises RuleError where it is too late, or done already."""
        drafts.restore(self.spool, capture_ids, operator, seen)
        self._changes.tell()

    def drafts(
        self, *, exam_id: str | None = None, patient_key: str | None = None
    ) -> tuple[Draft, ...]:
        """Pictures that are kept and not sent, of an exam, of a patient, or all; oldest first."""
        return drafts.drafts(self.spool, exam_id=exam_id, patient_key=patient_key)

    def last_taken(self, patients: Iterable[Patient]) -> Mapping[tuple[str, str], datetime]:
        """When the last picture of each of these patients was taken here, by the patient's key."""
        return drafts.last_taken(self.spool, patients)

    def image_of(self, capture_id: str) -> EncodedImage:
        """The picture itself. Raises SealBrokenError, and StoreError after the purge."""
        try:
            return drafts.open_capture(self.spool, capture_id)
        finally:
            self._changes.tell()  # a fault may have been found

    def poster_of(self, capture_id: str) -> EncodedImage:
        """A picture, or of a clip its poster. Raises as `image_of`, and ImageError."""
        try:
            return clips.poster_of(self.spool, capture_id)
        finally:
            self._changes.tell()  # a fault may have been found

    def device_of(self, capture_id: str) -> DeviceInfo:
        """What took a picture, as it was written down with it. Raises as `image_of`."""
        try:
            return drafts.open_kept(self.spool, capture_id).device
        finally:
            self._changes.tell()  # a fault may have been found

    def description_of(self, capture_id: str) -> Description:
        """What a picture shows and is for, as last chosen."""
        return read_description(self.spool, capture_id)

    # --------------------------------------------------------------------------------- on its way

    def seal(
        self,
        capture_ids: Sequence[str],
        operator: Operator,
        *,
        seen: Seen | None = None,
        patient: Patient | None = None,
        shown: Mapping[str, ShownAtSend] = MappingProxyType({}),
        visits: Mapping[str, Encounter] = MappingProxyType({}),
        visits_shared: Collection[str] = (),
        answered: Collection[str] = (),
        release_now: bool = False,
    ) -> Sending:
        """Send: all of these drafts, or none. They are held for a while so that `undo` is possible.

        `seen`: what the person who sends saw of each; None where the sender has just said it.
        `patient`: the patient of all of them as Send named them; None: as each exam did.
        `shown`: what the screen said of each, by capture id; it is sealed with them.
        `visits`: the visits of exams, by their ids, under the numbers that they have by now.
        `visits_shared`: the ids of exams whose visit's number another patient has by now, too.
        `answered`: codes of what speaks against sending, and was known at Send.
        Raises RuleError, ChangedSinceSeenError, ConformanceError, SealBrokenError, ImageError,
        DiskFullError, StoreError.
        """
        if not release_now:
            self._presence.enter()  # before a row is held: whoever takes the role over sees both
        try:
            sending = seal.seal(
                self.spool,
                self._sealing,
                capture_ids,
                operator,
                seen=seen,
                patient=patient,
                shown=shown,
                visits=visits,
                visits_shared=visits_shared,
                answered=answered,
                release_now=release_now,
            )
            held_until = self.spool.clock.monotonic() + self.rules.capture.hold_seconds
            self._held_until[sending.send_id] = held_until
        finally:
            self._changes.tell()  # a fault of a file may have been found
        return sending

    def live_sends(self) -> frozenset[str]:
        """Sends of this process that a person may still undo: recovery leaves them held."""
        now = self.spool.clock.monotonic()
        return frozenset(send for send, until in tuple(self._held_until.items()) if until > now)

    def others_may_undo(self) -> bool:
        """Whether another process that sent something is still there: what it holds stays held.

        Raises StoreError.
        """
        return self._presence.others()

    def close(self) -> None:
        """The process ends its work here: nothing that it holds can be undone any more."""
        self._presence.leave()
        self.spool.database.close()

    def undo(self, send_id: str, operator: Operator, seen: Collection[str] | None = None) -> bool:
        """Makes drafts of a Send again; False where it is too late, and nothing was changed.

        `seen`: the captures of which it consisted for who takes it back. Raises
        ChangedSinceSeenError where some of them were called back since.
        """
        undone = withdraw.undo(self.spool, send_id, operator, seen)
        self._changes.tell()
        return undone

    def call_back(
        self,
        sop_instance_uids: Sequence[str],
        operator: Operator,
        reason: RecallReason = RecallReason.TO_CHANGE,
        seen: SeenStates | None = None,
    ) -> int:
        """Makes drafts again of pictures that are held, queued or stopped: all of them or none.

        Returns how many. `seen`: how each stood on the screen of who acts, as for the acts below.
        Raises RuleError, in words, where an attempt to send one has begun, and
        ChangedSinceSeenError where one stands otherwise by now.
        """
        return self._told(withdraw.call_back(self.spool, sop_instance_uids, operator, reason, seen))

    def try_now(
        self,
        sop_instance_uids: Sequence[str],
        operator: Operator,
        seen: SeenStates | None = None,
    ) -> int:
        """Makes what waits or needs a person due at once; returns how many pictures moved.

        Raises ChangedSinceSeenError.
        """
        return self._told(acts.try_now(self.spool, sop_instance_uids, operator, seen))

    def hold(
        self,
        sop_instance_uids: Sequence[str],
        operator: Operator,
        seen: SeenStates | None = None,
    ) -> int:
        """Keeps pictures back until `release`, over restarts too; returns how many moved.

        Raises ChangedSinceSeenError.
        """
        return self._told(acts.hold(self.spool, sop_instance_uids, operator, seen))

    def release(
        self,
        sop_instance_uids: Sequence[str],
        operator: Operator,
        seen: SeenStates | None = None,
    ) -> int:
        """Lets held pictures go at once; returns how many moved.

        Raises ChangedSinceSeenError.
        """
        return self._told(acts.release(self.spool, sop_instance_uids, operator, seen))

    def retry_at(self, destination: str, operator: Operator) -> int:
        """Makes all that waits for one archive, or was stopped there, due. How many images."""
        return self._told(destinations.retry_at(self.spool, destination, operator))

    def retire(self, archive: str, operator: Operator, *, instead: str = "") -> int:
        """Ends what is due at an archive that is no more. How many images that moved.

        `instead`: the archive to which they go. Raises RuleError where an image would have none.
        """
        return self._told(destinations.retire(self.spool, archive, operator, instead=instead))

    # ------------------------------------------------------------------------------------ status

    def at_archives(self, sop_instance_uids: Sequence[str]) -> Mapping[str, tuple[AtArchive, ...]]:
        """How images stand at each archive that they are for."""
        return destinations.at_archives(self.spool, sop_instance_uids)

    def statuses(self, wanted: StatusFilter = StatusFilter()) -> tuple[ImageStatus, ...]:  # noqa: B008 - frozen
        """Where pictures stand, newest change first. No patient data."""
        return status.statuses(self.spool, wanted)

    def counts(self) -> Counts:
        """How many pictures stand where."""
        return status.counts(self.spool)

    def files_set_apart(self) -> tuple[FileSetApart, ...]:
        """Sealed files without a row that could not be adopted when delivery began, and are there.

        Blocks: looks at the disk.
        """
        return files_set_apart(self.spool)

    def last_answered(self) -> datetime | None:
        """When an archive last took or proved a picture; None before the first time."""
        return status.last_answered(self.spool)

    def on_change(self, callback: OnChange) -> Callable[[], None]:
        """Calls back with the id of each picture and exam that changed, from any thread.

        Changes by other processes come within a second where an `Engine` of this process is
        started, whoever holds the engine role. Returns the way out.
        """
        return self._changes.subscribe(callback)

    def tell_changes(self) -> None:
        """Calls back for what changed since the last time, by whomever."""
        self._changes.tell()

    def tell_others_changes(self) -> None:
        """Calls back for what changed since the last time, if anybody changed anything."""
        self._changes.tell_if_any()

    def _told(self, moved: int) -> int:
        self._changes.tell()
        return moved
