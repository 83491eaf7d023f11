"""The patient banner: whose pictures these are, always on screen and never cut."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from capture_app.model.words import tr
from capture_app.ui.looks.drawing import Mark, Words, draw_run
from capture_app.ui.looks.fonts import BOLD, MEDIUM, REGULAR, SEMIBOLD, font
from capture_app.ui.looks.theme import Metric, current, faded
from capture_app.ui.widgets.buttons import Button, IconButton
from capture_app.ui.widgets.card import Hairline
from capture_app.ui.widgets.chips import Chip
from capture_app.ui.widgets.labels import Label
from capture_app.ui.widgets.reader_roles import Role
from capture_app.ui.words import wording
from capture_app.ui.words.marks import ChipText, Tone
from capture_app.ui.words.shown import OrderShown
from capture_app.ui.workspace.order_button import ORDER_WIDEST, OrderButton
from capture_app.ui.workspace.whose_words import BannerFact, BannerState

_AFTER_FACT = 20
_NOTE = 28
_NAME_LEAST = 150
_ORDER_LEAST = 96


class _Fact(QWidget):
    def __init__(self, fact: BannerFact) -> None:
        super().__init__()
        self._column = column = QVBoxLayout()
        column.setSpacing(4)
        column.addStretch(1)
        self._value = Label(fact.value, 15, SEMIBOLD)
        column.addWidget(Label(fact.label, 12, MEDIUM, tone=Tone.TEXT_2))
        column.addWidget(self._value)
        column.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addLayout(column)
        row.addSpacing(_AFTER_FACT)  # goes with the fact where that is hidden
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)

    def set_small(self, *, small: bool) -> None:
        """Its value in a smaller type, where the banner is narrow."""
        self._value.set_font(13 if small else 15, SEMIBOLD)
        self._column.invalidate()  # it is measured again at once, not at the next turn


class _NoteLine(QWidget):
    """One line across the banner: what the feed changed, or what it stops."""

    reader_role = Role.StaticText

    def __init__(self) -> None:
        super().__init__()
        self._chip: ChipText | None = None
        self.setFixedHeight(_NOTE)
        self.hide()

    @property
    def words(self) -> str:
        """What it says; empty where it is not there."""
        return self._chip.words if self._chip is not None else ""

    def say(self, note: ChipText | None) -> None:
        """Says it, or is not there."""
        self._chip = note
        self.setAccessibleName(self.words)
        self.setToolTip(self.words)
        self.setVisible(note is not None)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._chip is None:
            return
        theme, rect = current(), self.rect().adjusted(20, 0, -20, 0)
        painter = QPainter(self)
        colour = theme.tone(self._chip.tone)
        painter.fillRect(self.rect(), faded(colour, theme.chip_tint))
        metrics = QFontMetrics(font(13, SEMIBOLD))
        room = rect.width() - Metric.ICON_SMALL - 8
        words = metrics.elidedText(self._chip.words, Qt.TextElideMode.ElideRight, room)
        pieces = (Mark(self._chip.icon, Metric.ICON_SMALL), Words(words, font(13, SEMIBOLD)))
        rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        draw_run(painter, rect, pieces, colour, rtl=rtl, gap=8, align=Qt.AlignmentFlag.AlignLeft)


class PatientBanner(QWidget):
    """Back, NAME, Given, native script, facts, order, how identified, Change Esc. 64 px and a line
    where the feed changed something; never scrolls.

    Where there is no room first Visit, then Place go into the tooltip of a "more" mark; then the
    cap of the key in *Change* and the native script go, and the facts are set smaller. Then the
    button that picks the place goes, whose key stays, and the words of the order are cut, then
    those of the chip, which never goes. The name is never cut: a long one takes more lines.
    """

    reader_role = Role.Grouping

    change_asked = Signal()

    def __init__(self, state: BannerState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._back = IconButton("arrow-left", tr("Back to the patients"))
        self._back.clicked.connect(self.change_asked)
        self._name = Label("", 20, BOLD)
        self._native = Label("", 18, REGULAR, tone=Tone.TEXT_2)
        self._rule = Hairline(vertical=True)
        self._rule.setFixedHeight(48)
        self._facts: list[_Fact] = []
        self._droppable: list[_Fact] = []
        self._facts_row = QHBoxLayout()
        self._facts_row.setSpacing(0)
        self._more = Label(tr("more"), 12, MEDIUM, tone=Tone.TEXT_2)
        self._more.hide()
        self.place = IconButton("map-pin", tr("Place"))
        self.slate = IconButton("barcode", tr("Slate for a camera with a card (Alt+S)"))
        self._offers_slate = False
        self._chip = Chip()
        self.order = OrderButton()
        self._change = Button(tr("Change"), icon="users", key=tr("Esc"))
        self._change.let_yield()
        self._change.clicked.connect(self.change_asked)
        self.note = _NoteLine()
        bar = QWidget()
        bar.setFixedHeight(Metric.BAR)
        row = QHBoxLayout(bar)
        row.setContentsMargins(16, 0, 16, 0)
        row.setSpacing(0)
        row.addWidget(self._back)
        row.addSpacing(4)
        row.addWidget(self._name)
        row.addSpacing(10)
        row.addWidget(self._native)
        row.addSpacing(16)
        row.addWidget(self._rule)
        row.addSpacing(16)
        row.addLayout(self._facts_row)
        row.addWidget(self.place)
        row.addWidget(self.slate)
        row.addWidget(self._more)
        row.addStretch(1)
        row.addWidget(self.order)
        row.addSpacing(8)
        row.addWidget(self._chip)
        row.addSpacing(8)
        row.addWidget(self._change)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(bar)
        column.addWidget(self.note)
        self._show_parts()

    def show_state(self, state: BannerState) -> None:
        """The feed said something else, or the patient was identified once more."""
        if state != self._state:
            self._state = state
            self._show_parts()
            self._fit()

    def _show_parts(self) -> None:
        state = self._state
        self._name.setText(wording.own_direction(state.name))
        self._native.setText(state.native)
        self._native.setHidden(not state.native)
        for fact in (*self._facts, *self._droppable):
            self._facts_row.removeWidget(fact)
            fact.hide()
            fact.deleteLater()
        self._facts = [_Fact(fact) for fact in state.facts]
        self._droppable = [_Fact(fact) for fact in state.droppable]
        for fact in (*self._facts, *self._droppable):
            self._facts_row.addWidget(fact)
        chip = state.identified
        self._chip.say(chip.words, chip.icon, chip.tone)
        self.place.setVisible(bool(state.place))
        self.place.setAccessibleName(state.place)
        self.place.setToolTip(state.place)
        self.note.say(state.note)
        self.setFixedHeight(Metric.BAR + (_NOTE if state.note is not None else 0))
        said = [state.name, *(f"{f.label} {f.value}" for f in state.facts), chip.words]
        if state.note is not None:
            said.append(state.note.words)
        self.setAccessibleName(", ".join(said))

    def offer_slate(self, *, offered: bool) -> None:
        """Whether a slate of the patient can be shown."""
        self._offers_slate = offered
        self._fit()

    def show_order(self, shown: OrderShown | None) -> None:
        """Which order is in use or offered; the facts make room for it."""
        if shown != self.order.shown:
            self.order.show_order(shown)
            self._fit()

    def sizeHint(self) -> QSize:
        return QSize(1366, self.minimumHeight())

    def minimumSizeHint(self) -> QSize:
        return QSize(640, self.minimumHeight())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _over(self) -> int:
        """How many pixels there are too few, if any."""
        facts = [fact for fact in (*self._facts, *self._droppable) if not fact.isHidden()]
        parts = (self._native, self.place, self.slate, self._more, self.order)
        shown = (*facts, *(part for part in parts if not part.isHidden()), self._change)
        fixed = 32 + Metric.TARGET + 4 + 10 + 16 + 1 + 16 + 8 + 8 + 8
        needs = fixed + self._name.minimumWidth() + sum(w.sizeHint().width() for w in shown)
        needs += 0 if self._chip.isHidden() else self._chip.minimumSizeHint().width()
        return max(0, needs - self.width())

    def _fit(self) -> None:
        self._show_all()
        gone: list[str] = []
        for fact, widget in zip(self._state.droppable[::-1], self._droppable[::-1], strict=True):
            if self._over():
                widget.hide()
                self._more.show()
                gone.insert(0, f"{fact.label}: {fact.value}")
        self._tighten()
        if self._native.isHidden():
            gone.insert(0, self._state.native)
        for button in (self.place, self.slate):
            if self._over():
                button.hide()
        if over := self._over():
            self.order.set_widest(max(_ORDER_LEAST, self.order.sizeHint().width() - over))
        if self._over():
            self._chip.let_yield(True)  # noqa: FBT003 - as a Qt setter
        if over := self._over():
            self._wrap_name(max(_NAME_LEAST, self._name.minimumWidth() - over))
        if over := self._over():
            self.order.set_widest(max(Metric.TARGET, self.order.sizeHint().width() - over))
        self._more.setToolTip("\n".join(part for part in gone if part))
        self._more.setAccessibleName(", ".join(part for part in gone if part))

    def _tighten(self) -> None:
        """What goes before the words that say how the patient was identified."""
        if self._over():
            self._change.set_key("")
        if self._over():
            self._native.hide()
        if self._over():
            for fact in self._facts:
                fact.set_small(small=True)

    def _loosen(self) -> None:
        self._change.set_key(tr("Esc"))
        self._native.setHidden(not self._state.native)
        for fact in self._facts:
            fact.set_small(small=False)

    def _show_all(self) -> None:
        for widget in (*self._facts, *self._droppable, self._chip):
            widget.show()  # a new one counts as hidden until then, and would not be measured
        self._loosen()
        self.place.setHidden(not self._state.place)
        self.slate.setHidden(not self._offers_slate)
        self._more.hide()
        self.order.set_widest(ORDER_WIDEST)
        self._chip.let_yield(False)  # noqa: FBT003 - as a Qt setter
        self._name.setWordWrap(False)
        self._name.set_font(20, BOLD)
        self._name.setFixedHeight(24)
        self._name.setMinimumWidth(
            QFontMetrics(self._name.font()).horizontalAdvance(self._name.text()) + 1
        )

    def _wrap_name(self, width: int) -> None:
        """On as many lines as it needs, and as large as they leave it."""
        high = Metric.BAR - 8
        self._name.setWordWrap(True)
        self._name.setMinimumWidth(width)
        for size in (15, 13, 12):
            self._name.set_font(size, BOLD)
            if self._name.heightForWidth(width) <= high:
                break
        self._name.setFixedHeight(high)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = current()
        painter.fillRect(self.rect(), theme.surface)
        painter.fillRect(0, self.height() - 1, self.width(), 1, theme.hairline)
