"""The thread that reads one device, the slot with its latest frame, and whether it is alive."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

import structlog

from capture_app.clock import Clock
from capture_app.devices.source import FrameSource
from capture_app.errors import DeviceError
from capture_app.model.camera import OpenedMode
from capture_app.model.device import DeviceKind
from capture_app.model.frame import Frame
from capture_app.model.words import tr

NO_IMAGE_AFTER_S: Final = 0.9
"""No new frame for this long is no live image: told within one second of the last frame."""
_SILENT_CAMERA_AFTER_S: Final = 2.0
"""A camera of this computer may give one picture a second; what its driver says of it (unplugged,
no signal) is told at once.
"""
OPENING_AT_MOST_S: Final = 5.0
_LOOK_EVERY_S: Final = 0.05
_FIRST_PAUSE_S: Final = 0.25
_LONGEST_PAUSE_S: Final = 5.0
_LONGEST_PAUSE_OF_CAMERAS_S: Final = 1.0
"""One that is plugged in again is live within two seconds; until then nothing is started for it."""

_log = structlog.get_logger()


class Live(StrEnum):
    """Whether there is a live image."""

    OPENING = "opening"
    LIVE = "live"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class LiveState:
    """Whether there is a live image, since when, and if not, why: a sentence for people."""

    live: Live
    since: datetime
    reason: str = ""
    mode: OpenedMode | None = None
    """What a camera of this computer was asked for, and what it gives; None where not live."""
    opened_after: float | None = None
    """Seconds from the opening to the first picture; None where not live."""
    was_live: bool = False
    """Whether the device delivered before: what tells *stopped* from *not found*."""


Sees = Callable[[Frame], None]
"""Gets every frame of a device, on the thread that reads it: it returns at once, and never fails.
"""


def nobody(_frame: Frame) -> None:
    """Nobody wants every frame."""


class CaptureThread:
    """Reads a source on threads of its own, and opens it again for as long as it takes.

    A read that blocks in a driver blocks nobody else: the slot, the state and `stop` stay quick.
    """

    def __init__(self, source: FrameSource, clock: Clock, sees: Sees = nobody) -> None:
        self._source = source
        self._sees = sees
        self._clock = clock
        self._lock = threading.Lock()
        self._telling = threading.Lock()
        self._ended = threading.Event()
        self._slot: Frame | None = None
        is_camera = source.info.kind is DeviceKind.CAMERA
        self._silent_after = _SILENT_CAMERA_AFTER_S if is_camera else NO_IMAGE_AFTER_S
        self._longest_pause = _LONGEST_PAUSE_OF_CAMERAS_S if is_camera else _LONGEST_PAUSE_S
        self._seen_at = clock.monotonic()
        self._state = LiveState(Live.OPENING, clock.now())
        self._opened_after = 0.0
        self._listeners: list[Callable[[LiveState], None]] = []
        name = f"capture-{source.info.device_id}"
        # Daemons: a driver that never returns must not keep the application from ending.
        self._reader = threading.Thread(target=self._read, name=name, daemon=True)
        self._watchdog = threading.Thread(target=self._watch, name=f"{name}-watch", daemon=True)

    @property
    def source(self) -> FrameSource:
        """What is read."""
        return self._source

    @property
    def state(self) -> LiveState:
        """Whether there is a live image now."""
        with self._lock:
            return self._state

    def start(self) -> None:
        """Begins to read. Returns at once; the state tells how it goes."""
        self._reader.start()
        self._watchdog.start()

    def latest(self) -> Frame | None:
        """The newest frame while the image is live, else None: an old picture is never shown as
        a live one.
        """
        with self._lock:
            return self._slot if self._state.live is Live.LIVE else None

    def take(self) -> Frame:
        """The frame that is on the screen as the shutter is pressed.

        Raises DeviceError while there is no live image.
        """
        with self._lock:
            is_fresh = self._clock.monotonic() - self._seen_at < self._silent_after
            if self._slot is None or self._state.live is not Live.LIVE or not is_fresh:
                raise DeviceError(self._state.reason or tr("There is no live image."))
            return self._slot

    def renew(self) -> None:
        """Another exam begins: only pictures from now on count for it. Returns at once."""
        self._source.renew()

    def on_state(self, listener: Callable[[LiveState], None]) -> Callable[[], None]:
        """Calls the listener at every change of state, on a thread of ours; returns what ends it.

        The last call always carries the last state.
        """
        with self._lock:
            self._listeners.append(listener)

        def end() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return end

    def stop(self, within: float = 2.0) -> bool:
        """Closes the source and waits at most `within` seconds; False where a driver still blocks
        (its thread ends by itself as soon as the driver returns).
        """
        self._ended.set()
        self._source.close()
        until = self._clock.monotonic() + within
        for thread in (self._watchdog, self._reader):
            if thread.ident is not None:
                thread.join(max(0.0, min(within, until - self._clock.monotonic())))
        return not self._reader.is_alive()

    # ------------------------------------------------------------------------------ the reader

    def _read(self) -> None:
        pauses = _pauses(self._longest_pause)
        while not self._ended.is_set():
            began = self._clock.monotonic()
            try:
                for number, frame in enumerate(self._source.frames()):
                    if self._ended.is_set():
                        return
                    pauses = _pauses(self._longest_pause)
                    if not number:
                        self._opened_after = self._clock.monotonic() - began
                    self._put(frame)
                reason = tr("The camera stopped sending pictures.")
            except DeviceError as error:
                reason = str(error)
            except Exception:  # noqa: BLE001 - a driver may raise anything: shown, tried again
                _log.exception("device-failed", device_id=self._source.info.device_id)
                reason = tr("The camera failed in a way that was not expected.")
            if self._ended.is_set():
                return
            self._change(Live.LOST, reason)
            self._ended.wait(next(pauses))

    def _put(self, frame: Frame) -> None:
        with self._lock:
            self._slot = frame
            self._seen_at = self._clock.monotonic() - frame.late
        if frame.late < self._silent_after:
            self._change(Live.LIVE)
        else:
            self._change(Live.LOST, tr("The camera's pictures come late. Wait a moment."))
        self._sees(frame)

    # ---------------------------------------------------------------------------- the watchdog

    def _watch(self) -> None:
        while not self._ended.wait(_LOOK_EVERY_S):
            with self._lock:
                state, silence = self._state.live, self._clock.monotonic() - self._seen_at
            if state is Live.LIVE and silence >= self._silent_after:
                self._change(Live.LOST, tr("The camera stopped sending pictures."))
            elif state is Live.OPENING and silence >= OPENING_AT_MOST_S:
                self._change(Live.LOST, tr("The camera does not answer."))

    def _change(self, live: Live, reason: str = "") -> None:
        with self._lock:
            before = self._state
            mode = self._source.opened if live is Live.LIVE else None
            if (before.live, before.reason, before.mode) == (live, reason, mode):
                return
            since = before.since if before.live is live else self._clock.now()
            opened_after = self._opened_after if live is Live.LIVE else None
            was_live = before.was_live or live is Live.LIVE
            self._state = LiveState(live, since, reason, mode, opened_after, was_live)
            if live is not Live.LIVE:
                self._slot = None
        _log.info("device-state", device_id=self._source.info.device_id, state=live.value)
        self._tell()

    def _tell(self) -> None:
        with self._telling:
            with self._lock:
                state, listeners = self._state, tuple(self._listeners)
            for listener in listeners:
                listener(state)


def _pauses(longest: float) -> Iterator[float]:
    pause = _FIRST_PAUSE_S
    while True:
        yield pause
        pause = min(pause * 2, longest)
