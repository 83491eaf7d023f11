"""JPEG surgery without decoding: only baseline passes, metadata is cut, the coded picture stays.

The stream that is kept is the one that came, less APP0, APP1 (EXIF, GPS, XMP), APP3 to APP13,
APP15, comments, what is not a colour profile in APP2, and every byte after the first picture's end.
Kept: the ICC profile, and APP14, without which an RGB picture is shown in wrong colours.
(ITU-T T.81; DICOM PS3.5 8.2.1, A.4.)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from capture_app.dicom.jpeg_stream import (
    DHT,
    SOF0,
    SOS,
    START,
    cut_short,
    damaged,
    segments,
    size_in,
)
from capture_app.errors import ImageError
from capture_app.imaging.color_profile import IccChunks
from capture_app.imaging.exif import read_exif
from capture_app.imaging.file_kind import kind_of
from capture_app.imaging.huffman import STANDARD_TABLES
from capture_app.imaging.jpeg_truncation import scan_is_whole
from capture_app.model.encoded_image import MOST_PIXELS, EncodedImage, PixelCoding
from capture_app.model.words import tr

APP0, APP1, APP2, APP14 = 0xE0, 0xE1, 0xE2, 0xEE
COM, DQT, DRI = 0xFE, 0xDB, 0xDD
_RESTART: Final = re.compile(rb"\xff([\xd0-\xd7])", re.DOTALL)
_KEPT: Final = frozenset({SOF0, DHT, DQT, DRI, SOS, APP14})
_CUT: Final = frozenset({*range(0xE0, 0xEE), 0xEF, COM})
_EXTENDED, _PROGRESSIVE, _LOSSLESS = 0xC1, 0xC2, 0xC3
_ARITHMETIC: Final = frozenset({0xC9, 0xCA, 0xCB, 0xCC, 0xCD, 0xCE, 0xCF})
_DIFFERENTIAL: Final = frozenset({0xC5, 0xC6, 0xC7})


@dataclass(slots=True)
class _Findings:
    """What the segments before and between the scans told."""

    rows: int = 0
    columns: int = 0
    component_ids: bytes = b""
    transform: int | None = None
    """Of APP14."""
    is_jfif: bool = False
    has_tables: bool = False
    scanned: int = 0
    """Components that the scans so far hold."""
    orientation: int = 1
    color_space: str = ""
    icc: IccChunks = field(default_factory=IccChunks)


def prepare_jpeg(
    data: bytes,
    *,
    check_pixels: bool = True,
    is_whole: Callable[[bytes], bool] = scan_is_whole,
) -> EncodedImage:
    """A JPEG as it may be kept: metadata cut out, the coded picture byte for byte as it came.

    Raises ImageError in words for whatever is no whole baseline JPEG of one picture. `check_pixels`
    also decodes it, to see that the coded data was not cut short: for bytes from outside. A frame
    of our own camera was decoded when it was shown. `is_whole`: what decodes it (a child, see
    `decoding`).
    """
    found = _Findings()
    pieces: list[bytes | memoryview] = [START]
    view = memoryview(data)
    if data[:2] != START:
        raise ImageError(_not_a_jpeg(data))
    for segment in segments(data):
        payload = view[segment.start + 4 : segment.end]
        if segment.marker in _CUT:
            if _note_metadata(found, segment.marker, bytes(payload)):
                pieces.append(view[segment.start : segment.end])
            continue
        _note_picture(found, segment.marker, payload)
        if check_pixels and segment.marker == SOS and not _restarts_are_in_order(payload):
            raise ImageError(damaged())
        if segment.marker == SOS and not found.has_tables:
            found.has_tables = True
            pieces.append(STANDARD_TABLES)  # a USB camera's motion JPEG leaves them out
        pieces.append(view[segment.start : segment.end])
    pieces.append(b"\xff\xd9")
    if found.scanned < len(found.component_ids) or not found.scanned:
        raise ImageError(cut_short())
    image = _image(found, b"".join(pieces))
    if check_pixels and not is_whole(image.data):
        raise ImageError(cut_short())
    return image


# -------------------------------------------------------------------------------------- reading


def _note_metadata(found: _Findings, marker: int, payload: bytes) -> bool:
    """Reads what the picture's meaning hangs on; True for a segment that is kept."""
    if marker == APP0 and payload[:5] == b"JFIF\x00":
        found.is_jfif = True
        across, down = payload[8:10], payload[10:12]
        if _is_stretched(int.from_bytes(across, "big"), int.from_bytes(down, "big")):
            raise ImageError(tr("This picture's pixels are not square, so it cannot be kept."))
    elif marker == APP1 and payload[:6] == b"Exif\x00\x00":
        exif = read_exif(payload[6:])
        found.orientation, found.color_space = exif.orientation, exif.color_space
    elif marker == APP2:
        return found.icc.add(payload)
    return False


def _note_picture(found: _Findings, marker: int, payload: memoryview) -> None:
    if marker == SOF0:
        if found.component_ids:
            raise ImageError(damaged())
        _note_frame(found, bytes(payload))
    elif marker == SOS:
        if not found.component_ids or not len(payload):
            raise ImageError(damaged())
        found.scanned += payload[0]
    elif marker == DHT:
        found.has_tables = True
    elif marker == APP14 and len(payload) >= 12 and bytes(payload[:5]) == b"Adobe":
        found.transform = payload[11]
    elif marker not in _KEPT:
        raise ImageError(_refusal(marker))


def _restarts_are_in_order(scan: memoryview) -> bool:
    """Restart markers count from 0 to 7 and round again (T.81 B.1.1.3). Where a part between two of
    them is gone, decoders draw what follows in its place, and say nothing.
    """
    found = _RESTART.finditer(scan)
    return all(marker[1][0] & 7 == number % 8 for number, marker in enumerate(found))


def _note_frame(found: _Findings, header: bytes) -> None:
    """The frame header (T.81 B.2.2)."""
    if len(header) < 6 or len(header) < 6 + 3 * header[5]:
        raise ImageError(damaged())
    if header[0] != 8:
        raise ImageError(_refusal(_EXTENDED))
    found.rows, found.columns = size_in(header)
    found.component_ids = header[6 : 6 + 3 * header[5] : 3]
    if not (found.rows and found.columns):
        raise ImageError(tr("This picture has no size, so it cannot be kept."))
    if found.rows * found.columns > MOST_PIXELS:
        raise ImageError(
            tr(
                "This picture has {n} million pixels; 100 million are allowed.",
                n=found.rows * found.columns // 1_000_000,
            )
        )
    if len(found.component_ids) == 4:
        raise ImageError(
            tr("This JPEG is made for printing (CMYK). Only baseline JPEG can be imported for now.")
        )
    if len(found.component_ids) not in {1, 3}:
        raise ImageError(damaged())


def _image(found: _Findings, data: bytes) -> EncodedImage:
    if found.orientation != 1:
        raise ImageError(
            tr(
                "The camera stored this picture turned or mirrored, and it cannot be put right "
                "without changing it. Take or save it upright and import it again."
            )
        )
    grey = len(found.component_ids) == 1
    profile = found.icc.profile(grey=grey)
    spoken = bool(found.icc)
    return EncodedImage(
        coding=PixelCoding.JPEG_BASELINE,
        rows=found.rows,
        columns=found.columns,
        data=data,
        icc_profile=profile,
        is_rgb_jpeg=not grey and _is_rgb(found),
        came_from_lossy=True,
        grey=grey,
        color_space="" if spoken or grey else found.color_space or "SRGB",
    )


def _is_rgb(found: _Findings) -> bool:
    """Whether the components are red, green and blue, as every usual decoder decides it.

    Decoders believe JFIF before Adobe before the component ids. JFIF is cut, so a picture in which
    it contradicts the others would change its colours: it is refused.
    """
    without_jfif = (
        found.transform == 0 if found.transform is not None else found.component_ids == b"RGB"
    )
    if found.is_jfif and without_jfif:
        raise ImageError(
            tr("This picture says two different things about its colours, so it cannot be kept.")
        )
    return without_jfif


def _is_stretched(across: int, down: int) -> bool:
    """More than one part in twenty: densities are often rounded."""
    return bool(across and down) and abs(across - down) * 20 > max(across, down)


# ---------------------------------------------------------------------------------------- words


def _not_a_jpeg(data: bytes) -> str:
    if not data:
        return tr("This file is empty.")
    if kind := kind_of(data):
        return tr("This is a {kind} file. Only baseline JPEG can be imported for now.", kind=kind)
    return tr("This is not a picture. Only baseline JPEG can be imported for now.")


def _refusal(marker: int) -> str:
    if marker == _PROGRESSIVE:
        return tr("This is a progressive JPEG. Only baseline JPEG can be imported for now.")
    if marker == _EXTENDED:
        return tr(
            "This JPEG has more than 8 bits or is coded as extended JPEG. "
            "Only baseline JPEG can be imported for now."
        )
    if marker in _ARITHMETIC:
        return tr("This JPEG is arithmetic coded. Only baseline JPEG can be imported for now.")
    if marker == _LOSSLESS or marker in _DIFFERENTIAL:
        return tr("This is a lossless or layered JPEG. Only baseline JPEG can be imported for now.")
    return damaged()
