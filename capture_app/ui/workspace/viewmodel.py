"""The act itself: shoot, say what it shows, send. Its parts share one board."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final, NamedTuple

from PySide6.QtCore import QObject, Signal

from capture_app.catalog.body_map import BodyMap
from capture_app.errors import SealBrokenError
from capture_app.exam.describing import as_chosen
from capture_app.model.clip import ClipLength
from capture_app.model.delivery import ImageState, ImageStatus
from capture_app.model.exam import Exam
from capture_app.model.procedure import Description
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.status import UNFINISHED, StatusFilter
from capture_app.ui.held_sends import HeldSends
from capture_app.ui.reading import Reading
from capture_app.ui.services import Services
from capture_app.ui.tasks import Tasks
from capture_app.ui.words.marks import Message
from capture_app.ui.workspace.board import Board, trouble
from capture_app.ui.workspace.clip_player import ClipPlayer
from capture_app.ui.workspace.clips import Clips
from capture_app.ui.workspace.describing import Describing
from capture_app.ui.workspace.freezing import FreezeOffer
from capture_app.ui.workspace.guard import ConsoleGuard
from capture_app.ui.workspace.live import LiveViewModel
from capture_app.ui.workspace.ordering import Ordering
from capture_app.ui.workspace.placing import Placing
from capture_app.ui.workspace.sending import SendingActs
from capture_app.ui.workspace.shutter import MakeSmall, Shutter
from capture_app.ui.workspace.slating import Slating
from capture_app.ui.workspace.state import SendStop, Shot, WorkspaceState, in_order
from capture_app.ui.workspace.whose import Whose

_SOON_MS: Final = 80


class _Found(NamedTuple):
    """A picture in the store."""

    state: ImageState
    said: Description
    kept_at: datetime
    exam_id: str
    taken_by: str = ""
    """The user id, of a draft."""
    clip: ClipLength | None = None
    """How much of a clip there is; None for a picture."""


_PicturesRead = tuple[int, Mapping[str, _Found]]
"""How many acts had been asked by then, and where each picture stands and what it says."""
_StatesRead = tuple[int, tuple[str, ...], tuple[ImageStatus, ...]]
"""The same for states, with the ids asked for."""


class WorkspaceViewModel(QObject):
    """One exam. Acts on pictures go through `acts`, one after the other; none is lost at the end.

    `live` is the camera, `shutter` takes pictures, `clips` records, `player` shows what was
    recorded, `describing` says what they show, `ordering` for which order they are, `placing` where
    they are taken, `sending` sends, deletes and takes back.
    """

    changed = Signal()

    def __init__(
        self,
        services: Services,
        tasks: Tasks,
        acts: Tasks,
        exam: Exam,
        held: HeldSends,
        small: MakeSmall,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._services = services
        self._board = board = Board(services, tasks, acts, exam, self)
        self.live = LiveViewModel(services, tasks, board)
        self.describing = Describing(board)
        self.shutter = Shutter(board, self.describing, self.live, small)
        self.player = ClipPlayer(board, self.shutter, small)
        self.clips = Clips(board, self.describing, self.live, self.shutter)
        self.whose = Whose(board)
        self.sending = SendingActs(board, self.describing, self.shutter, held, self.whose)
        self.ordering = Ordering(board, self.shutter)
        self.placing = Placing(board)
        self.slating = Slating(board)
        FreezeOffer(board, self.live, self.shutter)
        self.guard = ConsoleGuard(
            services, tasks, self.live, lambda: board.known.standing.patient, board
        )
        self.ordering.began.connect(self.sending.forget)
        self.whose.leave_order_asked.connect(self.ordering.leave)
        board.changed.connect(self.changed)
        board.show(device=self.live.device)
        self.live.changed.connect(lambda: board.show(device=self.live.device))
        self.live.refused.connect(lambda why: board.say(trouble(why)))
        self._pictures = Reading(
            acts, self._pictures_wanted, told=self._loaded, soon_ms=_SOON_MS, parent=self
        )
        self._states = Reading(acts, self._states_wanted, told=self._states_read, parent=self)
        board.reload_needed.connect(self._pictures.ask)
        board.reload_needed.connect(self.whose.read)
        self._leave = services.outbox.on_change(lambda _id: self._pictures.ask_soon())
        self._pictures.ask()

    @property
    def exam(self) -> Exam:
        """The exam whose pictures these are."""
        return self._board.exam

    @property
    def body_map(self) -> BodyMap:
        """The drawings of the body."""
        return self._services.body_map

    @property
    def is_practice(self) -> bool:
        """Whether this is the simulated hospital."""
        return self._services.settings.practice

    def resume(self) -> None:
        """After a lock: the exam takes pictures again, and its patient is asked for at Send.

        A picture that was still on its way to the disk when it was locked is waited for.
        """
        self.live.begin_anew()
        self.whose.become_due()
        self.when_kept(self._go_on)

    def _go_on(self) -> None:
        self._services.exams.resume(self.exam)
        self.clips.resume()

    def lock(self) -> None:
        """Nobody is there: what is recorded ends, and no exam takes pictures."""
        self.clips.lock()
        self.when_kept(self._services.exams.close)

    @property
    def safe_count(self) -> int:
        """How many of the pictures are drafts, safe on the disk."""
        return len(self._board.known.drafts)

    @property
    def state(self) -> WorkspaceState:
        """What the page shows."""
        return self._board.state

    def close(self) -> None:
        """The page is left. Drafts stay with their patient."""
        self._leave()
        self._pictures.close()
        self._states.close()
        self.ordering.close()
        self.whose.close()
        self.clips.close()
        self.guard.close()
        self.player.close()
        self.live.close()
        self.shutter.close()

    def when_kept(self, then: Callable[[], None]) -> None:
        """Before another patient is opened, before a lock: calls `then` once no picture is on its
        way to the disk, for it must not meet a closed exam. At once, mostly.
        """
        self.shutter.when_kept(then)

    def act_on_message(self) -> None:
        """The act of the message on the screen."""
        if self._board.act_on_message():
            return
        if self._board.known.stop is SendStop.DIFFERS:
            self.sending.change_staying()
        else:
            self.sending.lead()

    def other_act_on_message(self) -> None:
        """The other act of the message on the screen."""
        if not self._board.act_on_message(other=True):
            self.sending.keep()

    @property
    def is_sending(self) -> bool:
        """Whether a Send was asked for and has not ended."""
        return bool(self._board.known.sending)

    def undo(self) -> bool:
        """Takes back the last act in this workspace; False where there is none."""
        return self._board.undo()

    def say(self, message: Message) -> None:
        """Says something over the picture."""
        self._board.say(message)

    def message_left(self) -> None:
        """The message went by itself."""
        self._board.message_left()

    # ------------------------------------------------------------------------ what is on the disk

    def _pictures_wanted(self) -> Callable[[], _PicturesRead]:
        """This patient's drafts and what is on its way, of this exam and of earlier ones."""
        outbox, exam, begun = self._services.outbox, self.exam, self._board.acts_begun

        def read() -> _PicturesRead:
            key = outbox.patient_key(exam)
            going = outbox.statuses(StatusFilter(states=UNFINISHED, patient_key=key))
            found = {
                one.capture_id: _Found(
                    one.state,
                    _said_of(outbox, one.capture_id),
                    one.kept_at,
                    one.exam_id,
                    clip=one.clip,
                )
                for one in going
            }
            found |= {
                draft.capture_id: _Found(
                    ImageState.DRAFT,
                    draft.description,
                    draft.kept_at,
                    draft.exam_id,
                    draft.user_id,
                    draft.clip,
                )
                for draft in outbox.drafts(patient_key=key)
            }
            return begun, found

        return read

    def _loaded(self, read: _PicturesRead) -> None:
        begun, found = read
        if begun != self._board.acts_begun or self.shutter.is_busy:
            # An act was asked meanwhile: what was read is older than the screen.
            self._pictures.ask_soon()
            return
        shots, exams = self._board.known.shots, self.whose.exams_of_drafts()
        known = {self.clips.capture_id, *(shot.capture_id for shot in shots)}
        new = [
            Shot(
                capture_id,
                self.shutter.next_number(),
                as_chosen(one.said),
                one.said,
                one.state,
                kept_at=one.kept_at,
                exam_id=one.exam_id,
                taken_by=one.taken_by,
                clip=one.clip,
            )
            for capture_id, one in sorted(found.items(), key=lambda pair: pair[1].kept_at)
            if capture_id not in known
        ]
        self._board.show(shots=in_order([*(_as_stored(shot, found) for shot in shots), *new]))
        self.describing.end_stop()
        for shot in new:
            self.shutter.thumb_of_kept(shot.capture_id)
        if new or exams != self.whose.exams_of_drafts():  # some go on without their order
            self.whose.read()
        self._states.ask()

    def _states_wanted(self) -> Callable[[], _StatesRead] | None:
        ids = tuple(shot.capture_id for shot in self._board.known.shots if shot.capture_id)
        if not ids:
            return None
        outbox, wanted = self._services.outbox, StatusFilter(capture_ids=ids)
        begun = self._board.acts_begun
        return lambda: (begun, ids, outbox.statuses(wanted))

    def _states_read(self, read: _StatesRead) -> None:
        begun, asked, statuses = read
        if begun != self._board.acts_begun:
            self._pictures.ask_soon()
            return
        states = {status.capture_id: status.state for status in statuses}
        gone = {capture_id for capture_id in asked if capture_id not in states}
        shots = (
            replace(shot, state=states.get(shot.capture_id, shot.state))
            for shot in self._board.known.shots
            if shot.capture_id not in gone  # deleted in another window
        )
        self._board.show(shots=tuple(shots))


def _as_stored(shot: Shot, found: Mapping[str, _Found]) -> Shot:
    """The picture as the store has it: said anew in another window, perhaps."""
    if shot.capture_id not in found:
        return shot
    stored = found[shot.capture_id]
    said = shot.coding if stored.said == shot.description else as_chosen(stored.said)
    return replace(
        shot,
        coding=said,
        kept=stored.said,
        kept_at=stored.kept_at,
        exam_id=stored.exam_id,
        taken_by=stored.taken_by,
        clip=stored.clip,
    )


def _said_of(outbox: Outbox, capture_id: str) -> Description:
    """What a picture on its way says; nothing where its row cannot be read: it is shown, too."""
    try:
        return outbox.description_of(capture_id)
    except SealBrokenError:
        return Description()
