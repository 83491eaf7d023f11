"""The camera as the workspace sees it: live or not, how good, and which others there are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer, Signal

from capture_app.devices.capture import Live, LiveState
from capture_app.errors import CaptureAppError, DeviceError
from capture_app.imaging.cutting import as_kept, banner_in
from capture_app.imaging.quality import Quality, assess
from capture_app.imaging.stillness import Glance, glance
from capture_app.model.device import DeviceInfo, DeviceKind
from capture_app.model.frame import Frame
from capture_app.model.procedure import ImageKind
from capture_app.model.ultrasound import Preset
from capture_app.ui.reading import Reading
from capture_app.ui.services import Services
from capture_app.ui.tasks import Tasks

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_QUALITY_EVERY_MS: Final = 200
_QUALITY_AFTER_ERROR_MS: Final = 10_000


_Seen = tuple[Quality, Glance, Glance | None]
"""And the glance before, which the new one goes on from."""


class Stillness(StrEnum):
    """Whether the device goes on sending one and the same picture."""

    MOVES = "moves"
    STANDS = "stands"
    FROZEN = "frozen"
    """A scanner that was frozen at its console, in this exam."""
    FROZEN_BEFORE = "frozen-before"
    """A scanner whose picture never moved in this exam: it may show the patient before."""


class LiveViewModel(QObject):
    """Shows frames from now on only: what another patient's exam saw is never shown or taken."""

    changed = Signal()
    refused = Signal(str)
    """A camera that was chosen cannot be used; why."""

    def __init__(self, services: Services, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._devices = services.devices
        self._clock = services.clock
        self._since = services.clock.monotonic()
        self._devices.renew()
        self.state: LiveState = self._devices.state
        self.quality: Quality | None = None
        self.stillness = Stillness.MOVES
        self._glance: Glance | None = None
        self.size: tuple[int, int] | None = None
        """Columns and rows of the newest picture."""
        self._preset: tuple[Preset, datetime] | None = None
        self.device: DeviceInfo | None = self._chosen()
        self._leave = self._devices.on_state(lambda _state: tasks.post(self, self._read))
        self._quality = Reading(
            tasks, self._question, told=self._looked, failed=self._not_looked, parent=self
        )
        self._measure = QTimer(self)
        self._measure.setInterval(_QUALITY_EVERY_MS)
        self._measure.timeout.connect(self._look)
        self._measure.start()

    def close(self) -> None:
        """Ends the listening; the camera stays warm."""
        self._leave()
        self._measure.stop()
        self._quality.close()

    def begin_anew(self) -> None:
        """After a lock: only what the camera shows from now on is of this exam, and what its
        console is set to has to be said again.
        """
        self._since = self._clock.monotonic()
        self._devices.renew()
        self._preset = None
        self._see_anew()
        self._read()

    @property
    def is_live(self) -> bool:
        """Whether the shutter may be pressed."""
        return self.state.live is Live.LIVE

    @property
    def available(self) -> tuple[DeviceInfo, ...]:
        """Every camera that may be chosen."""
        return self._devices.available

    @property
    def others(self) -> tuple[DeviceInfo, ...]:
        """The cameras that may be chosen instead."""
        chosen = "" if self.device is None else self.device.device_id
        return tuple(info for info in self._devices.available if info.device_id != chosen)

    @property
    def presets(self) -> tuple[Preset, ...]:
        """What the console of the camera in use may be set to."""
        return () if self.device is None else self._devices.presets(self.device.device_id)

    def use_preset(self, name: str) -> None:
        """The console is set to this from now on, as a person says; empty: nobody knows."""
        preset = next((one for one in self.presets if one.name == name), None)
        self._preset = None if preset is None else (preset, self._devices.state.since)
        self._read()

    def frame(self) -> Frame | None:
        """The newest frame of this exam; None where there is no live image."""
        frame = self._devices.latest()
        return frame if frame is not None and frame.not_before >= self._since else None

    def as_kept(self, frame: Frame) -> Frame:
        """A frame of the camera in use with the part of it that a still keeps."""
        console = None if self.device is None else self.device.console
        return frame if console is None else replace(frame, pixels=as_kept(frame.pixels, console))

    def banner_in(self, frame: Frame) -> NDArray[np.uint8] | None:
        """Where the console in use writes whose picture it is; None where that is not known."""
        console = None if self.device is None else self.device.console
        return None if console is None else banner_in(frame.pixels, console)

    def take(self) -> tuple[Frame, DeviceInfo]:
        """The frame on the screen and its device. Raises DeviceError where there is none."""
        frame = self._devices.take()
        device = self._chosen()
        if device is None or frame.not_before < self._since:
            raise DeviceError(self._devices.state.reason)
        return frame, device

    def choose(self, device_id: str) -> None:
        """Another camera from now on."""
        self._preset = None
        try:
            self._devices.choose(device_id)
        except DeviceError as error:
            self.refused.emit(str(error))
        self._read()

    def _read(self) -> None:
        self.state = self._devices.state
        if not self.is_live:
            self.quality = None
            self.size = None
            self._see_anew()
        self.device = self._chosen()
        self.changed.emit()

    def _chosen(self) -> DeviceInfo | None:
        """The camera in use, with what its console is set to: said for this stretch of live
        pictures alone, for whoever switches a scanner off may set it otherwise.
        """
        chosen, state = self._devices.chosen, self._devices.state
        if chosen is None or self._preset is None:
            return chosen
        preset, since = self._preset
        holds = state.live is Live.LIVE and state.since == since
        return replace(chosen, preset=preset) if holds else chosen

    def _look(self) -> None:
        if not self._quality.is_asking:
            self._quality.ask()

    def _see_anew(self) -> None:
        self._glance = None
        self.stillness = Stillness.MOVES

    def _question(self) -> Callable[[], _Seen] | None:
        frame, device = self.frame(), self.device
        if frame is None or device is None:
            return None
        rows, columns, _ = frame.pixels.shape
        if self.size != (columns, rows):
            self.size = (columns, rows)
            self.changed.emit()
        kind, before, kept = device.image_kind, self._glance, self.as_kept(frame)
        return lambda: (assess(kept.pixels, kind), glance(kept, before), before)

    def _not_looked(self, _error: CaptureAppError) -> None:
        """The picture goes on without chips, and is looked at again in a while."""
        self._measure.setInterval(_QUALITY_AFTER_ERROR_MS)
        self._show_seen(None, Stillness.MOVES)

    def _looked(self, seen: _Seen) -> None:
        if self._measure.interval() != _QUALITY_EVERY_MS:
            self._measure.setInterval(_QUALITY_EVERY_MS)
        quality, now, before = seen
        if not self.is_live:
            self._show_seen(None, Stillness.MOVES)
        elif before is self._glance:  # else it was begun anew meanwhile
            self._glance = now
            self._show_seen(quality, self._stillness(now))

    def _stillness(self, now: Glance) -> Stillness:
        """A file is one and the same picture by its nature: nothing is said of it."""
        device = self.device
        if device is None or device.kind is DeviceKind.FILE or not now.is_still:
            return Stillness.MOVES
        if device.image_kind is not ImageKind.ULTRASOUND:
            return Stillness.STANDS
        return Stillness.FROZEN if now.has_moved else Stillness.FROZEN_BEFORE

    def _show_seen(self, quality: Quality | None, stillness: Stillness) -> None:
        before = (None if self.quality is None else self.quality.chips, self.stillness)
        self.quality, self.stillness = quality, stillness
        if before != (None if quality is None else quality.chips, stillness):
            self.changed.emit()
