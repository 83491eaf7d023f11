"""How our own widgets paint: boxes with crisp outlines, and runs of icon, words and key cap."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen

from capture_app.ui.looks import icons
from capture_app.ui.looks.fonts import SEMIBOLD, font
from capture_app.ui.looks.theme import Metric, current, faded

KEY_CAP_HEIGHT = 20
_KEY_CAP_PADDING = 7


def box(
    painter: QPainter,
    rect: QRect | QRectF,
    radius: float,
    *,
    fill: QColor | None = None,
    outline: QColor | None = None,
    width: float = 1.0,
) -> None:
    """A rounded box whose outline lies wholly inside the rectangle."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    inner = QRectF(rect)
    if outline is not None:
        half = width / 2
        inner.adjust(half, half, -half, -half)
        radius = max(0.0, radius - half)
    painter.setPen(QPen(outline, width) if outline is not None else Qt.PenStyle.NoPen)
    painter.setBrush(fill if fill is not None else Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(inner, radius, radius)


@dataclass(frozen=True, slots=True)
class Mark:
    """An icon in a run."""

    icon: str
    size: int = Metric.ICON


@dataclass(frozen=True, slots=True)
class Words:
    """Words in a run. `mnemonic`: an & marks the letter that works with Alt, and is underlined."""

    text: str
    font: QFont
    mnemonic: bool = False


@dataclass(frozen=True, slots=True)
class Cap:
    """A key cap in a run."""

    key: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Some room in a run, beyond the usual."""

    width: int


Piece = Mark | Words | Cap | Gap


def shown_text(text: str) -> str:
    """A label without its mnemonic marks."""
    return text.replace("&&", "\0").replace("&", "").replace("\0", "&")


def piece_width(piece: Piece) -> int:
    """The width of one piece."""
    if isinstance(piece, Mark):
        return piece.size
    if isinstance(piece, Gap):
        return piece.width
    if isinstance(piece, Words):
        text = shown_text(piece.text) if piece.mnemonic else piece.text
        return QFontMetrics(piece.font).horizontalAdvance(text)
    metrics = QFontMetrics(font(12, SEMIBOLD))
    return max(KEY_CAP_HEIGHT + 2, metrics.horizontalAdvance(piece.key) + 2 * _KEY_CAP_PADDING)


def run_width(pieces: tuple[Piece, ...], gap: int = 8) -> int:
    """The width of a run with `gap` between its pieces."""
    return sum(map(piece_width, pieces)) + gap * max(0, len(pieces) - 1)


def draw_run(
    painter: QPainter,
    rect: QRect,
    pieces: tuple[Piece, ...],
    colour: QColor,
    *,
    rtl: bool,
    align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignHCenter,
    gap: int = 8,
    mark_colour: QColor | None = None,
) -> None:
    """Draws a run in a rectangle, leading piece first: from the right where `rtl`.

    `align`: AlignHCenter, AlignLeft (the leading edge) or AlignRight (the trailing edge).
    """
    width = run_width(pieces, gap)
    spare = rect.width() - width
    ahead = {Qt.AlignmentFlag.AlignLeft: 0, Qt.AlignmentFlag.AlignRight: spare}.get(
        align, spare // 2
    )
    x = rect.left() + max(0, ahead)
    for piece in pieces:
        w = piece_width(piece)
        left = rect.left() + rect.right() + 1 - x - w if rtl else x
        slot = QRect(left, rect.top(), w, rect.height())
        if isinstance(piece, Mark):
            draw_icon(painter, slot, piece.icon, mark_colour or colour, piece.size, rtl=rtl)
        elif isinstance(piece, Words):
            painter.setFont(piece.font)
            painter.setPen(colour)
            if piece.mnemonic and "&" in piece.text:
                flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextDontClip
                painter.drawText(slot, flags | Qt.TextFlag.TextShowMnemonic, piece.text)
            else:
                draw_line(painter, slot, piece.text, Qt.AlignmentFlag.AlignLeft)
        elif isinstance(piece, Cap):
            draw_key_cap(painter, slot, piece.key, colour)
        x += w + gap


def draw_line(painter: QPainter, rect: QRect, text: str, side: Qt.AlignmentFlag) -> None:
    """One line on the baseline of the painter's own font, whatever fallback fonts it needs.

    `side`: AlignLeft, AlignRight or AlignHCenter, as seen (never mirrored here).
    """
    metrics = QFontMetrics(painter.font())
    spare = rect.width() - metrics.horizontalAdvance(text)
    ahead = {Qt.AlignmentFlag.AlignRight: spare, Qt.AlignmentFlag.AlignHCenter: spare / 2}.get(
        side, 0.0
    )
    baseline = rect.top() + (rect.height() - metrics.height()) / 2 + metrics.ascent()
    painter.drawText(QPointF(rect.left() + ahead, round(baseline)), text)


def draw_icon(
    painter: QPainter, rect: QRect, name: str, colour: QColor, size: int, *, rtl: bool = False
) -> None:
    """An icon in the middle of a rectangle."""
    ratio = painter.device().devicePixelRatioF()
    drawn = icons.pixmap(name, colour, size, ratio=ratio, rtl=rtl)
    corner = QPointF(rect.x() + (rect.width() - size) // 2, rect.y() + (rect.height() - size) // 2)
    painter.drawPixmap(corner, drawn)


def draw_key_cap(painter: QPainter, rect: QRect, key: str, colour: QColor) -> None:
    """A key cap, tinted with its label's colour, across the middle of a rectangle."""
    top = rect.y() + (rect.height() - KEY_CAP_HEIGHT) // 2
    cap = QRect(rect.x(), top, rect.width(), KEY_CAP_HEIGHT)
    box(painter, cap, Metric.RADIUS_KEY, fill=faded(colour, current().key_cap_tint))
    painter.setFont(font(12, SEMIBOLD))
    painter.setPen(faded(colour, 0.9))
    painter.drawText(cap, Qt.AlignmentFlag.AlignCenter, key)
