"""The row under the picture: what the next picture will be, the one big shutter, the pedal."""

from __future__ import annotations

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from capture_app.devices.replay import REPLAY_SECONDS
from capture_app.model.words import tr, trn
from capture_app.ui.looks.fonts import MEDIUM
from capture_app.ui.looks.theme import Metric
from capture_app.ui.widgets.buttons import Button, ButtonKind
from capture_app.ui.widgets.labels import ElidedLabel, Icon
from capture_app.ui.words import wording
from capture_app.ui.words.marks import ChipText, Tone
from capture_app.ui.words.shown import ClipState
from capture_app.ui.workspace.live_words import last_words

_LONGEST = 216
_ICONS_FROM = 700
_USUAL_S = round(REPLAY_SECONDS)


class MarkedWords(QWidget):
    """A mark and quiet words of one line."""

    def __init__(self) -> None:
        super().__init__()
        self._icon = Icon("info")
        self._words = ElidedLabel("", 13, MEDIUM, tone=Tone.TEXT_2)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self._icon)
        row.addWidget(self._words, 1)
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
    """The shutter stays in the middle, whatever stands beside it: clips before it, and behind it
    what the next picture will be.
    """

    pressed = Signal()
    clip_asked = Signal()
    """A clip is to be recorded, or to end."""
    last_asked = Signal()
    """The last seconds are to be kept."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.next = MarkedWords()
        self.shutter = Button(tr("Capture"), ButtonKind.SHUTTER, icon="camera", key=tr("Space"))
        self.shutter.setMinimumWidth(_LONGEST)
        self.shutter.clicked.connect(self.pressed)
        self.pedal = MarkedWords()
        self.clip = Button("", ButtonKind.GHOST, icon="record", key="R")
        self.clip.clicked.connect(self.clip_asked)
        self.last = Button("", ButtonKind.GHOST, icon="clock", key="L")
        self.last.clicked.connect(self.last_asked)
        for button in (self.clip, self.last):
            button.let_yield()
        clips = QHBoxLayout()
        clips.setSpacing(8)
        clips.addWidget(self.clip)
        clips.addWidget(self.last)
        clips.addStretch(1)
        said = QVBoxLayout()
        said.setSpacing(2)
        said.addStretch(1)
        said.addWidget(self.next)
        said.addWidget(self.pedal)
        said.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(16)
        row.addLayout(clips, 1)
        row.addWidget(self.shutter)
        row.addLayout(said, 1)
        self.setFixedHeight(Metric.SHUTTER)
        self.show_pedal(seen=False)
        self.show_clips(ClipState())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        is_narrow = event.size().width() < _ICONS_FROM
        self.last.set_icon("" if is_narrow else "clock")  # its words say more

    def show_next(self, said: ChipText) -> None:
        """What the next picture will be filed as."""
        self.shutter.setEnabled(True)
        self.next.say(said)

    def show_off(self, reason: str, icon: str, tone: Tone) -> None:
        """The shutter is off, and why."""
        self.shutter.setEnabled(False)
        self.next.say(ChipText(reason, icon, tone), tone=tone)

    def show_clips(self, clips: ClipState) -> None:
        """Whether clips can be had, and how the one goes that is recorded."""
        is_recording = clips.recorded_s is not None
        for button in (self.clip, self.last):
            button.setVisible(is_recording or not clips.refusal)
        if clips.recorded_s is not None:
            length = wording.clip_length(clips.recorded_s)
            self.clip.setText(tr("Stop {length}", length=length))
            name = tr("End the clip (R)")
        else:
            self.clip.setText(tr("Clip"))
            name = tr("Record a clip (R)")
        self.clip.set_icon("stop" if is_recording else "record")
        self.clip.setEnabled(is_recording or clips.is_live)
        self.clip.setAccessibleName(name)
        self.clip.setToolTip(name)
        self.last.setText(last_words(clips.held_s or _USUAL_S))
        self.last.setEnabled(clips.is_live and clips.held_s > 0)
        name = trn(
            "Keep the last second as a clip (L)",
            "Keep the last {n} seconds as a clip (L)",
            clips.held_s or _USUAL_S,
        )
        self.last.setAccessibleName(name)
        self.last.setToolTip(name)

    def show_pedal(self, *, seen: bool) -> None:
        """Whether a pedal has been heard of."""
        if seen:
            self.pedal.say(ChipText(tr("Pedal ready"), "check-circle", Tone.OK))
        else:
            self.pedal.say(ChipText(tr("Pedal: F13 or Page Down"), "keyboard"))
