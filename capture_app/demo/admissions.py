"""The simulated admissions system: an ADT source over MLLP (ITI-31).

It announces the patients of the ward once, and then speaks of one of them every half minute, as a
real ward does: the feed stays fresh in the list. A receiver that is not there yet is tried again.
"""

from __future__ import annotations

import threading
from collections import deque
from itertools import cycle
from typing import TYPE_CHECKING, Final

from capture_app.errors import CaptureAppError
from capture_app.hl7.build import Sender, build_adt
from capture_app.net.deadline import Deadline
from capture_app.net.mllp import send_mllp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capture_app.clock import Clock
    from capture_app.demo.people import Admission

_SENDER: Final = Sender(application="PRACTICE ADT", facility="ST ANNE", processing_id="T")
_QUIET_SECONDS: Final = 30.0
_RETRY_SECONDS: Final = 0.25
_ANSWER_SECONDS: Final = 5.0


class AdmissionsSystem:
    """Sends ADT^A01 for each admission, then ADT^A08 now and then, until stopped."""

    def __init__(
        self, admissions: Sequence[Admission], *, host: str, port: int, clock: Clock
    ) -> None:
        self._admissions = tuple(admissions)
        self._host, self._port, self._clock = host, port, clock
        self._stopping = threading.Event()
        self.acknowledged = threading.Event()
        """Set when every admission has been acknowledged."""
        self._sent = 0
        self._thread = threading.Thread(target=self._run, name="practice-admissions")
        self._thread.start()

    def stop(self) -> None:
        """Ends the source and its thread."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        waiting = deque(("A01", admission) for admission in self._admissions)
        news = cycle(self._admissions)
        while not self._stopping.is_set():
            event, admission = waiting[0] if waiting else ("A08", next(news))
            if not self._send(event, admission):
                self._stopping.wait(_RETRY_SECONDS)
                continue
            if waiting:
                waiting.popleft()
            if not waiting:
                self.acknowledged.set()
                self._stopping.wait(_QUIET_SECONDS)

    def _send(self, event: str, admission: Admission) -> bool:
        """True where the receiver acknowledged: MSA-1 is AA."""
        self._sent += 1
        message = build_adt(
            event,
            admission.patient,
            admission.encounter,
            control_id=f"P{self._sent:06}",
            at=self._clock.now(),
            sender=_SENDER,
        )
        try:
            deadline = Deadline.after(self._clock, _ANSWER_SECONDS)
            answer = send_mllp(self._host, self._port, message, deadline)
        except (CaptureAppError, OSError):
            return False
        return b"MSA|AA" in answer
