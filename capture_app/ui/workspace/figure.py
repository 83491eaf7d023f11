"""One drawing of the body map as Qt shapes: its regions, what a touch means, and how it is painted.

A figure is never mirrored: not for a language that runs from the right, not for anybody.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise
from math import hypot

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from capture_app.catalog.body_map import BodyMapRegion, BodyView
from capture_app.model.procedure import Side
from capture_app.ui.looks.theme import Theme, faded, mixed
from capture_app.ui.words.shown import RegionKey, Selection

_DETAILS_FROM_SCALE = 0.7
_BAND_SHARE = 0.26
"""How much of an undivided region's width is its midline band."""

_ADDERS: dict[str, Callable[[QPainterPath, list[float]], None]] = {
    "M": lambda path, v: path.moveTo(v[0], v[1]),
    "L": lambda path, v: path.lineTo(v[0], v[1]),
    "C": lambda path, v: path.cubicTo(*v),
    "Z": lambda path, _: path.closeSubpath(),
}


@dataclass(frozen=True, slots=True)
class Touch:
    """What a touch on a figure means."""

    region: BodyMapRegion
    side: Side | None
    """The side that the touch gives; None where the region is one undivided area."""

    @property
    def key(self) -> RegionKey:
        """The region's code."""
        return self.region.site


def shape_of(path: str) -> QPainterPath:
    """An SVG path of absolute M, L, C and Z as a Qt path, even-odd."""
    shape = QPainterPath()
    shape.setFillRule(Qt.FillRule.OddEvenFill)
    for command, numbers in re.findall(r"([MLCZ])([^MLCZ]*)", path):
        _ADDERS[command](shape, [float(number) for number in numbers.split()])
    return shape


class Figure:
    """A view of the body map, ready to be painted and touched, in its own units."""

    def __init__(self, view: BodyView, hit_slop: float) -> None:
        self.view = view
        self.bounds = QRectF(0, 0, view.width, view.height)
        self._slop = hit_slop
        self._shapes = [(region, shape_of(region.path)) for region in view.regions]
        self._silhouette = shape_of(view.silhouette)
        self._details = [shape_of(path) for path in view.details]

    @cached_property
    def _outlines(self) -> list[tuple[BodyMapRegion, QRectF, list[list[QPointF]]]]:
        lists = []
        for region, shape in self._shapes:
            polygons = [polygon.toList() for polygon in shape.toSubpathPolygons()]
            lists.append((region, shape.boundingRect(), polygons))
        return lists

    # ------------------------------------------------------------------------------- touching

    def touched(self, at: QPointF, *, slop: float = 0.0) -> Touch | None:
        """The region at a point, else the nearest within the slop; None where there is none."""
        for region, shape in self._shapes:
            if shape.contains(at):
                return Touch(region, region.side)
        return self._nearest(at, max(self._slop, slop))

    def _nearest(self, at: QPointF, within: float) -> Touch | None:
        best, found = within, None
        for region, bounds, polygons in self._outlines:
            if not bounds.adjusted(-best, -best, best, best).contains(at):
                continue
            for polygon in polygons:
                distance = _distance(at, polygon)
                if distance < best:
                    best, found = distance, region
        return None if found is None else Touch(found, found.side)

    def place_of(self, region_id: str) -> QRectF:
        """The rectangle round a region, in the figure's own units; empty where it is not here."""
        for region, bounds, _polygons in self._outlines:
            if region.region_id == region_id:
                return bounds
        return QRectF()

    def inside_point(self, region_id: str) -> QPointF | None:
        """A point well inside a region, whatever its shape; None where it is not in this view."""
        for region, shape in self._shapes:
            if region.region_id != region_id:
                continue
            bounds = shape.boundingRect()
            steps = (0.5, 0.35, 0.65, 0.2, 0.8)
            points = [
                QPointF(bounds.x() + bounds.width() * x, bounds.y() + bounds.height() * y)
                for y in steps
                for x in steps
            ]
            return next((point for point in points if shape.contains(point)), None)
        return None

    # ------------------------------------------------------------------------------- painting

    def paint(self, painter: QPainter, theme: Theme, scale: float) -> None:
        """The figure with nothing chosen; the painter is in the figure's own units."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        fill, edge = figure_colours(theme)
        painter.fillPath(self._silhouette, fill)
        large = scale > _DETAILS_FROM_SCALE
        inner = _pen(faded(edge, 0.75 if large else 0.62), 0.95 if large else 0.8)
        for _, shape in self._shapes:
            painter.strokePath(shape, inner)
        if large:
            quiet = _pen(faded(edge, 0.6), 0.9)
            for shape in self._details:
                painter.strokePath(shape, quiet)
        painter.strokePath(self._silhouette, _pen(edge, 1.35 if large else 1.1))

    def paint_hover(self, painter: QPainter, theme: Theme, touch: Touch) -> None:
        """The region under the pointer."""
        for region, shape in self._shapes:
            if region.region_id == touch.region.region_id:
                painter.fillPath(shape, faded(theme.accent, 0.28))
                painter.strokePath(shape, _pen(theme.accent, 1.2))

    def paint_selection(self, painter: QPainter, theme: Theme, selection: Selection) -> None:
        """What is chosen. No side yet: both limbs tinted; midline: a band; else that side full."""
        for region, shape in self._shapes:
            if region.site != selection.key:
                continue
            if selection.side_is_open:
                painter.fillPath(shape, faded(theme.accent, 0.42))
                painter.strokePath(shape, _pen(theme.accent, 1.6))
                continue
            part = self._chosen_part(region, shape, selection.side)
            if part is None:
                continue
            if part is not shape:
                painter.strokePath(shape, _pen(theme.text, 1.6))
            painter.fillPath(part, theme.accent)
            painter.strokePath(part, _pen(theme.accent, 1.4))

    def paint_shown(
        self, painter: QPainter, theme: Theme, sites: Collection[RegionKey], side: Side | None
    ) -> None:
        """The drawn sites at which one that is not drawn is shown: tinted, with a dotted edge."""
        for region, shape in self._shapes:
            part = self._chosen_part(region, shape, side) if region.site in sites else None
            if part is not None:
                painter.fillPath(part, faded(theme.accent, 0.3))
                painter.strokePath(part, _dotted(theme.text))

    def _chosen_part(
        self, region: BodyMapRegion, shape: QPainterPath, side: Side | None
    ) -> QPainterPath | None:
        if region.side is not None:
            return shape if side in (region.side, Side.BOTH, None) else None
        if side is None or side is Side.BOTH:
            return shape
        bounds = shape.boundingRect()
        middle = self.view.width / 2
        if side is Side.MIDLINE:
            half = bounds.width() * _BAND_SHARE / 2
            band = QRectF(middle - half, bounds.top(), 2 * half, bounds.height())
        elif self.view.left_of_picture is None:
            return shape
        elif side is self.view.left_of_picture:
            band = QRectF(0, bounds.top(), middle, bounds.height())
        else:
            band = QRectF(middle, bounds.top(), self.view.width - middle, bounds.height())
        strip = QPainterPath()
        strip.addRect(band)
        return shape.intersected(strip)


def figure_colours(theme: Theme) -> tuple[QColor, QColor]:
    """Fill and edge of a figure: the edge has 3:1 on the fill and on the surface."""
    return mixed(theme.text, theme.surface, 0.16), theme.outline


@cache
def figure_of(view: BodyView, hit_slop: float) -> Figure:
    """The figure of a view, made once: each patient who is opened sees the same ones."""
    return Figure(view, hit_slop)


def _pen(colour: QColor, width: float) -> QPen:
    pen = QPen(colour, width)
    pen.setCosmetic(True)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    return pen


def _dotted(colour: QColor) -> QPen:
    pen = _pen(colour, 1.8)
    pen.setDashPattern([0.1, 2.2])  # round caps: dots
    return pen


def _distance(at: QPointF, polygon: list[QPointF]) -> float:
    best = float("inf")
    for start, end in pairwise(polygon):
        dx, dy = end.x() - start.x(), end.y() - start.y()
        length = dx * dx + dy * dy
        along = 0.0
        if length:
            along = ((at.x() - start.x()) * dx + (at.y() - start.y()) * dy) / length
            along = min(1.0, max(0.0, along))
        gap = hypot(at.x() - start.x() - along * dx, at.y() - start.y() - along * dy)
        best = min(best, gap)
    return best
