"""The visible keyboard focus: 2 px of accent outside a gap of 2 px, over any control.

One overlay for the whole window, so that no control has to keep room for it and none forgets it.
It shows when the focus moved by the keyboard; a click is its own feedback.
"""

from __future__ import annotations

import shiboken6
from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractItemView, QApplication, QLineEdit, QWidget

from capture_app.ui.looks.drawing import box
from capture_app.ui.looks.theme import Metric, current
from capture_app.ui.shell.input_watch import InputWatch

_REACH = 4  # 2 px of gap, 2 px of line
_MOVING = frozenset(
    {
        QEvent.Type.Move,
        QEvent.Type.Resize,
        QEvent.Type.Show,
        QEvent.Type.Hide,
        QEvent.Type.ParentChange,
    }
)


class FocusRing(QWidget):
    """Follows the focus inside `window`. A line edit and a list draw their own focus."""

    def __init__(self, window: QWidget, watch: InputWatch) -> None:
        super().__init__(window)
        self._window = window
        self._watch = watch
        self._on: QWidget | None = None
        self._watched: list[QWidget] = []
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hide()
        watch.keyboard_used.connect(self._place)
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._focus_changed)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _MOVING:
            self._place()
        return False

    def _focus_changed(self, _old: QWidget | None, new: QWidget | None) -> None:
        for widget in self._watched:
            if shiboken6.isValid(widget):
                widget.removeEventFilter(self)
        self._watched = []
        inside = new is not None and self._window.isAncestorOf(new)
        by_tab = new is not None and bool(new.focusPolicy() & Qt.FocusPolicy.TabFocus)
        own = isinstance(new, QLineEdit | QAbstractItemView) or hasattr(new, "shows_own_focus")
        rings = inside and by_tab and not own
        self._on = new if rings else None
        above: QWidget | None = self._on
        while above is not None and above is not self._window:
            above.installEventFilter(self)
            self._watched.append(above)
            above = above.parentWidget()
        self._place()

    def _place(self) -> None:
        on = self._on
        is_there = on is not None and shiboken6.isValid(on)
        if on is None or not is_there or not self._watch.by_keyboard or not on.isVisible():
            self.hide()
            return
        corner = on.mapTo(self._window, QPoint(0, 0))
        around = QRect(corner, on.size()).adjusted(-_REACH, -_REACH, _REACH, _REACH)
        if around != self.geometry():
            self.setGeometry(around)
        self.raise_()
        self.show()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._on is None:
            return
        radius = float(getattr(self._on, "focus_radius", Metric.RADIUS_CONTROL))
        painter = QPainter(self)
        theme = current()
        inner = self.rect().adjusted(2, 2, -2, -2)
        box(painter, inner, radius + 2, outline=theme.bg, width=2)
        box(painter, self.rect(), radius + _REACH, outline=theme.accent, width=2)
