"""The live image as a film: the last seconds, always ready, and every frame to who records.

The device's own JPEG is held as it came, byte for byte. The pixels of a device that gives none are
coded here, once, as JPEG of quality 95 and 4:2:2, on a thread of their own.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from queue import Empty, Full, Queue
from typing import Final

import structlog

from capture_app.clock import Clock
from capture_app.model.clip import ClipFormat
from capture_app.model.frame import Frame

REPLAY_SECONDS: Final = 10.0
SEALED_AT_MOST_S: Final = 600.0
"""Who comes back to a locked screen later finds an empty ring."""
_QUALITY: Final = 95
_SUBSAMPLING: Final = "4:2:2"
_WAITING_FRAMES: Final = 4
"""Pixels that wait to be coded: beyond it a frame is left out, and the next one is newer."""
_LOOK_EVERY_S: Final = 0.5

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class FilmFrame:
    """One frame as a film keeps it."""

    jpeg: bytes
    shape: ClipFormat
    device_id: str
    exposed_at: float
    """Of the monotonic clock (seconds): no clock that is set moves it."""
    taken_at: datetime
    not_before: float
    """As of `Frame`."""


Sink = Callable[[FilmFrame], None]


class Replay:
    """The ring of one station, whichever device is chosen. For use by any thread.

    Nothing is held while nobody's exam is open, and nothing that may have been exposed before it
    began. At most `most_bytes` of frames are held, and at most ten seconds.
    """

    def __init__(self, clock: Clock, most_bytes: int) -> None:
        self._clock = clock
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._since: float | None = None
        self._sealed_at: float | None = None
        self._is_capped = False
        self._held: deque[FilmFrame] = deque()
        self._bytes = 0
        self._sinks: tuple[Sink, ...] = ()
        self._to_code: Queue[Frame] = Queue(_WAITING_FRAMES)
        self._coder: threading.Thread | None = None
        self._left_out = 0

    def begin(self, since: float) -> None:
        """An exam begins: empties the ring; it takes what was exposed from then on (monotonic)."""
        with self._lock:
            self._empty()
            self._since, self._sealed_at = since, None

    def restart(self, since: float) -> None:
        """Of the same exam it takes what is exposed from then on: empties the ring."""
        with self._lock:
            self._empty()
            if self._since is not None:
                self._since = max(self._since, since)

    def end(self) -> None:
        """Nobody's exam is open any more: empties the ring, and takes nothing."""
        with self._lock:
            self._empty()
            self._since = None

    def seal(self) -> None:
        """The screen is locked: what is held stays for ten minutes, nothing is added, and nobody
        may have it.
        """
        with self._lock:
            if self._sealed_at is None:
                self._sealed_at = self._clock.monotonic()

    def unseal(self, since: float) -> None:
        """Whose exam it is came back: the ring goes on with what is exposed from then on."""
        with self._lock:
            if self._since is not None:
                self._empty_if_sealed_long()
                self._since, self._sealed_at = since, None

    @property
    def seconds(self) -> float:
        """How much of the live image is held, from the first frame to the last."""
        with self._lock:
            if len(self._held) < 2 or self._sealed_at is not None:
                return 0.0
            return self._held[-1].exposed_at - self._held[0].exposed_at

    @property
    def is_capped(self) -> bool:
        """Whether the memory, and not the time, says how much is held."""
        with self._lock:
            return self._is_capped

    @property
    def newest(self) -> FilmFrame | None:
        """The last frame that is held; None where there is none, and where the ring is sealed."""
        with self._lock:
            return self._held[-1] if self._held and self._sealed_at is None else None

    @property
    def bytes_held(self) -> int:
        """How much memory the frames take."""
        with self._lock:
            return self._bytes

    def film(self) -> tuple[FilmFrame, ...]:
        """What is held, oldest first; nothing where the ring is sealed."""
        with self._lock:
            return () if self._sealed_at is not None else tuple(self._held)

    def follow(self, sink: Sink) -> Callable[[], None]:
        """Hands every frame from now on to `sink`, on a thread of ours: it must not block.

        Returns what ends it.
        """
        with self._lock:
            self._sinks = (*self._sinks, sink)

        def end() -> None:
            with self._lock:
                self._sinks = tuple(one for one in self._sinks if one is not sink)

        return end

    def see(self, frame: Frame) -> None:
        """A device delivered a frame. Returns at once, and never fails: the live image goes on."""
        try:
            self._see(frame)
        except Exception:  # noqa: BLE001 - logged; the film goes on with the next frame
            _log.exception("film-frame-not-held")

    def _see(self, frame: Frame) -> None:
        with self._lock:
            self._empty_if_sealed_long()
            if not self._takes(frame.not_before):
                return
        if frame.jpeg is not None:
            self._hold(frame, frame.jpeg, is_coded_here=False)
            return
        self._start_coder()
        try:
            self._to_code.put_nowait(frame)
        except Full:
            self._left_out += 1
            if self._left_out & (self._left_out - 1) == 0:  # 1, 2, 4, ...
                _log.info("film-frames-left-out", count=self._left_out)

    def _takes(self, not_before: float) -> bool:
        return self._since is not None and self._sealed_at is None and not_before >= self._since

    def _hold(self, frame: Frame, jpeg: bytes, *, is_coded_here: bool) -> None:
        rows, columns, _ = frame.pixels.shape
        age = (self._clock.now() - frame.taken_at).total_seconds()
        one = FilmFrame(
            jpeg,
            ClipFormat(rows, columns, is_coded_here, frame.pixel_aspect),
            frame.device_id,
            self._clock.monotonic() - age,
            frame.taken_at,
            frame.not_before,
        )
        with self._lock:
            if not self._takes(one.not_before):  # the exam was left while it was coded
                return
            if self._held and not _goes_on(self._held[-1], one):
                self._empty()
            self._held.append(one)
            self._bytes += len(one.jpeg)
            oldest = one.exposed_at - REPLAY_SECONDS
            while self._held and self._held[0].exposed_at < oldest:
                self._drop_oldest()
                self._is_capped = False
            while self._held and self._bytes > self._most_bytes:
                self._drop_oldest()
                self._is_capped = True
            sinks = self._sinks
        for sink in sinks:
            sink(one)

    def _drop_oldest(self) -> None:
        self._bytes -= len(self._held.popleft().jpeg)

    def _empty_if_sealed_long(self) -> None:
        sealed_at = self._sealed_at
        if sealed_at is not None and self._clock.monotonic() - sealed_at >= SEALED_AT_MOST_S:
            self._empty()

    def _empty(self) -> None:
        self._held.clear()
        self._bytes = 0
        self._is_capped = False

    # ------------------------------------------------------------------------------- the coder

    def _start_coder(self) -> None:
        with self._lock:
            if self._coder is None or not self._coder.is_alive():
                self._coder = threading.Thread(target=self._code, name="film-coder", daemon=True)
                self._coder.start()

    def _code(self) -> None:
        """Ends once nothing is to be coded any more: it is begun again with the next frame."""
        while True:
            try:
                frame = self._to_code.get(timeout=_LOOK_EVERY_S)
            except Empty:
                return
            try:
                self._hold(frame, _coded(frame), is_coded_here=True)
            except Exception:  # noqa: BLE001 - logged; the film goes on with the next frame
                _log.exception("film-frame-not-coded")


def _goes_on(before: FilmFrame, now: FilmFrame) -> bool:
    """Whether both are of one film: of one device, one size and one coding, in order."""
    return (before.device_id, before.shape) == (now.device_id, now.shape)


def _coded(frame: Frame) -> bytes:
    from PIL import Image  # noqa: PLC0415 - the list of patients need not wait for it

    out = BytesIO()
    Image.fromarray(frame.pixels).save(
        out, "JPEG", quality=_QUALITY, subsampling=_SUBSAMPLING, optimize=False
    )
    return out.getvalue()
