"""Words on a page: a size, a weight and a meaning; never a colour of their own."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from capture_app.ui.shell.fonts import REGULAR, font, line_height
from capture_app.ui.shell.theme import Metric, Tone, current
from capture_app.ui.widgets.drawing import draw_icon


class Label(QLabel):
    """Words of one size. One line of fixed height, or wrapped over as many as it needs."""

    def __init__(
        self,
        text: str = "",
        size: int = 14,
        weight: QFont.Weight = REGULAR,
        *,
        tone: Tone = Tone.TEXT,
        wrap: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(text, parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setFont(font(size, weight))
        self.setProperty("tone", tone.value)
        self.setWordWrap(wrap)
        if wrap:
            policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
            policy.setHeightForWidth(True)
            self.setSizePolicy(policy)
        else:
            self.setFixedHeight(line_height(size))

    def set_tone(self, tone: Tone) -> None:
        """Another meaning, and so another colour."""
        if self.property("tone") != tone.value:
            self.setProperty("tone", tone.value)
            self.style().unpolish(self)
            self.style().polish(self)


class ElidedLabel(QWidget):
    """One line that may be cut with a mark where it does not fit; the whole is its tooltip.

    For secondary words only: never a name, a date of birth or a record number.
    """

    def __init__(
        self,
        text: str = "",
        size: int = 14,
        weight: QFont.Weight = REGULAR,
        *,
        tone: Tone = Tone.TEXT,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._text = ""
        self._tone = tone
        self.setFont(font(size, weight))
        self.setFixedHeight(line_height(size))
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setText(text)

    def text(self) -> str:
        """All of the words, also what is cut off."""
        return self._text

    def setText(self, text: str) -> None:  # noqa: N802 - named as QLabel's
        """Other words."""
        if text != self._text:
            self._text = text
            self.setAccessibleName(text)
            self.updateGeometry()
            self.update()

    def set_tone(self, tone: Tone) -> None:
        """Another meaning, and so another colour."""
        self._tone = tone
        self.update()

    def sizeHint(self) -> QSize:
        width = QFontMetrics(self.font()).horizontalAdvance(self._text) + 1
        return QSize(width, self.height())

    def minimumSizeHint(self) -> QSize:
        return QSize(min(40, self.sizeHint().width()), self.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(self.font())
        painter.setPen(current().tone(self._tone))
        metrics = QFontMetrics(self.font())
        text = metrics.elidedText(self._text, Qt.TextElideMode.ElideRight, self.width())
        self.setToolTip("" if text == self._text else self._text)
        rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        side = Qt.AlignmentFlag.AlignRight if rtl else Qt.AlignmentFlag.AlignLeft
        flags = Qt.AlignmentFlag.AlignVCenter | side | Qt.TextFlag.TextDontClip
        painter.drawText(self.rect(), flags | Qt.TextFlag.TextSingleLine, text)


class Icon(QWidget):
    """An icon in the colour of its meaning; its words stand beside it."""

    def __init__(
        self,
        name: str,
        size: int = Metric.ICON_SMALL,
        *,
        tone: Tone = Tone.TEXT_2,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._name = name
        self._tone = tone
        self.setFixedSize(size, size)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def show_icon(self, name: str, tone: Tone) -> None:
        """Another icon, or another meaning."""
        if (name, tone) != (self._name, self._tone):
            self._name, self._tone = name, tone
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        painter = QPainter(self)
        colour = current().tone(self._tone)
        draw_icon(painter, self.rect(), self._name, colour, self.width(), rtl=rtl)
