"""Clips of the live image: recorded from now on, or the last seconds of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal

from capture_app.devices.replay import REPLAY_SECONDS
from capture_app.errors import RuleError
from capture_app.exam.filming import Filming, FilmState
from capture_app.model.clip import ClipLength
from capture_app.model.device import DeviceInfo
from capture_app.model.procedure import Description
from capture_app.model.words import tr
from capture_app.ui.words.marks import Message, Tone
from capture_app.ui.words.shown import ClipState
from capture_app.ui.workspace.board import Board, trouble
from capture_app.ui.workspace.describing import Describing
from capture_app.ui.workspace.live import LiveViewModel
from capture_app.ui.workspace.shutter import Shutter

_LOOK_EVERY_MS: Final = 200
_ENDS_WITHIN_S: Final = 20.0
"""Who closes the window waits so long for a recording to be ended on the disk, at most."""
_CLOCKS_S: Final = 0.1
"""Frames that are no whole interval apart from a full second count for it."""


@dataclass(slots=True)
class _UnderWay:
    filming: Filming
    number: int
    """Of the picture in the strip that it becomes."""
    given: Description
    """What was said of it as it began."""
    began_at: float
    """On the monotonic clock (seconds)."""
    safe_s: int = 0
    is_ending: bool = False


class Clips(QObject):
    """One recording at a time. What it says is safe is on the disk."""

    changed = Signal()

    def __init__(
        self, board: Board, describing: Describing, live: LiveViewModel, shutter: Shutter
    ) -> None:
        super().__init__(board)
        self._board = board
        self._describing = describing
        self._live = live
        self._shutter = shutter
        self._films = board.services.films
        self._clock = board.services.clock
        self._recording: _UnderWay | None = None
        self._device = live.device
        self.state = ClipState()
        self._films.begin(board.exam)
        shutter.awaited.connect(self.end)
        live.changed.connect(self._follow)
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_EVERY_MS)
        self._timer.timeout.connect(self._look)
        self._timer.start()

    def close(self) -> None:
        """The exam is left. What is being recorded ends, and is its draft."""
        self._timer.stop()
        self._films.end()
        if (one := self._recording) is not None:
            one.filming.end()
            # In turn with the acts: the window is not closed before it is on the disk.
            self._board.acts.run(partial(one.filming.wait, _ENDS_WITHIN_S), owner=self)

    def lock(self) -> None:
        """The screen is locked: nobody has the last seconds, and nothing is recorded."""
        self._films.lock()
        self.end()

    def resume(self) -> None:
        """The exam takes pictures again."""
        self._films.resume(self._board.exam)

    @property
    def recorded_for(self) -> float:
        """Seconds since the recording began; 0 where nothing is recorded."""
        one = self._recording
        return 0.0 if one is None else self._clock.monotonic() - one.began_at

    @property
    def capture_id(self) -> str:
        """Of what is being recorded, or ended: it comes into the strip by itself."""
        return "" if self._recording is None else self._recording.filming.capture_id

    # ------------------------------------------------------------------------------------- acts

    def toggle(self) -> None:
        """Records from now on; where something is recorded, ends it."""
        if self._recording is None:
            self._with_device(self._begin)
        else:
            self.end()

    def end(self, why: str = "") -> None:
        """Ends the recording, if there is one: it becomes a draft. `why`: what cut it off."""
        one = self._recording
        if one is not None and not one.is_ending:
            one.is_ending = True
            self._shutter.send_off(one.number)
            one.filming.end(why)
            self._look()

    def keep_last(self) -> None:
        """Keeps the last seconds of the live image, as they are at this moment."""
        replay = self._films.replay
        film, is_enough = replay.film(), replay.seconds + _CLOCKS_S >= 1

        def keep(device: DeviceInfo) -> None:
            if not is_enough:
                self._board.say(trouble(tr("There is not one second of this patient yet.")))
                return
            keep_last, exam = self._films.keep_last, self._board.exam
            seconds = film[-1].exposed_at - film[0].exposed_at
            self._shutter.keep(
                self._describing.for_the_next(),
                lambda said: keep_last(exam, device=device, description=said, film=film),
                ClipLength(len(film), round(seconds * 1_000_000)),
            )

        self._with_device(keep)

    def _with_device(self, act: Callable[[DeviceInfo], None]) -> None:
        """Says it where there is no live image, or none of which a clip can be had."""
        board, device = self._board, self._live.device
        if not self._shutter.is_open():
            return
        if device is None or not self._live.is_live:
            board.say(trouble(self._live.state.reason or tr("There is no live image.")))
        elif refusal := self._films.refusal(device):
            board.say(Message(refusal, tr("Take a picture instead."), "info"))
        elif board.known.ordering:
            self._shutter.when_kept(lambda: act(device))
        else:
            act(device)

    def _begin(self, device: DeviceInfo) -> None:
        board, coding = self._board, self._describing.for_the_next()

        def told(state: FilmState) -> None:
            board.tasks.post(self, lambda: self._told(filming, state))

        try:
            filming = self._films.record(
                board.exam, device=device, description=coding.description, told=told
            )
        except RuleError as error:
            board.say(trouble(str(error)))
            return
        shot = self._shutter.begin(coding)
        began_at = self._clock.monotonic()
        self._recording = _UnderWay(filming, shot.number, shot.description, began_at)
        self._look()

    # ---------------------------------------------------------------------- how it goes, and ends

    def _told(self, filming: Filming, state: FilmState) -> None:
        one = self._recording
        if one is None or one.filming is not filming:
            return
        one.safe_s = int(state.promised.seconds)
        if state.is_over:
            try:
                self._over(one, state)
            finally:
                self._recording = None
                self._shutter.came_back(one.number)
        self._look()

    def _over(self, one: _UnderWay, state: FilmState) -> None:
        if state.capture_id:
            self._shutter.kept(one.number, one.given, state.capture_id, state.promised)
            self._shutter.thumb_of_kept(state.capture_id)
        else:
            self._shutter.drop(one.number)
        if state.trouble:
            todo = tr("The clip so far is kept.") if state.capture_id else ""
            tone = Tone.WARN if state.capture_id else Tone.BAD
            self._board.say(Message(state.trouble, todo, "warning", tone))

    def _follow(self) -> None:
        """The live image is lost, or of another camera: what there is of the clip is kept. What a
        console is set to is said of a whole clip: a change ends it, and the last seconds.
        """
        live, one = self._live, self._recording
        if one is not None and not live.is_live:
            why = live.state.reason
            self.end(why or tr("The live image was lost: the recording ended there."))
        if live.device != self._device:
            self._device = live.device
            self.end()
            self._films.restart()
        self._look()

    def _look(self) -> None:
        replay, device, one = self._films.replay, self._live.device, self._recording
        recorded = None if one is None or one.is_ending else int(self.recorded_for)
        state = ClipState(
            refusal="" if device is None else self._films.refusal(device),
            is_live=self._live.is_live,
            held_s=min(int(REPLAY_SECONDS), int(replay.seconds + _CLOCKS_S)),
            is_capped=replay.is_capped,
            recorded_s=recorded,
            safe_s=0 if one is None else one.safe_s,
        )
        if state != self.state:
            self.state = state
            self.changed.emit()
