"""The act from the identified patient to Send: one exam at a time takes pictures, and a frame that
is not of that exam's time is refused.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from capture_app.catalog.catalog import Catalog
from capture_app.clock import Clock
from capture_app.errors import RuleError
from capture_app.exam.describing import completed
from capture_app.exam.encoding import Picture, picture_of
from capture_app.exam.patient_drafts import PatientDrafts, newest_exams
from capture_app.exam.rules import Missing, Ready, gate_to_send
from capture_app.exam.standing import (
    Standing,
    as_it_is_now,
    combined,
    differences,
    hindrance_of,
    require_own_study,
    require_standing,
    shared_studies,
    standing_of,
    worded_as_shown,
)
from capture_app.model.audit_event import AuditAction
from capture_app.model.device import DeviceInfo
from capture_app.model.encounter import Location
from capture_app.model.exam import Exam
from capture_app.model.frame import Frame
from capture_app.model.operator import Act, Operator, require
from capture_app.model.order import Order
from capture_app.model.patient import Patient, PatientId
from capture_app.model.procedure import Description
from capture_app.model.reason import Reason
from capture_app.model.shown import ShownAtSend
from capture_app.model.words import tr
from capture_app.model.worklist import Doubt, IdentifiedBy, PatientListEntry, PersonNow
from capture_app.outbox.keeping.description import Seen, changed_since_seen
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.sealing.seal import Sending
from capture_app.settings.schema import Station

if TYPE_CHECKING:  # its libraries are read by the first picture
    from capture_app.imaging.decoder import Decoder

People = Callable[[PatientId], PersonNow | None]
"""What the feeds say now of the patient with a record number."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """Nothing was sent: what is missing, by capture id, in the order in which they were given."""

    missing: tuple[tuple[str, Missing], ...]


class ExamService:
    """Opens exams, takes pictures into the one that is open, and sends them through the gate."""

    def __init__(
        self,
        outbox: Outbox,
        catalog: Catalog,
        clock: Clock,
        station: Station,
        people: People,
        decoder: Decoder,
    ) -> None:
        """`people`: see there; None where they say nothing. `decoder`: looks into coded data."""
        self._decoder = decoder
        self._outbox = outbox
        self._people = people
        self._catalog = catalog
        self._clock = clock
        self._station = station
        self._lock = threading.Lock()
        self._open: tuple[str, float] | None = None
        self._confirmed: dict[str, Patient] = {}
        self._followed: dict[str, Patient] = {}
        self._picked: dict[str, Location] = {}

    # ------------------------------------------------------------------------------------ who

    def open(
        self,
        entry: PatientListEntry,
        operator: Operator,
        identified_by: IdentifiedBy,
        order: Order | None = None,
        identified_at: datetime | None = None,
    ) -> Exam:
        """Begins an exam of a patient from the list; it is now the one that takes pictures.

        The entry is what a person saw; what is tested, and opened, is what the feeds say now.
        `identified_at`: when the patient was identified, where that was earlier. Raises RuleError
        where the operator takes no pictures; the entry has no identifier, left the list, is another
        by now, its visit was cancelled, its number retired; the order is none of it or shared.
        """
        if not entry.patient.patient_id.value:
            raise RuleError(tr("This patient has no record number: pictures cannot be filed."))
        entry = as_it_is_now(entry, self._people(entry.patient.patient_id))
        if order is not None and order not in entry.orders:
            raise RuleError(tr("This order is not one of the patient's orders."))
        require_own_study(order, entry.shared_studies)
        return self._begin(
            Exam(
                exam_id=self._clock.new_uid(),
                patient=entry.patient,
                encounter=entry.encounter,
                order=order,
                operator=operator,
                study_instance_uid="",
                started_at=self._clock.now(),
                identified_by=identified_by,
                identified_at=identified_at,
                department=self._station.department,
                station_name=self._station.name,
                is_visit_shared=Doubt.SHARED_VISIT_NUMBER in entry.doubts,
            )
        )

    def choose_order(self, exam: Exam, order: Order | None, listed: Sequence[Order] = ()) -> Exam:
        """Begins the open exam anew under another order of its patient, or under none.

        Same patient, visit, operator and identification; what the camera showed since the patient
        was opened may still be taken. `listed`: the orders that the list shows for this visit.
        Raises RuleError where a picture of `exam` exists, where `exam` is not the open one,
        where the order is not among the listed, and where its study is another patient's too.
        """
        if order is not None and order not in listed:
            raise RuleError(tr("This order is not one of the patient's orders."))
        now = self._people(exam.patient.patient_id)
        require_own_study(order, shared_studies(now) if now else frozenset())
        since = self.require_open(exam)
        if self._outbox.has_pictures(exam):
            raise RuleError(tr("Pictures were taken already: their order stays as it is."))
        anew = replace(exam, exam_id=self._clock.new_uid(), order=order, study_instance_uid="")
        opened = self._outbox.open_exam(anew, AuditAction.ORDER_CHOSEN)
        with self._lock:
            if self._open is None or self._open[0] != exam.exam_id:
                raise RuleError(tr("The exam was left: its order stays as it was."))
            self._open = (opened.exam_id, since)
        if (picked := self._picked.get(exam.exam_id)) is not None:
            self._picked[opened.exam_id] = picked
        if (known := self._outbox.known_wording(exam)) is not None:
            self._outbox.note_known_wording(opened, known)
        return opened

    def reopen(
        self,
        exam_id: str,
        operator: Operator,
        identified_by: IdentifiedBy,
        identified_at: datetime | None = None,
        *,
        shown: Patient,
    ) -> Exam:
        """Begins a new exam of the patient of an earlier one, from its drafts.

        Person, visit and order as they were frozen there, in the newest wording; the drafts stay in
        their own exam. `shown`: the patient as a person saw them. Raises RuleError where the feed
        says by now that it is another, or the operator takes no pictures.
        """
        earlier = self._outbox.exam(exam_id)
        patient = worded_as_shown(earlier.patient, self._people(earlier.patient.patient_id), shown)
        return self._begin(
            replace(
                earlier,
                exam_id=self._clock.new_uid(),
                patient=patient,
                operator=operator,
                started_at=self._clock.now(),
                identified_by=identified_by,
                identified_at=identified_at,
            )
        )

    def resume(self, exam: Exam) -> None:
        """After a lock the same operator goes on with the same exam: it takes pictures again, of
        what the camera shows from now on.
        """
        with self._lock:
            self._open = (exam.exam_id, self._clock.monotonic())

    def standing(self, exam: Exam, earlier: Iterable[str] = ()) -> Standing:
        """What the feed says now of the person and visit of an exam, and of the earlier exams of
        the same patient whose drafts would be sent with it, by their ids.
        """
        return combined(self._standings(exam, earlier).values())

    def _standings(self, exam: Exam, earlier: Iterable[str]) -> dict[str, Standing]:
        """The same of each exam, by its id; the open one first."""
        now = self._people(exam.patient.patient_id)
        confirmed = self._confirmed.get(exam.exam_id)
        others = (self._outbox.exam(one) for one in dict.fromkeys(earlier) if one != exam.exam_id)
        standings = {
            one.exam_id: standing_of(one, now, confirmed or self._outbox.known_wording(one))
            for one in others
        }
        own = standing_of(exam, now, self._outbox.known_wording(exam))
        return {exam.exam_id: own, **standings}

    def confirm(
        self, exam: Exam, patient: Patient, identified_by: IdentifiedBy, operator: Operator
    ) -> None:
        """Somebody identified the patient of an open exam once more, in this wording: trail."""
        self._outbox.record_about(
            exam, operator, AuditAction.IDENTITY_CHECKED, {"identified-by": identified_by}
        )
        self._confirmed[exam.exam_id] = patient
        self._outbox.note_known_wording(exam, patient)

    def follow(self, exam: Exam) -> None:
        """Writes into the trail that the feed words the patient of an open exam anew; once each."""
        standing = self.standing(exam)
        known, patient = standing.known, standing.patient
        if known is not None and known != (self._outbox.known_wording(exam) or exam.patient):
            self._outbox.note_known_wording(exam, known)
        before = self._followed.get(exam.exam_id, exam.patient)
        if not (changed := differences(before, patient)):
            return
        self._followed[exam.exam_id] = patient
        details = {"changed": ",".join(changed)}
        self._outbox.record_about(exam, exam.operator, AuditAction.WORDING_FOLLOWED, details)

    def pick_place(self, exam: Exam, place: Location | None) -> None:
        """Says where the next pictures of the open exam are taken; None: where its visit is. Trail.

        Holds for this exam alone. Raises RuleError where the station stays in its department,
        where the place names no ward, and where `exam` is not the open one.
        """
        if not self._station.goes_to_patients:
            raise RuleError(tr("This station takes its pictures in its own department."))
        if place is not None and not place.ward:
            raise RuleError(tr("A place is a ward, or a room of one."))
        with self._lock:
            if self._open is None or self._open[0] != exam.exam_id:
                raise RuleError(tr("The exam was left: its place stays as it was."))
        details = {"place": "visit" if place is None else "picked"}
        self._outbox.record_about(exam, exam.operator, AuditAction.PLACE_PICKED, details)
        if place is None:
            self._picked.pop(exam.exam_id, None)
        else:
            self._picked[exam.exam_id] = place

    def close(self) -> None:
        """No exam takes pictures any more (lock, user change, back to the list). Drafts stay."""
        with self._lock:
            self._open = None

    def identity_check_failed(self, patient: Patient, operator: Operator) -> None:
        """Writes into the trail that a second identifier did not fit; nothing was opened."""
        self._outbox.record_refusal(patient, operator, AuditAction.IDENTITY_CHECK_FAILED)

    # ------------------------------------------------------------------------------- pictures

    def take(
        self,
        exam: Exam,
        frame: Frame,
        *,
        device: DeviceInfo,
        description: Description = Description(),  # noqa: B008 - frozen
        on_safe: Callable[[str], None] | None = None,
    ) -> str:
        """Keeps one frame, and returns its capture id once it is durable.

        The device's own JPEG is kept where the judge of pictures lets it pass; any other frame
        losslessly. Raises RuleError for a frame from before the exam began, of another device, or
        while another exam is open; ImageError, DiskFullError, StoreError.
        """
        started = self.require_open(exam)
        if frame.not_before < started:
            raise RuleError(
                tr("This picture is from before the exam began: it was not kept. Take it again.")
            )
        if frame.device_id != device.device_id:
            raise RuleError(tr("This picture is from another device: it was not kept."))
        picture = picture_of(frame, device, self._decoder)
        return self._keep(exam, picture, device, description, on_safe)

    def keep(
        self,
        exam: Exam,
        picture: Picture,
        *,
        device: DeviceInfo,
        description: Description = Description(),  # noqa: B008 - frozen
        on_safe: Callable[[str], None] | None = None,
    ) -> str:
        """Keeps a picture that came as a file and not as a frame. Raises as `take`."""
        self.require_open(exam)
        return self._keep(exam, picture, device, description, on_safe)

    def _keep(
        self,
        exam: Exam,
        picture: Picture,
        device: DeviceInfo,
        description: Description,
        on_safe: Callable[[str], None] | None,
    ) -> str:
        return self._outbox.keep(
            exam,
            picture.image,
            device=device,
            taken_at=picture.taken_at,
            is_time_known=picture.is_time_known,
            description=self.completed(description),
            place=self.place_of(exam),
            on_safe=on_safe,
        )

    def place_of(self, exam: Exam) -> Location | None:
        """Where the station goes to patients: the place that was picked, else the visit's now."""
        if not self._station.goes_to_patients:
            return None
        if (picked := self._picked.get(exam.exam_id)) is not None:
            return picked
        encounter = self.standing(exam).encounter
        return encounter.location if encounter is not None else None

    def describe(self, seen: Seen, description: Description, operator: Operator) -> None:
        """Says what drafts show and are for; what follows from the procedure is filled in.

        `seen`: what each of them said until now. Raises ChangedSinceSeenError where one says
        something else by now: then none is changed.
        """
        kept = self._as_kept(seen)
        self._outbox.describe(tuple(kept), self.completed(description), operator, kept)

    def delete(self, seen: Seen, operator: Operator) -> None:
        """Takes drafts out of sight; `restore` undoes it. Raises as `describe`."""
        kept = self._as_kept(seen)
        self._outbox.delete(tuple(kept), operator, kept)

    def restore(self, seen: Seen, operator: Operator) -> None:
        """Brings deleted drafts back. Raises as `describe`."""
        kept = self._as_kept(seen)
        self._outbox.restore(tuple(kept), operator, kept)

    def _as_kept(self, seen: Seen) -> Seen:
        """What the store has of each picture, where that is what was seen.

        A screen may leave out what follows from the procedure. Raises ChangedSinceSeenError.
        """
        kept = {capture_id: self._outbox.description_of(capture_id) for capture_id in seen}
        if any(self.completed(kept[one]) != self.completed(seen[one]) for one in seen):
            raise changed_since_seen()
        return kept

    def completed(self, description: Description) -> Description:
        """With what follows from the procedure where nothing was chosen; see `describing`."""
        return completed(description, self._catalog)

    # ----------------------------------------------------------------------------------- send

    def send(
        self,
        exam: Exam,
        seen: Seen,
        operator: Operator | None = None,
        *,
        shown: Patient,
        in_words: Mapping[str, ShownAtSend] = MappingProxyType({}),
        release_now: bool = False,
    ) -> Sending | Stopped:
        """Sends drafts of this exam's patient: all of them, or none and what is missing of each.

        `seen`: what each picture said on the screen of the person who sends; `shown`: the patient
        as Send named them; `in_words`: what the screen said of each picture, where there was one.
        `operator` is who sends where that is not who opened the exam. Raises
        RuleError where a picture is of another patient, the feed cancelled the visit or retired the
        number, or changed so much that the patient must be identified again;
        ChangedSinceSeenError where a picture or the patient is worded otherwise by now; and as
        `Outbox.seal`.
        """
        kept = self._as_kept(seen)
        missing, exam_ids = [], []
        for capture_id in seen:
            own = self._outbox.exam_of(capture_id)
            if self._outbox.patient_key(own) != self._outbox.patient_key(exam):
                raise RuleError(tr("A picture is of another patient: nothing was sent."))
            exam_ids.append(own.exam_id)
            verdict: Ready | Missing = gate_to_send(own.patient, kept[capture_id])
            if isinstance(verdict, Missing):
                missing.append((capture_id, verdict))
        if missing:
            return Stopped(tuple(missing))
        standings = self._standings(exam, exam_ids)
        standing = combined(standings.values())
        require_standing(standing, shown)
        # The window warned of it, and it was sent all the same.
        known = {said.code for its in standings.values() if (said := hindrance_of(its))}
        return self._outbox.seal(
            tuple(seen),
            operator or exam.operator,
            seen=kept,
            patient=standing.patient,
            shown=in_words,
            visits={one: its.encounter for one, its in standings.items() if its.encounter},
            visits_shared={one for one, its in standings.items() if its.is_visit_shared},
            answered=tuple(sorted(known)),
            release_now=release_now,
        )

    def hindrance(self, exam: Exam) -> Reason | None:
        """What the feeds say now against sending pictures of an exam that are on their way, whose
        patient is worded as they are sealed; None where nothing does.
        """
        return hindrance_of(standing_of(exam, self._people(exam.patient.patient_id)))

    def undo(self, send_id: str, operator: Operator, seen: Collection[str] | None = None) -> bool:
        """Makes drafts of a Send again; False where it is too late. As `Outbox.undo`."""
        return self._outbox.undo(send_id, operator, seen)

    # --------------------------------------------------------------------------------- drafts

    def drafts_by_patient(self, owner: Operator | None = None) -> tuple[PatientDrafts, ...]:
        """What is unsent, by patient, longest waiting first; only what `owner` took if given."""
        now = self._clock.now()
        found = [
            PatientDrafts(exam, self.standing(exam).patient, drafts, now - drafts[0].kept_at)
            for exam, drafts in newest_exams(self._outbox, owner)
        ]
        return tuple(sorted(found, key=lambda one: one.age, reverse=True))

    def _begin(self, exam: Exam) -> Exam:
        require(exam.operator, Act.TAKE_PICTURES)
        opened = self._outbox.open_exam(exam)
        with self._lock:
            # Read after the row is written: whatever was shown before is not this patient's.
            self._open = (opened.exam_id, self._clock.monotonic())
        return opened

    def require_open(self, exam: Exam) -> float:
        """Since when (monotonic) frames are of it. Raises RuleError where another is open."""
        with self._lock:
            if self._open is None or self._open[0] != exam.exam_id:
                raise RuleError(tr("Another patient is open now: the picture was not kept."))
            return self._open[1]
