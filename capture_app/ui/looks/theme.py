"""Colours and metrics: dark, light and dim (for a dark room), as data under resources/theme.

Fusion with our own palette and no style sheet: one would have every widget polished anew. All that
has a shape of ours paints itself from `current()`, so a change of theme is one repaint.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QToolTip

from capture_app.settings.resources import resource
from capture_app.settings.schema import ThemeName
from capture_app.ui.words.marks import Tone


class Metric:
    """Sizes in device-independent pixels: a grid of 8, 4 inside components."""

    PAGE_MARGIN = 16
    PANEL_GAP = 8
    PANEL_PADDING = 16
    TARGET = 44
    BAR = 64
    STATUS = 24
    CONTROL = 44
    PRIMARY = 48
    SHUTTER = 56
    ROW = 48
    OUTBOX_ROW = 56
    FILMSTRIP = 96
    CHIP = 28
    BADGE = 20
    RADIUS_KEY = 4
    RADIUS_THUMBNAIL = 6
    RADIUS_CONTROL = 8
    RADIUS_PANEL = 12
    RADIUS_PIN = 16
    ICON_SMALL = 16
    ICON = 20
    ICON_LARGE = 24
    ICON_BRAND = 28
    FOLDS_BELOW = 660
    """A page that is less high folds: what can be small is, before anything scrolls."""
    NARROW_BELOW = 1160
    """A page that is less wide gives its side column less."""


@dataclass(frozen=True, slots=True)
class Theme:
    """The tokens of one theme. Tints are the alpha of a fill, 0 to 1."""

    name: ThemeName
    bg: QColor
    surface: QColor
    control: QColor
    raised: QColor
    text: QColor
    text_2: QColor
    accent: QColor
    on_accent: QColor
    ok: QColor
    warn: QColor
    bad: QColor
    outline: QColor
    hairline: QColor
    live_surround: QColor
    picture_scrim: QColor
    practice: QColor
    on_practice: QColor
    selected_tint: float
    chosen_tint: float
    chip_tint: float
    key_cap_tint: float
    picture_scrim_alpha: float
    popover_scrim_alpha: float
    solid_primary: bool
    """False in dim: no fill there is brighter than text."""

    def tone(self, tone: Tone) -> QColor:
        """The colour of a meaning."""
        colour: QColor = getattr(self, tone.value)
        return colour

    @property
    def selected(self) -> QColor:
        """The fill of a selected row or toggle, to be laid over its surface."""
        return faded(self.accent, self.selected_tint)

    @property
    def chosen(self) -> QColor:
        """The fill of the chosen tab, mode or place in the navigation."""
        return faded(self.accent, self.chosen_tint)

    @property
    def unavailable(self) -> QColor:
        """The label of what cannot be pressed now: still 3.7:1 or more on surface."""
        return mixed(self.text_2, self.surface, 0.66 if self.name is ThemeName.DARK else 0.8)

    @property
    def hover(self) -> QColor:
        """A veil over a control under the pointer."""
        return faded(self.text, 0.06)

    @property
    def pressed(self) -> QColor:
        """A veil over a control that is held down."""
        return faded(self.text, 0.12)

    @property
    def on_picture(self) -> Theme:
        """The theme of marks on a picture: the dark colours everywhere, the dim ones in dim."""
        return self if self.name is ThemeName.DIM else load(ThemeName.DARK)


def faded(colour: QColor, alpha: float) -> QColor:
    """The colour at an alpha."""
    copy = QColor(colour)
    copy.setAlphaF(alpha)
    return copy


def mixed(over: QColor, under: QColor, share: float) -> QColor:
    """`share` of one opaque colour over another."""
    return QColor(
        round(over.red() * share + under.red() * (1 - share)),
        round(over.green() * share + under.green() * (1 - share)),
        round(over.blue() * share + under.blue() * (1 - share)),
    )


@cache
def load(name: ThemeName) -> Theme:
    """The tokens of a theme, from resources/theme."""
    data: dict[str, Any] = json.loads(resource(f"theme/{name}.json").read_text("utf-8"))
    values: dict[str, Any] = {k: QColor(v) if isinstance(v, str) else v for k, v in data.items()}
    expected = {field.name for field in fields(Theme)} - {"name"}
    if values.keys() != expected:
        raise KeyError(f"theme {name}: {sorted(values.keys() ^ expected)}")
    return Theme(name=name, **values)


class _Appearance(QObject):
    """Which theme is in use; told once to everything that caches colours."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.name = ThemeName.DARK


@cache
def appearance() -> _Appearance:
    """The one appearance of the process; its `changed` tells of a new theme."""
    return _Appearance()


def current() -> Theme:
    """The theme in use. Ask for it in every paint; never keep it."""
    return load(appearance().name)


def apply(app: QApplication, name: ThemeName) -> None:
    """Puts a theme in place for the whole application."""
    appearance().name = name
    theme = load(name)
    if app.style().objectName().lower() != "fusion":
        app.setStyle("Fusion")
    palette = _palette(theme)
    app.setPalette(palette)
    QToolTip.setPalette(palette)
    appearance().changed.emit()


def _palette(theme: Theme) -> QPalette:
    palette = QPalette()
    role = QPalette.ColorRole
    for colour_role, colour in (
        (role.Window, theme.bg),
        (role.WindowText, theme.text),
        (role.Base, theme.bg),
        (role.AlternateBase, theme.surface),
        (role.Text, theme.text),
        (role.PlaceholderText, theme.text_2),
        (role.Button, theme.control),
        (role.ButtonText, theme.text),
        (role.BrightText, theme.text),
        (role.ToolTipBase, theme.raised),
        (role.ToolTipText, theme.text),
        (role.Highlight, theme.accent),
        (role.HighlightedText, theme.on_accent if theme.solid_primary else theme.bg),
        (role.Link, theme.accent),
        (role.LinkVisited, theme.accent),
        (role.Light, theme.raised),
        (role.Midlight, theme.raised),
        (role.Mid, theme.hairline),
        (role.Dark, theme.hairline),
        (role.Shadow, theme.bg),
        (role.Accent, theme.accent),
    ):
        palette.setColor(colour_role, colour)
    disabled = QPalette.ColorGroup.Disabled
    for colour_role in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(disabled, colour_role, theme.unavailable)
    return palette
