"""The body map: figures side by side, R and L printed, a touch gives the site and its side."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QInputDevice,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from capture_app.catalog.body_map import BodyMap, BodyView, How, Shown
from capture_app.model.procedure import Side
from capture_app.model.words import tr, trn
from capture_app.ui.looks.drawing import draw_line
from capture_app.ui.looks.fonts import BOLD, MEDIUM, font
from capture_app.ui.looks.theme import appearance, current
from capture_app.ui.words.shown import Selection
from capture_app.ui.workspace.figure import Figure, Touch, figure_of
from capture_app.ui.workspace.map_items import MapItem, MapItems

_TITLE = 20
_LETTER = 16
_MOST_NAMED = 3
_TOUCH_PX = 6.0
"""A touch this far beside a limb still means the limb, however small the map is."""


class BodyMapView(QWidget):
    """One or two figures. `touched` gives scheme, code and the side that the touch gives, or "".

    A finger on a small map asks for the large one (`enlarge_asked`): a limb there is too narrow.
    """

    touched = Signal(str, str, str)
    hovered = Signal(str)
    """What is under the pointer, in words; empty when nothing is."""
    enlarge_asked = Signal()

    def __init__(
        self, body_map: BodyMap, views: Sequence[str], *, small: bool, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._map = body_map
        self._small = small
        self._figures: list[Figure] = []
        self._selection: Selection | None = None
        self._shown: Shown | None = None
        self._hover: tuple[int, Touch] | None = None
        self._ground: QPixmap | None = None
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_AcceptTouchEvents, on=False)
        appearance().changed.connect(self._forget_ground)
        self.items = MapItems(self)
        self.items.touched.connect(lambda touch: self.touched.emit(*touch.key, touch.side or ""))
        self.items.stepped.connect(self._focus_stepped)
        self.show_views(views)

    def show_views(self, views: Sequence[str]) -> None:
        """Other figures, by the names of their views."""
        self._figures = [figure_of(self._map.views[name], self._map.hit_slop) for name in views]
        self._hover = None
        self._forget_ground()
        self._show_chosen()
        titles = ", ".join(tr(figure.view.title) for figure in self._figures)
        self.items.setAccessibleName(tr("Body map: {views}", views=titles))
        self._show_items()

    def show_selection(self, selection: Selection | None) -> None:
        """What is chosen."""
        if selection != self._selection:
            self._selection = selection
            self.items.show_selection(selection)
            self._show_chosen()

    @property
    def selection(self) -> Selection | None:
        """What is shown as chosen."""
        return self._selection

    @property
    def shown_words(self) -> str:
        """Where these figures show what is chosen; empty where it is drawn, or nothing is."""
        return shown_words(self._map, self._shown) if self._shown is not None else ""

    def _show_chosen(self) -> None:
        chosen = self._selection
        names = [figure.view.name for figure in self._figures]
        said = self._is_absent
        self._shown = None if chosen is None else self._map.shown_at(chosen.key, names)
        self.items.setAccessibleDescription(self.shown_words)
        if self._is_absent != said:
            self._forget_ground()
        self.update()

    @property
    def _is_absent(self) -> bool:
        """Whether something is chosen of which these figures show nothing."""
        return self._shown is not None and not self._shown.sites

    # ----------------------------------------------------------------------------- geometry

    def sizeHint(self) -> QSize:
        return QSize(148, 170) if self._small else QSize(560, 560)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 120)

    def _slots(self) -> list[tuple[Figure, QRectF, float]]:
        """Each figure with where it stands and its scale, left to right, never mirrored."""
        slots = []
        cell = self.width() / max(1, len(self._figures))
        for place, figure in enumerate(self._figures):
            room = QRectF(place * cell, 0, cell, self.height() - _TITLE)
            scale = min(room.width() / figure.view.width, room.height() / figure.view.height)
            width, height = figure.view.width * scale, figure.view.height * scale
            corner = (room.x() + (room.width() - width) / 2, (room.height() - height) / 2)
            slots.append((figure, QRectF(*corner, width, height), scale))
        return slots

    def _show_items(self) -> None:
        self.items.setGeometry(self.rect())
        items = [
            MapItem(touch, touch_words(touch), _within(slot, scale, figure, touch), place)
            for place, (figure, slot, scale) in enumerate(self._slots())
            for touch in (Touch(region, region.side) for region in figure.view.regions)
        ]
        self.items.show_items(items, self._selection)

    def _focus_stepped(self) -> None:
        focused = self.items.focused
        self.hovered.emit("" if focused is None else focused.words)
        self.update()

    def _touch_at(self, at: QPointF) -> tuple[int, Touch] | None:
        cell = self.width() / max(1, len(self._figures))
        for place, (figure, slot, scale) in enumerate(self._slots()):
            if place * cell <= at.x() < (place + 1) * cell:
                inside = (at - slot.topLeft()) / scale
                touch = figure.touched(inside, slop=_TOUCH_PX / scale)
                return None if touch is None else (place, touch)
        return None

    def point_of(self, region_id: str) -> QPointF | None:
        """A point in the widget that touches a region; None where it is not shown."""
        for figure, slot, scale in self._slots():
            inside = figure.inside_point(region_id)
            if inside is not None:
                return slot.topLeft() + inside * scale
        return None

    # ------------------------------------------------------------------------------ pointer

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        hover = self._touch_at(event.position())
        if hover != self._hover:
            self._hover = hover
            words = "" if hover is None else touch_words(hover[1])
            self.hovered.emit(words)
            if not self._small:
                QToolTip.showText(event.globalPosition().toPoint(), words, self)
            self.update()

    def leaveEvent(self, event: QEvent) -> None:
        if self._hover is not None:
            self._hover = None
            self.hovered.emit("")
            self.update()
        super().leaveEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        by_finger = event.device().type() is QInputDevice.DeviceType.TouchScreen
        if self._small and by_finger:
            self.enlarge_asked.emit()
            return
        found = self._touch_at(event.position())
        if found is not None:
            touch = found[1]
            self.touched.emit(*touch.key, touch.side or "")

    # ----------------------------------------------------------------------------- painting

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._forget_ground()
        self._show_items()

    def _forget_ground(self) -> None:
        self._ground = None
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._ground is None:
            self._ground = self._painted_ground()
        painter.drawPixmap(0, 0, self._ground)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme = current()
        for place, (figure, slot, scale) in enumerate(self._slots()):
            painter.save()
            painter.translate(slot.topLeft())
            painter.scale(scale, scale)
            self._paint_chosen(painter, figure)
            focused = self.items.focused
            if focused is not None and focused.figure == place:
                figure.paint_hover(painter, theme, focused.touch)
            if self._hover is not None and self._hover[0] == place:
                figure.paint_hover(painter, theme, self._hover[1])
            painter.restore()

    def _paint_chosen(self, painter: QPainter, figure: Figure) -> None:
        chosen, shown = self._selection, self._shown
        if chosen is None or shown is None:
            return
        if shown.how is How.ITSELF:
            figure.paint_selection(painter, current(), chosen)
        else:
            figure.paint_shown(painter, current(), shown.sites, shown.side or chosen.side)

    def _painted_ground(self) -> QPixmap:
        ratio = self.devicePixelRatioF()
        ground = QPixmap(self.size() * ratio)
        ground.setDevicePixelRatio(ratio)
        ground.fill(Qt.GlobalColor.transparent)
        painter = QPainter(ground)
        theme = current()
        absent = self._is_absent
        cell = self.width() / max(1, len(self._figures))
        for place, (figure, slot, scale) in enumerate(self._slots()):
            painter.save()
            painter.translate(slot.topLeft())
            painter.scale(scale, scale)
            figure.paint(painter, theme, scale)
            painter.restore()
            painter.setPen(theme.text_2)
            column = QRect(round(place * cell), 0, round(cell), self.height())
            painter.setFont(font(12, BOLD))
            beside = slot.toAlignedRect().adjusted(-2, 0, 2, 0) & column.adjusted(6, 0, -6, 0)
            for at_left, letter in _letters(figure.view):
                side = Qt.AlignmentFlag.AlignLeft if at_left else Qt.AlignmentFlag.AlignRight
                draw_line(painter, _top(beside), letter, side)
            painter.setFont(font(12, MEDIUM))
            title = QRect(column.x(), self.height() - _TITLE + 2, column.width(), _TITLE - 2)
            if not absent:
                draw_line(painter, title, tr(figure.view.title), Qt.AlignmentFlag.AlignHCenter)
        if absent:
            painter.setPen(theme.text)
            row = QRect(0, self.height() - _TITLE + 2, self.width(), _TITLE - 2)
            draw_line(painter, row, tr("Not drawn here"), Qt.AlignmentFlag.AlignHCenter)
        painter.end()
        return ground


def _within(slot: QRectF, scale: float, figure: Figure, touch: Touch) -> QRectF:
    """Where a region of a figure is drawn in the map."""
    place = figure.place_of(touch.region.region_id)
    corner = slot.topLeft() + place.topLeft() * scale
    return QRectF(corner, place.size() * scale)


def _top(column: QRect) -> QRect:
    return QRect(column.x(), 2, column.width(), _LETTER)


def _letters(view: BodyView) -> tuple[tuple[bool, str], ...]:
    """R and L as printed: whether at the left of the picture, and the letter. Never translated."""
    if view.left_of_picture is None:
        return () if view.side is None else ((True, view.side.value),)
    other = Side.LEFT if view.left_of_picture is Side.RIGHT else Side.RIGHT
    return ((True, view.left_of_picture.value), (False, other.value))


def touch_words(touch: Touch) -> str:
    """Lower leg, front (shin), left: what a touch would choose."""
    label = tr(touch.region.label)
    if touch.side is Side.RIGHT:
        return tr("{site}, right", site=label)
    if touch.side is Side.LEFT:
        return tr("{site}, left", site=label)
    return label


def shown_words(body_map: BodyMap, shown: Shown) -> str:
    """Shown at: Ear, the nearest drawn site. Empty where the site itself is drawn."""
    names = [tr(body_map.label(site)) for site in shown.sites]
    sites = "; ".join(names[:_MOST_NAMED])
    if len(names) > _MOST_NAMED:
        n = len(names) - _MOST_NAMED
        sites = trn("{sites} and {n} more", "{sites} and {n} more", n, sites=sites)
    match shown.how:
        case How.ITSELF:
            return ""
        case How.PARTS:
            return tr("Shown at its parts: {sites}", sites=sites)
        case How.WITHIN:
            return trn(
                "Shown at: {sites}, the nearest drawn site",
                "Shown at: {sites}, the nearest drawn sites",
                len(names),
                sites=sites,
            )
        case How.ELSEWHERE:
            return tr("Not drawn here. On the large map: {view}", view=tr(shown.title))
        case How.NOWHERE:
            return tr("Not drawn on the map")
