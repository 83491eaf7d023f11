"""The tokens keep their promises: contrast of text, marks and outlines in every theme."""

import pytest
from PySide6.QtGui import QColor

from capture_app.settings.schema import ThemeName
from capture_app.ui.looks.theme import Theme, load, mixed
from capture_app.ui.words.marks import Tone


def luminance(colour: QColor) -> float:
    def linear(value: float) -> float:
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    red, green, blue = map(linear, (colour.redF(), colour.greenF(), colour.blueF()))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: QColor, other: QColor) -> float:
    """WCAG 2.2: (lighter + 0.05) / (darker + 0.05)."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.fixture(params=list(ThemeName))
def theme(request: pytest.FixtureRequest) -> Theme:
    return load(request.param)


@pytest.mark.parametrize("tone", list(Tone))
@pytest.mark.parametrize("ground", ["bg", "surface", "control"])
def test_every_text_is_readable_on_every_ground(theme: Theme, tone: Tone, ground: str) -> None:
    assert contrast(theme.tone(tone), getattr(theme, ground)) >= 4.5


@pytest.mark.parametrize("tone", [Tone.OK, Tone.WARN, Tone.BAD])
def test_a_chip_is_readable_on_its_own_tint(theme: Theme, tone: Tone) -> None:
    colour = theme.tone(tone)

    assert contrast(colour, mixed(colour, theme.surface, theme.chip_tint)) >= 4.5


@pytest.mark.parametrize("ground", ["bg", "surface", "control"])
def test_outlines_and_focus_can_be_seen(theme: Theme, ground: str) -> None:
    assert contrast(theme.outline, getattr(theme, ground)) >= 3.0
    assert contrast(theme.accent, getattr(theme, ground)) >= 3.0


def test_what_is_selected_and_what_is_primary_are_readable(theme: Theme) -> None:
    selected = mixed(theme.accent, theme.surface, theme.selected_tint)
    chosen = mixed(theme.accent, theme.surface, theme.chosen_tint)
    primary = theme.accent if theme.solid_primary else selected

    assert contrast(theme.text, selected) >= 4.5
    assert contrast(theme.accent, chosen) >= 4.5
    assert contrast(theme.on_accent, primary) >= 4.5
    assert contrast(theme.on_practice, theme.practice) >= 4.5


def test_a_label_that_is_not_available_is_still_seen(theme: Theme) -> None:
    assert contrast(theme.unavailable, theme.surface) >= 3.7


def test_marks_on_a_picture_are_readable_on_their_scrim_in_any_theme(theme: Theme) -> None:
    for picture in (QColor("white"), QColor("black")):
        ground = mixed(theme.picture_scrim, picture, theme.picture_scrim_alpha)
        for tone in Tone:
            assert contrast(theme.on_picture.tone(tone), ground) >= 4.5


def test_dim_has_no_fill_brighter_than_its_text() -> None:
    dim = load(ThemeName.DIM)
    fills = (dim.bg, dim.surface, dim.control, dim.raised)

    assert not dim.solid_primary
    assert all(luminance(fill) < luminance(dim.text) for fill in fills)
