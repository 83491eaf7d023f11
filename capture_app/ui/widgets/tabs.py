"""Tabs: one of a row is chosen, a tint and an accent label. To a screen reader they are tabs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QTabBar, QWidget

from capture_app.ui.looks.drawing import Cap, Mark, Piece, Words, box, draw_run, run_width
from capture_app.ui.looks.fonts import SEMIBOLD, font
from capture_app.ui.looks.theme import Metric, current


class TabRow(QTabBar):
    """A row of tabs, each by its key. One stop of Tab; the arrow keys go along it.

    Tabs that have icons are those alone where there is no room for all words, but for the chosen.

    `asked` tells the key of the tab that a person wants; it is chosen when the page says so.
    """

    asked = Signal(object)
    shows_own_focus = True
    """The chosen tab is outlined; no ring goes round them all."""

    def __init__(
        self,
        tabs: Mapping[Any, str],
        *,
        icons: Mapping[Any, str] | None = None,
        gap: int = 8,
        parent: QWidget | None = None,
    ) -> None:
        """`tabs`: the words of each key; `icons`: of those that have one."""
        super().__init__(parent)
        self._keys = tuple(tabs)
        self._icons = dict(icons or {})
        self._counts: dict[Any, int] = {}
        self._gap = gap
        self._hover = -1
        self._telling = True
        self._is_folded = False
        self.setDrawBase(False)
        self.setExpanding(False)
        self.setUsesScrollButtons(False)
        self.setElideMode(Qt.TextElideMode.ElideNone)
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        across = QSizePolicy.Policy.Preferred if icons else QSizePolicy.Policy.Minimum
        self.setSizePolicy(across, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(Metric.CONTROL)
        for words in tabs.values():
            self.addTab(words)
        self._telling = False
        self.currentChanged.connect(self._changed)
        self.currentChanged.connect(self._measure)
        self.tabBarClicked.connect(self._clicked)

    @property
    def chosen(self) -> Any:
        """The key of the chosen tab."""
        return self._keys[self.currentIndex()]

    def show_chosen(self, key: Any) -> None:
        """Another tab is the chosen one."""
        self._telling = True
        self.setCurrentIndex(self._keys.index(key))
        self._telling = False

    def set_count(self, key: Any, count: int | None) -> None:
        """A number after the words of a tab, or none."""
        if self._counts.get(key) == count:
            return
        if count is None:
            del self._counts[key]
        else:
            self._counts[key] = count
        at = self._keys.index(key)
        words = self.tabText(at)
        self.setAccessibleTabName(at, words if count is None else f"{words}, {count}")
        self._measure()

    def show_tab(self, key: Any, *, shown: bool) -> None:
        """A tab that is there only while there is something behind it."""
        at = self._keys.index(key)
        if self.isTabVisible(at) is not shown:
            self._telling = True
            self.setTabVisible(at, shown)
            self._telling = False
            self._measure()

    def rect_of(self, key: Any) -> QRect:
        """Where a tab is."""
        return self._shape(self._keys.index(key))

    def _changed(self, at: int) -> None:
        if not self._telling and at >= 0:
            self.asked.emit(self._keys[at])

    def _clicked(self, at: int) -> None:
        if at == self.currentIndex():  # what it leads to may be behind a question: it is asked for
            self._changed(at)

    # ------------------------------------------------------------------------------- geometry

    def _pieces(self, at: int, *, folded: bool) -> tuple[Piece, ...]:
        key = self._keys[at]
        icon, count = self._icons.get(key, ""), self._counts.get(key)
        has_words = not (folded and icon) or at == self.currentIndex()
        return (
            *((Mark(icon),) if icon else ()),
            *((Words(self.tabText(at), font(14, SEMIBOLD)),) if has_words else ()),
            *((Cap(f"{count}"),) if count is not None else ()),
        )

    def tabSizeHint(self, index: int) -> QSize:  # noqa: N802 - Qt's own
        return QSize(self._width(index, folded=self._is_folded), Metric.CONTROL)

    def _width(self, at: int, *, folded: bool) -> int:
        is_icon_alone = folded and at != self.currentIndex()
        padding = (10 if is_icon_alone else 16) if self._icons else 12
        width = max(Metric.TARGET, run_width(self._pieces(at, folded=folded)) + 2 * padding)
        return width + self._gap_after(at)

    def _gap_after(self, at: int) -> int:
        """Pixels between a tab and the next one; none after the last."""
        return self._gap if any(map(self.isTabVisible, range(at + 1, self.count()))) else 0

    def minimumTabSizeHint(self, index: int) -> QSize:  # noqa: N802 - Qt's own
        return self.tabSizeHint(index)

    def sizeHint(self) -> QSize:
        return QSize(self._whole(folded=False), Metric.CONTROL)

    def minimumSizeHint(self) -> QSize:
        return QSize(self._whole(folded=True), Metric.CONTROL)

    def _whole(self, *, folded: bool) -> int:
        shown = [at for at in range(self.count()) if self.isTabVisible(at)]
        return sum(self._width(at, folded=folded) for at in shown)

    def _measure(self) -> None:
        """Folds or unfolds for the room that there is."""
        self._is_folded = bool(self._icons) and self.width() < self._whole(folded=False)
        for at in range(self.count()):
            self.setTabToolTip(at, self.tabText(at) if self._is_folded else "")
            self.setTabText(at, self.tabText(at))  # Qt measures the tabs anew
        self.updateGeometry()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._measure()
        super().resizeEvent(event)

    def _shape(self, at: int) -> QRect:
        rect = self.tabRect(at)
        rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        gap = self._gap_after(at)
        return rect.adjusted(gap if rtl else 0, 0, 0 if rtl else -gap, 0)

    # ------------------------------------------------------------------------------- pointer

    def _at(self, place: QPoint) -> int:
        at = self.tabAt(place)
        return at if at >= 0 and self._shape(at).contains(place) else -1

    def _hover_over(self, at: int) -> None:
        if at != self._hover:
            self._hover = at
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._at(event.position().toPoint()) >= 0:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover_over(self._at(event.position().toPoint()))

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hover_over(-1)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()  # a list is scrolled past it, and another tab is an act

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = current()
        rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        radius = Metric.RADIUS_CONTROL
        for at in range(self.count()):
            if not self.isTabVisible(at):
                continue
            shape, label = self._shape(at), theme.text if self.isEnabled() else theme.unavailable
            if at == self.currentIndex():
                label = theme.accent
                line = theme.text if self.hasFocus() else None
                box(painter, shape, radius, fill=theme.chosen, outline=line, width=2)
            if at == self._hover:
                box(painter, shape, radius, fill=theme.hover)
            draw_run(painter, shape, self._pieces(at, folded=self._is_folded), label, rtl=rtl)
