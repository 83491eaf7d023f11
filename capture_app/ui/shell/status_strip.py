"""The strip along the lower edge: archive, outbox, what IT must see, disk; who is signed in."""

from __future__ import annotations

from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from capture_app.model.words import tr
from capture_app.ui.looks.fonts import SEMIBOLD
from capture_app.ui.looks.theme import Metric, current
from capture_app.ui.shell.status import StatusState, StatusViewModel
from capture_app.ui.widgets.labels import ElidedLabel, Icon, Label
from capture_app.ui.words import wording
from capture_app.ui.words.marks import ChipText, Tone


class _Part(QWidget):
    """A mark and words. The words are quiet; the mark carries the meaning's colour."""

    def __init__(self) -> None:
        super().__init__()
        self._icon = Icon("clock")
        self._words = ElidedLabel(size=12, weight=SEMIBOLD, tone=Tone.TEXT_2)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self._icon)
        row.addWidget(self._words)

    def say(self, said: ChipText) -> None:
        """Shows it, or hides it where there are no words."""
        self.setVisible(bool(said.words))
        self._icon.show_icon(said.icon, said.tone)
        self._words.setText(said.words)


class StatusStrip(QWidget):
    """24 px. On the lock no user and no countdown: `show_locked`."""

    def __init__(self, viewmodel: StatusViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._vm = viewmodel
        self.setFixedHeight(Metric.STATUS)
        self._archive, self._outbox, self._disk = _Part(), _Part(), _Part()
        self._feed, self._certificate, self._trail = _Part(), _Part(), _Part()
        self._clock = _Part()
        self._user = Label(size=12, weight=SEMIBOLD, tone=Tone.TEXT_2)
        self._locks = Label(size=12, weight=SEMIBOLD, tone=Tone.TEXT_2)
        self._lock_icon = Icon("lock-simple")
        self._key = Label(tr("F12 locks"), 12, SEMIBOLD, tone=Tone.TEXT_2)
        self._none = Label(tr("No patient is shown on this screen."), 12, SEMIBOLD)
        self._none.set_tone(Tone.TEXT_2)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 16, 0)
        row.setSpacing(16)
        for_it = (self._trail, self._feed, self._certificate)
        for part in (self._archive, self._outbox, *for_it, self._disk, self._clock):
            row.addWidget(part)
        row.addStretch(1)
        for label in (self._user, self._locks):
            row.addWidget(label)
        end = QHBoxLayout()
        end.setSpacing(6)
        end.addWidget(self._lock_icon)
        end.addWidget(self._key)
        row.addLayout(end)
        row.addWidget(self._none)
        viewmodel.changed.connect(self.render_state)
        self.show_locked()
        self.render_state()

    def render_state(self) -> None:
        """Shows the state."""
        state: StatusState = self._vm.state
        self._archive.say(state.archive)
        self._outbox.say(state.outbox)
        self._disk.say(state.disk)
        self._feed.say(state.feed)
        self._certificate.say(state.certificate)
        self._trail.say(state.trail)
        self._clock.say(ChipText(state.clock if self._locked else "", "clock"))
        self._outbox.setVisible(not self._locked)
        self._disk.setVisible(not self._locked)
        if self._locked:
            self._feed.hide()
            self._certificate.hide()
            self._trail.hide()

    def show_locked(self) -> None:
        """Nobody is signed in."""
        self._locked = True
        for widget in (self._user, self._locks, self._lock_icon, self._key):
            widget.hide()
        self._none.show()
        self.render_state()

    def show_user(self, name: str, locks_in_s: float) -> None:
        """Who is signed in, and when the window locks by itself."""
        self._locked = False
        self._none.hide()
        for widget in (self._user, self._locks, self._lock_icon, self._key):
            widget.show()
        self._user.setText(name)
        self._locks.setText(tr("locks in {time}", time=wording.countdown(locks_in_s)))
        self.render_state()

    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), current().bg)
