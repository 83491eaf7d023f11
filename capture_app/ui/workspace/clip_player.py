"""A kept clip, looked at: frame by frame, or at the rate at which it was recorded."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Final, NamedTuple

from PySide6.QtCore import QObject, QSize, QTimer, Signal

from capture_app.errors import CaptureAppError, ImageError
from capture_app.model.clip import FrameOfClip
from capture_app.outbox.keeping.clips import still_of
from capture_app.ui.reading import Reading
from capture_app.ui.words.shown import PlayerState
from capture_app.ui.workspace.board import Board, trouble
from capture_app.ui.workspace.shutter import MakeSmall, Shutter
from capture_app.ui.workspace.state import Shot

_LOOK_EVERY_MS: Final = 15
_AS_LARGE_AS: Final = QSize(1280, 720)
"""A frame is decoded about as large as the live picture is shown."""


class _FrameRead(NamedTuple):
    capture_id: str
    number: int
    times: tuple[int, ...]
    """Of all frames: microseconds since the first."""
    image: object
    """None where this frame is no whole picture."""


class ClipPlayer(QObject):
    """Shows one clip at a time. While it plays, frames for which there is no time are left out."""

    changed = Signal()
    shown = Signal(object)
    """What `small` made of the frame on the screen."""

    def __init__(self, board: Board, shutter: Shutter, small: MakeSmall) -> None:
        super().__init__(board)
        self._board = board
        self._shutter = shutter
        self._small = small
        self._clock = board.services.clock
        self.state = PlayerState()
        self._times: tuple[int, ...] = ()
        self._wanted = 0
        self._played_from = (0, 0.0)
        """Microseconds in the clip, and when on the monotonic clock that was."""
        self._reading = Reading(
            board.tasks, self._question, told=self._told, failed=self._failed, parent=self
        )
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_EVERY_MS)
        self._timer.timeout.connect(self._play_on)
        board.changed.connect(self._look)

    def close(self) -> None:
        """The exam is left."""
        self._timer.stop()
        self._reading.close()

    def open(self, capture_id: str) -> None:
        """Shows the first frame of a clip of the strip."""
        shot = self._shot(capture_id)
        if shot is None or shot.clip is None:
            return
        self._timer.stop()
        self._times, self._wanted = (), 0
        self._show(PlayerState(capture_id, shot.number, is_partial=shot.clip.is_partial))
        self._reading.ask()

    def open_one(self) -> None:
        """The selected clip, else the newest."""
        known = self._board.known
        clips = [s for s in known.shots if s.clip is not None and s.capture_id]
        chosen = [s for s in clips if s.capture_id in known.selected]
        for shot in (chosen or clips)[-1:]:
            self.open(shot.capture_id)

    def leave(self) -> None:
        """It is not looked at any more."""
        self._timer.stop()
        self._show(PlayerState())

    # ------------------------------------------------------------------------------------- acts

    def step(self, by: int) -> None:
        """So many frames on, or back; it plays no more."""
        self.go_to(self._wanted + by)

    def go_to(self, number: int) -> None:
        """One frame; the first is 0. It plays no more."""
        self._pause()
        self._want(number)

    def seek(self, part: float) -> None:
        """The frame at this part of its time, 0 to 1."""
        if self._times:
            self.go_to(bisect_right(self._times, part * self._times[-1]) - 1)

    def toggle(self) -> None:
        """Plays it, from the beginning where it is at its end; or stops there."""
        if self.state.is_playing:
            self._pause()
        elif self._times:
            if self._wanted >= len(self._times) - 1:
                self._want(0)
            self._played_from = (self._times[self._wanted], self._clock.monotonic())
            self._timer.start()
            self._show(replace(self.state, is_playing=True))

    def keep_still(self) -> None:
        """The frame on the screen becomes a picture of its own, of which the same is said."""
        shot, frame = self._shot(self.state.capture_id), self.state.frame
        if shot is None or not self._times or not self._shutter.is_open():
            return
        keep, exam = self._board.services.films.keep_still, self._board.exam
        source = FrameOfClip(shot.capture_id, frame)
        self._shutter.keep(shot.coding, lambda said: keep(exam, source, said))

    # ------------------------------------------------------------------------------------ frames

    def _pause(self) -> None:
        self._timer.stop()
        self._show(replace(self.state, is_playing=False))

    def _play_on(self) -> None:
        from_us, began = self._played_from
        now_us = from_us + (self._clock.monotonic() - began) * 1_000_000
        self._want(bisect_right(self._times, now_us) - 1)
        if self._wanted >= len(self._times) - 1:
            self._pause()

    def _want(self, number: int) -> None:
        number = max(0, min(number, len(self._times) - 1))
        if number != self._wanted:
            self._wanted = number
            self._reading.ask()

    def _question(self) -> Callable[[], _FrameRead] | None:
        capture_id, number = self.state.capture_id, self._wanted
        if not capture_id:
            return None
        outbox, small = self._board.services.outbox, self._small

        def read() -> _FrameRead:
            image = None
            with outbox.film_of(capture_id) as clip:
                times = tuple(place.at for place in clip.places)
                with suppress(ImageError):  # a broken frame: the one before it stays
                    image = small(still_of(clip, number), _AS_LARGE_AS)
            return _FrameRead(capture_id, number, times, image)

        return read

    def _told(self, read: _FrameRead) -> None:
        state = self.state
        if read.capture_id != state.capture_id:
            return
        self._times = read.times
        if read.image is not None:
            self.shown.emit(read.image)
        self._show(
            replace(
                state,
                frame=read.number,
                frames=len(read.times),
                at_s=read.times[read.number] / 1_000_000,
                length_s=read.times[-1] / 1_000_000,
                is_broken=read.image is None,
            )
        )
        if read.number != self._wanted:
            self._reading.ask()

    def _failed(self, error: CaptureAppError) -> None:
        self.leave()
        self._board.say(trouble(str(error)))

    def _look(self) -> None:
        """A clip that is not in the strip any more is not looked at."""
        if self.state.capture_id and self._shot(self.state.capture_id) is None:
            self.leave()

    def _shot(self, capture_id: str) -> Shot | None:
        shots = self._board.known.shots
        return next((s for s in shots if capture_id and s.capture_id == capture_id), None)

    def _show(self, state: PlayerState) -> None:
        if state != self.state:
            self.state = state
            self.changed.emit()
