"""Codes in pictures, made and read by zxing-cpp."""

import numpy as np
import pytest
import zxingcpp
from numpy.typing import NDArray

from capture_app.imaging.codes import FoundCode, read_codes

KINDS = zxingcpp.BarcodeFormat


def picture(*codes: tuple[str, zxingcpp.BarcodeFormat], side: int = 720) -> NDArray[np.uint8]:
    """Codes on a grey wall, one below the other."""
    wall = np.full((side, side * 16 // 9, 3), 190, np.uint8)
    top = 40
    for text, kind in codes:
        code = np.array(zxingcpp.create_barcode(text, kind).to_image(scale=3))
        rows, columns = code.shape[:2]
        wall[top : top + rows, 60 : 60 + columns] = code[..., None]
        top += rows + 40
    return wall


@pytest.mark.parametrize(
    ("kind", "symbology"),
    [
        (KINDS.Code128, "]C0"),
        (KINDS.Code39, "]A0"),
        (KINDS.QRCode, "]Q1"),
        (KINDS.DataMatrix, "]d1"),
        (KINDS.Aztec, "]z0"),
    ],
)
def test_a_code_is_read_with_its_symbology(kind: zxingcpp.BarcodeFormat, symbology: str) -> None:
    assert read_codes(picture(("0009812204", kind))) == (FoundCode("0009812204", symbology),)


def test_two_codes_are_two() -> None:
    seen = read_codes(picture(("0009812204", KINDS.Code128), ("2204", KINDS.QRCode)))
    assert {code.text for code in seen} == {"0009812204", "2204"}


@pytest.mark.parametrize(
    ("text", "kind"),
    [("12345678", KINDS.ITF), ("4006381333931", KINDS.EAN13), ("A12345A", KINDS.Codabar)],
)
def test_a_symbology_of_which_a_part_is_a_code_is_not_read(
    text: str, kind: zxingcpp.BarcodeFormat
) -> None:
    assert read_codes(picture((text, kind))) == ()


def test_a_large_picture_is_read_too() -> None:
    wall = picture(("0009812204", KINDS.Code128)).repeat(4, axis=0).repeat(4, axis=1)
    assert [code.text for code in read_codes(wall)] == ["0009812204"]


def test_nothing_is_read_from_noise() -> None:
    noise = np.random.default_rng(7).integers(0, 255, (360, 640, 3), dtype=np.uint8)
    assert read_codes(noise) == ()
