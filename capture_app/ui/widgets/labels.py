"""Words on a page: a size, a weight and a meaning; never a colour of their own."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import (
    QFont,
    QFontMetrics,
    QPainter,
    QPaintEvent,
    QTextLayout,
    QTextLine,
    QTextOption,
)
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from capture_app.ui.looks.drawing import draw_icon, draw_line
from capture_app.ui.looks.fonts import REGULAR, font, line_height
from capture_app.ui.looks.theme import Metric, current
from capture_app.ui.widgets.announce import announce
from capture_app.ui.widgets.reader_roles import Role
from capture_app.ui.words.marks import Tone

_WRAPPED_PITCH = 1.4
_BREAKS_FROM = 160
"""A longer word may be broken where there is no room for it."""


class Label(QLabel):
    """Words of one size: one line of fixed height, or wrapped over as many as they need.

    Painted on our own baseline, so that a taller fallback font (Arabic, CJK) moves nothing.
    """

    def __init__(
        self,
        text: str = "",
        size: int = 14,
        weight: QFont.Weight = REGULAR,
        *,
        tone: Tone = Tone.TEXT,
        wrap: bool = False,
        centred: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(text, parent)
        self._tone = tone
        self._centred = centred
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.set_font(size, weight)
        self.set_wrap(wrap)

    @property
    def tone(self) -> Tone:
        """What it means."""
        return self._tone

    def set_tone(self, tone: Tone) -> None:
        """Another meaning, and so another colour."""
        if tone is not self._tone:
            self._tone = tone
            self.update()

    def set_font(self, size: int, weight: QFont.Weight) -> None:
        """Another size or weight."""
        self.setFont(font(size, weight))
        if not self.wordWrap():
            self.setFixedHeight(line_height(size))

    def set_wrap(self, wrap: bool) -> None:  # noqa: FBT001 - as Qt's setter
        """One line of fixed height, or as many as it needs."""
        self.setWordWrap(wrap)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(wrap)
        self.setSizePolicy(policy)
        if wrap:
            self.setMinimumHeight(0)
            self.setMaximumHeight(16777215)
        else:
            self.setFixedHeight(line_height(self.font().pixelSize()))

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(self.font())
        width = metrics.horizontalAdvance(self.text()) + 1
        if not self.wordWrap():
            return QSize(width, line_height(self.font().pixelSize()))
        width = min(width, 320)
        return QSize(width, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        if not self.wordWrap():
            return self.sizeHint()
        metrics = QFontMetrics(self.font())
        longest = max((metrics.horizontalAdvance(word) for word in self.text().split()), default=0)
        return QSize(min(longest + 1, _BREAKS_FROM), self._pitch())

    def hasHeightForWidth(self) -> bool:
        return self.wordWrap()

    def heightForWidth(self, width: int) -> int:
        if not self.wordWrap():
            return -1
        return max(1, len(self._lines(width)[1])) * self._pitch()

    def _pitch(self) -> int:
        return round(self.font().pixelSize() * _WRAPPED_PITCH)

    def _lines(self, width: int) -> tuple[QTextLayout, list[QTextLine]]:
        layout = QTextLayout(self.text().replace("\n", "\u2028"), self.font())
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        layout.setTextOption(option)
        lines: list[QTextLine] = []
        layout.beginLayout()
        while (line := layout.createLine()).isValid():
            line.setLineWidth(max(1, width))
            lines.append(line)
        layout.endLayout()
        return layout, lines

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = current()
        colour = theme.tone(self._tone) if self.isEnabled() else theme.unavailable
        painter.setPen(colour)
        painter.setFont(self.font())
        rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        side = Qt.AlignmentFlag.AlignRight if rtl else Qt.AlignmentFlag.AlignLeft
        if self._centred:
            side = Qt.AlignmentFlag.AlignHCenter
        if not self.wordWrap():
            draw_line(painter, self.rect(), self.text(), side)
            return
        metrics = QFontMetrics(self.font())
        pitch = self._pitch()
        _layout, lines = self._lines(self.width())
        top = max(0, (self.height() - pitch * len(lines)) // 2)
        for i, line in enumerate(lines):
            used = line.naturalTextWidth()
            spare = self.width() - used
            x = {Qt.AlignmentFlag.AlignRight: spare, Qt.AlignmentFlag.AlignHCenter: spare / 2}.get(
                side, 0.0
            )
            baseline = top + i * pitch + (pitch - metrics.height()) / 2 + metrics.ascent()
            corner = QPointF(x - line.naturalTextRect().x(), baseline - line.ascent() - line.y())
            line.draw(painter, corner)


class FaultLabel(Label):
    """Words that say what went wrong, beside what it went wrong with; nothing where all is well.

    They are read aloud when they come: the focus is elsewhere.
    """

    def say(self, words: str) -> None:
        """Says it, or goes away for no words."""
        is_new = words != self.text()
        self.setText(words)
        self.setVisible(bool(words))
        if is_new:
            announce(self, words, urgent=True)


class ElidedLabel(QWidget):
    """One line that may be cut with a mark where it does not fit; the whole is its tooltip.

    For secondary words only: never a name, a date of birth or a record number.
    """

    reader_role = Role.StaticText

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
        draw_line(painter, self.rect(), text, side)


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
