"""The row under the picture: what the next picture will be, the one big shutter, the pedal."""

from __future__ import annotations

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from capture_app.model.words import tr
from capture_app.ui.looks.fonts import MEDIUM
from capture_app.ui.looks.theme import Metric
from capture_app.ui.widgets.buttons import Button, ButtonKind
from capture_app.ui.widgets.labels import ElidedLabel, Icon
from capture_app.ui.words.marks import ChipText, Tone

_LONGEST = 216


class MarkedWords(QWidget):
    """A mark and quiet words of one line."""

    def __init__(self, *, trailing: bool = False) -> None:
        super().__init__()
        self._icon = Icon("info")
        self._words = ElidedLabel("", 13, MEDIUM, tone=Tone.TEXT_2)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        if trailing:
            row.addStretch(1)
        row.addWidget(self._icon)
        row.addWidget(self._words, 0 if trailing else 1)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @property
    def words(self) -> str:
        """What it says."""
        return self._words.text()

    def minimumSizeHint(self) -> QSize:
        return QSize(80, 20)

    def say(self, said: ChipText, *, tone: Tone | None = None) -> None:
        """The mark in its own tone; the words quiet, or in `tone`."""
        self._icon.show_icon(said.icon or "info", said.tone)
        self._icon.setVisible(bool(said.words))
        self._words.setText(said.words)
        self._words.set_tone(tone or Tone.TEXT_2)


class ShutterRow(QWidget):
    """The shutter stays in the middle, whatever stands beside it."""

    pressed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.next = MarkedWords()
        self.shutter = Button(tr("Capture"), ButtonKind.SHUTTER, icon="camera", key=tr("Space"))
        self.shutter.setMinimumWidth(_LONGEST)
        self.shutter.clicked.connect(self.pressed)
        self.pedal = MarkedWords(trailing=True)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(16)
        row.addWidget(self.next, 1)
        row.addWidget(self.shutter)
        row.addWidget(self.pedal, 1)
        self.setFixedHeight(Metric.SHUTTER)
        self.show_pedal(seen=False)

    def show_next(self, said: ChipText) -> None:
        """What the next picture will be filed as."""
        self.shutter.setEnabled(True)
        self.next.say(said)

    def show_off(self, reason: str, icon: str, tone: Tone) -> None:
        """The shutter is off, and why."""
        self.shutter.setEnabled(False)
        self.next.say(ChipText(reason, icon, tone), tone=tone)

    def show_pedal(self, *, seen: bool) -> None:
        """Whether a pedal has been heard of."""
        if seen:
            self.pedal.say(ChipText(tr("Pedal ready"), "check-circle", Tone.OK))
        else:
            self.pedal.say(ChipText(tr("Pedal: F13 or Page Down"), "keyboard"))
