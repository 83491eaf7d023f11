"""A frame of a device, or a file, as the image that is kept, and when it was exposed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from capture_app.model.device import DeviceInfo, DeviceKind
from capture_app.model.encoded_image import EncodedImage
from capture_app.model.frame import Frame

if TYPE_CHECKING:
    from capture_app.imaging.decoder import Decoder

_CODED_ON_THE_WAY: Final = frozenset({DeviceKind.STREAM, DeviceKind.FILE})
_SQUARE: Final = (1, 1)
_OLDEST_FILE: Final = timedelta(days=2 * 365)
"""A camera whose clock was lost begins again years ago."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that may be kept."""

    image: EncodedImage
    taken_at: datetime
    """When it was exposed; where nobody knows that, when it came here."""
    is_time_known: bool = True
    camera_time: datetime | None = None
    """Of a file: what the clock of its camera showed, without a zone."""
    camera: str = ""
    """Of a file: make, model and serial number of its camera."""
    digest: str = ""
    """Of a file: by what it is known again, see `picture_in`."""


def picture_of(frame: Frame, device: DeviceInfo, decoder: Decoder) -> Picture:
    """The device's own JPEG as the judge lets it pass, any other frame losslessly; without the
    part in which its console writes names, where the profile says which that is.

    Raises ImageError.
    """
    picture = _whole_picture_of(frame, device, decoder)
    if device.console is None:
        return picture
    from capture_app.imaging.cutting import cut  # noqa: PLC0415 - as below

    return replace(picture, image=cut(picture.image, device.console, decoder))


def _whole_picture_of(frame: Frame, device: DeviceInfo, decoder: Decoder) -> Picture:
    # Only here: the list of patients need not wait for numpy and Pillow. The window has them read
    # ahead, long before a first frame.
    from capture_app.imaging.rgb import encode_rgb  # noqa: PLC0415

    if frame.jpeg is None:
        # A stream or a film was coded lossily on its way here, and that flag never goes back.
        image = encode_rgb(frame.pixels, came_from_lossy=device.kind in _CODED_ON_THE_WAY)
        picture = Picture(image, frame.taken_at, device.kind is not DeviceKind.FILE)
    elif device.kind is DeviceKind.FILE:
        picture = picture_in(frame.jpeg, decoder, now=frame.taken_at)
    else:
        # Reads NumPy and Pillow, which the start does not wait for.
        from capture_app.imaging.judge import judge  # noqa: PLC0415

        picture = Picture(judge(frame.jpeg, decoder).image, frame.taken_at)
    if picture.image.pixel_aspect == _SQUARE:  # what holds the picture may say it, and it may not
        shaped = replace(picture.image, pixel_aspect=frame.pixel_aspect)
        return replace(picture, image=shaped)
    return picture


def picture_in(data: bytes, decoder: Decoder, *, now: datetime) -> Picture:
    """The picture in a file, with its own time where that can be believed, and the SHA-256 of its
    bytes. Raises ImageError.
    """
    # Reads NumPy and Pillow, which the start does not wait for.
    from capture_app.imaging.judge import judge  # noqa: PLC0415

    judged = judge(data, decoder)
    own = judged.taken_at
    if own is None or not now - _OLDEST_FILE <= own <= now:
        own, is_known = now, False
    else:
        is_known = True
    digest = hashlib.sha256(data).hexdigest()
    return Picture(judged.image, own, is_known, judged.camera_time, judged.camera, digest)
