"""In which transfer syntax pixels are sealed, and in which others the same instance may be sent.

An instance has one sealed form. A peer that does not take it gets the same pixels uncompressed,
where they were coded without loss: always the same bytes for the same transfer syntax. A lossy JPEG
is never decoded to fit, because what a camera made would not be there any more.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from pydicom.dataset import Dataset
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
)

from capture_app.dicom import jpeg_ls, part10
from capture_app.errors import ConformanceError
from capture_app.model.delivery import Instance
from capture_app.model.encoded_image import MOST_PIXELS, EncodedImage, PixelCoding

UNCOMPRESSED: Final = (str(ExplicitVRLittleEndian), str(ImplicitVRLittleEndian))
_WITHOUT_LOSS: Final = frozenset({str(JPEGLSLossless), str(ExplicitVRLittleEndian)})


def coded(image: EncodedImage) -> EncodedImage:
    """The picture as it is sealed: RGB as JPEG-LS, a coded one as it is. Raises ConformanceError
    where rows and columns are not those of the pixels.
    """
    if image.coding is not PixelCoding.RGB:
        return image
    stream = jpeg_ls.encode(image.data, image.rows, image.columns, 3)
    return replace(image, coding=PixelCoding.JPEG_LS, data=stream)


def sendable_in(transfer_syntax_uid: str) -> tuple[str, ...]:
    """In which transfer syntaxes an instance may be sent that is sealed in this one, best first."""
    if transfer_syntax_uid not in _WITHOUT_LOSS:
        return (transfer_syntax_uid,)
    return tuple(dict.fromkeys((transfer_syntax_uid, *UNCOMPRESSED)))


def in_transfer_syntax(content: bytes, instance: Instance, transfer_syntax_uid: str) -> bytes:
    """The Part 10 file of an instance in one of those that `sendable_in` names.

    Nothing but the coding changes: pixels, UIDs and every other value are those of the sealed file.
    Raises ConformanceError for a file that is not as its instance says.
    """
    if transfer_syntax_uid == instance.transfer_syntax_uid:
        return content
    if transfer_syntax_uid not in sendable_in(instance.transfer_syntax_uid):
        message = "an instance is never sent in that transfer syntax"
        raise ConformanceError(message)
    ds = part10.read(content)
    if UID(instance.transfer_syntax_uid).is_encapsulated:
        _decode(ds, content, instance)
    ds.file_meta.TransferSyntaxUID = UID(transfer_syntax_uid)
    return part10.write(ds)


def decoded_sha256(ds: Dataset) -> str | None:
    """Hex SHA-256 over the pixels that the one frame of a dataset codes as JPEG-LS; None for any
    other coding. Raises ConformanceError for a stream that is not as the dataset says.
    """
    if ds.file_meta.TransferSyntaxUID != JPEGLSLossless:
        return None
    layout = part10.pixel_layout(ds)
    if layout.frames != 1 or layout.rows * layout.columns > MOST_PIXELS:
        return None
    pixels = jpeg_ls.decode(
        part10.code_stream(ds), layout.rows, layout.columns, layout.samples_per_pixel
    )
    return part10.sha256_of(pixels)


def _decode(ds: Dataset, content: bytes, instance: Instance) -> None:
    if len(instance.fragments) != 1:
        message = "only an instance of one frame in one fragment can be decoded"
        raise ConformanceError(message)
    (place,) = instance.fragments
    stream = memoryview(content)[place.offset : place.offset + place.length]
    pixels = jpeg_ls.decode(stream, int(ds.Rows), int(ds.Columns), int(ds.SamplesPerPixel))
    if part10.sha256_of(pixels) != instance.decoded_sha256:
        message = "the decoded pixels are not those that were sealed"
        raise ConformanceError(message)
    ds["PixelData"].value = pixels + b"\0" * (len(pixels) % 2)
    ds["PixelData"].is_undefined_length = False
