"""A clip in the place of the live picture: stepped, played, and stills taken of it."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from capture_app.model.words import tr
from capture_app.ui.looks.drawing import box
from capture_app.ui.looks.fonts import BOLD, MEDIUM
from capture_app.ui.looks.theme import Metric, current
from capture_app.ui.widgets.announce import announce
from capture_app.ui.widgets.buttons import Button, ButtonKind, IconButton
from capture_app.ui.widgets.card import Panel
from capture_app.ui.widgets.labels import ElidedLabel, Label
from capture_app.ui.widgets.reader_roles import Role
from capture_app.ui.words import wording
from capture_app.ui.words.marks import Tone
from capture_app.ui.words.shown import PlayerState
from capture_app.ui.workspace.clip_player import ClipPlayer

_STEPS: Final = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
_TRACK: Final = 6


class ClipFrame(QWidget):
    """One frame, whole and never mirrored. The arrows step, Home and End go to either end, Enter
    plays.
    """

    reader_role = Role.Graphic
    shows_own_focus = True
    """The focus rests here: no ring round the picture."""

    stepped = Signal(int)
    to_end = Signal(bool)
    """To the last frame (True) or to the first."""
    play_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._image: QImage | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def minimumSizeHint(self) -> QSize:
        return QSize(320, 120)

    @property
    def has_picture(self) -> bool:
        """Whether there is one."""
        return self._image is not None

    def show_image(self, image: QImage | None) -> None:
        """Another frame; None: none yet."""
        self._image = image
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key in _STEPS and not event.modifiers() & Qt.KeyboardModifier.AltModifier:
            self.stepped.emit(_STEPS[key])
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self.to_end.emit(key == Qt.Key.Key_End)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            self.play_asked.emit()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box(painter, self.rect(), Metric.RADIUS_CONTROL, fill=current().live_surround)
        if self._image is None or self._image.isNull():
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        size = self._image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        place = QRect(0, 0, size.width(), size.height())
        place.moveCenter(self.rect().center())
        painter.drawImage(QRectF(place), self._image)


class TimeLine(QWidget):
    """Where in the clip one is; a press goes there. It runs from the left, as time does."""

    reader_role = Role.StaticText

    sought = Signal(float)
    """The part of its time, 0 to 1."""

    def __init__(self) -> None:
        super().__init__()
        self._part = 0.0
        self.setFixedHeight(Metric.TARGET)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_part(self, part: float) -> None:
        """Another place, 0 to 1."""
        if part != self._part:
            self._part = part
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._seek(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._seek(event)

    def _seek(self, event: QMouseEvent) -> None:
        part = event.position().x() / max(1, self.width())
        self.sought.emit(max(0.0, min(1.0, part)))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, theme = QPainter(self), current()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        track = QRect(0, (self.height() - _TRACK) // 2, self.width(), _TRACK)
        box(painter, track, _TRACK / 2, fill=theme.control, outline=theme.outline)
        done = QRect(track.x(), track.y(), round(track.width() * self._part), _TRACK)
        if done.width() >= _TRACK:
            box(painter, done, _TRACK / 2, fill=theme.accent)


class ClipPage(Panel):
    """Renders a PlayerState. Space takes a still of the frame on the screen, Esc goes back."""

    reader_role = Role.Grouping

    close_asked = Signal()

    def __init__(self, player: ClipPlayer) -> None:
        super().__init__()
        self._player = player
        self.frame = ClipFrame()
        self.line = TimeLine()
        self._title = Label("", 16, BOLD)
        self._where = ElidedLabel("", 14, MEDIUM, tone=Tone.TEXT_2)
        self.close_button = Button(tr("Live picture"), icon="camera", key=tr("Esc"))
        self.close_button.clicked.connect(self.close_asked)
        self.back = IconButton("caret-left", tr("One frame back (Left)"))
        self.play = Button("", icon="play", key=tr("Enter"))
        self.on = IconButton("caret-right", tr("One frame on (Right)"))
        self.still = Button(tr("Take a still"), ButtonKind.SHUTTER, icon="camera", key=tr("Space"))
        self.back.clicked.connect(lambda: player.step(-1))
        self.on.clicked.connect(lambda: player.step(1))
        self.play.clicked.connect(player.toggle)
        self.still.clicked.connect(player.keep_still)
        self.frame.stepped.connect(player.step)
        self.frame.to_end.connect(lambda last: player.go_to(player.state.frames if last else 0))
        self.frame.play_asked.connect(player.toggle)
        self.line.sought.connect(player.seek)
        for button in (self.close_button, self.play, self.still):
            button.let_yield()
        for pressed in (self.back, self.on, self.play, self.still):
            pressed.clicked.connect(self.rest)
        self._lay_out()
        player.changed.connect(self.render_state)
        player.shown.connect(self._show_image)
        self.render_state()

    def _lay_out(self) -> None:
        header = QHBoxLayout()
        header.setContentsMargins(0, 0, 0, 0)
        header.setSpacing(12)
        header.addWidget(self._title)
        header.addWidget(self._where, 1)
        header.addWidget(self.close_button)
        acts = QHBoxLayout()
        acts.setContentsMargins(0, 0, 0, 0)
        acts.setSpacing(8)
        acts.addWidget(self.back)
        acts.addWidget(self.play)
        acts.addWidget(self.on)
        acts.addSpacing(8)
        acts.addWidget(self.line, 1)
        acts.addSpacing(8)
        acts.addWidget(self.still)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 8, 8, 8)
        column.setSpacing(8)
        column.addLayout(header)
        column.addWidget(self.frame, 1)
        column.addLayout(acts)

    def take_still(self) -> None:
        """Of the frame on the screen, where there is one."""
        if self.still.isEnabled():
            self._player.keep_still()

    def rest(self) -> None:
        """The focus goes to the frame."""
        self.frame.setFocus(Qt.FocusReason.OtherFocusReason)

    def render_state(self) -> None:
        """Shows the state."""
        state = self._player.state
        title = tr("Clip {n}", n=state.number)
        self._title.setText(title)
        where = _where(state)
        self._where.setText(where)
        self.setAccessibleName(title)
        self.frame.setAccessibleName(f"{title}, {where}")
        self.line.setAccessibleName(where)
        self.line.show_part(state.at_s / state.length_s if state.length_s else 0.0)
        self.play.setText(tr("Pause") if state.is_playing else tr("Play"))
        self.play.set_icon("pause" if state.is_playing else "play")
        self.play.setEnabled(state.frames > 1)
        self.back.setEnabled(state.frame > 0)
        self.on.setEnabled(state.frame < state.frames - 1)
        self.still.setEnabled(state.frames > 0 and not state.is_broken)
        if not state.frames:
            self.frame.show_image(None)
        elif not state.is_playing and self.frame.hasFocus():
            announce(self.frame, where)

    def _show_image(self, image: object) -> None:
        if isinstance(image, QImage):
            self.frame.show_image(image)


def _where(state: PlayerState) -> str:
    """Frame 3 of 210, 0:01 of 0:07."""
    if not state.frames:
        return tr("Opening the clip")
    at, length = wording.clip_length(state.at_s), wording.clip_length(state.length_s)
    where = tr(
        "Frame {n} of {frames}, {at} of {length}",
        n=state.frame + 1,
        frames=state.frames,
        at=at,
        length=length,
    )
    said = [where]
    if state.is_broken:
        said.append(tr("this frame is broken"))
    if state.is_partial:
        said.append(tr("cut off"))
    return ", ".join(said)
