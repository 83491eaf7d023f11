"""A row of the outbox: picture, whose and what, what happened in words, when, and the acts."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QImage, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from capture_app.model.words import tr
from capture_app.ui.looks.drawing import box, draw_icon, draw_line
from capture_app.ui.looks.fonts import MEDIUM, SEMIBOLD, font
from capture_app.ui.looks.theme import Metric, current, faded
from capture_app.ui.outbox.rows import OutboxAct, OutboxRow
from capture_app.ui.widgets.buttons import Button
from capture_app.ui.widgets.labels import Label
from capture_app.ui.widgets.reader_roles import Role
from capture_app.ui.words import wording
from capture_app.ui.words.marks import Tone

PICTURE = QSize(80, 48)
_TEXT_FROM = 112
_BAR_WIDTH = 160


def _act_words(act: OutboxAct, row: OutboxRow) -> tuple[str, str]:
    """The words and the icon of an act."""
    if act is OutboxAct.SHOW_PROOF:
        confirmed = row.tone is Tone.OK
        return (tr("Show proof"), "shield-check") if confirmed else (tr("Details"), "")
    if act is OutboxAct.BACK_TO_DRAFT and len(row.recallable) < len(row.sop_instance_uids):
        return tr("Back to draft ({n})", n=len(row.recallable)), "arrow-u-up-left"
    return {
        OutboxAct.BACK_TO_DRAFT: (tr("Back to draft"), "arrow-u-up-left"),
        OutboxAct.TRY_NOW: (tr("Try now"), "arrow-clockwise"),
        OutboxAct.ASK_NOW: (tr("Ask now"), "arrow-clockwise"),
        OutboxAct.SEND_AGAIN: (tr("Send again"), "arrow-clockwise"),
        OutboxAct.SEND_WITHOUT_ORDER: (tr("Send without the order"), "paper-plane-right"),
        OutboxAct.HOLD: (tr("Hold"), "pause"),
        OutboxAct.RELEASE: (tr("Release"), "play"),
    }[act]


class OutboxRowWidget(QWidget):
    """57 px: 56 and a hairline. `acted` with the row and the OutboxAct."""

    reader_role = Role.Grouping

    acted = Signal(object, object)

    def __init__(self, row: OutboxRow, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._row = row
        self._picture: QImage | None = None
        self._acts: tuple[tuple[str, str], ...] = ()
        self._buttons: list[Button] = []
        self.setFixedHeight(Metric.OUTBOX_ROW + 1)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._when = Label(size=13, weight=SEMIBOLD, tone=Tone.TEXT_2)
        self._line = QHBoxLayout(self)
        self._line.setContentsMargins(_TEXT_FROM, 0, 16, 1)
        self._line.setSpacing(8)
        self._line.addStretch(1)
        self._line.addWidget(self._when)
        self._line.addSpacing(32)
        self.show_row(row)

    def show_row(self, row: OutboxRow) -> None:
        """The same send, later."""
        self._row = row
        self._when.setText(row.when)
        acts = tuple(_act_words(act, row) for act in row.acts)
        if acts != self._acts:
            self._acts = acts
            for button in self._buttons:
                self._line.removeWidget(button)
                button.hide()
                button.deleteLater()
            self._buttons = []
            for act in row.acts:
                words, icon = _act_words(act, row)
                button = Button(words, icon=icon)
                button.clicked.connect(lambda _checked=False, act=act: self._act(act))
                self._line.addWidget(button)
                self._buttons.append(button)
        for act, button in zip(row.acts, self._buttons, strict=True):
            button.setAccessibleName(f"{_act_words(act, row)[0]}: {row.name} {row.digits}")
        said = (row.name, row.digits, row.what, row.state, row.sentence, row.when)
        self.setAccessibleName(", ".join(part for part in said if part))
        self.update()

    @property
    def has_picture(self) -> bool:
        """Whether its picture is there."""
        return self._picture is not None

    def show_picture(self, picture: QImage) -> None:
        """Its picture, made small already."""
        self._picture = picture
        self.update()

    def _act(self, act: OutboxAct) -> None:
        self.acted.emit(self._row, act)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme = current()
        row = self._row
        rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        painter.fillRect(16, self.height() - 1, self.width() - 32, 1, theme.hairline)
        frame = QRect(self._x(16, PICTURE.width(), rtl=rtl), 4, PICTURE.width(), PICTURE.height())
        self._paint_picture(painter, frame)
        room = self._when.x() + self._when.width() if rtl else self._when.x()
        width = (self.width() - room if rtl else room) - _TEXT_FROM - 12
        text = _Line(painter, self.width(), _TEXT_FROM, _TEXT_FROM + width, rtl=rtl)
        text.begin(8)
        text.words(wording.own_direction(row.name), 15, SEMIBOLD, Tone.TEXT, gap=8)
        text.words(row.digits, 15, SEMIBOLD, Tone.TEXT, gap=10)
        text.words(row.what, 13, MEDIUM, Tone.TEXT_2)
        text.begin(30)
        text.icon(row.icon, row.tone)
        text.words(row.state, 13, SEMIBOLD, row.tone, gap=6)
        quiet = Tone.TEXT if row.tone is Tone.BAD else Tone.TEXT_2
        text.words(row.sentence, 13, MEDIUM, quiet, gap=12)
        if row.share is not None:
            text.bar(row.share)

    def _x(self, lead: int, width: int, *, rtl: bool) -> int:
        return self.width() - lead - width if rtl else lead

    def _paint_picture(self, painter: QPainter, frame: QRect) -> None:
        theme = current()
        if self._picture is None:
            box(painter, frame, Metric.RADIUS_THUMBNAIL, fill=theme.control)
            draw_icon(painter, frame, "image", theme.text_2, Metric.ICON)
            return
        clip = QPainterPath()
        radius = Metric.RADIUS_THUMBNAIL
        clip.addRoundedRect(QRectF(frame), radius, radius)
        painter.save()
        painter.setClipPath(clip)
        cover = QSize(frame.size()).scaled(self._picture.size(), Qt.AspectRatioMode.KeepAspectRatio)
        cut = QRect(0, 0, cover.width(), cover.height())
        cut.moveCenter(self._picture.rect().center())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(frame, self._picture, cut)
        painter.restore()


class _Line:
    """Writes pieces one after the other along a line, mirrored where the page is."""

    def __init__(self, painter: QPainter, width: int, start: int, end: int, *, rtl: bool) -> None:
        self._painter = painter
        self._width = width
        self._start = start
        self._end = end
        self._rtl = rtl
        self._at = start
        self._top = 0

    def begin(self, top: int) -> None:
        """A new line, 20 px high."""
        self._top = top
        self._at = self._start

    def _slot(self, width: int) -> QRect:
        x = self._width - self._at - width if self._rtl else self._at
        return QRect(x, self._top, width, 20)

    def words(
        self, text: str, size: int, weight: QFont.Weight, tone: Tone, *, gap: int = 0
    ) -> None:
        """Words; cut with a mark where the line ends."""
        face = font(size, weight)
        metrics = QFontMetrics(face)
        room = self._end - self._at
        if not text or room < 24:
            return
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
        width = metrics.horizontalAdvance(shown)
        self._painter.setFont(face)
        self._painter.setPen(current().tone(tone))
        side = Qt.AlignmentFlag.AlignRight if self._rtl else Qt.AlignmentFlag.AlignLeft
        draw_line(self._painter, self._slot(width), shown, side)
        self._at += width + gap

    def icon(self, name: str, tone: Tone) -> None:
        """A mark of 16 px."""
        slot = self._slot(Metric.ICON_SMALL)
        draw_icon(self._painter, slot, name, current().tone(tone), Metric.ICON_SMALL, rtl=self._rtl)
        self._at += Metric.ICON_SMALL + 6

    def bar(self, share: float) -> None:
        """The thin bar after its words."""
        if self._end - self._at < _BAR_WIDTH:
            return
        slot = self._slot(_BAR_WIDTH)
        theme = current()
        track = QRectF(slot.x(), slot.y() + 8, _BAR_WIDTH, 4)
        box(self._painter, track, 2, fill=faded(theme.text, 0.2))
        done = QRectF(track)
        done.setWidth(max(4.0, _BAR_WIDTH * share))
        if self._rtl:
            done.moveRight(track.right())
        if share > 0:
            box(self._painter, done, 2, fill=theme.accent)
