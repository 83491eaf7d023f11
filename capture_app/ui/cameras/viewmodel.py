"""Which cameras are plugged in, and a look through one of them. Nothing that is seen is kept."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer, Signal

from capture_app.devices.attached import attached_cameras, place_of
from capture_app.devices.capture import Live
from capture_app.devices.chosen import ChosenDevice
from capture_app.devices.survey import Survey, surveys
from capture_app.errors import CaptureAppError, DeviceError
from capture_app.model.camera import AttachedCamera
from capture_app.model.device import DeviceKind
from capture_app.settings.schema import Device
from capture_app.ui.cameras.words import about, controls_lines, measured, modes_lines, note_of
from capture_app.ui.reading import Reading
from capture_app.ui.services import Services
from capture_app.ui.tasks import Tasks
from capture_app.ui.words.shown import ListRow

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_ASK_AGAIN_MS: Final = 1500
"""What is plugged in or out is on the page within two seconds."""
_LOOK_MS: Final = 100
_RATE_OVER_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class CamerasState:
    """The page. `rows` are the cameras that are plugged in; `chosen` is the identity of one."""

    rows: tuple[ListRow, ...] = ()
    is_read: bool = False
    chosen: str = ""
    name: str = ""
    about: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    fault: str = ""
    is_looking: bool = False
    measured: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Found:
    attached: tuple[AttachedCamera, ...]
    surveys: tuple[Survey, ...]
    devices: dict[str, Device]
    """By place."""


class CamerasViewModel(QObject):
    """Looks at every camera when the page appears, and when one is plugged in or out."""

    changed = Signal()
    pictured = Signal(object)
    """Another picture of the camera that is looked at, (rows, columns, 3) RGB; None: no more."""

    def __init__(self, services: Services, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._services = services
        self._tasks = tasks
        self._found = _Found((), (), {})
        self._own: ChosenDevice | None = None
        """A camera that is looked at here alone: the one in use goes on for the workspace."""
        self._seen: deque[tuple[float, int]] = deque()
        self._last: NDArray[np.uint8] | None = None
        self.state = CamerasState()
        self._reading: Reading[_Found | None] = Reading(
            tasks, self._question, told=self._told, failed=self._failed, parent=self
        )
        self._again = QTimer(self)
        self._again.setInterval(_ASK_AGAIN_MS)
        self._again.timeout.connect(self._ask)
        self._look = QTimer(self)
        self._look.setInterval(_LOOK_MS)
        self._look.timeout.connect(self._show_picture)

    def appear(self) -> None:
        """The page is on screen."""
        self._ask()
        self._again.start()

    def vanish(self) -> None:
        """Another page is: no camera is looked at any more."""
        self._again.stop()
        self.stop_looking()

    def close(self) -> None:
        """The user has gone."""
        self.vanish()
        self._reading.close()

    def choose(self, identity: str) -> None:
        """Shows another camera."""
        if identity != self.state.chosen:
            self.stop_looking()
            self._show(self._described(identity, self.state.rows))

    def look(self) -> None:
        """Opens the camera, or takes the one in use as it is, and measures it."""
        found, device = self._chosen()
        if found is None or self.state.is_looking:
            return
        in_use = self._services.devices.chosen
        if device is None or in_use is None or in_use.device_id != device.id:
            camera = found.camera
            device = device or Device("camera", camera.name, DeviceKind.CAMERA, camera.identity)
            self._own = ChosenDevice((device,), self._services.clock)
            self._own.start()
        self._seen.clear()
        self._show(replace(self.state, is_looking=True, fault="", measured=()))
        self._look.start()

    def stop_looking(self) -> None:
        """Gives the camera back."""
        self._look.stop()
        own, self._own = self._own, None
        if own is not None:
            self._tasks.run(own.stop, owner=self)
        if self.state.is_looking:
            self._show(replace(self.state, is_looking=False, measured=()))
            self.pictured.emit(None)

    # ------------------------------------------------------------------------- what is plugged in

    def _ask(self) -> None:
        if not self._reading.is_asking:
            self._reading.ask()

    def _question(self) -> Callable[[], _Found | None]:
        known, is_read = self._found.attached, self.state.is_read
        devices, clock = self._services.settings.devices, self._services.clock

        def work() -> _Found | None:
            attached = attached_cameras()
            if is_read and attached == known:
                return None
            return _Found(attached, tuple(surveys(clock)), _by_place(devices))

        return work

    def _told(self, found: _Found | None) -> None:
        if found is None:
            return
        self._found = found
        rows = tuple(
            ListRow(
                one.camera.identity,
                one.camera.name,
                note=note_of(one, found.devices.get(one.camera.place)),
            )
            for one in found.surveys
        )
        identities = [row.row_id for row in rows]
        chosen = self.state.chosen
        if chosen not in identities:
            self.stop_looking()
            chosen = identities[0] if identities else ""
        self._show(self._described(chosen, rows))

    def _failed(self, error: CaptureAppError) -> None:
        self._show(replace(self.state, is_read=False, fault=str(error)))  # all is read again

    def _chosen(self) -> tuple[Survey | None, Device | None]:
        for one in self._found.surveys:
            if one.camera.identity == self.state.chosen:
                return one, self._found.devices.get(one.camera.place)
        return None, None

    def _described(self, identity: str, rows: tuple[ListRow, ...]) -> CamerasState:
        found = next((s for s in self._found.surveys if s.camera.identity == identity), None)
        if found is None:
            return CamerasState(rows, is_read=True)
        device = self._found.devices.get(found.camera.place)
        return replace(
            self.state,
            rows=rows,
            is_read=True,
            chosen=identity,
            name=found.camera.name,
            about=about(found, device),
            modes=modes_lines(found.modes),
            controls=controls_lines(found, device),
            fault="" if found.trouble is None else str(found.trouble),
        )

    # --------------------------------------------------------------------------------- the look

    def _show_picture(self) -> None:
        service = self._own or self._services.devices
        state, frame = service.state, service.latest()
        fault = state.reason if state.live is Live.LOST else ""
        if frame is not None:
            now = self._services.clock.monotonic()
            self._seen.append((now, frame.sequence))
            while now - self._seen[0][0] > _RATE_OVER_S:
                self._seen.popleft()
        self.pictured.emit(None if frame is None else frame.pixels)
        self._show(replace(self.state, fault=fault, measured=measured(state, self._rate())))

    def _rate(self) -> float | None:
        if len(self._seen) < 2:
            return None
        (began, first), (ended, last) = self._seen[0], self._seen[-1]
        return (last - first) / (ended - began) if ended - began > 1.0 else None

    def _show(self, state: CamerasState) -> None:
        if state != self.state:
            self.state = state
            self.changed.emit()


def _by_place(devices: tuple[Device, ...]) -> dict[str, Device]:
    """Which cameras of the settings are plugged in, and where."""
    found = {}
    for device in devices:
        if device.kind is DeviceKind.CAMERA:
            try:
                found[place_of(device.address)] = device
            except DeviceError:
                continue
    return found
