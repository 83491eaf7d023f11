"""Whose pictures these are: what the feed says of the open patient now, and when it is asked."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, Signal

from capture_app.exam.standing import Standing, Stop
from capture_app.model.delivery import ImageState
from capture_app.model.words import tr
from capture_app.model.worklist import IdentifiedBy
from capture_app.ui.identity.viewmodel import IdentityCheck
from capture_app.ui.reading import Reading
from capture_app.ui.words.marks import Message, Tone
from capture_app.ui.workspace import whose_words
from capture_app.ui.workspace.board import Board
from capture_app.ui.workspace.whose_words import Identified


class Whose(QObject):
    """Follows the census while an exam is open. The shutter never waits for any of it."""

    asked = Signal()
    """`check` is to be answered; `why` says what for."""
    ended = Signal()
    """The question is no more."""
    leave_order_asked = Signal(object)
    """To go on without the order that is in doubt, with the earlier exams whose drafts would be
    sent too.
    """

    def __init__(self, board: Board) -> None:
        super().__init__(board)
        self._board = board
        self._services = services = board.services
        self._then: Callable[[], None] | None = None
        self.check: IdentityCheck | None = None
        """The question that is open, if one is."""
        self._said: Stop | None = None
        self._times_due = 0
        # In turn with the acts: what is written into the trail is written once.
        self._reading = Reading(board.acts, self._question, told=self._found, parent=self)
        self._leave = services.census.on_change(self._reading.ask_soon)
        self.read()

    def close(self) -> None:
        """Ends the listening, and the question."""
        self._leave()
        self._reading.close()
        self._end()

    # ------------------------------------------------------------------------- what the feed says

    def read(self) -> None:
        """Asks the census anew, outside the GUI thread."""
        self._reading.ask()

    def _question(self) -> Callable[[], tuple[str, Standing]]:
        exams, exam, earlier = self._services.exams, self._board.exam, self.exams_of_drafts()

        def look() -> tuple[str, Standing]:
            exams.follow(exam)
            return exam.exam_id, exams.standing(exam, earlier)

        return look

    def exams_of_drafts(self) -> tuple[str, ...]:
        """The exams of this patient whose drafts would be sent, by their ids."""
        return tuple(dict.fromkeys(s.exam_id for s in self._board.known.drafts if s.exam_id))

    def _found(self, found: tuple[str, Standing]) -> None:
        board, (exam_id, standing) = self._board, found
        if board.exam.exam_id != exam_id:
            self.read()  # an order was chosen meanwhile
            return
        changed = bool(standing.newer) and standing.patient != board.known.standing.patient
        at = self._services.clock.now() if changed else board.known.changed_at
        board.show(standing=standing, changed_at=at)
        if standing.stop is not self._said:
            self._said = standing.stop
            self._end()
            message = board.known.message
            if standing.stop is not None:
                self._say_stop(standing.stop)
            elif message is not None and message.stop:  # solved, by somebody else
                board.message_left()
        if self.check is not None and self.check.patient != standing.patient:
            then = self._then
            self._end()
            if then is not None:  # the question was about somebody worded otherwise
                self.when_sure(then)

    def _say_stop(self, stop: Stop) -> None:
        known = self._board.known
        held = sum(shot.state is ImageState.HELD for shot in known.shots)
        message = whose_words.stop_message(stop, len(known.drafts), held)
        leave = partial(self.leave_order_asked.emit, self.exams_of_drafts())
        self._board.say(message, leave if stop is Stop.ORDER_DOUBTED else None)

    # ----------------------------------------------------------------------------------- asking

    def become_due(self) -> None:
        """Idle, or locked: the patient is asked for again at Send."""
        self._end()
        self._times_due += 1
        if self._services.settings.security.second_identifier:
            self._board.show(due=True)

    def when_sure(self, then: Callable[[], None]) -> None:
        """Calls `then` once there is no doubt whose pictures would be sent: at once, mostly.

        A stop is said instead; and where the patient must be identified again, it is asked.
        """
        known = self._board.known
        if known.standing.stop is not None:
            self._say_stop(known.standing.stop)
        elif known.due or known.standing.asks:
            self._ask(then)
        else:
            then()

    @property
    def why(self) -> str:
        """What makes it necessary to ask, in words."""
        known = self._board.known
        return whose_words.why_asked(known.exam.patient, known.standing)

    def _ask(self, then: Callable[[], None]) -> None:
        self._then = then
        if self.check is not None:
            return
        services, board = self._services, self._board
        patient = board.known.standing.patient
        others = services.census.look_alikes(patient)
        check = IdentityCheck(services, board.tasks, board.operator, patient, others, self)
        self.check = check
        check.passed.connect(lambda: self._passed(check.state.question.identifies_by))
        check.closed.connect(self._not_passed)
        board.show(asked=check.state.question, message=None)
        self.asked.emit()

    def scanned(self) -> None:
        """The wristband of the open patient was scanned: that answers everything."""
        self._passed(IdentifiedBy.SCAN)

    def _passed(self, by: IdentifiedBy) -> None:
        board, then = self._board, self._then
        self._end()
        exams, exam, patient = self._services.exams, board.exam, board.known.standing.patient
        earlier, asked = self.exams_of_drafts(), self._times_due
        identified = Identified(by, self._services.clock.now())

        def confirm() -> Standing:
            exams.confirm(exam, patient, by, board.operator)
            return exams.standing(exam, earlier)

        def confirmed(standing: Standing) -> None:
            # Locked or idle since: this answer was given before, and does not hold for after.
            due = board.known.due and self._times_due != asked
            board.show(standing=standing, identified=identified, due=due)
            if due:
                return
            if then is not None:
                self.when_sure(then)
            else:
                board.say(whose_words.confirmed_message(patient))

        board.acts.run(confirm, owner=self, done=confirmed)

    def _not_passed(self, was_wrong: bool) -> None:  # noqa: FBT001 - a signal's slot
        self._end()
        if was_wrong:
            what = tr("Nothing was sent: three answers did not fit. The pictures are safe.")
            todo = tr("Scan the wristband of the patient in front of you.")
            self._board.say(Message(what, todo, "warning-circle", Tone.BAD))

    def _end(self) -> None:
        check, self.check, self._then = self.check, None, None
        if check is not None:
            check.deleteLater()
            self._board.show(asked=None)
            self.ended.emit()
