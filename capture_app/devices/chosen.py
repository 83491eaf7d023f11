"""The one device in use, of those that the settings name. It stays warm from patient to patient."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from capture_app.clock import Clock
from capture_app.devices.capture import CaptureThread, Live, LiveState, Sees, nobody
from capture_app.devices.console_text import ConsoleReader
from capture_app.devices.network_camera import Password, no_password
from capture_app.devices.opening import device_info, open_source, presets_of
from capture_app.errors import DeviceError
from capture_app.model.device import DeviceInfo
from capture_app.model.frame import Frame
from capture_app.model.ultrasound import Preset
from capture_app.model.words import tr
from capture_app.settings.schema import Device

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

StateListener = Callable[[LiveState], None]


class ChosenDevice:
    """Answers as one capture thread would, whichever device is chosen. For use by any thread."""

    def __init__(
        self,
        devices: Sequence[Device],
        clock: Clock,
        password: Password = no_password,
        sees: Sees = nobody,
    ) -> None:
        self._devices = {device.id: device for device in devices}
        self._clock = clock
        self._password = password
        self._sees = sees
        self._lock = threading.RLock()
        self._telling = threading.Lock()
        self._listeners: list[StateListener] = []
        self._capture: CaptureThread | None = None
        self._leave: Callable[[], None] | None = None
        self._chosen: Device | None = None
        self._retired: list[CaptureThread] = []
        self._reader: ConsoleReader | None = None
        self._absent = LiveState(Live.LOST, clock.now(), tr("No camera is set up."))

    @property
    def available(self) -> tuple[DeviceInfo, ...]:
        """Every device that may be chosen, in the order of the settings."""
        return tuple(device_info(device) for device in self._devices.values())

    @property
    def chosen(self) -> DeviceInfo | None:
        """The device in use; None before the start, and where none is set up."""
        with self._lock:
            return None if self._chosen is None else device_info(self._chosen)

    def presets(self, device_id: str) -> tuple[Preset, ...]:
        """What the console of a device may be set to, in the order of the settings."""
        return presets_of(self._devices[device_id])

    @property
    def state(self) -> LiveState:
        """Whether there is a live image now."""
        with self._lock:
            return self._absent if self._capture is None else self._capture.state

    def start(self) -> None:
        """Opens the first device. Returns at once."""
        if self._devices and self.chosen is None:
            self.choose(next(iter(self._devices)))

    def choose(self, device_id: str) -> None:
        """Uses another device from now on. Returns at once: a driver that blocks ends by itself.

        Raises DeviceError for an address that cannot be one of its kind; then nothing changed.
        """
        device = self._devices[device_id]
        source = open_source(device, self._clock, self._password)
        capture = CaptureThread(source, self._clock, self._sees)
        with self._lock:
            self._retire()
            self._chosen, self._capture = device, capture
            self._leave = capture.on_state(lambda _state: self._tell())
            capture.start()
        self._tell()

    def latest(self) -> Frame | None:
        """The newest frame while the image is live, else None."""
        with self._lock:
            return None if self._capture is None else self._capture.latest()

    def take(self) -> Frame:
        """The frame on the screen as the shutter is pressed. Raises DeviceError where none is."""
        with self._lock:
            capture = self._capture
        if capture is None:
            raise DeviceError(self._absent.reason)
        return capture.take()

    def read_console(self, banner: NDArray[np.uint8]) -> tuple[str, ...]:
        """What the console in use writes in its banner; nothing where no model reads it.

        For one thread at a time; it takes some tenths of a second. Raises DeviceError.
        """
        with self._lock:
            console = None if self._chosen is None else self._chosen.console
            if console is None or not console.reader_model:  # of the settings
                return ()
            if self._reader is None:
                self._reader = ConsoleReader(console.reader_model, self._clock)
            reader = self._reader
        return reader.read(banner)

    def renew(self) -> None:
        """Another exam begins: only pictures from now on count for it. Returns at once."""
        with self._lock:
            if self._capture is not None:
                self._capture.renew()

    def on_state(self, listener: StateListener) -> Callable[[], None]:
        """Calls the listener at every change of state, on any thread; returns what ends it.

        The last call always carries the last state; the same one may be told twice.
        """
        with self._lock:
            self._listeners.append(listener)

        def end() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return end

    def stop(self, within: float = 2.0) -> bool:
        """Closes the device, and waits at most `within` seconds for all that were in use.

        False where a driver still blocks; its thread ends as soon as the driver returns.
        """
        with self._lock:
            self._retire()
            self._chosen = None
            self._absent = LiveState(Live.LOST, self._clock.now(), tr("The camera is off."))
            retired, self._retired = self._retired, []
        self._tell()
        until = self._clock.monotonic() + within
        ended = [c.stop(max(0.0, min(within, until - self._clock.monotonic()))) for c in retired]
        return all(ended)

    def _retire(self) -> None:
        capture, leave = self._capture, self._leave
        self._capture = self._leave = None
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()
        if leave is not None:
            leave()
        if capture is not None:
            capture.stop(within=0.0)
            self._retired = [c for c in self._retired if not c.stop(within=0.0)] + [capture]

    def _tell(self) -> None:
        with self._telling:  # so that the last call carries the last state
            with self._lock:
                state, listeners = self.state, tuple(self._listeners)
            for listener in listeners:
                listener(state)
