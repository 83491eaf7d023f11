"""What scanners sent by themselves: shown, and filed to the patient who is open, never by itself to
anybody else.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from capture_app.errors import CaptureAppError
from capture_app.exam.beginning import new_exam
from capture_app.exam.following import People
from capture_app.exam.standing import worded
from capture_app.model.encoded_image import EncodedImage
from capture_app.model.exam import Exam
from capture_app.model.operator import Act, Operator, may, require
from capture_app.model.patient import Patient
from capture_app.model.received import Contradiction, WaitingObject
from capture_app.model.worklist import IdentifiedBy, PatientListEntry
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.receiving import keeping
from capture_app.outbox.receiving.agreement import contradictions
from capture_app.outbox.receiving.filed import open_filed
from capture_app.outbox.receiving.looking import ReceivedPictures
from capture_app.outbox.receiving.reading import ReceivedReader

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Compared:
    """A waiting object beside a patient: what of the two does not agree."""

    waiting: WaitingObject
    against: tuple[Contradiction, ...]


class ReceivedService:
    """The waiting objects of a data folder. Use from any thread, but not the GUI's."""

    def __init__(self, outbox: Outbox, people: People) -> None:
        self._outbox = outbox
        self._people = people
        self._reader = ReceivedReader(outbox.spool.clock)
        self._pictures = ReceivedPictures(outbox.spool.clock)

    def close(self) -> None:
        """Ends the children that read."""
        self._reader.close()
        self._pictures.close()

    # ---------------------------------------------------------------------------------- waiting

    def count(self) -> int:
        """How many wait."""
        return keeping.count_waiting(self._outbox.spool)

    def waiting(self) -> tuple[WaitingObject, ...]:
        """Those that wait, the oldest first."""
        return keeping.waiting_objects(self._outbox.spool)

    def beside(self, patient: Patient) -> tuple[Compared, ...]:
        """Those that wait, each held against a patient."""
        return tuple(
            Compared(one, contradictions(one.received.stated, patient)) for one in self.waiting()
        )

    # ------------------------------------------------------------------------------------- acts

    def file(
        self,
        letter: str,
        entry: PatientListEntry,
        operator: Operator,
        identified_by: IdentifiedBy,
        *,
        seen: tuple[Contradiction, ...],
    ) -> None:
        """Files one to a patient of the list, in an exam of its own that takes no pictures: a
        person was shown both, and what contradicts (`seen`), and says that it is theirs. Raises as
        `new_exam` and as `outbox.receiving.filing.file_received`.
        """
        require(operator, Act.TAKE_PICTURES)
        spool, station = self._outbox.spool, self._outbox.rules.station
        exam = new_exam(
            *(entry, operator, identified_by),
            people=self._people,
            clock=spool.clock,
            station=station,
        )
        self._file(letter, self._outbox.open_exam(exam), operator, seen=seen)
        self._outbox.tell_changes()

    def discard(self, letter: str, operator: Operator) -> None:
        """Takes one out of sight, for a day and then for good. Raises RuleError."""
        keeping.discard(self._outbox.spool, letter, operator)
        self._outbox.tell_changes()

    def bring_back(self, letter: str, operator: Operator) -> None:
        """Undoes that. Raises RuleError."""
        keeping.bring_back(self._outbox.spool, letter, operator)
        self._outbox.tell_changes()

    def file_agreeing(self, exam: Exam, operator: Operator) -> int:
        """Files all that name the patient of an open exam by number and issuer, and contradict in
        nothing. How many. One that cannot be filed stays, and stops no other; of several under one
        SOP Instance UID a person chooses.
        """
        if not may(operator, Act.TAKE_PICTURES):
            return 0
        filed = 0
        for one in self.beside(self._worded(exam)):
            if one.against or not one.waiting.is_alone:
                continue
            uid = one.waiting.received.sop_instance_uid
            try:
                self._file(one.waiting.letter, exam, operator, seen=None)
                filed += 1
            except CaptureAppError as error:
                _log.warning("object-not-filed", uid=uid, error_type=type(error).__name__)
            except Exception:  # noqa: BLE001 - logged with its traceback; it stays, and the others go on
                _log.exception("object-not-filed", uid=uid)
        if filed:
            self._outbox.tell_changes()
        return filed

    def _file(
        self,
        letter: str,
        exam: Exam,
        operator: Operator,
        *,
        seen: tuple[Contradiction, ...] | None,
    ) -> None:
        # It reads pydicom, for which the list of patients does not wait.
        from capture_app.outbox.receiving.filing import (  # noqa: PLC0415
            FilingRules,
            file_received,
        )

        rules = self._outbox.rules
        filing = FilingRules(
            destinations=rules.destinations,
            retention_days=rules.capture.retention_days,
            system=rules.station.name or rules.station.ae_title,
            reader=self._reader,
        )
        file_received(
            *(self._outbox.spool, filing, letter, exam, operator),
            patient=self._worded(exam),
            seen=seen,
        )

    def _worded(self, exam: Exam) -> Patient:
        now = self._people(exam.patient.patient_id)
        return exam.patient if now is None else worded(exam.patient, now.patient)

    # --------------------------------------------------------------------------------- pictures

    def image_of(self, letter: str) -> EncodedImage:
        """A small picture of one that waits. Raises ImageError where it cannot be shown here,
        RuleError where it waits no more, SealBrokenError, OSError.
        """
        received, content = keeping.open_received(self._outbox.spool, letter)
        return self._pictures.picture(content, received.transfer_syntax_uid)

    def filed_image_of(self, sop_instance_uid: str) -> EncodedImage | None:
        """The same of one that is a patient's; None where no scanner sent it. Raises also
        StoreError, after the purge.
        """
        filed = open_filed(self._outbox.spool, sop_instance_uid)
        if filed is None:
            return None
        return self._pictures.picture(filed.content, filed.transfer_syntax_uid)
