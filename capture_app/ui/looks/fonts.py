"""The type: Inter, then Noto for other scripts, with tabular figures, at fixed pixel sizes."""

from __future__ import annotations

from functools import cache
from typing import Final

from PySide6.QtGui import QFont, QFontDatabase
from PySide6.QtWidgets import QApplication

from capture_app.settings.resources import resource

_FILES: Final = (
    "fonts/inter/Inter-Regular.otf",
    "fonts/inter/Inter-Medium.otf",
    "fonts/inter/Inter-SemiBold.otf",
    "fonts/inter/Inter-Bold.otf",
    "fonts/noto/NotoSans-Regular.ttf",
    "fonts/noto/NotoSans-Bold.ttf",
    "fonts/noto/NotoSansArabic-Regular.ttf",
    "fonts/noto/NotoSansArabic-Bold.ttf",
)
# CJK comes from the system (fonts-noto-cjk); where it is missing Qt falls back to what is there.
_FAMILIES: Final = (
    "Inter",
    "Noto Sans",
    "Noto Sans Arabic",
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
)

REGULAR: Final = QFont.Weight.Normal
MEDIUM: Final = QFont.Weight.Medium
SEMIBOLD: Final = QFont.Weight.DemiBold
BOLD: Final = QFont.Weight.Bold


def install(app: QApplication) -> None:
    """Loads the fonts that ship with the application and makes Inter 14 its font."""
    for path in _FILES:
        if QFontDatabase.addApplicationFontFromData(resource(path).read_bytes()) < 0:
            raise OSError(f"font cannot be used: {path}")
    font.cache_clear()
    app.setFont(font(14))


@cache
def font(size: int, weight: QFont.Weight = REGULAR, *, spacing: float = 0.0) -> QFont:
    """A font of the application, `size` in pixels (12 or more). Shared: copy it before a change."""
    if size < 12:
        raise ValueError("nothing is set smaller than 12 px")
    made = QFont()
    made.setFamilies(list(_FAMILIES))
    made.setPixelSize(size)
    made.setWeight(weight)
    made.setFeature(QFont.Tag("tnum"), 1)
    made.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    if spacing:
        made.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, spacing)
    return made


def line_height(size: int) -> int:
    """The height of a one-line label: Inter's own. Taller fallback fonts must not push a page."""
    return round(size * 1.21)
