"""The only text inputs there are: filters, the identity check, and signing in."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPalette,
    QResizeEvent,
)
from PySide6.QtWidgets import QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from capture_app.model.words import tr
from capture_app.ui.looks.drawing import box
from capture_app.ui.looks.fonts import MEDIUM, SEMIBOLD, font
from capture_app.ui.looks.theme import Metric, current
from capture_app.ui.widgets.buttons import IconButton
from capture_app.ui.widgets.key_cap import KeyCap
from capture_app.ui.widgets.labels import Icon, Label
from capture_app.ui.widgets.reader_roles import Role
from capture_app.ui.words.marks import Tone

_NAVIGATION = (
    Qt.Key.Key_Up,
    Qt.Key.Key_Down,
    Qt.Key.Key_PageUp,
    Qt.Key.Key_Return,
    Qt.Key.Key_Enter,
)

TAKES_TYPING: Final = "takes_typing"
"""Property of a page that puts what is typed anywhere on it into a field of its own."""
TAKES_PIN: Final = "takes_pin"
"""Property of a page on which what is typed anywhere is a PIN."""


class Field(QLineEdit):
    """A line edit that paints its own box: an outline, in the accent where the focus is."""

    shows_own_focus = True

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._is_wrong = False
        self.setFrame(False)
        palette = QPalette()
        palette.setColor(QPalette.ColorRole.Base, QColor(0, 0, 0, 0))
        self.setPalette(palette)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)

    def event(self, event: QEvent) -> bool:
        """Ctrl+Z takes back what was typed here, and nothing typed here keeps it from the page."""
        if (
            event.type() is QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.matches(QKeySequence.StandardKey.Undo)
            and not self.isUndoAvailable()
        ):
            event.ignore()
            return False
        return super().event(event)

    def mark_wrong(self, wrong: bool) -> None:  # noqa: FBT001 - as a Qt setter
        """Outlines it in bad, or no more."""
        if wrong != self._is_wrong:
            self._is_wrong = wrong
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current()
        outline, width = (theme.accent, 2.0) if self.hasFocus() else (theme.outline, 1.0)
        if self._is_wrong:
            outline, width = theme.bad, 2.0
        painter = QPainter(self)
        radius = Metric.RADIUS_CONTROL
        box(painter, self.rect(), radius, fill=theme.bg, outline=outline, width=width)
        painter.end()
        super().paintEvent(event)


class FilterField(Field):
    """A filter: magnifier, words, the key that leads here, and a cross that empties it.

    Esc empties it, and leaves it when it is empty; arrows and Enter go to the list it filters.
    Page Down is a pedal's key and is never eaten.
    """

    navigated = Signal(int)
    """A key of the list (arrows, Page Up, Enter), pressed here."""
    left = Signal()
    """Esc in an empty filter: the focus goes back to the list."""

    def __init__(
        self,
        placeholder: str,
        *,
        key: str = "/",
        height: int = Metric.PRIMARY,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.leading_key = key
        """Pressed beside it this key leads here and is not typed."""
        self.setPlaceholderText(placeholder)
        self.setAccessibleName(placeholder)
        self.setFont(font(14, MEDIUM))
        self.setFixedHeight(height)
        self._icon = Icon("magnifying-glass", Metric.ICON, parent=self)
        self._key = KeyCap(key, parent=self)
        self._clear = IconButton("x", tr("Empty the filter"))
        self._clear.setParent(self)
        self._clear.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._clear.hide()
        self._clear.clicked.connect(self.clear)
        self.textChanged.connect(self.show_parts)
        self._lay_out()

    def sizeHint(self) -> QSize:
        words = QFontMetrics(self.font()).horizontalAdvance(self.placeholderText())
        return QSize(max(220, words + 104), self.height())

    def take_typing(self, event: QKeyEvent) -> bool:
        """A key that was pressed beside it: a character is typed here, over what was in it, and the
        focus comes with it. False, and nothing, for any other key.
        """
        command = (
            Qt.KeyboardModifier.ControlModifier
            | Qt.KeyboardModifier.AltModifier
            | Qt.KeyboardModifier.MetaModifier
        )
        text = event.text()
        if not text.isprintable() or not text.strip() or event.modifiers() & command:
            return False
        self.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.selectAll()
        if text != self.leading_key:
            self.insert(text)
        return True

    def show_parts(self) -> None:
        """The cross while there is something to empty, else the key that leads here."""
        self._clear.setVisible(bool(self.text()))
        self._key.setVisible(not self.text())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key == Qt.Key.Key_Escape:
            if self.text():
                self.clear()
            else:
                self.left.emit()
            return
        if key in _NAVIGATION and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.navigated.emit(int(key))
            return
        if key == Qt.Key.Key_PageDown:
            event.ignore()
            return
        super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.LayoutDirectionChange:
            self._lay_out()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def _lay_out(self) -> None:
        if not hasattr(self, "_clear"):
            return
        rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        tail = max(self._key.sizeHint().width(), Metric.TARGET - 12) + 4
        lead = 24
        self.setTextMargins(tail if rtl else lead + 12, 0, lead + 12 if rtl else tail, 0)
        middle = self.height() // 2
        x = self.width() - 12 - Metric.ICON if rtl else 12
        self._icon.move(x, middle - Metric.ICON // 2)
        cap = self._key.sizeHint()
        self._key.resize(cap)
        self._key.move(10 if rtl else self.width() - 10 - cap.width(), middle - cap.height() // 2)
        side = min(Metric.TARGET, self.height() - 2)
        self._clear.setFixedSize(side, side)
        self._clear.move(1 if rtl else self.width() - side - 1, middle - side // 2)


class ShortField(QWidget):
    """A captioned field for a few characters: initials, a year. 160 x 48, large and centred."""

    submitted = Signal()
    changed = Signal(str)

    def __init__(
        self,
        caption: str,
        *,
        length: int,
        capitals: bool = False,
        secret: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._capitals = capitals
        self._caption = Label(caption, 12, MEDIUM, tone=Tone.TEXT_2)
        self.edit = Field()
        self.edit.setTextMargins(12, 0, 12, 0)
        self.edit.setAccessibleName(caption)
        self.edit.setMaxLength(length)
        self.edit.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.edit.setFont(font(20, SEMIBOLD, spacing=1.5 if length <= 12 else 0.0))
        self.edit.setFixedHeight(Metric.PRIMARY)
        self.edit.setMinimumWidth(160)
        if secret:
            self.edit.setEchoMode(QLineEdit.EchoMode.Password)
        self.edit.textEdited.connect(self._edited)
        self.edit.returnPressed.connect(self.submitted)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self._caption)
        column.addWidget(self.edit)
        self.setFocusProxy(self.edit)

    @property
    def text(self) -> str:
        """What stands in it."""
        return self.edit.text()

    def clear(self) -> None:
        """Empties it."""
        self.edit.clear()

    def mark_wrong(self, wrong: bool) -> None:  # noqa: FBT001 - as a Qt setter
        """Outlines it in bad, or no more."""
        self.edit.mark_wrong(wrong)

    def _edited(self, text: str) -> None:
        if self._capitals and text != text.upper():
            at = self.edit.cursorPosition()
            self.edit.setText(text.upper())
            self.edit.setCursorPosition(at)
        self.changed.emit(self.edit.text())


class PinDots(QWidget):
    """How many digits are in, never which."""

    reader_role = Role.StaticText

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._filled = 0
        self._places = 4
        self.setFixedHeight(20)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_digits(self, filled: int, places: int) -> None:
        """`filled` of `places` dots; more digits than places grow the row."""
        self._filled = filled
        self._places = max(places, filled)
        self.setAccessibleName(tr("{n} digits entered", n=filled))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = current()
        pitch = min(32, (self.width() - 16) // max(1, self._places))
        rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        start = (self.width() - pitch * (self._places - 1) - 16) // 2
        for i in range(self._places):
            at = self._places - 1 - i if rtl else i
            dot = self.rect()
            dot.setRect(start + at * pitch, (self.height() - 16) // 2, 16, 16)
            if i < self._filled:
                box(painter, dot, 8, fill=theme.accent)
            else:
                box(painter, dot, 8, outline=theme.outline, width=2)
