"""How the words of a patient's row are laid out: columns, and what yields where it is narrow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter

from capture_app.model.patient import Sex
from capture_app.model.words import tr
from capture_app.ui.looks.drawing import draw_line
from capture_app.ui.looks.fonts import MEDIUM, REGULAR, SEMIBOLD, font
from capture_app.ui.looks.theme import current
from capture_app.ui.patients.rows import PatientRow
from capture_app.ui.widgets.chips import draw_small_chip, small_chip_width
from capture_app.ui.words import wording
from capture_app.ui.words.marks import ChipText, Tone

_LEAD = 20
_GAP = 6
"""Between two badges."""
_NAME = 200
"""The least that a name has: a family name and a given name of usual length, in two lines."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each column begins, from the leading edge, for rows of one width. One without room
    begins where the next does.
    """

    name: int
    born: int
    age: int
    sex: int
    record: int
    place: int
    note: int
    badge: int
    end: int

    @property
    def has_note(self) -> bool:
        """Whether there is room to say when the last pictures were taken."""
        return self.note < self.badge

    @classmethod
    def across(cls, width: int) -> Columns:
        """The columns: fixed, so that nothing moves while typing. The name has the rest, and is
        the last to be cut: where there is too little room others go first.
        """
        metrics = QFontMetrics(font(14, MEDIUM))
        born = QFontMetrics(font(14, SEMIBOLD)).horizontalAdvance(wording.longest_day()) + 12
        widths = {
            "born": max(106, born),
            "age": max(46, metrics.horizontalAdvance(f"{tr('{n} mo', n=88)}") + 12),
            "sex": max(60, max(metrics.horizontalAdvance(wording.sex(one)) for one in Sex) + 16),
            "record": 122,
            "place": 104,
            "note": 106,
            "badge": 128,
        }
        room = width - 2 * _LEAD - _NAME
        for yields in ("note", "age", "sex", "place", "badge"):
            if sum(widths.values()) > room:
                widths[yields] = 0
        at, right = {}, width - _LEAD
        for name in ("badge", "note", "place", "record", "sex", "age", "born"):
            right -= widths[name]
            at[name] = right
        return cls(
            name=_LEAD,
            born=at["born"],
            age=at["age"],
            sex=at["sex"],
            record=at["record"],
            place=at["place"],
            note=at["note"],
            badge=at["badge"],
            end=width - _LEAD,
        )


class RowText:
    """Writes the cells of one row, mirrored where the page runs from the right."""

    def __init__(self, painter: QPainter, rect: QRect, columns: Columns, *, rtl: bool) -> None:
        self._painter = painter
        self._rect = rect
        self._columns = columns
        self._rtl = rtl

    def paint(self, row: PatientRow) -> None:
        theme = current()
        at = self._columns
        fact, quiet = font(14, SEMIBOLD), font(14, MEDIUM)
        self._name(row)
        self.cell(at.born, at.age, row.born, fact, theme.text)
        self.cell(at.age, at.sex - 4, row.age, quiet, theme.text_2)
        self.cell(at.sex, at.record - 4, row.sex, quiet, theme.text_2)
        self._record(row)
        self.cell(at.place, at.note - 8, row.place, quiet, theme.text_2)
        room = self._badges(row)
        if at.has_note:
            self.cell(at.note, min(at.note + 120, room), row.note, quiet, theme.text_2)

    def _record(self, row: PatientRow) -> None:
        """The number is never cut: a long one is set smaller, a very long one in two lines."""
        theme = current()
        left, right = self._columns.record, self._columns.place - 4
        face = font(14, SEMIBOLD)
        if QFontMetrics(face).horizontalAdvance(row.record) > right - left:
            face = font(12, SEMIBOLD)
        if row.issuer:
            self.cell(left, right, row.record, face, theme.text, dy=-8)
            self.cell(left, right, row.issuer, font(12, MEDIUM), theme.text_2, dy=9)
        elif QFontMetrics(face).horizontalAdvance(row.record) > right - left:
            half = len(row.record) // 2
            self.cell(left, right, row.record[:half], face, theme.text, dy=-8)
            self.cell(left, right, row.record[half:], face, theme.text, dy=8)
        else:
            self.cell(left, right, row.record, face, theme.text)

    def cell(
        self, left: int, right: int, words: str, face: QFont, colour: QColor, *, dy: int = 0
    ) -> None:
        """Words between two columns, from the leading one; cut with a mark where too long."""
        if not words or right <= left:
            return
        metrics = QFontMetrics(face)
        shown = metrics.elidedText(words, Qt.TextElideMode.ElideRight, right - left)
        self._painter.setFont(face)
        self._painter.setPen(colour)
        slot = self._slot(left, right).translated(0, dy)
        side = Qt.AlignmentFlag.AlignRight if self._rtl else Qt.AlignmentFlag.AlignLeft
        draw_line(self._painter, slot, shown, side)

    def _slot(self, left: int, right: int) -> QRect:
        rect = self._rect
        x = rect.right() + 1 - right if self._rtl else rect.left() + left
        return QRect(x, rect.top(), right - left, rect.height() - 1)

    def _name(self, row: PatientRow) -> None:
        """The name is never cut while two lines can hold it; the native script yields first."""
        theme = current()
        left, right = self._columns.name, self._columns.born - 8
        face = font(15, SEMIBOLD)
        name = wording.own_direction(row.name)
        width = QFontMetrics(face).horizontalAdvance(name)
        if width <= right - left:
            self.cell(left, right, name, face, theme.text)
            native = font(15, REGULAR)
            start = left + width + 10
            if row.native and start + QFontMetrics(native).horizontalAdvance(row.native) <= right:
                self.cell(start, right, row.native, native, theme.text_2)
            return
        family, _, given = row.name.partition(", ")
        small = font(13, SEMIBOLD)
        self.cell(left, right, f"{family}," if given else family, small, theme.text, dy=-9)
        self.cell(left, right, given, small, theme.text, dy=9)

    def _badges(self, row: PatientRow) -> int:
        """Draws the badges from the end, as far as there is room; returns where they begin."""
        edge = self._columns.end + 4
        note = 96 if row.note and self._columns.has_note else 0
        for badge in fitting_badges(row.badges, edge - self._columns.note, note):
            width = small_chip_width(badge)
            slot = self._slot(edge - width, edge)
            chip = QRect(slot.x(), slot.y() + (slot.height() - 24) // 2, width, 24)
            draw_small_chip(self._painter, chip, badge, rtl=self._rtl)
            edge -= width + _GAP
        return edge - _GAP


def fitting_badges(badges: Sequence[ChipText], room: int, note: int) -> list[ChipText]:
    """Those that fit into `room` pixels: with words, else as their marks alone.

    No words and no note (of `note` pixels) take the place of a warning's mark.
    """
    fitting = list[ChipText]()
    marks = [replace(badge, words="") for badge in badges]
    for n, (badge, mark) in enumerate(zip(badges, marks, strict=True)):
        later = sum(small_chip_width(m) + _GAP for m in marks[n + 1 :] if m.tone is Tone.WARN)
        if small_chip_width(badge) + later + note <= room:
            fitting.append(badge)
        elif small_chip_width(mark) + (0 if mark.tone is Tone.WARN else later + note) <= room:
            fitting.append(mark)
        else:
            continue
        room -= small_chip_width(fitting[-1]) + _GAP
    return fitting
