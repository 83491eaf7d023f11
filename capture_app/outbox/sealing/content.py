"""A kept picture or clip as the DICOM file that is sealed, and what an archive is told of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from capture_app.dicom.request import SealRequest
from capture_app.errors import RuleError
from capture_app.model.delivery import Instance
from capture_app.model.encoded_image import EncodedImage, PixelCoding
from capture_app.model.procedure import Turn
from capture_app.model.words import tr
from capture_app.outbox.keeping.clips import open_film, poster_of, shaped
from capture_app.outbox.keeping.drafts import kind_of_capture
from capture_app.outbox.spool import Spool

if TYPE_CHECKING:  # its libraries are read by the first picture
    from capture_app.imaging.decoder import Decoder

Request = Callable[[EncodedImage], SealRequest]
"""What the builder is asked with, of a picture that is coded."""

# Imported within functions: reading the DICOM library takes longer than opening the window does.


def is_film(spool: Spool, capture_id: str) -> bool:
    """Whether it is sent as frames in a row. A clip of a single one is the picture that it is.

    Raises SealBrokenError, StoreError.
    """
    if kind_of_capture(spool, capture_id) != "clip":
        return False
    with open_film(spool, capture_id) as clip:
        return clip.length.frames > 1


def picture_instance(
    spool: Spool, capture_id: str, turn: Turn, decoder: Decoder, request: Request
) -> tuple[Instance, bytes]:
    """The Part 10 file of a picture. Raises ConformanceError, SealBrokenError, and ImageError as
    `turned`.
    """
    # Read pydicom, which the start does not wait for.
    from capture_app.dicom import part10  # noqa: PLC0415
    from capture_app.dicom.build import build  # noqa: PLC0415
    from capture_app.dicom.coding import coded  # noqa: PLC0415
    from capture_app.dicom.conformance import verify  # noqa: PLC0415
    from capture_app.imaging.turning import turned  # noqa: PLC0415

    as_turned = turned(poster_of(spool, capture_id), turn, decoder)
    image = coded(as_turned)
    ds = build(request(image))
    verify(ds)
    content = part10.write(ds)
    pixels = part10.pixel_fragment(ds, content, len(image.data))
    is_without_loss = as_turned.coding is PixelCoding.RGB
    instance = part10.describe_instance(
        ds,
        len(content),
        (pixels,),
        decoded_sha256=part10.sha256_of(as_turned.data) if is_without_loss else "",
    )
    return instance, content


def clip_instance(
    spool: Spool, capture_id: str, turn: Turn, request: Request
) -> tuple[Instance, Iterator[bytes]]:
    """The Part 10 file of a clip, in pieces: at most a frame is in memory.

    Raises RuleError for a clip that was turned or is too long for one instance, ImageError for
    frames that cannot be kept as they are, ConformanceError, SealBrokenError.
    """
    # Read pydicom, which the start does not wait for.
    from capture_app.dicom import part10  # noqa: PLC0415
    from capture_app.dicom.build import build_clip  # noqa: PLC0415
    from capture_app.dicom.conformance import verify  # noqa: PLC0415
    from capture_app.imaging.clip import coded_clips  # noqa: PLC0415

    if turn is not Turn.NONE:
        raise RuleError(tr("A clip cannot be turned. Turn it back first."))

    with open_film(spool, capture_id) as film:
        shape = film.format

    def frames() -> Iterator[tuple[bytes, int]]:
        with open_film(spool, capture_id) as film:
            yield from film.frames()

    clip, *more = coded_clips(frames)
    if more:  # none that is recorded here: `filming.MOST_FRAMES`
        raise RuleError(tr("This clip is too long to be sent."))
    clip = replace(clip, first=shaped(clip.first, shape))
    ds = build_clip(request(clip.first), clip)
    verify(ds)
    return part10.describe_clip(ds, clip), part10.clip_pieces(ds, clip)
