"""The live picture: never mirrored, never cropped, and never an old picture shown as a live one."""

from __future__ import annotations

from dataclasses import dataclass, field

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QImage,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from capture_app.model.words import tr
from capture_app.ui.looks.drawing import draw_icon, draw_line
from capture_app.ui.looks.fonts import MEDIUM, SEMIBOLD, font
from capture_app.ui.looks.theme import Metric, current, faded
from capture_app.ui.widgets.buttons import Button
from capture_app.ui.widgets.chips import chip_width, draw_chip
from capture_app.ui.widgets.reader_roles import Role
from capture_app.ui.words.marks import Tone
from capture_app.ui.words.shown import LiveMarks

FLASH_MS = 90
_INSET = 14
_CHIP_GAP = 8
_CAPTION = 26
"""Of the console's banner."""
_BANNER_AT_MOST = 64
_CENTRE = Qt.AlignmentFlag.AlignHCenter
_WHITE = QColor(255, 255, 255)


@dataclass(slots=True)
class _Shown:
    image: QImage | None = None
    banner: QImage | None = None
    marks: LiveMarks = field(default_factory=LiveMarks)
    grid: bool = True
    flash: bool = False


class LiveView(QWidget):
    """Shows what the camera sees; takes the focus when no control has it.

    `show_picture` keeps a reference to the image: its pixels must not change afterwards.
    """

    reader_role = Role.Graphic

    choose_asked = Signal()
    shows_own_focus = True
    """The focus rests here between acts: no ring round the picture."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown = _Shown()
        self._flash_end = QTimer(self)
        self._flash_end.setSingleShot(True)
        self._flash_end.timeout.connect(self._end_flash)
        self._choose = Button(tr("Choose another"), icon="camera-rotate", parent=self)
        self._choose.clicked.connect(self.choose_asked)
        self._choose.hide()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(tr("Live picture"))
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def sizeHint(self) -> QSize:
        return QSize(882, 496)

    def minimumSizeHint(self) -> QSize:
        return QSize(320, 180)

    # -------------------------------------------------------------------------- what is shown

    @property
    def picture(self) -> QImage | None:
        """The live picture on it; None where there is none."""
        return self._shown.image

    @property
    def has_picture(self) -> bool:
        """Whether there is a live picture on it."""
        return self._shown.image is not None

    @property
    def marks(self) -> LiveMarks:
        """What the chips and the words say."""
        return self._shown.marks

    @property
    def banner(self) -> QImage | None:
        """What the console writes of whose picture it is, above the picture."""
        return self._shown.banner

    def show_picture(self, image: QImage | None, banner: QImage | None = None) -> None:
        """The newest frame; None where there is no live image. `banner`: what its console writes of
        whose it is.
        """
        self._shown.image, self._shown.banner = image, banner
        self.update(self._stage())

    def show_marks(self, marks: LiveMarks) -> None:
        """Other chips or words."""
        if marks == self._shown.marks:
            return
        self._shown.marks = marks
        words = [chip.words for chip in (*marks.leading, *marks.trailing)]
        self.setAccessibleDescription(", ".join(filter(None, [marks.absent, *words])))
        self._place_button()
        self.update()

    def set_grid(self, shown: bool) -> None:  # noqa: FBT001 - as a Qt setter
        """Thirds over the picture, or none."""
        self._shown.grid = shown
        self.update()

    def flash(self) -> None:
        """The shutter was pressed: 90 ms of white at a quarter, or of an outline in dim."""
        self._shown.flash = True
        self._flash_end.start(FLASH_MS)
        self.update()

    def _end_flash(self) -> None:
        self._shown.flash = False
        self.update()

    # ----------------------------------------------------------------------------- where it is

    def _stage(self) -> QRect:
        return self.rect()

    def _banner_rect(self) -> QRect:
        """Where the console's own banner is drawn, never enlarged; empty for none."""
        banner, stage = self._shown.banner, self._stage()
        if banner is None or banner.isNull():
            return QRect()
        room = QSize(stage.width() - 2 * _INSET, min(_BANNER_AT_MOST, stage.height() // 4))
        size = banner.size()
        if size.width() > room.width() or size.height() > room.height():
            size.scale(room, Qt.AspectRatioMode.KeepAspectRatio)
        left = stage.left() + (stage.width() - size.width()) // 2
        return QRect(QPoint(left, stage.top() + _CAPTION), size)

    def _below_banner(self) -> QRect:
        stage, banner = self._stage(), self._banner_rect()
        if banner.isEmpty():
            return stage
        return stage.adjusted(0, banner.bottom() + 1 + _CHIP_GAP - stage.top(), 0, 0)

    def _picture_rect(self) -> QRectF:
        stage = QRectF(self._below_banner())
        image = self._shown.image
        if image is None or image.isNull():
            return stage
        scale = min(stage.width() / image.width(), stage.height() / image.height())
        size = (image.width() * scale, image.height() * scale)
        return QRectF(
            stage.x() + (stage.width() - size[0]) / 2,
            stage.y() + (stage.height() - size[1]) / 2,
            *size,
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_button()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.LayoutDirectionChange:
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        event.accept()

    def _place_button(self) -> None:
        marks = self._shown.marks
        self._choose.setVisible(bool(marks.absent) and marks.can_choose)
        size = self._choose.sizeHint()
        self._choose.resize(size)
        stage = self._stage()
        self._choose.move((stage.width() - size.width()) // 2, stage.height() // 2 + 46)

    # -------------------------------------------------------------------------------- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = current()
        stage = self._stage()
        painter.fillRect(self.rect(), theme.bg)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = self._frame()
        painter.setClipPath(frame)
        painter.fillRect(stage, theme.live_surround)
        marks = self._shown.marks
        image = self._shown.image
        if image is None:
            icon = "camera-slash" if marks.absent_help else "camera"
            self._paint_words(painter, icon, marks.absent, marks.absent_help)
        else:
            where = self._picture_rect()
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(where, image)
            self._paint_banner(painter, stage)
            if self._shown.grid:
                self._paint_grid(painter, where)
        self._paint_chips(painter, stage)
        if self._shown.flash:
            self._paint_flash(painter, frame)

    def _frame(self) -> QPainterPath:
        """Round at its trailing end: the tools stand before it."""
        stage, radius = QRectF(self._stage()), float(Metric.RADIUS_PANEL)
        frame = QPainterPath()
        frame.setFillRule(Qt.FillRule.WindingFill)
        frame.addRoundedRect(stage, radius, radius)
        rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        square = stage.adjusted(radius, 0, 0, 0) if rtl else stage.adjusted(0, 0, -radius, 0)
        frame.addRect(square)
        return frame.simplified()

    def _paint_grid(self, painter: QPainter, where: QRectF) -> None:
        painter.setPen(QPen(faded(current().on_picture.text, 0.34), 1))
        for part in (1, 2):
            x = round(where.x() + where.width() * part / 3) + 0.5
            y = round(where.y() + where.height() * part / 3) + 0.5
            painter.drawLine(int(x), int(where.top()), int(x), int(where.bottom()))
            painter.drawLine(int(where.left()), int(y), int(where.right()), int(y))

    def _paint_chips(self, painter: QPainter, stage: QRect) -> None:
        rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        top = self._below_banner().top() + 12
        if self._shown.image is not None:
            stage = self._picture_rect().toAlignedRect() & stage
        marks = self._shown.marks
        x = _INSET
        for chip in reversed(marks.trailing):
            width = chip_width(chip)
            if x + width > stage.width():  # a warning stands last, and is drawn first
                break
            left = stage.left() + x if rtl else stage.right() + 1 - x - width
            slot = QRect(left, top, width, Metric.CHIP)
            draw_chip(painter, slot, chip, rtl=rtl, on_picture=True)
            x += width + _CHIP_GAP
        room = stage.width() - x
        x = _INSET
        for chip in marks.leading:
            width = chip_width(chip)
            if x + width > room:  # how good the picture is says more than which camera it is
                break
            left = stage.right() + 1 - x - width if rtl else stage.left() + x
            slot = QRect(left, top, width, Metric.CHIP)
            draw_chip(painter, slot, chip, rtl=rtl, on_picture=True)
            x += width + _CHIP_GAP

    def _paint_banner(self, painter: QPainter, stage: QRect) -> None:
        """To be compared with our own by a person: the same patient?"""
        where = self._banner_rect()
        if self._shown.banner is None or where.isEmpty():
            return
        painter.drawImage(where, self._shown.banner)
        painter.setFont(QFont(font(14, MEDIUM)))
        painter.setPen(current().on_picture.text)
        line = QRect(stage.left() + _INSET, stage.top() + 4, stage.width() - 2 * _INSET, 20)
        draw_line(painter, line, tr("On the console: the same patient?"), _CENTRE)

    def _paint_flash(self, painter: QPainter, frame: QPainterPath) -> None:
        theme = current()
        if theme.solid_primary:
            painter.fillPath(frame, faded(_WHITE, 0.25))
            return
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.text, 4))
        painter.drawPath(frame)

    def _paint_words(self, painter: QPainter, icon: str, what: str, todo: str) -> None:
        theme = current().on_picture
        stage = self._stage()
        middle = stage.height() // 2
        tone = Tone.WARN if what and icon == "camera-slash" else Tone.TEXT_2
        mark = QRect(stage.left(), middle - 70, stage.width(), 48)
        draw_icon(painter, mark, icon, theme.tone(tone), 40)
        for text, at, face, colour in (
            (what, middle - 12, font(16, SEMIBOLD), theme.text),
            (todo, middle + 14, font(14, MEDIUM), theme.text_2),
        ):
            painter.setFont(QFont(face))
            painter.setPen(colour)
            line = QRect(stage.left() + 16, at, stage.width() - 32, 20)
            draw_line(painter, line, text, Qt.AlignmentFlag.AlignHCenter)
