"""Delete, and Send n -> NAME ...678: the one act that ends the screen names the patient."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from capture_app.model.words import tr
from capture_app.ui.looks.drawing import Cap, Words, box, draw_run, piece_width
from capture_app.ui.looks.fonts import MEDIUM, SEMIBOLD, font
from capture_app.ui.looks.theme import Metric
from capture_app.ui.widgets.buttons import Button, ButtonKind

SEND_WIDTH = 352
_AROUND = 12 + Metric.ICON + 8 + 12  # padding, icon, gap
_SHORT_NAME = 48


class SendButton(Button):
    """Bears the patient's name and last digits, and what becomes of the pictures. A name too long
    for it is cut before its end, the digits never; the whole name is in the banner.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        self._count = 0
        self._family = ""
        self._digits = ""
        self._keeping = ""
        super().__init__(
            "",
            ButtonKind.PRIMARY,
            icon="paper-plane-right",
            parent=parent,
        )
        self.set_tall(Metric.SHUTTER)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setFixedWidth(SEND_WIDTH)

    def sizeHint(self) -> QSize:
        return QSize(SEND_WIDTH, self.height())

    @property
    def keeping(self) -> str:
        """What it says of what becomes of the pictures."""
        return self._keeping

    def show_send(self, count: int, family: str, digits: str, keeping: str) -> None:
        """How many pictures go to whom, and what becomes of them."""
        self._count, self._family, self._digits = count, family, digits
        self._keeping = keeping if count else ""
        self._fit()
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """The key cap goes before the name is cut short."""
        metrics = QFontMetrics(font(15, SEMIBOLD))
        key = tr("Ctrl") + " \N{DOWNWARDS ARROW WITH CORNER LEFTWARDS}"
        rest = metrics.horizontalAdvance(self._words(""))
        room = SEND_WIDTH - _AROUND - rest
        with_key = room - 8 - piece_width(Cap(key))
        if metrics.horizontalAdvance(self._family) <= max(with_key, _SHORT_NAME):
            room = with_key
        else:
            key = ""
        self.set_key(key)
        elide = Qt.TextElideMode.ElideRight
        family = metrics.elidedText(self._family, elide, max(_SHORT_NAME, room))
        self.setText(self._words(family).replace("&", "&&"))
        whole = self._words(self._family)
        self.setAccessibleName(", ".join(filter(None, (whole, self._keeping))))
        self.setToolTip("" if family == self._family else whole)
        self.setEnabled(self._count > 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._keeping:
            super().paintEvent(event)
            return
        painter = QPainter(self)
        fill, outline, width, label = self._colours()
        radius = self.focus_radius
        box(painter, self.rect(), radius, fill=fill, outline=outline, width=width)
        if (veil := self._veil()) is not None:
            box(painter, self.rect(), radius, fill=veil)
        edge = 6 if self.height() >= Metric.SHUTTER else 1
        upper = self.rect().adjusted(0, edge, 0, -edge - 16)
        draw_run(painter, upper, self._pieces(), label, rtl=self.rtl)
        lower = self.rect().adjusted(12, self.height() - edge - 16, -12, -edge)
        face = font(12, MEDIUM)
        elide = Qt.TextElideMode.ElideRight
        keeping = QFontMetrics(face).elidedText(self._keeping, elide, lower.width())
        draw_run(painter, lower, (Words(keeping, face),), label, rtl=self.rtl)

    def _words(self, family: str) -> str:
        arrow = "\N{LEFTWARDS ARROW}" if self.rtl else "\N{RIGHTWARDS ARROW}"
        arrow = f"\N{EN SPACE}{arrow}\N{EN SPACE}"
        values = {"arrow": arrow, "name": family, "digits": self._digits}
        if self._count:
            return tr("Send {n}{arrow}{name} {digits}", n=self._count, **values)
        return tr("Send{arrow}{name} {digits}", **values)


class SendBar(QWidget):
    """The two acts at the end of the filmstrip."""

    delete_asked = Signal()
    send_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.delete = Button(tr("Delete"), icon="trash", key=tr("Del"))
        self.delete.clicked.connect(self.delete_asked)
        self.send = SendButton()
        self.send.clicked.connect(self.send_asked)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(16)
        row.addWidget(self.delete)
        row.addWidget(self.send)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def fold(self, folded: bool) -> None:  # noqa: FBT001 - as a Qt setter
        """Lower, where the screen is."""
        self.send.set_tall(Metric.TARGET if folded else Metric.SHUTTER)

    def show_state(
        self,
        *,
        sendable: int,
        deletable: int,
        delete_refusal: str,
        family: str,
        digits: str,
        keeping: str,
    ) -> None:
        """How many pictures each act would take, whose, and what becomes of them; and why some may
        not be deleted.
        """
        self.delete.setEnabled(deletable > 0)
        self.delete.setToolTip(delete_refusal)
        self.delete.setAccessibleDescription(delete_refusal)
        self.send.show_send(sendable, family, digits, keeping)
