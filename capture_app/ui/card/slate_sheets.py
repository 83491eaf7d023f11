"""Printed slates: a PDF, a sheet for each patient of a ward, so that no two are in one picture."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QBuffer, QIODevice, QMarginsF, QRectF, Qt
from PySide6.QtGui import QColor, QPageLayout, QPageSize, QPainter, QPdfWriter

from capture_app.exam.cards import code_of
from capture_app.model.slate import Slate
from capture_app.model.words import tr
from capture_app.ui.looks.fonts import BOLD, REGULAR, font
from capture_app.ui.widgets.code_picture import paint_code
from capture_app.ui.words import wording
from capture_app.ui.words.slate_words import where_slate, whose_slate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_DPI: Final = 150
_MARGIN_MM: Final = 12.0


def write_sheets(path: Path, slates: Sequence[Slate], now: datetime) -> None:
    """Writes A5 sheets. Raises OSError where the file cannot be written."""
    path.write_bytes(_sheets(slates, now))


def _sheets(slates: Sequence[Slate], now: datetime) -> bytes:
    from capture_app.imaging.codes import matrix_of  # noqa: PLC0415 - not before it is needed

    written = QBuffer()
    written.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(written)
    writer.setTitle(tr("Slates"))
    writer.setResolution(_DPI)
    writer.setPageSize(QPageSize(QPageSize.PageSizeId.A5))
    margins = QMarginsF(_MARGIN_MM, _MARGIN_MM, _MARGIN_MM, _MARGIN_MM)
    writer.setPageMargins(margins, QPageLayout.Unit.Millimeter)
    painter = QPainter(writer)
    try:
        for number, slate in enumerate(slates):
            if number:
                writer.newPage()
            dark = matrix_of(code_of(slate, now).text)
            _sheet(painter, QRectF(painter.viewport()), slate, dark)
    finally:
        painter.end()
    return bytes(written.data().data())


def _sheet(painter: QPainter, page: QRectF, slate: Slate, dark: NDArray[np.bool_]) -> None:
    side = page.width()
    paint_code(painter, QRectF(page.left(), page.top(), side, side), dark)
    painter.setPen(QColor(0, 0, 0))
    until = f"{wording.day(slate.ends_at.date())} {wording.clock_time(slate.ends_at)}"
    lines = (
        (whose_slate(slate.patient), 66, BOLD),
        (where_slate(slate), 44, BOLD),
        (tr("Compare with the band. Photograph this first, then the patient."), 28, REGULAR),
        (
            tr("Good until {time}. Then print it anew, and destroy this sheet.", time=until),
            28,
            REGULAR,
        ),
    )
    top = page.top() + side
    for words, pixels, weight in lines:
        painter.setFont(font(pixels, weight))
        line = QRectF(page.left(), top, page.width(), page.height())
        flags = int(Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap)
        top += painter.boundingRect(line, flags, words).height() + 10
        painter.drawText(line, flags, words)
