"""How a picture that is stored turned is put upright (EXIF 2.32, 4.6.4)."""

from __future__ import annotations

from typing import Final

from PIL import Image

TURNS: Final = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""By EXIF orientation, what puts such a picture upright; Pillow turns to the left."""
