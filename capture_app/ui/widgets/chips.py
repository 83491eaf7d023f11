"""Chips and badges: a mark and a word on a tint, never a colour alone."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from capture_app.ui.looks.drawing import Mark, Piece, Words, box, draw_run, run_width
from capture_app.ui.looks.fonts import SEMIBOLD, font
from capture_app.ui.looks.theme import Metric, current, faded, mixed
from capture_app.ui.widgets.reader_roles import Role
from capture_app.ui.words.marks import ChipText, Tone

_LEAST = 96
"""A chip that yields keeps its mark and the beginning of its words."""


def _chip_pieces(chip: ChipText, size: int) -> tuple[Piece, ...]:
    words = Words(chip.words, font(size, SEMIBOLD))
    if chip.icon and not chip.words:
        return (Mark(chip.icon, Metric.ICON_SMALL),)
    return (Mark(chip.icon, Metric.ICON_SMALL), words) if chip.icon else (words,)


def chip_width(chip: ChipText) -> int:
    """The width of a chip as `draw_chip` draws it."""
    return run_width(_chip_pieces(chip, 13), 7) + 22


def small_chip_width(chip: ChipText) -> int:
    """The width of a chip in a row."""
    return run_width(_chip_pieces(chip, 12), 5) + 16


def draw_small_chip(painter: QPainter, rect: QRect, chip: ChipText, *, rtl: bool) -> None:
    """A chip in a row of a list: 24 px high."""
    _draw(painter, rect, chip, rtl=rtl, on_picture=False, size=12)


def draw_chip(
    painter: QPainter, rect: QRect, chip: ChipText, *, rtl: bool, on_picture: bool = False
) -> None:
    """A chip across a rectangle; `on_picture` gives it a scrim instead of a tint."""
    _draw(painter, rect, chip, rtl=rtl, on_picture=on_picture, size=13)


def _draw(
    painter: QPainter, rect: QRect, chip: ChipText, *, rtl: bool, on_picture: bool, size: int
) -> None:
    theme = current()
    colours = theme.on_picture if on_picture else theme
    colour = colours.tone(chip.tone)
    if on_picture:
        fill = faded(theme.picture_scrim, theme.picture_scrim_alpha)
    elif chip.tone in (Tone.TEXT, Tone.TEXT_2):
        fill = mixed(theme.text, theme.surface, 0.06)
    else:
        fill = faded(colour, theme.chip_tint)
    box(painter, rect, rect.height() / 2, fill=fill)
    gap = 7 if size == 13 else 5
    draw_run(painter, rect, _chip_pieces(chip, size), colour, rtl=rtl, gap=gap)


class Chip(QWidget):
    """A chip of 28 px. It says something and cannot be pressed."""

    reader_role = Role.StaticText

    def __init__(
        self,
        words: str = "",
        icon: str = "",
        tone: Tone = Tone.TEXT_2,
        *,
        on_picture: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._chip = ChipText(words, icon, tone)
        self._on_picture = on_picture
        self._yields = False
        self.setAccessibleName(words)
        self.setFixedHeight(Metric.CHIP)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    @property
    def words(self) -> str:
        """What it says now."""
        return self._chip.words

    @property
    def tone(self) -> Tone:
        """What it means now."""
        return self._chip.tone

    def say(self, words: str, icon: str, tone: Tone = Tone.TEXT_2) -> None:
        """Says something else."""
        chip = ChipText(words, icon, tone)
        if chip != self._chip:
            self._chip = chip
            self.setAccessibleName(words)
            self.updateGeometry()
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(chip_width(self._chip), Metric.CHIP)

    def let_yield(self, yields: bool) -> None:  # noqa: FBT001 - as a Qt setter
        """Whether its words may be cut on a narrow page; tooltip and reader say them whole."""
        self._yields = yields
        across = QSizePolicy.Policy.Maximum if yields else QSizePolicy.Policy.Fixed
        self.setSizePolicy(across, QSizePolicy.Policy.Fixed)

    def minimumSizeHint(self) -> QSize:
        whole = self.sizeHint()
        return QSize(min(_LEAST, whole.width()), whole.height()) if self._yields else whole

    def paintEvent(self, event: QPaintEvent) -> None:
        rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        painter = QPainter(self)
        draw_chip(painter, self.rect(), self._shown(), rtl=rtl, on_picture=self._on_picture)

    def _shown(self) -> ChipText:
        over = chip_width(self._chip) - self.width()
        self.setToolTip(self._chip.words if over > 0 else "")
        if over <= 0:
            return self._chip
        metrics = QFontMetrics(font(13, SEMIBOLD))
        room = metrics.horizontalAdvance(self._chip.words) - over
        words = metrics.elidedText(self._chip.words, Qt.TextElideMode.ElideRight, room)
        return replace(self._chip, words=words)


def badge_width(badge: ChipText) -> int:
    """The width of a thumbnail's badge."""
    return run_width(_badge_pieces(badge), 5) + 12


def _badge_pieces(badge: ChipText) -> tuple[Piece, ...]:
    words = Words(badge.words, font(12, SEMIBOLD))
    return (Mark(badge.icon, 12), words) if badge.icon else (words,)


def draw_badge(painter: QPainter, rect: QRect, badge: ChipText, *, rtl: bool) -> None:
    """A 20 px badge on a thumbnail: scrim, mark and word, in the colours of a dark theme."""
    theme = current()
    scrim = faded(theme.picture_scrim, theme.picture_scrim_alpha)
    box(painter, rect, Metric.RADIUS_KEY, fill=scrim)
    colour = theme.on_picture.tone(badge.tone)
    draw_run(painter, rect, _badge_pieces(badge), colour, rtl=rtl, gap=5)
