"""A frame of a device as the image that is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from capture_app.errors import ImageError
from capture_app.model.device import DeviceInfo, DeviceKind
from capture_app.model.encoded_image import EncodedImage, PixelCoding
from capture_app.model.frame import Frame

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_CODED_ON_THE_WAY: Final = frozenset({DeviceKind.STREAM, DeviceKind.FILE})


class DecodePicture(Protocol):
    """Decodes a JPEG from outside, whole (see `imaging.decoding`). Raises ImageError."""

    def __call__(self, image: EncodedImage, /) -> NDArray[np.uint8]: ...


def encoded(frame: Frame, device: DeviceInfo, decode: DecodePicture) -> EncodedImage:
    """The device's own JPEG as it is, any other frame losslessly. Raises ImageError."""
    # Only here: the list of patients need not wait for numpy and Pillow. The window has them read
    # ahead, long before a first frame.
    from capture_app.imaging.jpeg import prepare_jpeg  # noqa: PLC0415
    from capture_app.imaging.rgb import encode_rgb  # noqa: PLC0415

    if frame.jpeg is None:
        # A stream or a film was coded lossily on its way here, and that flag never goes back.
        return encode_rgb(frame.pixels, came_from_lossy=device.kind in _CODED_ON_THE_WAY)
    try:
        return prepare_jpeg(frame.jpeg, check_pixels=False)
    except ImageError:
        # A camera whose JPEG may not be wrapped as it is (progressive, 12 bit): its picture is kept
        # losslessly and whole (what is shown may be smaller), and stays marked as lossy once.
        whole = decode(EncodedImage(PixelCoding.JPEG_BASELINE, 0, 0, frame.jpeg))
        return encode_rgb(whole, came_from_lossy=True)
