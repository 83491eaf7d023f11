"""What a scanner was set to: US Image and US Region Calibration (PS3.3 C.8.5.6, C.8.5.5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pydicom.dataset import Dataset

from capture_app.dicom.elements import put, put_known
from capture_app.dicom.request import SealRequest
from capture_app.model.console import Area
from capture_app.model.encoded_image import EncodedImage, Handling
from capture_app.model.procedure import Turn
from capture_app.model.ultrasound import Mode, Preset, Scale, modality_of

_TWO_DIMENSIONS: Final = 1
_TISSUE: Final = 1
_CENTIMETRES: Final = 3
_MM_PER_CM: Final = 10


def us_image_module(ds: Dataset, preset: Preset | None) -> None:
    """Transducer, modes and depth, where a person has said what the console is set to.

    To be called after the General Image module, whose Image Type it makes longer.
    """
    if preset is None:
        return
    put_known(ds, "TransducerType", preset.transducer_type and preset.transducer_type.value)
    put_known(ds, "TransducerData", preset.transducer)
    put_known(ds, "DepthOfScanField", preset.depth_mm)
    if preset.modes:
        put(ds, "ImageType", [*ds.ImageType, "", modality_of(preset.modes)])
        has_color = any(mode.is_colored for mode in preset.modes)
        put(ds, "UltrasoundColorDataPresent", int(has_color))


def us_region_calibration_module(ds: Dataset, request: SealRequest) -> None:
    """The scale of the scanned area, where it is known of exactly this picture; else nothing.

    It is not known of a picture of another size, of pixels that are not square, of one that a
    person turned, and of modes whose axes are not both lengths.
    """
    preset = request.device.preset
    if preset is None or preset.scale is None or not _is_spatial(preset.modes):
        return
    if request.description.turn is not Turn.NONE:
        return
    area = _area_in(request.image, preset.scale)
    if area is not None:
        put(ds, "SequenceOfUltrasoundRegions", [_region(area, preset.scale.mm_per_pixel)])


def _is_spatial(modes: Sequence[Mode]) -> bool:
    return all(mode.is_spatial for mode in modes)


def _area_in(image: EncodedImage, scale: Scale) -> Area | None:
    """Where the scanned area lies in the kept picture, which may be a part of the one that came."""
    if image.handling is Handling.TURNED or image.pixel_aspect != (1, 1):
        return None
    cut = image.cut_to
    if cut is None:
        return scale.scan_area if (image.columns, image.rows) == scale.size else None
    if (image.columns, image.rows) != (cut.width, cut.height):
        return None
    within = scale.scan_area.common(cut)
    return None if within is None else within.moved(-cut.left, -cut.top)


def _region(area: Area, mm_per_pixel: float) -> Dataset:
    region = Dataset()
    put(region, "RegionSpatialFormat", _TWO_DIMENSIONS)
    put(region, "RegionDataType", _TISSUE)
    put(region, "RegionFlags", 0)
    put(region, "RegionLocationMinX0", area.left)
    put(region, "RegionLocationMinY0", area.top)
    put(region, "RegionLocationMaxX1", area.right - 1)
    put(region, "RegionLocationMaxY1", area.bottom - 1)
    put(region, "PhysicalUnitsXDirection", _CENTIMETRES)
    put(region, "PhysicalUnitsYDirection", _CENTIMETRES)
    put(region, "PhysicalDeltaX", mm_per_pixel / _MM_PER_CM)
    put(region, "PhysicalDeltaY", mm_per_pixel / _MM_PER_CM)
    return region
