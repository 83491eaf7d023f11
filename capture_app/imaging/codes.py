"""Bar codes and matrix codes in a picture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import zxingcpp
from numpy.typing import NDArray

_LONGEST_SIDE: Final = 1600
"""Pixels: a code that fills a tenth of it is read, and a larger picture takes longer."""


@dataclass(frozen=True, slots=True)
class FoundCode:
    """A code whose own checks held."""

    text: str
    symbology: str
    """Its AIM identifier such as ]C0 (ISO/IEC 15424)."""


def read_codes(pixels: NDArray[np.uint8]) -> tuple[FoundCode, ...]:
    """Every code in a picture of shape (rows, columns, 3), uint8, RGB; each text once.

    Only symbologies of which a part is never a whole code are read: Code 128, Code 39, Data Matrix,
    QR, Aztec and PDF417. Takes about a tenth of a second; other threads go on meanwhile.
    """
    step = -(-max(pixels.shape[:2]) // _LONGEST_SIDE)
    green = np.ascontiguousarray(pixels[::step, ::step, 1])
    found = zxingcpp.read_barcodes(
        green, formats=_formats(), try_invert=False, text_mode=zxingcpp.TextMode.Plain
    )
    codes = (FoundCode(code.text, code.symbology_identifier) for code in found if code.valid)
    return tuple(dict.fromkeys(codes))


@cache
def _formats() -> zxingcpp.BarcodeFormats:
    kinds = zxingcpp.BarcodeFormat
    return zxingcpp.BarcodeFormats(
        [kinds.Code128, kinds.Code39, kinds.DataMatrix, kinds.QRCode, kinds.Aztec, kinds.PDF417]
    )


def matrix_of(text: str) -> NDArray[np.bool_]:
    """A QR code (ISO/IEC 18004) of a text: (modules, modules), True is dark; no quiet zone."""
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode)
    image = np.asarray(code.to_image(scale=1), np.uint8)
    dark = image < 128
    rows, columns = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    return np.ascontiguousarray(dark[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
