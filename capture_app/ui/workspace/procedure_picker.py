"""The procedure: favourites on keys 1 to 9, and a filter that finds any other as it is typed."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from capture_app.model.words import tr
from capture_app.ui.looks.fonts import BOLD, SEMIBOLD
from capture_app.ui.looks.theme import Metric
from capture_app.ui.widgets.announce import announce
from capture_app.ui.widgets.card import Panel
from capture_app.ui.widgets.fields import FilterField
from capture_app.ui.widgets.labels import ElidedLabel, Icon, Label
from capture_app.ui.widgets.listbox import ListBox
from capture_app.ui.words.marks import Tone
from capture_app.ui.words.shown import ListRow

_FILTER_WIDTH = 176
_FILTER_NARROW = 136


class NeededNote(QWidget):
    """Mark and words in a panel's title: needed to send, or done."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon = Icon("warning-circle", tone=Tone.BAD)
        self._words = ElidedLabel("", 12, SEMIBOLD, tone=Tone.BAD)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self._icon)
        row.addWidget(self._words)
        self.hide()

    @property
    def words(self) -> str:
        """What it says; empty while it is hidden."""
        return "" if self.isHidden() else self._words.text()

    def say(self, words: str, icon: str, tone: Tone) -> None:
        """Says something, or nothing for empty words. What is needed is read aloud."""
        if tone is Tone.BAD and words != self._words.text():
            announce(self, words)
        self._words.setText(words)
        self._words.set_tone(tone)
        self._icon.show_icon(icon, tone)
        self.setVisible(bool(words))


class ProcedurePicker(Panel):
    """The list of favourites, replaced by what is found while the filter holds text.

    `filtered` tells the text; `picked` the chosen entry; `left` that the focus may go back.
    """

    filtered = Signal(str)
    picked = Signal(str)
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self._title = Label(tr("Procedure"), 16, BOLD)
        self.note = NeededNote()
        self._total = 0
        self.filter = FilterField(tr("Find"), height=Metric.CONTROL)
        self.filter.setFixedWidth(_FILTER_WIDTH)
        self.filter.textChanged.connect(self.filtered)
        self.filter.navigated.connect(self._navigate)
        self.filter.left.connect(self.left)
        self.list = ListBox(with_keys=True, name=tr("Procedures"))
        self.list.picked.connect(self._pick)
        header = QHBoxLayout()
        header.setContentsMargins(0, 0, 0, 0)
        header.setSpacing(6)
        header.addWidget(self._title)
        header.addStretch(1)
        header.addWidget(self.note)
        header.addWidget(self.filter)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 12, 8)
        column.setSpacing(4)
        column.addLayout(header)
        column.addWidget(self.list, 1)

    def sizeHint(self) -> QSize:
        return QSize(368, 284)

    def minimumSizeHint(self) -> QSize:
        return QSize(300, 240)

    def show_rows(
        self, rows: Sequence[ListRow], chosen: str, *, total: int, empty: str = ""
    ) -> None:
        """The favourites or what was found, and how many entries the filter looks through."""
        self._total = total
        self._show_placeholder()
        self.filter.setAccessibleName(tr("Find a procedure among {n}", n=total))
        self.list.marks_current = bool(self.filter.text())
        self.list.show_rows(rows, chosen, empty)

    def show_needed(self, words: str) -> None:
        """Outlined, and said in the title, while it holds up sending."""
        self.set_needed(bool(words))
        self.note.say(words, "warning-circle", Tone.BAD)
        self.filter.setFixedWidth(_FILTER_NARROW if words else _FILTER_WIDTH)
        self._show_placeholder()

    def _show_placeholder(self) -> None:
        words = tr("Find") if self.needed else tr("Find in {n}", n=self._total)
        self.filter.setPlaceholderText(words)

    def start_filter(self) -> None:
        """The key / was pressed: type to find."""
        self.filter.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.filter.selectAll()

    def _navigate(self, key: int) -> None:
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.list.pick_current()
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.list.move_current(1 if key == Qt.Key.Key_Down else -1)
        elif key == Qt.Key.Key_PageUp:
            self.list.move_current(-4)

    def _pick(self, entry_id: str) -> None:
        if self.filter.text():
            self.filter.clear()
        self.picked.emit(entry_id)
        self.left.emit()
