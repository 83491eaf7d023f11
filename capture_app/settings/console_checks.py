"""What the settings of a console must say together: a wrong scale measures wrongly for good."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from capture_app.model.procedure import ImageKind
from capture_app.model.ultrasound import Mode
from capture_app.model.words import tr
from capture_app.settings.consoles import (
    ConsoleSettings,
    PresetSettings,
    area_of,
    layout_of,
    whole_picture,
)
from capture_app.settings.schema import Device

_DEPTH_FITS_WITHIN: Final = 0.25
"""The scanned area is about as high as its depth: a slip of the decimal point is not."""

# key, problem, allowed
_Found = tuple[str, str, str]


def console_faults(where: str, device: Device) -> Iterator[_Found]:
    """Faults between the keys of one device."""
    if device.presets and device.image_kind is not ImageKind.ULTRASOUND:
        yield (
            f"{where}.presets",
            tr("They are for ultrasound alone."),
            tr("absent, or image_kind = US"),
        )
    if device.console is not None and device.console.picture_size:
        yield from _layout(f"{where}.console", device.console)
    names = [preset.name for preset in device.presets]
    for number, preset in enumerate(device.presets):
        at = f"{where}.presets[{number}]"
        if preset.name in names[:number]:
            yield (
                f"{at}.name",
                tr("Another entry has this name."),
                tr("a name of its own for each entry"),
            )
        yield from _scale(at, preset, device.console)


def _layout(at: str, console: ConsoleSettings) -> Iterator[_Found]:
    whole, layout = whole_picture(console), layout_of(console)
    for key, area in (("kept_area", layout.kept), ("banner_area", layout.banner)):
        if area is not None and not area.is_within(whole):
            yield _outside(f"{at}.{key}", console.picture_size)
    if layout.kept is not None and layout.banner is not None and layout.kept.common(layout.banner):
        yield (
            f"{at}.kept_area",
            tr("The console's names would stay in the picture."),
            tr("an area that shares nothing with banner_area"),
        )
    if console.reader_model and layout.banner is None:
        yield (
            f"{at}.banner_area",
            tr("It is missing."),
            tr("the area that reader_model is to read"),
        )


def _outside(key: str, size: str) -> _Found:
    return (key, tr("It is not within the picture."), tr("an area of {size}", size=size))


def _scale(at: str, preset: PresetSettings, console: ConsoleSettings | None) -> Iterator[_Found]:
    if bool(preset.scan_area) != (preset.mm_per_pixel is not None):
        missing = "mm_per_pixel" if preset.scan_area else "scan_area"
        allowed = tr("scan_area and mm_per_pixel both, or neither")
        yield (f"{at}.{missing}", tr("It is missing."), allowed)
    if not preset.scan_area or preset.mm_per_pixel is None:
        return
    if not all(Mode(mode).is_spatial for mode in preset.modes):
        yield (
            f"{at}.mm_per_pixel",
            tr("One axis of such a mode is time, and no length."),
            tr("absent, or modes of 2D, COLOR and POWER alone"),
        )
    if console is None or not console.picture_size:
        yield (
            f"{at}.scan_area",
            tr("Nobody says of which picture."),
            tr("with a [devices.console]"),
        )
        return
    area = area_of(preset.scan_area)
    if not area.is_within(whole_picture(console)):
        yield _outside(f"{at}.scan_area", console.picture_size)
    elif console.kept_area and not area.is_within(area_of(console.kept_area)):
        yield (
            f"{at}.scan_area",
            tr("A part of it is not kept."),
            tr("an area within console.kept_area"),
        )
    high = area.height * preset.mm_per_pixel
    depth = preset.depth_mm
    if depth is not None and abs(high - depth) > depth * _DEPTH_FITS_WITHIN:
        yield (
            f"{at}.mm_per_pixel",
            tr("The scanned area would be {n} mm high.", n=f"{high:g}"),
            tr("about depth_mm divided by the rows of scan_area"),
        )
