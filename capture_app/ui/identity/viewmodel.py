"""The second identifier, asked: three tries, each wrong one in the trail."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from PySide6.QtCore import QObject, Signal

from capture_app.exam.second_identifier import (
    Answer,
    Question,
    is_complete,
    is_right,
    question_of,
)
from capture_app.model.operator import Operator
from capture_app.model.patient import Patient
from capture_app.model.words import tr, trn
from capture_app.ui.services import Services
from capture_app.ui.tasks import Tasks

_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class CheckState:
    """The question as it stands. Nothing here gives an answer away."""

    question: Question
    tries_left: int = _TRIES
    fault: str = ""


class IdentityCheck(QObject):
    """One question about one patient. It ends with `passed` or with `closed`."""

    changed = Signal()
    passed = Signal()
    closed = Signal(bool)
    """Not opened: by a person's cancel (False), or after the last wrong answer (True)."""

    def __init__(
        self,
        services: Services,
        tasks: Tasks,
        operator: Operator,
        patient: Patient,
        others: Iterable[Patient] = (),
        parent: QObject | None = None,
    ) -> None:
        """`others`: who else is listed; the answers must not fit any of them."""
        super().__init__(parent)
        self._services = services
        self._tasks = tasks
        self._operator = operator
        self.patient = patient
        self.state = CheckState(question_of(patient, others))

    def answer(self, answer: Answer) -> None:
        """What the patient said, or the wristband shows."""
        if not is_complete(self.state.question, answer):
            self._show(replace(self.state, fault=tr("Every answer is needed.")))
            return
        if is_right(self.patient, self.state.question, answer):
            self.passed.emit()
            return
        exams, patient, operator = self._services.exams, self.patient, self._operator
        self._tasks.run(
            lambda: exams.identity_check_failed(patient, operator),
            owner=self.parent() or self,  # after the last answer this question is gone
        )
        left = self.state.tries_left - 1
        if left <= 0:
            self.closed.emit(True)  # noqa: FBT003 - a signal has no keywords
            return
        tries = trn("{n} try is left.", "{n} tries are left.", left)
        fault = tr("That is not this patient.") + " " + tries
        self._show(replace(self.state, tries_left=left, fault=fault))

    def cancel(self) -> None:
        """A person thought better of it."""
        self.closed.emit(False)  # noqa: FBT003 - a signal has no keywords

    def _show(self, state: CheckState) -> None:
        if state != self.state:
            self.state = state
            self.changed.emit()
