"""Whether the scanner's own banner names the patient of the exam, as far as a machine can read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer, Signal

from capture_app.errors import CaptureAppError
from capture_app.exam.console_guard import ConsoleSays, console_says
from capture_app.model.patient import Patient
from capture_app.ui.reading import Reading
from capture_app.ui.services import Services
from capture_app.ui.tasks import Tasks
from capture_app.ui.workspace.live import LiveViewModel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LOOK_EVERY_MS: Final = 500
_LOOKS_TO_REST: Final = 20
"""Between two readings of a banner that changes, by its clock mostly: one takes up to a second."""
_LOOKS_AFTER_ERROR: Final = 120

_ConsoleRead = tuple[str, tuple[str, ...]]
"""Of which camera, and what was read."""


class ConsoleGuard(QObject):
    """Reads the banner as the exam begins and whenever it changes. Only a hint comes of it."""

    changed = Signal()

    def __init__(
        self,
        services: Services,
        tasks: Tasks,
        live: LiveViewModel,
        patient: Callable[[], Patient],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._services = services
        self._live = live
        self._patient = patient
        self.says = ConsoleSays.UNCLEAR
        self._texts: tuple[str, ...] = ()
        self._banner: NDArray[np.uint8] | None = None
        self._device_id = ""
        self._rest = 0
        self._reading = Reading(
            tasks, self._question, told=self._read, failed=self._not_read, parent=self
        )
        self._looks = QTimer(self)
        self._looks.setInterval(_LOOK_EVERY_MS)
        self._looks.timeout.connect(self._look)
        self._looks.start()

    def close(self) -> None:
        """Reads no more."""
        self._looks.stop()
        self._reading.close()

    def _look(self) -> None:
        device = self._live.device
        console = None if device is None else device.console
        if device is None or console is None or not console.reader_model or not self._live.is_live:
            self._forget()
            return
        if device.device_id != self._device_id:
            self._forget()
            self._device_id = device.device_id
        self._judge()
        self._rest = max(0, self._rest - 1)
        if not self._rest and not self._reading.is_asking:
            self._reading.ask()

    def _forget(self) -> None:
        self._banner, self._texts, self._device_id, self._rest = None, (), "", 0
        self._show(ConsoleSays.UNCLEAR)

    def _question(self) -> Callable[[], _ConsoleRead] | None:
        frame = self._live.frame()
        banner = None if frame is None else self._live.banner_in(frame)
        if banner is None:
            self._texts = ()
            self._judge()
            return None
        now, before = banner.copy(), self._banner
        if before is not None and before.shape == now.shape and not (before != now).any():
            return None
        self._banner, self._rest = now, _LOOKS_TO_REST
        device_id, read = self._device_id, self._services.devices.read_console
        return lambda: (device_id, read(now))

    def _read(self, read: _ConsoleRead) -> None:
        device_id, texts = read
        if device_id == self._device_id:
            self._texts = texts
            self._judge()

    def _judge(self) -> None:
        """Of the patient as the feed words them now."""
        self._show(console_says(self._texts, self._patient()))

    def _not_read(self, _error: CaptureAppError) -> None:
        """People compare without it; it is tried again in a minute."""
        self._banner, self._texts, self._rest = None, (), _LOOKS_AFTER_ERROR
        self._show(ConsoleSays.UNCLEAR)

    def _show(self, says: ConsoleSays) -> None:
        if says is not self.says:
            self.says = says
            self.changed.emit()
