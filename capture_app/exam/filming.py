"""Films of the open exam: the last seconds, and what is recorded from now on.

No frame of one may have been exposed before the exam began: what may have been is left out.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from typing import Final

import structlog

from capture_app.clock import Clock
from capture_app.devices.replay import FilmFrame, Replay
from capture_app.errors import CaptureAppError, DiskFullError, ImageError, RuleError
from capture_app.exam.session import ExamService
from capture_app.imaging.jpeg import prepare_jpeg
from capture_app.model.clip import NOTHING, ClipFormat, ClipLength, FrameOfClip
from capture_app.model.device import DeviceInfo, DeviceKind
from capture_app.model.exam import Exam
from capture_app.model.procedure import Description
from capture_app.model.words import tr
from capture_app.outbox.keeping.clips import Film, Recording
from capture_app.outbox.keeping.drafts import PictureIdentity
from capture_app.outbox.outbox import Outbox

SYNC_EVERY_S: Final = 1.0
"""The promise of a recording grows so often."""
ENDS_AFTER_S: Final = 2.0
"""Without a frame for so long the device has stopped, and the recording ends."""
MOST_FRAMES: Final = 16_000
MOST_BYTES: Final = 3_500_000_000
"""Of one clip, so that one DICOM instance can hold it (PS3.5 A.4, and a Frame Time Vector of 64 K).
Who goes on records another.
"""
_LOOK_EVERY_S: Final = 0.1
_MOST_WAITING_BYTES: Final = 256_000_000
"""Of frames that the disk has not taken yet."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FilmState:
    """How a recording goes."""

    promised: ClipLength = NOTHING
    """What is on the disk, whatever happens."""
    is_over: bool = False
    capture_id: str = ""
    """Of the draft that it became; empty where there is none (yet)."""
    trouble: str = ""
    """Why it ended before anybody ended it, or was not kept: a sentence for people."""


class FilmService:
    """Keeps films of the exam that is open."""

    def __init__(self, exams: ExamService, outbox: Outbox, replay: Replay, clock: Clock) -> None:
        self._exams = exams
        self._outbox = outbox
        self._replay = replay
        self._clock = clock
        self._began: tuple[str, float] | None = None
        """The exam that the ring was emptied for, and since when (monotonic) it holds frames."""
        self._judged: tuple[str, ClipFormat] | None = None
        """The device, and its frames, that a look has found to be such as can be kept."""

    @property
    def replay(self) -> Replay:
        """The last seconds of the live image."""
        return self._replay

    def begin(self, exam: Exam) -> None:
        """An exam is on the screen: the ring holds what is exposed in it, and nothing of before."""
        try:
            since = self._exams.require_open(exam)
        except RuleError:  # left, or locked, meanwhile
            self.end()
            return
        self._began = exam.exam_id, since
        self._replay.begin(since)

    def restart(self) -> None:
        """Of what is exposed from now on something else is said, of the device: what was held is
        not held with it.
        """
        self._replay.restart(self._clock.monotonic())

    def end(self) -> None:
        """No exam is on the screen any more: nothing is held."""
        self._began = None
        self._replay.end()

    def lock(self) -> None:
        """The screen is locked: what is held stays for whose exam it is, and nobody may have it."""
        self._replay.seal()

    def resume(self, exam: Exam) -> None:
        """After a lock, once the exam takes pictures again. As `begin`, of an exam that goes on."""
        try:
            self._replay.unseal(self._exams.require_open(exam))
        except RuleError:
            self.end()

    def refusal(self, device: DeviceInfo) -> str:
        """Why no clip can be had of a device, a sentence for people; empty where one can."""
        if device.kind is DeviceKind.FILE:
            return tr("There are no clips of what is in a file: clips are of a live camera.")
        newest = self._replay.newest
        if newest is None or newest.device_id != device.device_id:
            return ""
        asked = (newest.device_id, newest.shape)
        if self._judged == asked:
            return ""
        try:
            prepare_jpeg(newest.jpeg)
        except ImageError as error:
            why = tr("The pictures of this camera cannot be kept as a clip, only one by one.")
            return f"{why} {error}"
        self._judged = asked
        return ""

    def keep_last(
        self,
        exam: Exam,
        *,
        device: DeviceInfo,
        description: Description,
        film: Sequence[FilmFrame] | None = None,
    ) -> str:
        """Keeps what the ring holds of this exam, and returns its capture id once it is durable.

        `film`: what it held a moment ago, as somebody asked for it. Raises RuleError where that is
        less than two frames or another exam is open, ImageError, DiskFullError, StoreError.
        """
        started = self._since(exam)
        held = self._replay.film() if film is None else film
        frames = [one for one in held if _is_of(one, device, started)]
        if len(frames) < 2:
            raise RuleError(tr("There is no film of this patient yet: nothing was kept."))
        first = frames[0]
        prepare_jpeg(first.jpeg)  # what could never be sent is told now
        kept = self._identity(exam, device, description, first)
        return self._outbox.keep_film(kept, Film(first.shape, _timed(frames)))

    def _since(self, exam: Exam) -> float:
        """Since when what the ring holds is of an exam: of one that was locked meanwhile, since it
        was opened, for nothing of the lock came into the ring. Raises RuleError as `require_open`.
        """
        opened, began = self._exams.require_open(exam), self._began
        return began[1] if began is not None and began[0] == exam.exam_id else opened

    def keep_still(self, exam: Exam, source: FrameOfClip, description: Description) -> str:
        """Keeps one frame of a clip as a picture of its own, and returns its capture id once it is
        durable. It is of the exam that the clip is of.

        Raises RuleError where the clip is of another patient, SealBrokenError, ImageError,
        DiskFullError, StoreError.
        """
        self._exams.require_open(exam)
        own = self._outbox.exam_of(source.capture_id)
        if self._outbox.patient_key(own) != self._outbox.patient_key(exam):
            raise RuleError(tr("This clip is of another patient: nothing was kept."))
        said = self._exams.completed(description)
        return self._outbox.keep_still(source, said, exam.operator)

    def record(
        self,
        exam: Exam,
        *,
        device: DeviceInfo,
        description: Description,
        told: Callable[[FilmState], None],
    ) -> Filming:
        """Records from now on. `told` hears of each second that is promised, and of the end, on
        another thread. Raises RuleError where another exam is open.
        """
        started = self._exams.require_open(exam)

        def begin(first: FilmFrame) -> Recording:
            prepare_jpeg(first.jpeg)
            kept = self._identity(exam, device, description, first)
            return self._outbox.record(kept, first.shape)

        return Filming(
            begin, lambda frame: _is_of(frame, device, started), self._replay, self._clock, told
        )

    def _identity(
        self, exam: Exam, device: DeviceInfo, description: Description, first: FilmFrame
    ) -> PictureIdentity:
        """Nothing of a preset: the console may have been set otherwise within the clip."""
        said, place = self._exams.completed(description), self._exams.place_of(exam)
        return PictureIdentity(exam, replace(device, preset=None), first.taken_at, said, place)


class Filming:
    """One recording, on a thread of its own."""

    def __init__(
        self,
        begin: Callable[[FilmFrame], Recording],
        is_of_it: Callable[[FilmFrame], bool],
        replay: Replay,
        clock: Clock,
        told: Callable[[FilmState], None],
    ) -> None:
        self._begin = begin
        self._is_of_it = is_of_it
        self._clock = clock
        self._told = told
        self._frames: SimpleQueue[FilmFrame] = SimpleQueue()
        self._waiting = 0
        self._counting = threading.Lock()
        self._is_behind = False
        self._ends = threading.Event()
        self._why_it_ends = ""
        self._state = FilmState()
        self._first: FilmFrame | None = None
        self._recording: Recording | None = None
        self._frames_taken = self._bytes_taken = 0
        self._leave = replay.follow(self._put)
        # No daemon: what was promised is made a draft before the process ends.
        self._thread = threading.Thread(target=self._run, name="filming")
        self._thread.start()

    @property
    def state(self) -> FilmState:
        """How it goes."""
        return self._state

    @property
    def has_begun(self) -> bool:
        """Whether a first frame came."""
        return self._recording is not None

    @property
    def capture_id(self) -> str:
        """Of the draft that it will be; empty before its first frame."""
        return self._recording.capture_id if self._recording is not None else ""

    def end(self, why: str = "") -> None:
        """Asks it to end: what was recorded becomes a draft. Returns at once; `told` says when.

        `why`: what cut it off, a sentence for people; empty where a person ends it.
        """
        if not self._ends.is_set():
            self._why_it_ends = why
            self._ends.set()

    def wait(self, within: float) -> bool:
        """Waits for its end; False where it has not ended in time (seconds)."""
        self._thread.join(within)
        return not self._thread.is_alive()

    def _put(self, frame: FilmFrame) -> None:
        if self._ends.is_set() or not self._is_of_it(frame):
            return
        with self._counting:
            if self._waiting + len(frame.jpeg) > _MOST_WAITING_BYTES:
                self._is_behind = True
                return
            self._waiting += len(frame.jpeg)
        self._frames.put(frame)

    # ---------------------------------------------------------------------------- the thread

    def _run(self) -> None:
        trouble = ""
        try:
            trouble = self._record()
        except CaptureAppError as error:
            trouble = str(error)
        except Exception:  # noqa: BLE001 - logged and told; what was promised is kept
            _log.exception("recording-failed")
            trouble = tr("The recording failed in a way that was not expected.")
        finally:
            self._leave()
        self._close(trouble)

    def _record(self) -> str:
        """Records until it is to end; why it ended by itself, if it did."""
        sync_at = last_at = self._clock.monotonic()
        while True:
            is_ending = self._ends.is_set()
            frame = self._next(wait=not is_ending)
            now = self._clock.monotonic()
            if frame is not None:
                last_at = now
                if why := self._add(frame):
                    return why
            elif is_ending:
                return self._why_it_ends
            elif now - last_at >= ENDS_AFTER_S:
                return tr("The camera stopped sending pictures: the recording ended there.")
            if self._is_behind:
                return tr("The disk is slower than the camera: the recording ended there.")
            if self._recording is not None and now - sync_at >= SYNC_EVERY_S:
                sync_at = now
                self._tell(replace(self._state, promised=self._recording.sync()))

    def _next(self, *, wait: bool) -> FilmFrame | None:
        try:
            frame = self._frames.get(timeout=_LOOK_EVERY_S) if wait else self._frames.get_nowait()
        except Empty:
            return None
        with self._counting:
            self._waiting -= len(frame.jpeg)
        return frame

    def _add(self, frame: FilmFrame) -> str:
        """Adds a frame; why it cannot be of the same film, if it cannot."""
        if self._first is None or self._recording is None:
            self._recording, self._first = self._begin(frame), frame
        elif frame.shape != self._first.shape:
            return tr("The camera changed its picture's size: the recording ended there.")
        self._frames_taken += 1
        self._bytes_taken += len(frame.jpeg)
        if self._frames_taken > MOST_FRAMES or self._bytes_taken > MOST_BYTES:
            return tr("A clip cannot be longer: the recording ended there. Record another one.")
        at = round((frame.exposed_at - self._first.exposed_at) * 1_000_000)
        self._recording.add(frame.jpeg, max(0, at))
        return ""

    def _close(self, trouble: str) -> None:
        """Makes a draft of it, however it ended."""
        capture_id = ""
        recording, promised = self._recording, self._state.promised
        try:
            if recording is not None:
                capture_id = recording.finish(is_partial=bool(trouble))
                promised = recording.length
            elif not trouble:
                trouble = tr("The camera sent no picture: nothing was recorded.")
        except CaptureAppError as error:
            _log.error("recording-not-ended", reason=str(error))
            trouble = _kept_for_later(error)
        except Exception:  # noqa: BLE001 - logged and told; recovery makes a draft of it
            _log.exception("recording-failed")
            trouble = _kept_for_later(None)
        finally:
            if recording is not None:
                recording.leave()
        self._tell(FilmState(promised, is_over=True, capture_id=capture_id, trouble=trouble))

    def _tell(self, state: FilmState) -> None:
        self._state = state
        self._told(state)


def _kept_for_later(error: CaptureAppError | None) -> str:
    why = tr("The disk is full.") if isinstance(error, DiskFullError) else ""
    said = tr(
        "The recording could not be ended. What was recorded is safe on this computer, and is "
        "among the drafts after the next start."
    )
    return f"{why} {said}".strip()


def _is_of(frame: FilmFrame, device: DeviceInfo, started: float) -> bool:
    return frame.device_id == device.device_id and frame.not_before >= started


def _timed(frames: Sequence[FilmFrame]) -> tuple[tuple[bytes, int], ...]:
    start = frames[0].exposed_at
    return tuple((one.jpeg, max(0, round((one.exposed_at - start) * 1_000_000))) for one in frames)
