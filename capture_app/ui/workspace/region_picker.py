"""All sites as a list: the keyboard twin of the body map; and the map drawn large."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtWidgets import QWidget

from capture_app.catalog.body_map import BodyMap
from capture_app.catalog.catalog import folded
from capture_app.model.words import tr
from capture_app.ui.looks.fonts import MEDIUM
from capture_app.ui.looks.theme import Metric
from capture_app.ui.widgets.fields import FilterField
from capture_app.ui.widgets.labels import Label
from capture_app.ui.widgets.listbox import ListBox
from capture_app.ui.widgets.popover import Popover
from capture_app.ui.widgets.tabs import TabRow
from capture_app.ui.words.marks import Tone
from capture_app.ui.words.shown import ListRow, Selection
from capture_app.ui.workspace.body_map import BodyMapView

_SHOWN_ROWS: Final = 9
_MAP_HEIGHT: Final = 470
_MAP_LEAST: Final = 320
"""Lower than this a limb is no target: then the card scrolls."""
_CLOSER: Final = (
    ("Body", ("front", "back")),
    ("Face", ("face",)),
    ("Palms", ("hand_palm_R", "hand_palm_L")),
    ("Backs of hands", ("hand_dorsum_R", "hand_dorsum_L")),
    ("Tops of feet", ("foot_dorsum_R", "foot_dorsum_L")),
    ("Soles", ("foot_sole_R", "foot_sole_L")),
    ("Pelvis", ("perineum",)),
)
"""Title (English, translated when shown) and views. The patient's right is on the left."""


class RegionPicker(Popover):
    """Type to find a site, arrows and Enter to choose it. `picked` gives the row's id."""

    picked = Signal(str)

    def __init__(self, host: QWidget, rows: Sequence[ListRow], chosen: str) -> None:
        super().__init__(host, tr("Site"), width=460)
        self._rows = tuple(rows)
        self._folded = [folded(f"{row.words} {row.note} {row.also}") for row in self._rows]
        self._chosen = chosen
        self.filter = FilterField(tr("Find in {n}", n=len(self._rows)), height=Metric.CONTROL)
        self.filter.textChanged.connect(self._filter)
        self.filter.navigated.connect(self._navigate)
        self.filter.left.connect(self.close_asked)
        self.list = ListBox(name=tr("Sites"))
        self.list.marks_current = True
        self.list.setFixedHeight(_SHOWN_ROWS * Metric.TARGET)
        self.list.picked.connect(self.picked)
        self.body.addWidget(self.filter)
        self.body.addWidget(self.list)
        self._filter("")

    def show_at(self, row: QRect) -> None:
        super().show_at(row)
        self.filter.setFocus(Qt.FocusReason.PopupFocusReason)

    def _filter(self, text: str) -> None:
        words = folded(text).split()
        pairs = zip(self._rows, self._folded, strict=True)
        found = [row for row, name in pairs if all(word in name for word in words)]
        self.list.show_rows(found, self._chosen, tr("No site is called that."))

    def _navigate(self, key: int) -> None:
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.list.pick_current()
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.list.move_current(1 if key == Qt.Key.Key_Down else -1)
        elif key == Qt.Key.Key_PageUp:
            self.list.move_current(-_SHOWN_ROWS + 1)


class LargeBodyMap(Popover):
    """The body map large, with closer views of face, hands, feet and pelvis.

    `touched` gives scheme, code and side as the small map does.
    """

    touched = Signal(str, str, str)

    def __init__(self, host: QWidget, body_map: BodyMap, selection: Selection | None) -> None:
        super().__init__(host, tr("Site and side"), width=880)
        self.map = BodyMapView(body_map, ("front", "back"), small=False)
        self.gives_way(self.map, least=_MAP_LEAST, most=_MAP_HEIGHT)
        self.map.show_selection(selection)
        self.map.touched.connect(self.touched)
        self.map.hovered.connect(self._show_hover)
        self._hover = Label("", 14, MEDIUM, tone=Tone.TEXT_2, centred=True)
        titles = {title: tr(title) for title, _views in _CLOSER}
        self.tabs = TabRow(titles, gap=4)
        self.tabs.asked.connect(self._open)
        self.body.addWidget(self.tabs, 0, Qt.AlignmentFlag.AlignLeading)
        self.body.addWidget(self.map)
        self.body.addWidget(self._hover)
        self._show_hover("")

    def show_at(self, row: QRect) -> None:
        super().show_at(row)
        self.tabs.setFocus(Qt.FocusReason.PopupFocusReason)

    def _open(self, title: str) -> None:
        self.map.show_views(dict(_CLOSER)[title])
        self._show_hover("")

    def _show_hover(self, words: str) -> None:
        self._hover.setText(
            words or self.map.shown_words or tr("Touch the site. B or Esc closes the map.")
        )
