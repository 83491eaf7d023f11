"""The wedge scanner: keys that no hand can type are one code, and no key of it does anything else.

The filter sits on the QWindow: on a widget it would see each key twice, once for the child and once
for its parent. A printable key is held back until it is clear whose it is, by the times at which
the window system says the keys were pressed. Only a code that came whole is told: each key in time,
its suffix at the end, nothing before it of which it might be the rest. Everything else that came as
from a scanner is thrown away, and told as a scan that failed. What is left is a hand's, and is
given to the window as if it came now; shortcuts, buttons and fields notice no difference.

Function keys, the pedal's keys, arrows and everything with Ctrl or Alt pass at once.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final

from PySide6.QtCore import QCoreApplication, QElapsedTimer, QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QWindow

from capture_app.patients.finding.gs1 import SEPARATOR
from capture_app.patients.finding.keyboard_layouts import as_scanned
from capture_app.patients.finding.scan import ScannedCode, ScanRules, Unread
from capture_app.settings.scanning import KeyboardLayout, Suffix
from capture_app.ui.shell.key_run import PIN_GAP_S, QUIET_S, RUN_GAP_S, KeyRun, KeyTimes
from capture_app.ui.shell.typed_text import TypedText, is_secret, is_typing
from capture_app.ui.words.key_stroke import KeyStroke

_LATE_MS: Final = 10
"""A timer this late was held up, and keys may wait behind it: they are read before deciding."""
_MOST_KEYS: Final = 512
_ENDS: Final = {
    Qt.Key.Key_Return: Suffix.ENTER,
    Qt.Key.Key_Enter: Suffix.ENTER,
    Qt.Key.Key_Tab: Suffix.TAB,
}
_HELD_APART: Final = (
    Qt.KeyboardModifier.ShiftModifier
    | Qt.KeyboardModifier.KeypadModifier
    | Qt.KeyboardModifier.GroupSwitchModifier
)
_ALT_GR: Final = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
"""AltGr, as Windows tells it."""


class Failed(StrEnum):
    """Why a scan came to nothing."""

    BROKEN = "broken"
    """There was a gap in it, or it had no suffix."""
    REST = "rest"
    """It may be the rest of a code whose beginning came before."""
    SLOW = "slow"
    """The scanner types more slowly than the settings say."""


class ScannerFilter(QObject):
    """Watches one window. `now` gives seconds that only go forward, for events without a time."""

    scanned = Signal(object)
    """A ScannedCode that came whole. Whoever gets it looks it up or refuses it."""
    failed = Signal(object)
    """A Failed: something of a scanner's came, and nothing was done with it."""
    digits_were_scans = Signal(int)
    """So many digits that acted just now were the beginning of a scan: they are to be undone."""
    too_soon = Signal()
    """A digit was pressed so soon after a scan that it may be a part of it: nothing was done."""

    def __init__(
        self,
        now: Callable[[], float],
        rules: ScanRules,
        *,
        gap_s: float = 0.050,
        layout: KeyboardLayout = KeyboardLayout.SAME,
        parent: QObject | None = None,
    ) -> None:
        """`gap_s`: how close the keys of a code follow each other; see the setting scanner.gap_ms.

        `layout`: for which keyboard the computer is set while the scanner types as a US one.
        """
        super().__init__(parent)
        self._now = now
        self._rules = rules
        self._gap = gap_s
        self._layout = layout
        self._window: QWindow | None = None
        self._times = KeyTimes()
        self._run: KeyRun | None = None
        self._ended_by: Suffix | None = None
        self._held: list[QKeyEvent] = []
        self._swallowed: set[int] = set()
        self._typing = False
        self._before: TypedText | None = None
        """The fields before the first of the keys that came without a pause of QUIET_S."""
        self._typed_at = 0.0
        self._learner: Callable[[KeyStroke], None] | None = None
        self._part: float | None = None
        """When a part of a scan came that no suffix ended: what comes may be the rest of it."""
        self._hand: float | None = None
        self._digits, self._digit_at = 0, float("-inf")
        """When a hand's last key came that no Enter or Tab followed."""
        self._scan: float | None = None
        """When a scanner's last key came."""
        self._replaying = False
        self._waiting = QElapsedTimer()
        self._looked_again = False
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setTimerType(Qt.TimerType.PreciseTimer)
        self._pause.timeout.connect(self._pause_over)

    def use(self, rules: ScanRules, *, gap_s: float, layout: KeyboardLayout) -> None:
        """Other patterns, another gap and layout from now on."""
        self._rules, self._gap, self._layout = rules, gap_s, layout

    def learn(self, learner: Callable[[KeyStroke], None] | None) -> None:
        """Gives every key that a scanner may press to `learner` alone; None ends that."""
        self._swallow()
        self._forget_run()
        self._learner = learner

    def lost(self, timestamp: int) -> None:
        """A key was pressed then of which nothing comes here: what follows may be the rest of a
        code.
        """
        self._swallow()
        self._forget_run()
        self._part, self._hand = self._times.of(timestamp, self._now()), None

    def watch(self, window: QWindow) -> None:
        """Begins to watch a window, and leaves the one before."""
        if self._window is not None:
            self._window.removeEventFilter(self)
        self._window = window
        window.installEventFilter(self)

    @property
    def is_holding(self) -> bool:
        """Whether keys are held back now."""
        return self._pause.isActive()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if self._replaying or watched is not self._window or not isinstance(event, QKeyEvent):
            return False
        kind = event.type()
        if kind is QEvent.Type.ShortcutOverride:
            return self._asked(event)
        if kind is QEvent.Type.KeyPress:
            return self._pressed(event)
        if kind is QEvent.Type.KeyRelease:
            return self._released(event)
        return False

    # ------------------------------------------------------------------------------ the keys

    def _asked(self, event: QKeyEvent) -> bool:
        """Before a press Qt looks for a shortcut, unless somebody claims the key for a press."""
        if not _is_printable(event) and not _is_end(event):
            return False
        event.accept()
        return True

    def _pressed(self, event: QKeyEvent) -> bool:
        if event.isAutoRepeat():
            return event.key() in self._swallowed or self._holds(event)
        is_end = _is_end(event)
        if not is_end and not _is_printable(event):
            if self._typing and not _is_modifier(event):
                self._give_a_hands()  # what was typed before comes before this key
            return False
        at = self._times.of(event.timestamp(), self._now())
        if self._learner is not None:
            self._swallowed.add(event.key())
            self._learner(KeyStroke(_text_of(event), _suffix_of(event), at))
            return True
        if self._run is not None and at - self._run.last > RUN_GAP_S:
            self._settle()
        if is_end:
            return self._ended(event, at)
        self._goes_on(event, at)
        return True

    def _goes_on(self, event: QKeyEvent, at: float) -> None:
        if self._ended_by is not None:
            # More after the suffix: a code of several lines, of which no pattern knows.
            self._throw_away(Failed.BROKEN)
            self._part = at
        run = self._run
        if run is None:
            # No hand types a PIN so fast, however slow a scanner was learnt.
            run = self._run = KeyRun(min(self._gap, PIN_GAP_S) if is_secret() else self._gap)
            self._typing = is_typing()
            self._remember(at)
        elif run.is_late(at) and self._is_typed(run):
            self._give()  # the timer was late
        run.add(as_scanned(_text_of(event), self._layout), at)
        self._typed_at = at
        self._held.append(event.clone())
        if self._typing and not is_secret() and not run.is_burst and run.is_even():
            self._throw_away(Failed.SLOW)
        elif len(run.text) > _MOST_KEYS:
            self._throw_away(Failed.BROKEN)
        else:
            self._wait()

    def _ended(self, event: QKeyEvent, at: float) -> bool:
        """An Enter or a Tab: a scanner's suffix, or a hand's."""
        run = self._run
        if run is None:
            is_rest = self._may_be_rest(at)
            self._part = self._hand = None  # what comes now is no rest of anything
            self._before = None
            if is_rest:
                self._swallowed.add(event.key())
            return is_rest
        if self._ended_by is None and self._is_typed(run) and not self._is_suffix(run, at):
            self._give()
            self._forget_run()
            self._hand = self._before = None
            return False
        self._swallowed.add(event.key())
        if self._ended_by is None:  # else it is the LF after a CR
            run.is_broken = run.is_broken or run.is_late(at)
            self._ended_by = _suffix_of(event)
        self._wait()
        return True

    def _is_suffix(self, run: KeyRun, at: float) -> bool:
        return run.is_ended_fast(at) or (not is_secret() and run.is_even(at))

    def _released(self, event: QKeyEvent) -> bool:
        if event.isAutoRepeat():
            return event.key() in self._swallowed
        if event.key() in self._swallowed:
            self._swallowed.discard(event.key())
            return True
        if self._holds(event):
            self._held.append(event.clone())
            return True
        return False

    def _holds(self, event: QKeyEvent) -> bool:
        return any(key.key() == event.key() for key in self._held)

    # ------------------------------------------------------------------------------ the pause

    def _wait(self) -> None:
        run = self._run
        is_short = run is not None and (self._is_typed(run) or run.text.isspace())
        self._begin_wait(self._gap if is_short or self._ended_by is not None else RUN_GAP_S)

    def _pause_over(self) -> None:
        run = self._run
        late = self._waiting.elapsed() - self._pause.interval() > _LATE_MS
        if late and not self._looked_again:
            # Once: where every timer is late, a hand's key must not wait for ever.
            self._looked_again = True
            self._pause.start(_LATE_MS)
        elif run is None or self._ended_by is not None:
            self._settle()
        elif self._held and not self._may_be_rest(run.times[0]) and self._acts_soon(run):
            self._give()
            self._begin_wait(RUN_GAP_S - self._gap)  # a key in time is judged with these
        else:
            self._settle()

    def _acts_soon(self, run: KeyRun) -> bool:
        """A hand's keys that need not wait for the silence: those of a text, and the shutter's."""
        return self._is_typed(run) or run.text.isspace()

    def _begin_wait(self, seconds: float) -> None:
        self._looked_again = False
        self._waiting.start()
        self._pause.start(round(seconds * 1000))

    def _is_typed(self, run: KeyRun) -> bool:
        """Whether the run is text that a hand types."""
        return self._typing and not run.is_burst and not self._may_be_rest(run.times[0])

    def _may_be_rest(self, at: float) -> bool:
        """Whether what came then may be the rest of a code that was thrown away."""
        return self._part is not None and at - self._part < QUIET_S

    # ------------------------------------------------------------------------- the end of a run

    def _settle(self) -> None:
        """No more keys come: what were they?"""
        run = self._run
        if run is None:
            self._pause.stop()
            return
        code = ScannedCode(run.text, self._ended_by or Suffix.NONE)
        if self._is_whole(run, code):
            self._told_whole(run, code)
        elif self._ended_by is None and self._is_a_hands(run):
            self._give()
            self._forget_run()
        elif self._ended_by is None and run.is_lone and not self._may_be_rest(run.last):
            self._swallow()
            self._forget_run()
            self.too_soon.emit()
        else:
            self._throw_away(self._why(run))

    def _why(self, run: KeyRun) -> Failed:
        if self._may_be_rest(run.times[0]):
            return Failed.REST
        return Failed.SLOW if run.is_broken and run.is_even() else Failed.BROKEN

    def _is_whole(self, run: KeyRun, code: ScannedCode) -> bool:
        if run.is_broken or run.is_lone or not run.text.strip():
            return False
        return self._ended_by is not None or not isinstance(self._rules.read(code), Unread)

    def _told_whole(self, run: KeyRun, code: ScannedCode) -> None:
        first = run.times[0]
        after_hand = self._hand is not None and first - self._hand < QUIET_S
        if (after_hand or self._may_be_rest(first)) and not self._rules.is_marked(code):
            self._throw_away(Failed.REST)
            return
        self._take_back()
        self._take_back_digits(first)
        self._swallow()
        self._scan, self._part, self._hand = run.last, None, None
        self._forget_run()
        self.scanned.emit(code)

    def _is_a_hands(self, run: KeyRun) -> bool:
        """Whether a run without a suffix may act."""
        if self._may_be_rest(run.times[0]):
            return False
        if self._typing or run.text.isspace():
            return not run.is_burst
        is_soon = self._scan is not None and run.last - self._scan < QUIET_S
        return run.is_lone and not (is_soon and self._held[0].text().isdigit())

    def _throw_away(self, why: Failed) -> None:
        """A part of a scan, or what looks like one: no key of it does anything."""
        run = self._run
        if run is not None:
            self._take_back()
            self._take_back_digits(run.times[0])
            self._scan = run.last
            self._part = None if self._ended_by is not None else run.last
            self._hand = None
        self._swallow()
        self._forget_run()
        self.failed.emit(why)

    def _forget_run(self) -> None:
        self._run, self._ended_by = None, None
        self._pause.stop()

    def _swallow(self) -> None:
        """What is held is nobody's: its releases go too."""
        released = {key.key() for key in self._held if key.type() is QEvent.Type.KeyRelease}
        pressed = {key.key() for key in self._held if key.type() is QEvent.Type.KeyPress}
        self._swallowed |= pressed - released
        self._held.clear()

    # ------------------------------------------------------------------------- what a hand types

    def _give_a_hands(self) -> None:
        if self._run is not None and self._ended_by is None and self._is_typed(self._run):
            self._give()

    def _give(self) -> None:
        """It was a hand: the window gets the keys in their order."""
        held, self._held = self._held, []
        if held and self._run is not None:
            self._hand = self._run.last
            is_digit = self._run.is_lone and self._run.text.isdigit() and not self._typing
            begins = self._hand - self._digit_at >= QUIET_S
            self._digits = (1 if begins else self._digits + 1) if is_digit else 0
            self._digit_at = self._hand
        window = self._window
        if window is None:
            return
        self._replaying = True
        try:
            for key in held:
                QCoreApplication.sendEvent(window, key)
        finally:
            self._replaying = False

    def _remember(self, at: float) -> None:
        """How the fields are before a key is typed into one of them."""
        if at - self._typed_at >= QUIET_S:
            self._before = None
        if self._before is None and self._typing and not is_secret():
            self._before = TypedText.now()

    def _take_back_digits(self, at: float) -> None:
        """Lone digits had acted after their silence, and a scan's rest came within two seconds."""
        digits, self._digits = self._digits, 0
        if digits and at - self._digit_at < QUIET_S:
            self.digits_were_scans.emit(digits)

    def _take_back(self) -> None:
        """What the beginning of this scan typed into a field, before it was known for one."""
        before, self._before = self._before, None
        if before is not None:
            before.restore()


def _suffix_of(event: QKeyEvent) -> Suffix:
    return _ENDS[Qt.Key(event.key())] if _is_end(event) else Suffix.NONE


def _text_of(event: QKeyEvent) -> str:
    return "" if _is_end(event) else event.text()


def _is_end(event: QKeyEvent) -> bool:
    return event.key() in _ENDS and not event.modifiers() & ~_HELD_APART


def _is_printable(event: QKeyEvent) -> bool:
    """Whether a key may belong to a code: a character, or the group separator of a GS1 code, which
    a scanner types as Ctrl+].
    """
    text = event.text()
    if text == SEPARATOR:
        return True
    apart = event.modifiers() & ~_HELD_APART
    return bool(text) and text.isprintable() and apart in (Qt.KeyboardModifier.NoModifier, _ALT_GR)


def _is_modifier(event: QKeyEvent) -> bool:
    return event.key() in (
        Qt.Key.Key_Shift,
        Qt.Key.Key_Control,
        Qt.Key.Key_Alt,
        Qt.Key.Key_AltGr,
        Qt.Key.Key_Meta,
        Qt.Key.Key_CapsLock,
        Qt.Key.Key_NumLock,
    )
