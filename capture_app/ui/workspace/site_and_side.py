"""Site and side: the body map, its keyboard twin, and Right, Left, Midline, Both."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeySequence, QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from capture_app.catalog.body_map import BodyMap
from capture_app.model.procedure import Side
from capture_app.model.words import tr
from capture_app.ui.looks.drawing import Mark, Words, box, draw_line, draw_run, run_width
from capture_app.ui.looks.fonts import BOLD, MEDIUM, SEMIBOLD, font
from capture_app.ui.looks.theme import Metric, current
from capture_app.ui.widgets.buttons import Pressable, ToggleButton
from capture_app.ui.widgets.card import Panel
from capture_app.ui.widgets.labels import ElidedLabel, Label
from capture_app.ui.words.marks import Tone
from capture_app.ui.words.shown import Selection
from capture_app.ui.workspace.body_map import BodyMapView
from capture_app.ui.workspace.procedure_picker import NeededNote

_SIDE_GRID = {
    Side.RIGHT: (0, 0),
    Side.LEFT: (0, 1),
    Side.MIDLINE: (1, 0),
    Side.BOTH: (1, 1),
}


class RegionButton(Pressable):
    """The site that is chosen, and the way to the list of all: the map's keyboard twin."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self._chosen = self._place = ""
        self.setFixedHeight(Metric.CONTROL)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.show_region("")

    def show_region(self, words: str) -> None:
        """The words of the site; empty while none is chosen."""
        self._chosen = words
        shown = words or tr("Choose the site")
        self.setAccessibleName(tr("Site: {site}", site=shown))
        self._say_place()
        self.update()

    def show_place(self, words: str) -> None:
        """Where the map shows it, if not at itself."""
        self._place = words
        self._say_place()

    def _say_place(self) -> None:
        self.setAccessibleDescription(self._place)
        self.setToolTip("\n".join(words for words in (self._chosen, self._place) if words))

    @property
    def words(self) -> str:
        """The site that is shown."""
        return self._chosen

    def sizeHint(self) -> QSize:
        return QSize(184, Metric.CONTROL)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, Metric.CONTROL)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = current()
        radius = Metric.RADIUS_CONTROL
        box(painter, self.rect(), radius, fill=theme.control, outline=theme.outline)
        if (veil := self._veil()) is not None:
            box(painter, self.rect(), radius, fill=veil)
        inner = self.rect().adjusted(12, 0, -12, 0)
        words = self._chosen or tr("Choose the site")
        colour = theme.text if self._chosen else theme.text_2
        trailing = Qt.AlignmentFlag.AlignRight
        caret = (Mark("caret-down", Metric.ICON_SMALL),)
        draw_run(painter, inner, caret, theme.text_2, rtl=self.rtl, align=trailing)
        room = Metric.ICON_SMALL + 8
        slot = inner.adjusted(room if self.rtl else 0, 0, 0 if self.rtl else -room, 0)
        face = font(13, SEMIBOLD)
        if run_width((Words(words, face),)) <= slot.width():
            leading = Qt.AlignmentFlag.AlignLeft
            draw_run(painter, slot, (Words(words, face),), colour, rtl=self.rtl, align=leading)
            return
        painter.setFont(font(12, SEMIBOLD))
        painter.setPen(colour)
        side = Qt.AlignmentFlag.AlignRight if self.rtl else Qt.AlignmentFlag.AlignLeft
        lines = _lines(words, painter.fontMetrics(), slot.width())
        top = slot.center().y() - 8 * len(lines)
        for row, line in enumerate(lines):
            draw_line(painter, QRect(slot.x(), top + 16 * row, slot.width(), 16), line, side)


def _lines(words: str, metrics: QFontMetrics, width: int) -> list[str]:
    """The words on one line or two; what does not fit on the second is cut."""
    first, rest = "", words.split()
    while rest and metrics.horizontalAdvance(f"{first} {rest[0]}".strip()) <= width:
        first = f"{first} {rest.pop(0)}".strip()
    second = metrics.elidedText(" ".join(rest), Qt.TextElideMode.ElideRight, width)
    return [line for line in (first, second) if line]


class SideButtons(QWidget):
    """Right, Left, Midline, Both. Right stands where the patient's right is seen from the front.

    The pair faces the viewer as the body map does, so it is not mirrored for any language.
    """

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.buttons = {
            Side.RIGHT: ToggleButton(tr("&Right")),
            Side.LEFT: ToggleButton(tr("&Left")),
            Side.MIDLINE: ToggleButton(tr("&Midline")),
            Side.BOTH: ToggleButton(tr("Both")),
        }
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(8)
        self.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        for side, button in self.buttons.items():
            # The page's own keys work at once; a button's mnemonic waits for its animation.
            button.setShortcut(QKeySequence())
            button.setAccessibleName(button.text().replace("&", ""))
            button.let_yield()
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.clicked.connect(lambda _=False, side=side: self._press(side))
            grid.addWidget(button, *_SIDE_GRID[side])
        for column in (0, 1):
            grid.setColumnStretch(column, 1)

    def show_side(self, chosen: Side | None, allowed: Sequence[Side]) -> None:
        """Which sides may be chosen, and which is."""
        for side, button in self.buttons.items():
            button.setEnabled(side in allowed)
            button.setChecked(side is chosen)

    def _press(self, side: Side) -> None:
        button = self.buttons[side]
        button.setChecked(not button.isChecked())  # the state decides what is shown as chosen
        self.chosen.emit(side.value)


class SitePanel(Panel):
    """Front and back, the drop-down, the four sides and a line that explains."""

    region_touched = Signal(str, str, str)
    list_asked = Signal()
    enlarge_asked = Signal()
    side_chosen = Signal(str)

    def __init__(self, body_map: BodyMap, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self._title = Label(tr("Site and side"), 16, BOLD)
        self.note = NeededNote()
        self.map = BodyMapView(body_map, ("front", "back"), small=True)
        self.map.setFixedWidth(152)
        self.map.touched.connect(self.region_touched)
        self.map.enlarge_asked.connect(self.enlarge_asked)
        self.map.hovered.connect(self._show_hover)
        self.region = RegionButton()
        self.region.clicked.connect(self.list_asked)
        self.sides = SideButtons()
        self.sides.chosen.connect(self.side_chosen)
        self._hint = ""
        self._hint_tone = Tone.TEXT_2
        self.hint = ElidedLabel("", 12, MEDIUM, tone=Tone.TEXT_2)
        header = QHBoxLayout()
        header.setContentsMargins(0, 0, 0, 0)
        header.addWidget(self._title)
        header.addStretch(1)
        header.addWidget(self.note)
        right = QVBoxLayout()
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(8)
        right.addWidget(self.region)
        right.addWidget(self.sides)
        right.addWidget(self.hint)
        right.addStretch(1)
        body = QHBoxLayout()
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(8)
        body.addWidget(self.map)
        body.addLayout(right, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 12, 6)
        column.setSpacing(7)
        column.addLayout(header)
        column.addLayout(body, 1)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(368, 216)

    def set_compact(self, compact: bool) -> None:  # noqa: FBT001 - as a Qt setter
        """In practice its hint line gives way to the orange band."""
        self.hint.setHidden(compact)
        self.setFixedHeight(193 if compact else 216)

    def show_choice(self, region: str, side: Side | None, allowed: Sequence[Side]) -> None:
        """The site in words, the side, and the sides that it has."""
        self.region.show_region(region)
        self.sides.show_side(side, allowed)

    def show_selection(self, selection: Selection | None) -> None:
        """What the figures show."""
        self.map.show_selection(selection)
        self.region.show_place(self.map.shown_words)

    def show_hint(self, words: str, tone: Tone = Tone.TEXT_2) -> None:
        """The line under the sides."""
        self._hint, self._hint_tone = words, tone
        self._show_hover("")

    def show_needed(self, words: str) -> None:
        """Outlined, and said in the title, while it holds up sending."""
        self.set_needed(bool(words))

    def _show_hover(self, words: str) -> None:
        """What is under the pointer; else a warning, else where the map shows the site."""
        quiet = self._hint_tone is Tone.TEXT_2
        resting = (self.map.shown_words if quiet else "") or self._hint
        self.hint.setText(words or resting)
        self.hint.set_tone(Tone.TEXT if words else self._hint_tone)
