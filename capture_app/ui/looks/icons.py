"""Phosphor icons (regular), drawn from SVG in any colour of the theme."""

from __future__ import annotations

from functools import cache, lru_cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap, QTransform
from PySide6.QtSvg import QSvgRenderer

from capture_app.settings.resources import resource

_POINTS_ASIDE = frozenset(
    {
        "arrow-left",
        "arrow-right",
        "arrow-u-up-left",
        "backspace",
        "caret-left",
        "caret-right",
        "paper-plane-right",
    }
)


@cache
def _source(name: str) -> bytes:
    return resource(f"icons/{name}.svg").read_bytes()


@lru_cache(maxsize=512)
def _drawn(name: str, rgba: int, size: int, ratio: float, *, mirrored: bool) -> QPixmap:
    colour = QColor.fromRgba(rgba)
    svg = _source(name).replace(b"currentColor", colour.name().encode())
    side = round(size * ratio)
    pixmap = QPixmap(side, side)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setOpacity(colour.alphaF())
    QSvgRenderer(QByteArray(svg)).render(painter, QRectF(0, 0, side, side))
    painter.end()
    if mirrored:
        pixmap = pixmap.transformed(QTransform.fromScale(-1, 1))
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


def pixmap(
    name: str, colour: QColor, size: int, *, ratio: float = 1.0, rtl: bool = False
) -> QPixmap:
    """An icon in a colour, `size` in logical pixels; those that point aside mirror where `rtl`."""
    mirrored = rtl and name in _POINTS_ASIDE
    return _drawn(name, colour.rgba(), size, ratio, mirrored=mirrored)


def icon(name: str, colour: QColor, size: int = 20) -> QIcon:
    """The same as a QIcon, for standard widgets."""
    return QIcon(_drawn(name, colour.rgba(), size, 2.0, mirrored=False))
