"""What an image says of a scanner and of what it was set to, and what it leaves out."""

from dataclasses import replace
from typing import Any

import pytest
from pydicom.dataset import Dataset

from capture_app.dicom.build import build, build_clip
from capture_app.dicom.conformance import verify
from capture_app.model.console import Area, ConsoleLayout
from capture_app.model.encoded_image import EncodedImage, Handling
from capture_app.model.procedure import Side, Turn
from capture_app.model.ultrasound import Mode, Preset, Scale, TransducerType
from capture_app.settings.consoles import area_of
from tests.sealing import (
    CAMERA,
    LINEAR_4_CM,
    SCANNER,
    SCANNER_ON_GRABBER,
    clip,
    clip_request,
    description,
    photo,
    request,
)

KNEE = description("RH-US-KNEE", "72696002", Side.RIGHT)


def written(preset: Preset | None, image: EncodedImage | None = None, **changes: Any) -> Dataset:
    device = replace(SCANNER, preset=preset)
    asked = request(**{"description": KNEE, "device": device, "image": image or photo(), **changes})
    ds = build(asked)
    verify(ds)
    return ds


def test_the_scanner_is_the_equipment_and_the_grabber_contributed() -> None:
    ds = build(request(description=KNEE, device=SCANNER_ON_GRABBER))
    verify(ds)
    assert (ds.Manufacturer, ds.ManufacturerModelName, ds.DeviceSerialNumber) == (
        "Lumina",
        "UC-12",
        "SN-0815",
    )
    grabber, own = ds.ContributingEquipmentSequence
    assert (grabber.Manufacturer, grabber.ManufacturerModelName, grabber.DeviceSerialNumber) == (
        "Grabbit",
        "HD-1",
        "G-77",
    )
    assert grabber.ContributionDescription == "Frame grabber"
    for one in (grabber, own):
        assert one.PurposeOfReferenceCodeSequence[0].CodeValue == "CAPTURE"
    assert own.Manufacturer == "Capture App"


def test_without_a_grabber_this_application_contributed_alone() -> None:
    (own,) = build(request(device=CAMERA)).ContributingEquipmentSequence
    assert own.Manufacturer == "Capture App"


def test_what_the_console_is_set_to_is_coded() -> None:
    ds = written(LINEAR_4_CM)
    assert ds.TransducerType == "LINEAR"
    assert ds.TransducerData == "L12-3"
    assert ds.DepthOfScanField == 40
    assert list(ds.ImageType) == ["ORIGINAL", "PRIMARY", "", "0001"]
    assert ds.UltrasoundColorDataPresent == 0


def test_modes_are_summed_and_colour_is_told() -> None:
    ds = written(replace(LINEAR_4_CM, modes=(Mode.B, Mode.COLOR_DOPPLER, Mode.B)))
    assert ds.ImageType[3] == "0011"
    assert ds.UltrasoundColorDataPresent == 1


def test_nothing_is_said_where_nobody_has_said_it() -> None:
    ds = written(None)
    assert list(ds.ImageType) == ["ORIGINAL", "PRIMARY"]
    for keyword in (
        "TransducerType",
        "TransducerData",
        "DepthOfScanField",
        "UltrasoundColorDataPresent",
        "SequenceOfUltrasoundRegions",
        "PixelSpacing",
    ):
        assert keyword not in ds
    bare = written(Preset("Unknown"))
    assert list(bare.ImageType) == ["ORIGINAL", "PRIMARY"]
    assert "SequenceOfUltrasoundRegions" not in bare


def test_the_scale_is_in_centimetres_of_the_scanned_area() -> None:
    (region,) = written(LINEAR_4_CM).SequenceOfUltrasoundRegions
    corners = (
        region.RegionLocationMinX0,
        region.RegionLocationMinY0,
        region.RegionLocationMaxX1,
        region.RegionLocationMaxY1,
    )
    assert corners == (8, 4, 55, 43)
    assert (region.PhysicalUnitsXDirection, region.PhysicalUnitsYDirection) == (3, 3)
    assert region.PhysicalDeltaX == region.PhysicalDeltaY == 0.1  # 40 rows of it are 4 cm
    assert (region.RegionSpatialFormat, region.RegionDataType, region.RegionFlags) == (1, 1, 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"preset": replace(LINEAR_4_CM, scale=None)},
        {"preset": replace(LINEAR_4_CM, modes=(Mode.B, Mode.M))},
        {"preset": replace(LINEAR_4_CM, modes=(Mode.PW_DOPPLER,))},
        {"preset": replace(LINEAR_4_CM, scale=Scale(65, 48, Area(8, 4, 48, 40), 1.0))},
        {"preset": LINEAR_4_CM, "image": replace(photo(), pixel_aspect=(16, 15))},
        {"preset": LINEAR_4_CM, "image": replace(photo(), handling=Handling.TURNED)},
        {"preset": LINEAR_4_CM, "description": replace(KNEE, turn=Turn.HALF)},
    ],
    ids=["nobody measured", "M mode", "Doppler", "size", "not square", "upright", "turned"],
)
def test_there_is_no_scale_where_it_would_not_be_true(changes: dict[str, Any]) -> None:
    assert "SequenceOfUltrasoundRegions" not in written(**changes)


def test_a_photograph_says_nothing_of_a_scanner() -> None:
    ds = build(request(device=replace(CAMERA, preset=LINEAR_4_CM)))
    assert "TransducerType" not in ds
    assert "SequenceOfUltrasoundRegions" not in ds


def test_a_clip_says_the_same() -> None:
    made = clip()
    device = replace(SCANNER, preset=LINEAR_4_CM)
    ds = build_clip(clip_request(made, device, description=KNEE), made)
    assert ds.TransducerType == TransducerType.LINEAR
    assert ds.ImageType[3] == "0001"
    assert len(ds.SequenceOfUltrasoundRegions) == 1


def test_an_area_is_read_as_it_is_written() -> None:
    area = area_of("240,96,1440x960")
    assert (area.left, area.top, area.right, area.bottom) == (240, 96, 1680, 1056)
    assert area.is_within(Area(0, 0, 1920, 1080))
    assert not area.is_within(Area(0, 100, 1920, 1080))
    assert area.common(Area(0, 0, 300, 100)) == Area(240, 96, 60, 4)
    assert area.common(Area(0, 0, 240, 96)) is None
    assert area.moved(-240, -96) == Area(0, 0, 1440, 960)


CUT = replace(photo(), cut_to=Area(8, 16, 64, 48))
SAYS_NOTHING = replace(
    SCANNER, burned_in_annotation=None, console=ConsoleLayout(80, 80, CUT.cut_to)
)


@pytest.mark.parametrize(
    ("said", "image", "written_as"),
    [
        (None, CUT, "NO"),
        (None, photo(), "YES"),  # of another size: nothing was cut away
        (True, CUT, "YES"),
        (False, photo(), "NO"),
    ],
)
def test_burned_in_is_what_is_true_of_this_picture(
    said: bool | None, image: EncodedImage, written_as: str
) -> None:
    device = replace(SAYS_NOTHING, burned_in_annotation=said)
    ds = build(request(description=KNEE, device=device, image=image))
    verify(ds)
    assert ds.BurnedInAnnotation == written_as


def test_a_clip_of_a_console_is_whole_and_says_so() -> None:
    made = clip()
    ds = build_clip(clip_request(made, SAYS_NOTHING, description=KNEE), made)
    assert ds.BurnedInAnnotation == "YES"


def test_what_was_cut_away_is_told() -> None:
    ds = build(request(description=KNEE, device=SAYS_NOTHING, image=CUT))
    assert ds.ImageType[0] == "DERIVED"
    assert ds.DerivationDescription == ("Cut to the part without the console's text, without loss")
    turned = replace(CUT, handling=Handling.TURNED)
    ds = build(request(description=KNEE, device=SAYS_NOTHING, image=turned))
    assert ds.DerivationDescription.endswith("; JPEG turned by its coefficients, without loss")


def test_the_scanned_area_moves_with_the_cut() -> None:
    scale = Scale(80, 80, Area(10, 8, 40, 50), 1.0)
    device = replace(SAYS_NOTHING, preset=replace(LINEAR_4_CM, scale=scale))
    ds = build(request(description=KNEE, device=device, image=CUT))
    (region,) = ds.SequenceOfUltrasoundRegions
    assert (region.RegionLocationMinX0, region.RegionLocationMinY0) == (2, 0)  # cut inwards
    assert (region.RegionLocationMaxX1, region.RegionLocationMaxY1) == (41, 41)
    elsewhere = replace(CUT, cut_to=Area(60, 60, 64, 48))
    assert "SequenceOfUltrasoundRegions" not in build(
        request(description=KNEE, device=device, image=elsewhere)
    )
