"""What we use of zxing-cpp. Its own types would do, but a checkout whose environment is older than
its lists can be checked with these, too.
"""

from collections.abc import Sequence
from enum import Enum, IntEnum

import numpy as np
from numpy.typing import NDArray

class BarcodeFormat(IntEnum):
    Aztec = 8314
    Codabar = 8262
    Code128 = 8259
    Code39 = 8257
    DataMatrix = 8292
    EAN13 = 12613
    ITF = 8265
    PDF417 = 8268
    QRCode = 8273

class BarcodeFormats:
    def __init__(self, arg: Sequence[BarcodeFormat], /) -> None: ...

class TextMode(Enum):
    Plain = 0

class Barcode:
    @property
    def valid(self) -> bool: ...
    @property
    def text(self) -> str: ...
    @property
    def symbology_identifier(self) -> str: ...
    def to_image(self, scale: int = ...) -> NDArray[np.uint8]: ...

def create_barcode(content: str, format: BarcodeFormat, /) -> Barcode: ...
def read_barcodes(
    image: NDArray[np.uint8],
    formats: BarcodeFormats = ...,
    try_rotate: bool = ...,
    try_downscale: bool = ...,
    try_invert: bool = ...,
    text_mode: TextMode = ...,
) -> list[Barcode]: ...
