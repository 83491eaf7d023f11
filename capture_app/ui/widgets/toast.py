"""A message over the page: what happened, what to do, one act or a choice of two."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from capture_app.ui.looks.drawing import box
from capture_app.ui.looks.fonts import BOLD, MEDIUM, SEMIBOLD
from capture_app.ui.looks.theme import Metric, current
from capture_app.ui.widgets.announce import announce
from capture_app.ui.widgets.buttons import Button
from capture_app.ui.widgets.labels import Icon, Label
from capture_app.ui.widgets.reader_roles import Role
from capture_app.ui.words.marks import Message, Tone

UNDO_SHOWN_MS = 8000
_HEIGHT = 64
_LOUD_HEIGHT = 96
_BEFORE, _AFTER, _SPACING, _EDGE = 16, 10, 12, 8
_WORDS_LEAST = 240
"""With less room beside its acts the words have a row of their own."""


class Toast(QWidget):
    """A message over the lower edge of its parent. `acted` when its act is chosen.

    It is 64 px high, a loud one 96, or higher on a narrow page, where its words take more lines.
    The page places it (`fit`, `move`); it hides itself.
    """

    reader_role = Role.AlertMessage
    acted = Signal()
    other_acted = Signal()
    """What may be done instead was chosen."""
    left = Signal()
    """It went by itself: its time was up."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._message = Message("")
        self._icon = Icon("info", Metric.ICON)
        self._what = Label(size=14, weight=SEMIBOLD, wrap=True)
        self._todo = Label(size=13, weight=MEDIUM, tone=Tone.TEXT_2, wrap=True)
        self._act = Button("")
        self._act.clicked.connect(self.acted)
        self._other = Button("")
        self._other.clicked.connect(self.other_acted)
        words = QVBoxLayout()
        words.setSpacing(5)
        words.addStretch(1)
        words.addWidget(self._what)
        words.addWidget(self._todo)
        words.addStretch(1)
        said, acts = QHBoxLayout(), QHBoxLayout()
        said.addWidget(self._icon)
        said.addLayout(words, 1)
        acts.addStretch(1)
        for button in (self._other, self._act):
            button.let_yield()
            acts.addWidget(button)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.setContentsMargins(_BEFORE, 0, _AFTER, 0)
        self._row.addLayout(said, 1)
        self._row.addLayout(acts)
        for line in (said, acts, self._row):
            line.setSpacing(_SPACING)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._leaving = QTimer(self)
        self._leaving.setSingleShot(True)
        self._leaving.timeout.connect(self._leave)
        self.hide()

    @property
    def message(self) -> Message:
        """What it says."""
        return self._message

    def say(self, message: Message, *, for_ms: int = UNDO_SHOWN_MS) -> None:
        """Shows a message; one that is no stop leaves after `for_ms`."""
        self._message = message
        self._what.set_font(20 if message.is_loud else 14, BOLD if message.is_loud else SEMIBOLD)
        self._icon.show_icon(message.icon, message.tone)
        self._what.setText(message.what)
        self._todo.setText(message.todo)
        self._todo.setVisible(bool(message.todo))
        self._act.setText(message.act)
        self._act.set_icon(message.act_icon)
        self._act.set_key(message.act_key)
        self._act.setVisible(bool(message.act))
        self._other.setText(message.other_act)
        self._other.setVisible(bool(message.other_act))
        self.fit(self.width())
        self.setAccessibleName(f"{message.what} {message.todo}".strip())
        self._leaving.stop()
        if not message.stop:
            self._leaving.start(for_ms)
        self.show()
        self.raise_()
        self.update()
        announce(self, self.accessibleName(), urgent=message.stop or message.tone is Tone.BAD)

    def fit(self, width: int) -> None:
        """As wide as this, and as high as its words need there; the acts go under them where
        little room is left beside. There are no sounds, for the sake of the night: what must be
        noticed is large instead.
        """
        shown = [act for act in (self._other, self._act) if not act.isHidden()]
        acts = sum(act.sizeHint().width() + _SPACING for act in shown)
        room = width - _BEFORE - Metric.ICON - _SPACING - _AFTER
        is_under = bool(acts) and room - acts < min(_WORDS_LEAST, self._what.sizeHint().width())
        flow = QBoxLayout.Direction
        self._row.setDirection(flow.TopToBottom if is_under else flow.LeftToRight)
        edge = _EDGE if is_under else 0
        self._row.setContentsMargins(_BEFORE, edge, _AFTER, edge)
        beside = room if is_under else room - acts
        high = self._what.heightForWidth(beside) + 2 * _EDGE
        if not self._todo.isHidden():
            high += self._todo.heightForWidth(beside) + 5
        if is_under:
            high += Metric.CONTROL + _SPACING
        least = _LOUD_HEIGHT if self._message.is_loud else _HEIGHT
        self.setFixedSize(width, max(least, high))

    def focus_act(self) -> None:
        """The focus goes to its act: an answer is asked for."""
        self._act.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def clear(self) -> None:
        """Takes the message away: it is solved."""
        self._leaving.stop()
        self.hide()

    def _leave(self) -> None:
        self.hide()
        self.left.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = current()
        stop = self._message.stop or self._message.is_loud
        outline = theme.bad if stop else theme.outline
        width = 2.0 if stop else 1.0
        radius = Metric.RADIUS_PANEL
        box(painter, self.rect(), radius, fill=theme.raised, outline=outline, width=width)
