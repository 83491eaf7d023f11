"""Small pictures for the filmstrip and the outbox. Called off the GUI thread only.

Of a frame only the pixels that its child decoded are looked at: what a camera sent is decoded here
once it is kept, and a child has found nothing wrong with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QSize, Qt
from PySide6.QtGui import QImage, QImageReader, QTransform

from capture_app.model.encoded_image import EncodedImage, PixelCoding
from capture_app.model.frame import Frame
from capture_app.model.procedure import Turn

if TYPE_CHECKING:  # what is imported within functions here is read before a picture is shown
    import numpy as np
    from numpy.typing import NDArray

FILMSTRIP: Final = QSize(264, 128)
"""Pixels: twice what the filmstrip draws, for screens of twice the density."""


def image_over(pixels: NDArray[np.uint8]) -> QImage:
    """A QImage over a frame's pixels, without a copy. It does not own them: keep the frame."""
    import numpy as np  # noqa: PLC0415

    rows, columns, _ = pixels.shape
    flat = np.ascontiguousarray(pixels)
    image = QImage(flat.data, columns, rows, columns * 3, QImage.Format.Format_RGB888)
    return image if flat is pixels else image.copy()


def small(picture: Frame | EncodedImage, size: QSize = FILMSTRIP) -> QImage:
    """A picture as the filmstrip shows it, or as large as asked. Raises ImageError."""
    if isinstance(picture, Frame):
        return _of_pixels(picture.pixels, size)
    return small_image(picture, size)


def small_image(image: EncodedImage, size: QSize) -> QImage:
    """A kept picture made just large enough to cover `size`. Raises ImageError."""
    from capture_app.imaging.rgb import decode  # noqa: PLC0415

    if image.coding is PixelCoding.JPEG_BASELINE:
        made = _of_jpeg(image.data, size)
        if not made.isNull():
            return made
    return _of_pixels(decode(image, at_least=max(size.width(), size.height())), size)


def turned(image: QImage, turn: Turn) -> QImage:
    """A small picture as it is sent."""
    return image if turn is Turn.NONE else image.transformed(QTransform().rotate(int(turn)))


def _of_jpeg(jpeg: bytes, size: QSize) -> QImage:
    """Decoded at its small size at once: in a fiftieth of the time of decoding it whole."""
    buffer = QBuffer()
    buffer.setData(QByteArray(jpeg))
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer, QByteArray(b"jpeg"))
    reader.setAutoTransform(True)  # as it is kept
    whole = reader.size()
    if whole.isValid():
        reader.setScaledSize(_covering(whole, size))
    return reader.read()


def _of_pixels(pixels: NDArray[np.uint8], size: QSize) -> QImage:
    import numpy as np  # noqa: PLC0415

    target = _covering(QSize(pixels.shape[1], pixels.shape[0]), size)
    step = max(1, pixels.shape[1] // (3 * target.width()))
    thinned = np.ascontiguousarray(pixels[::step, ::step])
    ignore, smooth = (
        Qt.AspectRatioMode.IgnoreAspectRatio,
        Qt.TransformationMode.SmoothTransformation,
    )
    return image_over(thinned).scaled(target, ignore, smooth)  # a copy


def _covering(whole: QSize, size: QSize) -> QSize:
    """The size at which a picture just covers `size` (in pixels), never larger than it is."""
    covering = whole.scaled(size, Qt.AspectRatioMode.KeepAspectRatioByExpanding)
    return whole if covering.width() > whole.width() else covering
