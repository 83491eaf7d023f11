"""Where the parts of the workspace stand, and what yields on a small screen.

The strip folds first, to one row of 44 px; then the right column scrolls. The picture, the shutter,
the strip and Send stay in sight.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from capture_app.ui.looks.theme import Metric
from capture_app.ui.widgets.card import Panel
from capture_app.ui.widgets.scrolling import ScrollColumn
from capture_app.ui.workspace.banner import PatientBanner
from capture_app.ui.workspace.filmstrip import Filmstrip
from capture_app.ui.workspace.send_bar import SendBar
from capture_app.ui.workspace.stage import Stage

SMALLEST: Final = QSize(940, 340)
_RIGHT_WIDTH: Final = 368
_STRIP_FOLDS_BELOW: Final = 700
"""A page that is less high has no room for two rows of the strip beside a whole right column."""


class Arrangement:
    """The layout of a page. Of the parts of the right column the first takes what is left."""

    def __init__(
        self,
        page: QWidget,
        banner: PatientBanner,
        stage: Stage,
        right: Sequence[QWidget],
        filmstrip: Filmstrip,
        send_bar: SendBar,
    ) -> None:
        self._filmstrip, self._send_bar = filmstrip, send_bar
        self._column = ScrollColumn()
        self._column.setFixedWidth(_RIGHT_WIDTH)
        self._column.column.setSpacing(Metric.PANEL_GAP)
        for i, part in enumerate(right):
            self._column.column.addWidget(part, 0 if i else 1)
        body = QHBoxLayout()
        body.setSpacing(Metric.PAGE_MARGIN)
        body.addWidget(stage, 1)
        body.addWidget(self._column)
        self._strip = Panel()
        row = QHBoxLayout(self._strip)
        row.setContentsMargins(0, 0, 8, 0)
        row.setSpacing(16)
        row.addWidget(filmstrip, 1)
        row.addWidget(send_bar, 0, Qt.AlignmentFlag.AlignVCenter)
        inner = QVBoxLayout()
        inner.setContentsMargins(Metric.PAGE_MARGIN, 8, Metric.PAGE_MARGIN, 4)
        inner.setSpacing(10)
        inner.addLayout(body, 1)
        inner.addWidget(self._strip)
        whole = QVBoxLayout(page)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(banner)
        whole.addLayout(inner, 1)

    def fold(self, size: QSize) -> None:
        """As the page of this size needs it."""
        is_low = size.height() < _STRIP_FOLDS_BELOW
        self._strip.setFixedHeight(Metric.TARGET if is_low else Metric.FILMSTRIP)
        self._filmstrip.fold(is_low)
        self._send_bar.fold(is_low)

    def bring_into_sight(self, part: QWidget) -> None:
        """Scrolls the right column to one of its parts."""
        if self._column.isAncestorOf(part):
            self._column.reveal(part)
