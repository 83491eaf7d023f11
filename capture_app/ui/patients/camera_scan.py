"""The camera as a scanner, while the list of patients is on screen: never during an exam."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer, Signal

from capture_app.errors import CaptureAppError
from capture_app.model.words import tr
from capture_app.patients.finding.scan import ScannedCode, ScannedNumber, ScanRules
from capture_app.ui.reading import Reading
from capture_app.ui.services import Services
from capture_app.ui.tasks import Tasks

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from capture_app.model.frame import Frame

_EVERY_MS: Final = 250
_GONE_AFTER_S: Final = 2.0
"""A code that was out of sight for so long is a new scan when it comes again."""
_PREVIEW_SIDE: Final = 280


@dataclass(frozen=True, slots=True, eq=False)
class CameraScanState:
    """What the card shows. `preview` is (rows, columns, 3), uint8, RGB; None: there is none."""

    is_on: bool
    words: str
    preview: NDArray[np.uint8] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    sequence: int
    codes: tuple[ScannedCode, ...]
    preview: NDArray[np.uint8]


class CameraScan(QObject):
    """Looks at the live picture a few times a second, outside the GUI thread. A code counts when
    two pictures in a row show it, and no other that the patterns allow.
    """

    changed = Signal()
    scanned = Signal(object)
    """A ScannedCode."""

    def __init__(
        self, services: Services, tasks: Tasks, rules: ScanRules, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._devices = services.devices
        self._clock = services.clock
        self._rules = rules
        self._since = services.clock.monotonic()
        self._last: tuple[int, ScannedNumber] | None = None
        self._told: ScannedNumber | None = None
        self._told_seen_at = 0.0
        self.state = CameraScanState(services.settings.scanner.camera, "")
        self._looking = Reading(
            tasks, self._question, told=self._seen, failed=self._not_seen, parent=self
        )
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self._look_now)

    def use(self, rules: ScanRules) -> None:
        """Other patterns from now on."""
        self._rules = rules

    def begin(self) -> None:
        """The list is on screen: what the camera saw before counts for nothing."""
        self._since = self._clock.monotonic()
        self._last = None
        if self.state.is_on:
            self._timer.start()

    def end(self) -> None:
        """The list is not on screen."""
        self._timer.stop()
        self._show(replace(self.state, preview=None, words=""))

    def close(self) -> None:
        """Nothing is looked at any more."""
        self._timer.stop()
        self._looking.close()

    def turn(self, *, on: bool) -> None:
        """Reads codes by the camera, or no more."""
        self._show(CameraScanState(on, ""))
        if on:
            self.begin()
        else:
            self._timer.stop()

    # ---------------------------------------------------------------------- looking

    def _look_now(self) -> None:
        """One look at a time: on a slow machine the next begins at a beat after the last."""
        if not self._looking.is_asking:
            self._looking.ask()

    def _question(self) -> Callable[[], _Seen] | None:
        frame = self._devices.latest() if self._timer.isActive() else None
        if frame is None or frame.not_before < self._since:
            words = tr("No live image") if self._timer.isActive() else ""
            self._show(replace(self.state, preview=None, words=words))
            return None
        return lambda: _look(frame)

    def _seen(self, seen: _Seen) -> None:
        if not self._timer.isActive():
            return  # the list went meanwhile
        now = self._clock.monotonic()
        numbers = {
            number: code
            for code in seen.codes
            if isinstance(number := self._rules.read(code), ScannedNumber)
        }
        if self._told in numbers:
            self._told_seen_at = now
        elif now - self._told_seen_at >= _GONE_AFTER_S:
            self._told = None
        words = tr("Hold the wristband's code here")
        if len(numbers) > 1:
            words = tr("More than one wristband is in sight")
        self._show(replace(self.state, preview=seen.preview, words=words))
        before, self._last = self._last, None
        if len(numbers) != 1:
            return
        ((number, code),) = numbers.items()
        self._last = (seen.sequence, number)
        is_twice = before is not None and before[1] == number and before[0] != seen.sequence
        if is_twice and number != self._told:
            self._told, self._told_seen_at = number, now
            self.scanned.emit(code)

    def _not_seen(self, error: CaptureAppError) -> None:
        """It would fail again at the next look: it is turned off, says why, and can be tried."""
        self._timer.stop()
        self._last = None
        self._show(CameraScanState(is_on=False, words=str(error)))

    def _show(self, state: CameraScanState) -> None:
        self.state = state
        self.changed.emit()


def _look(frame: Frame) -> _Seen:
    from capture_app.imaging.codes import read_codes  # noqa: PLC0415 - not before it is needed

    step = max(1, max(frame.pixels.shape[:2]) // _PREVIEW_SIDE)
    codes = tuple(ScannedCode(f"{c.symbology}{c.text}") for c in read_codes(frame.pixels))
    return _Seen(frame.sequence, codes, frame.pixels[::step, ::step].copy())
