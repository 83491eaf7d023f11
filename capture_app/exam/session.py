"""The act from the identified patient to Send: one exam at a time takes pictures of its time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from capture_app.catalog.catalog import Catalog
from capture_app.clock import Clock
from capture_app.errors import CaptureAppError, RuleError
from capture_app.exam.beginning import new_exam
from capture_app.exam.describing import completed
from capture_app.exam.doubted_orders import (
    DoubtedOrders,
    OrdersOfOthers,
    SentWithoutOrder,
    WithoutOrder,
    require_own_order,
)
from capture_app.exam.encoding import Picture, picture_of
from capture_app.exam.following import Following, People
from capture_app.exam.patient_drafts import PatientDrafts, newest_exams
from capture_app.exam.rules import Missing, Ready, gate_to_send
from capture_app.exam.standing import (
    combined,
    hindrances_of,
    require_standing,
    worded_as_shown,
)
from capture_app.model.audit_event import AuditAction
from capture_app.model.device import DeviceInfo
from capture_app.model.encounter import Location
from capture_app.model.exam import Exam
from capture_app.model.frame import Frame
from capture_app.model.operator import Act, Operator, require
from capture_app.model.order import Order
from capture_app.model.patient import Patient
from capture_app.model.procedure import Description
from capture_app.model.shown import ShownAtSend
from capture_app.model.words import tr
from capture_app.model.worklist import IdentifiedBy, PatientListEntry
from capture_app.outbox.keeping.description import Seen, changed_since_seen
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.sealing.seal import Sending
from capture_app.outbox.status import SeenStates, require_states
from capture_app.settings.schema import Station

if TYPE_CHECKING:  # its libraries are read by the first picture
    from capture_app.imaging.decoder import Decoder


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
        orders_of_others: OrdersOfOthers,
        decoder: Decoder,
    ) -> None:
        """`people`: see there; None where they say nothing. `decoder`: looks into coded data."""
        self._orders = orders = DoubtedOrders(outbox, orders_of_others)
        self._following = following = Following(outbox, people, orders)
        self.standing = following.standing
        """See `Following`, and so for those below."""
        self.confirm = following.confirm
        self.follow = following.follow
        self.hindrances = following.hindrances
        self.look_at_orders = following.look_at_orders
        self._decoder = decoder
        self._outbox = outbox
        self._people = people
        self._catalog = catalog
        self._clock = clock
        self._station = station
        self._lock = threading.Lock()
        self._open: tuple[str, float] | None = None
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
        now = self._people(entry.patient.patient_id)
        is_of_another = self._orders.is_of_another(entry.patient.patient_id, order, now)
        return self._begin(
            new_exam(
                *(entry, operator, identified_by),
                people=self._people,
                clock=self._clock,
                station=self._station,
                order=order,
                is_of_another=is_of_another,
                identified_at=identified_at,
            )
        )

    def choose_order(self, exam: Exam, order: Order | None, listed: Sequence[Order] = ()) -> Exam:
        """Begins the open exam anew under another order of its patient, or under none.

        Same patient, visit, operator and identification; what the camera showed since the patient
        was opened may still be taken. `listed`: the orders that the list shows for this visit.
        Raises RuleError where a picture of `exam` exists, where `exam` is not the open one,
        where the order is not among the listed, and where another patient has it or its study.
        """
        if order is not None and order not in listed:
            raise RuleError(tr("This order is not one of the patient's orders."))
        number = exam.patient.patient_id
        require_own_order(self._orders.is_of_another(number, order, self._people(number)))
        self.require_open(exam)
        if self._outbox.has_pictures(exam):
            raise RuleError(tr("Pictures were taken already: their order stays as it is."))
        anew = replace(exam, exam_id=self._clock.new_uid(), order=order, study_instance_uid="")
        opened = self._outbox.open_exam(anew, AuditAction.ORDER_CHOSEN)
        if not self._go_on_as(exam, opened):
            raise RuleError(tr("The exam was left: its order stays as it was."))
        if (known := self._outbox.known_wording(exam)) is not None:
            self._outbox.note_known_wording(opened, known)
        return opened

    def leave_order(self, exam: Exam, earlier: Iterable[str], operator: Operator) -> WithoutOrder:
        """Lets the pictures of the open exam, and of earlier ones of its patient, go on without an
        order that is in doubt, as drafts; new ones are taken without it. As `DoubtedOrders.leave`.
        """
        others = [self._outbox.exam(one) for one in dict.fromkeys(earlier) if one != exam.exam_id]
        left = self._orders.leave(exam, [exam, *others], operator)
        self._go_on_as(exam, left.exam)
        return left

    def send_without_order(
        self,
        capture_ids: Collection[str],
        operator: Operator,
        seen: SeenStates,
        shown: Patient,
    ) -> SentWithoutOrder:
        """Sends pictures that were stopped for their order without it. `seen`: how they stood on
        the screen, `shown`: the patient there. Raises as `leave_order`, and as `send`: drafts then;
        RuleError where an archive may have all of them by now.
        """
        require_states(self._outbox.spool.database.read(), seen, may_go_on=False)
        exams = {exam.exam_id: exam for exam in map(self._outbox.exam_of, capture_ids)}
        left = self._orders.leave(next(iter(exams.values())), exams.values(), operator)
        wanted = left.moved_of(capture_ids)
        try:
            said = {one: self._outbox.description_of(one) for one in wanted}
            sending = self.send(left.exam, said, operator, shown=shown)
            if isinstance(sending, Stopped):  # another window changed what they show
                raise RuleError(tr("They are not described."))
        except CaptureAppError as error:
            raise RuleError(
                tr("The pictures are drafts without the order now. {why}", why=str(error))
            ) from error
        return SentWithoutOrder(sending, len(left.called_back.difference(wanted)))

    def _go_on_as(self, exam: Exam, anew: Exam) -> bool:
        """The open exam goes on as another one; False where it is not open any more."""
        self._following.carry(exam, anew)
        if (picked := self._picked.get(exam.exam_id)) is not None:
            self._picked[anew.exam_id] = picked
        with self._lock:
            if self._open is None or self._open[0] != exam.exam_id:
                return False
            self._open = (anew.exam_id, self._open[1])
        return True

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

        Person, visit and order as they were frozen there, in the newest wording; an order that is
        in doubt is left out. The drafts stay in their own exam. `shown`: the patient as a person
        saw them. Raises RuleError where the feed says by now that it is another, or the operator
        takes no pictures.
        """
        earlier = self._outbox.exam(exam_id)
        now = self._people(earlier.patient.patient_id)
        patient = worded_as_shown(earlier.patient, now, shown)
        return self._begin(
            replace(
                earlier,
                exam_id=self._clock.new_uid(),
                patient=patient,
                order=None if self._orders.is_doubted(earlier, now) else earlier.order,
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
            file_digest=picture.digest,
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

        `seen`: what each picture said on the screen of who sends; `shown`: the patient as Send
        named them; `in_words`: what the screen said of each picture, where there was one;
        `operator`: who sends where that is not who opened the exam. RuleError where a picture is of
        another patient, the feed stops it or asks; ChangedSinceSeenError where a picture or the
        patient is worded otherwise by now; and as `Outbox.seal`.
        """
        kept = self._as_kept(seen)
        missing, exam_ids = [], []
        for capture_id in seen:
            own = self._outbox.exam_of(capture_id)
            if self._outbox.patient_key(own) != self._outbox.patient_key(exam):
                raise RuleError(tr("A picture is of another patient."))
            exam_ids.append(own.exam_id)
            verdict: Ready | Missing = gate_to_send(own.patient, kept[capture_id])
            if isinstance(verdict, Missing):
                missing.append((capture_id, verdict))
        if missing:
            return Stopped(tuple(missing))
        standings = self._following.standings(exam, exam_ids)
        standing = combined(standings.values())
        require_standing(standing, shown)
        # The window warned of it, and it was sent all the same.
        known = {said.code for its in standings.values() for said in hindrances_of(its)}
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
