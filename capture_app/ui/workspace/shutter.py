"""The shutter: the frame on the screen goes to the disk, and then it is shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Final, TypeVar

from PySide6.QtCore import QObject, Signal

from capture_app.errors import CaptureAppError, DeviceError
from capture_app.exam.describing import Coding
from capture_app.imaging.quality import QualityChip, assess
from capture_app.imaging.rgb import decode
from capture_app.model.clip import ClipLength
from capture_app.model.device import DeviceInfo
from capture_app.model.frame import Frame
from capture_app.model.procedure import Description, ImageKind
from capture_app.model.words import tr
from capture_app.ui.tasks import UnexpectedError
from capture_app.ui.words.marks import Message, Tone
from capture_app.ui.workspace import words
from capture_app.ui.workspace.board import Board, trouble
from capture_app.ui.workspace.describing import Describing
from capture_app.ui.workspace.live import LiveViewModel
from capture_app.ui.workspace.state import SendStop, Shot

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SHOWN_ROWS: Final = 720
"""A kept picture is looked at about as large as the live one was."""

T = TypeVar("T")
MakeSmall = Callable[..., object]
"""Makes a thumbnail of a Frame or of an EncodedImage, or an image of the QSize that is given as
well, on any thread.
"""


class Shutter(QObject):
    """Takes pictures; knows which are on their way to the disk."""

    flashed = Signal()
    """The shutter was pressed and a frame was taken."""
    thumb_made = Signal(str, object)
    """Capture id, and what `small` made of the picture."""
    awaited = Signal()
    """Somebody waits for what is on its way to the disk: what is being recorded ends now."""

    def __init__(
        self, board: Board, describing: Describing, live: LiveViewModel, small: MakeSmall
    ) -> None:
        super().__init__(board)
        self._board = board
        self._describing = describing
        self._live = live
        self._small = small
        self._numbers = count(1)
        self._on_the_way: set[int] = set()
        self._waiting: list[Callable[[], None]] = []
        self._made: dict[int, object] = {}
        self._is_held = False
        self._is_shut = False
        self._asked = 0

    def next_number(self) -> int:
        """The number of the next picture in the filmstrip."""
        return next(self._numbers)

    @property
    def is_busy(self) -> bool:
        """Whether a picture is on its way to the disk, or the exam is being begun anew."""
        return bool(self._on_the_way) or self._is_held

    def when_kept(self, act: Callable[[], None]) -> None:
        """Calls `act` once no picture is on its way to the disk: at once, mostly."""
        self.awaited.emit()
        if self.is_busy:
            self._waiting.append(act)
        else:
            act()

    def hold(self) -> None:
        """The exam is being begun anew: presses wait until `go_on`, and so does `when_kept`."""
        self._is_held = True

    def go_on(self) -> None:
        """Ends a hold: what was pressed meanwhile is taken now."""
        self._is_held = False
        asked, self._asked = self._asked, 0
        try:
            for _ in range(asked):
                self.shoot()
        finally:
            self._let_go()

    def shut(self, *, on: bool) -> None:
        """Another patient is being opened: until that ended nobody's picture is taken."""
        self._is_shut = on

    def close(self) -> None:
        """The exam is left: whoever waits for its pictures does not wait in vain."""
        self._on_the_way.clear()
        self._is_held = False
        self._let_go()

    def shoot(self) -> None:
        """Takes the frame on the screen. It is shown as a thumbnail once it is on the disk."""
        board = self._board
        if not self.is_open():
            return
        if self._is_held:
            self._asked += 1
            return
        try:
            frame, device = self._live.take()
        except DeviceError as error:
            board.say(trouble(str(error) or tr("There is no live image.")))
            return
        self.flashed.emit()
        shot = self.begin(self._describing.for_the_next())
        given = shot.description
        take, exam, kept = board.services.exams.take, board.exam, self._live.as_kept(frame)
        self._run(
            shot,
            lambda: take(exam, frame, device=device, description=given),
            lambda capture_id: self._assess(capture_id, kept, device),
        )
        # Both at once: the small picture is mostly ready by the time that the large one is safe.
        self._make(lambda: self._small(kept), lambda image: self._small_made(shot.number, image))

    def keep(
        self, coding: Coding, work: Callable[[Description], str], clip: ClipLength | None = None
    ) -> None:
        """Keeps what `work` keeps, of which this is said: it returns the capture id. It is shown as
        a thumbnail once it is on the disk. `clip`: how much of a clip it is.
        """
        self.flashed.emit()
        shot = self.begin(coding)
        self._run(shot, lambda: work(shot.description), self.thumb_of_kept, clip)

    def is_open(self) -> bool:
        """Whether pictures of who is on the screen may be taken; else it says why not."""
        if self._is_shut:
            self._board.say(words.another_is_opened_message())
        return not self._is_shut

    def begin(self, coding: Coding) -> Shot:
        """One more in the strip, of which this is said: its thumbnail comes once it is safe."""
        board = self._board
        shot = Shot("", self.next_number(), coding)
        board.taken += 1
        # Whatever was selected was for what was done before: what is chosen now is for the next.
        shots = (*board.known.shots, shot)
        stop = None if board.known.stop is SendStop.DIFFERS else board.known.stop
        board.show(shots=shots, touched=frozenset(), selected=frozenset(), message=None, stop=stop)
        return shot

    def _run(
        self,
        shot: Shot,
        work: Callable[[], str],
        then: Callable[[str], None],
        clip: ClipLength | None = None,
    ) -> None:
        number, given = shot.number, shot.description

        def done(capture_id: str) -> None:
            self.kept(number, given, capture_id, clip)
            then(capture_id)

        self.send_off(number)
        self._board.acts.run(
            work,
            owner=self,
            done=done,
            failed=lambda error: self._not_kept(number, error),
            ended=lambda: self.came_back(number),
        )

    def send_off(self, number: int) -> None:
        """One is on its way to the disk, until `came_back`."""
        self._on_the_way.add(number)

    def kept(
        self, number: int, given: Description, capture_id: str, clip: ClipLength | None = None
    ) -> None:
        """One is safe, of which this was written down with it."""
        shots = tuple(
            replace(shot, capture_id=capture_id, kept=given, clip=clip)
            if shot.number == number
            else shot
            for shot in self._board.known.shots
        )
        self._board.show(shots=shots)
        kept = next(shot for shot in shots if shot.number == number)
        if kept.description != given:  # chosen while it was on its way
            self._describing.write([kept])
        self._show_small(number)

    def _assess(self, capture_id: str, frame: Frame, device: DeviceInfo) -> None:
        pixels, kind = frame.pixels, device.image_kind
        self._make(
            lambda: _is_blurred(pixels, kind), lambda blurred: self._assessed(capture_id, blurred)
        )

    def _not_kept(self, number: int, error: CaptureAppError) -> None:
        self.drop(number)
        self._board.say(_not_kept_words(error))
        self._board.reload_needed.emit()

    def drop(self, number: int) -> None:
        """One was not kept: it is not in the strip any more."""
        left = tuple(shot for shot in self._board.known.shots if shot.number != number)
        self._board.show(shots=left)
        self._made.pop(number, None)

    def came_back(self, number: int) -> None:
        """A picture is on the disk, or will never be: however that ended."""
        self._on_the_way.discard(number)
        self._let_go()

    def _let_go(self) -> None:
        if self._waiting and not self.is_busy:
            try:
                self._waiting.pop(0)()
            finally:  # an act that fails keeps no other from its turn
                self._let_go()

    def _small_made(self, number: int, image: object) -> None:
        self._made[number] = image
        self._show_small(number)

    def _show_small(self, number: int) -> None:
        """Shows a thumbnail once its picture is safe, and not before."""
        shots = self._board.known.shots
        capture_id = next((s.capture_id for s in shots if s.number == number), "")
        if capture_id and number in self._made:
            self.thumb_made.emit(capture_id, self._made.pop(number))

    def _assessed(self, capture_id: str, blurred: bool) -> None:  # noqa: FBT001 - a task's result
        if blurred:
            self._board.change([capture_id], lambda shot: replace(shot, blurred=True))

    def thumb_of_kept(self, capture_id: str) -> None:
        """Makes the thumbnail of a picture of earlier, and looks whether it is sharp. Nobody judges
        a clip by its first frame.
        """
        outbox = self._board.services.outbox
        shots = self._board.known.shots
        is_clip = any(s.capture_id == capture_id and s.clip is not None for s in shots)

        def read() -> tuple[object, bool]:
            image = outbox.poster_of(capture_id)
            if is_clip:
                return self._small(image), False
            kind = outbox.device_of(capture_id).image_kind
            return self._small(image), _is_blurred(decode(image, at_least=_SHOWN_ROWS), kind)

        def was_read(made: tuple[object, bool]) -> None:
            small, blurred = made
            self.thumb_made.emit(capture_id, small)
            self._assessed(capture_id, blurred)

        self._make(read, was_read)

    def _make(self, work: Callable[[], T], done: Callable[[T], None]) -> None:
        def failed(error: CaptureAppError) -> None:
            self._board.say(trouble(str(error)))

        self._board.tasks.run(work, owner=self, done=done, failed=failed)


def _not_kept_words(error: CaptureAppError) -> Message:
    """Where it is not known how far keeping came, the strip has the truth: it is read anew."""
    if isinstance(error, UnexpectedError):
        what = tr("Look whether the last picture is in the strip; if not, take it again.")
        return Message(what, error.what, "warning-circle", Tone.BAD)
    return trouble(str(error))


def _is_blurred(pixels: NDArray[np.uint8], kind: ImageKind) -> bool:
    return QualityChip.BLURRED in assess(pixels, kind).chips
