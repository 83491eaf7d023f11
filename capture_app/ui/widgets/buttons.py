"""Everything that can be pressed: an outline or a fill, words, and the key that does the same."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QPushButton, QSizePolicy, QWidget

from capture_app.ui.looks.drawing import (
    Cap,
    Mark,
    Piece,
    Words,
    box,
    draw_icon,
    draw_run,
    run_width,
    shown_text,
)
from capture_app.ui.looks.fonts import MEDIUM, SEMIBOLD, font
from capture_app.ui.looks.theme import Metric, current, mixed


class ButtonKind(StrEnum):
    """How much a button asks for attention. One primary a screen."""

    PRIMARY = "primary"
    SECONDARY = "secondary"
    GHOST = "ghost"
    SHUTTER = "shutter"


_HEIGHT = {
    ButtonKind.PRIMARY: Metric.PRIMARY,
    ButtonKind.SECONDARY: Metric.CONTROL,
    ButtonKind.GHOST: Metric.CONTROL,
    ButtonKind.SHUTTER: Metric.SHUTTER,
}


_LEAST = 72
"""A button that yields keeps its icon and the beginning of its words."""
_EDGE = 8


class Pressable(QPushButton):
    """What all our buttons share: painted by us, Enter presses them too, named for a reader."""

    focus_radius: float = Metric.RADIUS_CONTROL
    """The corner that the focus ring follows."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self._yields = False
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setAutoDefault(False)
        self.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    @property
    def rtl(self) -> bool:
        """Whether the page runs from the right."""
        return self.layoutDirection() is Qt.LayoutDirection.RightToLeft

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers() & (
            Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
        ):
            if not event.isAutoRepeat():
                self.click()
            return
        super().keyPressEvent(event)

    def let_yield(self) -> None:
        """Its words may be cut on a narrow page; tooltip and reader say them whole."""
        self._yields = True
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def minimumSizeHint(self) -> QSize:
        whole = self.sizeHint()
        return QSize(min(_LEAST, whole.width()), whole.height()) if self._yields else whole

    def _fitted(self, pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
        """What of a run there is room for: the key cap goes before the words are cut."""
        room = self.width() - 2 * _EDGE
        if not self._yields or run_width(pieces) <= room:
            if self._yields:
                self.setToolTip("")
            return pieces
        self.setToolTip(shown_text(self.text()))
        bare = tuple(piece for piece in pieces if not isinstance(piece, Cap))
        over = run_width(bare) - room
        return tuple(_cut(piece, over) if isinstance(piece, Words) else piece for piece in bare)

    def _veil(self) -> QColor | None:
        """What lies over the fill while the pointer is over it or holds it down."""
        if not self.isEnabled():
            return None
        if self.isDown():
            return current().pressed
        return current().hover if self.underMouse() else None


def _cut(words: Words, over: int) -> Words:
    text = shown_text(words.text) if words.mnemonic else words.text
    metrics = QFontMetrics(words.font)
    room = metrics.horizontalAdvance(text) - max(0, over)
    shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
    return replace(words, text=shown, mnemonic=False)


class Button(Pressable):
    """A button with words, an optional icon before them and an optional key cap after them.

    `text` may hold a mnemonic (&Right): its letter is underlined and works with Alt.
    """

    def __init__(
        self,
        text: str,
        kind: ButtonKind = ButtonKind.SECONDARY,
        *,
        icon: str = "",
        key: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(text, parent)
        self._kind = kind
        self._icon = icon
        self._key = key
        self._height = _HEIGHT[kind]
        if kind is ButtonKind.SHUTTER:
            self.focus_radius = self._height / 2
        self.setFixedHeight(self._height)

    def set_icon(self, icon: str) -> None:
        """Another icon, or none."""
        if icon != self._icon:
            self._icon = icon
            self.updateGeometry()
            self.update()

    def set_key(self, key: str) -> None:
        """Another key cap, or none."""
        if key != self._key:
            self._key = key
            self.updateGeometry()
            self.update()

    def set_tall(self, height: int) -> None:
        """Another height, 44 or more: the Send button has 56."""
        if height != self._height:
            self._height = height
            self.setFixedHeight(height)
            self.updateGeometry()

    def _font(self) -> QFont:
        if self._kind is ButtonKind.SHUTTER:
            return font(18, SEMIBOLD)
        if self._kind is ButtonKind.PRIMARY:
            return font(15, SEMIBOLD)
        return font(14, SEMIBOLD if self._kind is ButtonKind.SECONDARY else MEDIUM)

    def _pieces(self) -> tuple[Piece, ...]:
        pieces: list[Piece] = []
        if self._icon:
            large = self._kind is ButtonKind.SHUTTER
            pieces.append(Mark(self._icon, Metric.ICON_LARGE if large else Metric.ICON))
        pieces.append(Words(self.text(), self._font(), mnemonic=True))
        if self._key:
            pieces.append(Cap(self._key))
        return tuple(pieces)

    def sizeHint(self) -> QSize:
        padding = {ButtonKind.SHUTTER: 32, ButtonKind.PRIMARY: 20}.get(self._kind, 14)
        return QSize(run_width(self._pieces()) + 2 * padding, self._height)

    def _colours(self) -> tuple[QColor | None, QColor | None, float, QColor]:
        """Fill, outline, its width, label."""
        theme = current()
        if not self.isEnabled():
            bare = self._kind is ButtonKind.GHOST
            return None, None if bare else theme.hairline, 1.0, theme.unavailable
        if self._kind is ButtonKind.PRIMARY:
            if theme.solid_primary:
                return theme.accent, None, 0.0, theme.on_accent
            return theme.selected, theme.accent, 2.0, theme.text
        if self._kind is ButtonKind.SHUTTER:
            if theme.solid_primary:
                return theme.text, None, 0.0, theme.bg
            return None, theme.text, 2.0, theme.text
        if self._kind is ButtonKind.GHOST:
            return None, None, 0.0, theme.text
        return theme.control, theme.outline, 1.0, theme.text

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        fill, outline, width, label = self._colours()
        radius = self.focus_radius
        box(painter, self.rect(), radius, fill=fill, outline=outline, width=width)
        if (veil := self._veil()) is not None:
            box(painter, self.rect(), radius, fill=veil)
        draw_run(painter, self.rect(), self._fitted(self._pieces()), label, rtl=self.rtl)


class IconButton(Pressable):
    """An icon alone: back and delete-digit only. Its name is for a reader and for the tooltip."""

    def __init__(self, icon: str, name: str, *, size: int = Metric.TARGET) -> None:
        super().__init__()
        self._icon = icon
        self.setAccessibleName(name)
        self.setToolTip(name)
        self.setFixedSize(size, size)

    def sizeHint(self) -> QSize:
        return self.minimumSize()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if (veil := self._veil()) is not None:
            box(painter, self.rect(), Metric.RADIUS_CONTROL, fill=veil)
        theme = current()
        colour = theme.text if self.isEnabled() else theme.unavailable
        draw_icon(painter, self.rect(), self._icon, colour, Metric.ICON, rtl=self.rtl)


class ToggleButton(Pressable):
    """A toggle or a side: an outline; chosen it is filled and outlined in the accent.

    Checkable; put it in a QButtonGroup where only one may be chosen. `top_icon` sets the icon over
    the words, as the tools beside the picture have it.
    """

    def __init__(
        self,
        text: str,
        *,
        icon: str = "",
        key: str = "",
        top_icon: bool = False,
        outlined: bool = True,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(text, parent)
        self.setCheckable(True)
        self._icon = icon
        self._key = key
        self._top_icon = top_icon
        self._outlined = outlined
        self.setFixedHeight(56 if top_icon else Metric.CONTROL)

    def _font(self) -> QFont:
        if self._top_icon:
            return font(12, SEMIBOLD)
        return font(14, SEMIBOLD if self.isChecked() else MEDIUM)

    def _pieces(self) -> tuple[Piece, ...]:
        words = Words(self.text(), self._font(), mnemonic=True)
        mark: tuple[Piece, ...] = (Mark(self._icon),) if self._icon else ()
        cap: tuple[Piece, ...] = (Cap(self._key),) if self._key else ()
        return (*mark, words, *cap)

    def sizeHint(self) -> QSize:
        if self._top_icon:
            words = run_width((Words(self.text(), self._font(), mnemonic=True),))
            return QSize(max(56, words + 8), 56)
        # measured in the heavier weight, so that choosing does not move its neighbours
        words = run_width((Words(shown_text(self.text()), font(14, SEMIBOLD)),))
        extra = (28 if self._icon else 0) + (run_width((Cap(self._key),)) + 8 if self._key else 0)
        return QSize(max(Metric.TARGET, words + extra + 20), Metric.CONTROL)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = current()
        radius = Metric.RADIUS_CONTROL
        label = theme.text
        if not self.isEnabled():
            label = theme.unavailable
            box(painter, self.rect(), radius, outline=theme.hairline)
        elif self.isChecked():
            selected = theme.selected
            box(painter, self.rect(), radius, fill=selected, outline=theme.accent, width=2)
        elif self._outlined:
            box(painter, self.rect(), radius, fill=theme.control, outline=theme.outline)
        if (veil := self._veil()) is not None:
            box(painter, self.rect(), radius, fill=veil)
        if not self._top_icon:
            draw_run(painter, self.rect(), self._fitted(self._pieces()), label, rtl=self.rtl)
            return
        top = self.rect().adjusted(0, 8, 0, -28)
        draw_icon(painter, top, self._icon, label, Metric.ICON, rtl=self.rtl)
        words = Words(self.text(), self._font(), mnemonic=True)
        draw_run(painter, self.rect().adjusted(0, 28, 0, -8), (words,), label, rtl=self.rtl)


_CHOICE_WIDTH = 116


class ChoiceButton(Pressable):
    """A choice: its label over the value chosen, and a caret. Pressing it offers the values."""

    def __init__(self, label: str, value: str = "", *, parent: QWidget | None = None) -> None:
        super().__init__(label, parent)
        self._value = value
        self.setFixedHeight(Metric.PRIMARY)
        self._name()

    def _name(self) -> None:
        self.setAccessibleName(f"{self.text()}: {self._value}")

    @property
    def value(self) -> str:
        """The words of the value chosen."""
        return self._value

    def set_value(self, value: str) -> None:
        """Another value."""
        if value != self._value:
            self._value = value
            self._name()
            self.updateGeometry()
            self.update()

    def sizeHint(self) -> QSize:
        label = run_width((Words(self.text(), font(12, MEDIUM)),))
        value = run_width((Words(self._value, font(13, SEMIBOLD)),))
        natural = max(label, value) + 11 + Metric.ICON_SMALL + 9
        return QSize(min(natural, _CHOICE_WIDTH), Metric.PRIMARY)  # a longer value is cut

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = current()
        usable = self.isEnabled()
        outline = theme.outline if usable else theme.hairline
        fill = theme.control if usable else None
        box(painter, self.rect(), Metric.RADIUS_CONTROL, fill=fill, outline=outline)
        if (veil := self._veil()) is not None:
            box(painter, self.rect(), Metric.RADIUS_CONTROL, fill=veil)
        inner = self.rect().adjusted(11, 5, -9, -5)
        half = inner.height() // 2
        top, bottom = inner.adjusted(0, 0, 0, -half), inner.adjusted(0, half, 0, 0)
        leading = Qt.AlignmentFlag.AlignLeft
        caption = Words(self.text(), font(12, MEDIUM))
        room = inner.width() - Metric.ICON_SMALL
        metrics = QFontMetrics(font(13, SEMIBOLD))
        shown = metrics.elidedText(self._value, Qt.TextElideMode.ElideRight, room)
        self.setToolTip("" if shown == self._value else self._value)
        value = Words(shown, font(13, SEMIBOLD))
        quiet = theme.text_2 if usable else theme.unavailable
        draw_run(painter, top, (caption,), quiet, rtl=self.rtl, align=leading)
        label = theme.text if usable else theme.unavailable
        draw_run(painter, bottom, (value,), label, rtl=self.rtl, align=leading)
        trailing = Qt.AlignmentFlag.AlignRight
        caret = (Mark("caret-down", Metric.ICON_SMALL),)
        draw_run(painter, inner, caret, quiet, rtl=self.rtl, align=trailing)


class DigitButton(Pressable):
    """A digit of the PIN pad: 104 x 64, for a finger in a glove."""

    def __init__(self, digit: str, parent: QWidget | None = None) -> None:
        super().__init__(digit, parent)
        self.setFixedHeight(64)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def sizeHint(self) -> QSize:
        return QSize(104, 64)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = current()
        fill = mixed(theme.text, theme.control, 0.06) if self.isDown() else theme.control
        box(painter, self.rect(), Metric.RADIUS_PANEL, fill=fill, outline=theme.outline)
        if (veil := self._veil()) is not None:
            box(painter, self.rect(), Metric.RADIUS_PANEL, fill=veil)
        label = theme.text if self.isEnabled() else theme.unavailable
        draw_run(painter, self.rect(), (Words(self.text(), font(24, MEDIUM)),), label, rtl=False)
