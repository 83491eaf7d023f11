"""JPEG surgery without decoding: metadata is cut, the coded picture stays byte for byte.

The stream that is kept is the one that came, less APP0, APP1 (EXIF, GPS, XMP), APP3 to APP13,
APP15, comments, tables that no scan uses, and every byte after the first picture's end. Kept: an
ICC profile that can be believed, and of APP14 the twelve bytes without which an RGB picture is
shown in wrong colours. (ITU-T T.81; DICOM PS3.5 8.2.1, A.4.)
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from capture_app.dicom.jpeg_stream import (
    DHT,
    EOI,
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
from capture_app.imaging.huffman import STANDARD_TABLES
from capture_app.imaging.live_tables import TABLES, LiveTables, TableSegment
from capture_app.imaging.statements import Resolved, Statements
from capture_app.model.encoded_image import MOST_PIXELS, EncodedImage, Handling, PixelCoding
from capture_app.model.words import tr

APP0, APP1, APP2, APP13, APP14 = 0xE0, 0xE1, 0xE2, 0xED, 0xEE
COM: Final = 0xFE
_RESTART: Final = re.compile(rb"\xff([\xd0-\xd7])", re.DOTALL)
_HOLE: Final = bytes(64)
"""What a lost packet or block of a disk leaves: decoders make blocks of it and say nothing."""
_METADATA: Final = frozenset({*range(0xE0, 0xF0), COM})
_EXTENDED, _PROGRESSIVE, _ARITHMETIC, _ARITHMETIC_PROGRESSIVE = 0xC1, 0xC2, 0xC9, 0xCA
_READ: Final = frozenset({SOF0, _EXTENDED, _PROGRESSIVE, _ARITHMETIC, _ARITHMETIC_PROGRESSIVE})
"""Processes that can be made baseline."""
_ARITHMETIC_CONDITIONING: Final = 0xCC
_LOSSLESS_OR_LAYERED: Final = frozenset({0xC3, 0xC5, 0xC6, 0xC7, 0xCB, 0xCD, 0xCE, 0xCF})
_ALL_COEFFICIENTS: Final = bytes((0, 63, 0))
_ADOBE: Final = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00"
"""APP14 but for its last byte, the transform (Adobe Technical Note 5116)."""


@dataclass(frozen=True, slots=True)
class ReadJpeg:
    """A JPEG without its metadata, and what that said."""

    stream: bytes
    """In the coding in which it came, with its end mark."""
    process: int
    """The marker of its frame header."""
    is_baseline: bool
    rows: int
    columns: int
    components: int
    is_rgb: bool
    profile: bytes
    color_space: str
    said: Resolved
    _color_segments: bytes

    def dressed(self, made: bytes) -> ReadJpeg:
        """The same picture in another coding, with this one's colours put back."""
        coded = (
            made[segment.start : segment.end]
            for segment in segments(made)
            if segment.marker not in _METADATA
        )
        return read_jpeg(b"".join((START, self._color_segments, *coded, _END)))

    def as_kept(self, stream: bytes, handling: Handling) -> EncodedImage:
        """A baseline stream of this picture, as it is kept."""
        aspect = self.said.pixel_aspect
        return EncodedImage(
            coding=PixelCoding.JPEG_BASELINE,
            rows=self.rows,
            columns=self.columns,
            data=stream,
            icc_profile=self.profile,
            is_rgb_jpeg=self.is_rgb,
            came_from_lossy=True,
            grey=self.components == 1,
            color_space=self.color_space,
            handling=handling,
            pixel_aspect=(aspect.numerator, aspect.denominator),
        )


_END: Final = bytes((0xFF, EOI))


def prepare_jpeg(data: bytes) -> EncodedImage:
    """An upright baseline JPEG as it may be kept, without a look at its coded data.

    For what is known to be whole. Raises ImageError as `read_jpeg`, and for any other JPEG.
    """
    found = read_jpeg(data)
    if not found.is_baseline or found.said.orientation != 1:
        raise ImageError(damaged())
    return found.as_kept(found.stream, Handling.AS_IT_IS)


def read_jpeg(data: bytes) -> ReadJpeg:
    """Takes a JPEG apart and puts together what is kept of it; decodes nothing.

    Raises ImageError in words for what is no JPEG of one picture with 8 bits and one or three
    components, for one that is not all there, and for one that contradicts itself.
    """
    reading = _Reading()
    pieces: list[bytes | memoryview | TableSegment | _IccPart] = [START]
    view = memoryview(data)
    for segment in segments(data, end_may_miss=True):
        payload = view[segment.start + 4 : segment.end]
        if segment.marker in _METADATA:
            if reading.note_metadata(segment.marker, bytes(payload)):
                pieces.append(_IccPart(view[segment.start : segment.end]))
            continue
        if segment.marker in TABLES:
            pieces.append(reading.tables.define(segment.marker, bytes(payload)))
            continue
        if segment.marker == SOS:
            if not reading.is_arithmetic and not reading.tables.has_huffman:
                # a USB camera's motion JPEG leaves them out
                pieces.append(reading.tables.define(DHT, STANDARD_TABLES[4:]))
            pieces.append(view[segment.start : segment.start + 4])
            pieces += reading.note_scan(payload)
            continue
        reading.note_frame(segment.marker, bytes(payload))
        pieces.append(view[segment.start : segment.end])
    reading.require_all_scans()
    return reading.result(pieces)


@dataclass(frozen=True, slots=True)
class _IccPart:
    segment: memoryview


@dataclass(slots=True)
class _Reading:
    """What the segments before and between the scans told."""

    process: int = 0
    rows: int = 0
    columns: int = 0
    quantization: dict[int, int] = field(default_factory=dict)
    """Table by component id, in the order of the components."""
    bits_to_come: dict[int, list[int]] = field(default_factory=dict)
    """Of each coefficient of each component: 0 once all of it was in a scan."""
    transform: int | None = None
    """Of APP14."""
    is_jfif: bool = False
    tables: LiveTables = field(default_factory=LiveTables)
    icc: IccChunks = field(default_factory=IccChunks)
    statements: Statements = field(default_factory=Statements)

    @property
    def is_arithmetic(self) -> bool:
        return self.process in {_ARITHMETIC, _ARITHMETIC_PROGRESSIVE}

    @property
    def is_sequential(self) -> bool:
        return self.process in {SOF0, _EXTENDED, _ARITHMETIC}

    def note_metadata(self, marker: int, payload: bytes) -> bool:
        """Reads what the picture's meaning hangs on; True for a part of a colour profile."""
        if marker == APP0 and payload[:5] == b"JFIF\x00":
            self.is_jfif = True
            self.statements.add_jfif(payload)
        elif marker == APP0 and payload[:4] == b"AVI1" and payload[4:5] not in {b"", b"\x00"}:
            raise ImageError(_two_fields())
        elif marker == APP1 and payload[4:8] == b"mjpg":
            if payload[16:20] not in {b"", bytes(4)}:  # where the next field begins
                raise ImageError(_two_fields())
        elif marker == APP1:
            self.statements.add_app1(payload)
        elif marker == APP13:
            self.statements.add_app13(payload)
        elif marker == APP14 and len(payload) >= 12 and payload[:5] == b"Adobe":
            if self.transform not in {None, payload[11]}:
                raise ImageError(_two_colors())
            self.transform = payload[11]
        elif marker == APP2:
            return self.icc.add(payload)
        return False

    def note_frame(self, marker: int, header: bytes) -> None:
        """The frame header (T.81 B.2.2), and what else stands between tables and scans."""
        if marker == _ARITHMETIC_CONDITIONING:
            return
        if marker in _LOSSLESS_OR_LAYERED:
            raise ImageError(tr("This is a lossless or layered JPEG. It cannot be read."))
        if marker not in _READ or self.process:
            raise ImageError(damaged())
        if len(header) < 6 or len(header) != 6 + 3 * header[5]:
            raise ImageError(damaged())
        if header[0] != 8:
            raise ImageError(tr("This JPEG has more than 8 bits. Save it with 8 bits."))
        self.process = marker
        self.rows, self.columns = size_in(header)
        self.quantization = dict(zip(header[6::3], header[8::3], strict=True))
        self.bits_to_come = {one: [14] * 64 for one in self.quantization}
        self._require_size()
        if header[5] == 4:
            raise ImageError(tr("This JPEG is made for printing (CMYK). Save it as RGB."))
        if header[5] not in {1, 3} or len(self.quantization) != header[5]:
            raise ImageError(damaged())

    def _require_size(self) -> None:
        if not (self.rows and self.columns):
            raise ImageError(tr("This picture has no size, so it cannot be kept."))
        if self.rows * self.columns > MOST_PIXELS:
            raise ImageError(
                tr(
                    "This picture has {n} million pixels; 100 million are allowed.",
                    n=self.rows * self.columns // 1_000_000,
                )
            )

    def note_scan(self, scan: memoryview) -> tuple[bytes, memoryview]:
        """A scan header without its length (T.81 B.2.3), and the coded data after it.

        Some cameras fill the three parameters at its end wrongly where they have no meaning.
        """
        count = scan[0] if len(scan) else 0
        header = bytes(scan[: 4 + 2 * count])
        if not (1 <= count <= 4) or len(header) < 4 + 2 * count:
            raise ImageError(damaged())
        components, places = header[1:-3:2], header[2:-3:2]
        if not set(components) <= set(self.quantization):
            raise ImageError(damaged())
        if self.is_sequential:
            header = header[:-3] + _ALL_COEFFICIENTS
        first, last, approximation = header[-3:]
        for component in components:
            for n in range(first, min(last, 63) + 1):
                self.bits_to_come[component][n] = approximation & 15
        self.tables.use(
            {self.quantization[component] for component in components},
            {place for both in places for place in (both >> 4, 0x10 | (both & 15))},
        )
        coded = scan[len(header) :]
        has_hole = (
            not self.is_arithmetic
            and self.is_sequential
            and self.tables.zeros_are_detail({both & 15 for both in places})
            and _has_hole(bytes(coded))
        )
        if has_hole or not _restarts_are_in_order(coded):
            raise ImageError(damaged())
        return header, coded

    def require_all_scans(self) -> None:
        """Raises ImageError where a component, or bits of its coefficients, were in no scan."""
        if not self.process or any(any(bits) for bits in self.bits_to_come.values()):
            raise ImageError(cut_short())

    def result(self, pieces: list[bytes | memoryview | TableSegment | _IccPart]) -> ReadJpeg:
        """What is kept, put together."""
        grey = len(self.quantization) == 1
        profile = self.icc.profile(grey=grey)
        icc = b"".join(p.segment for p in pieces if isinstance(p, _IccPart)) if profile else b""
        adobe = b"" if self.transform is None else _ADOBE + bytes((self.transform,))
        tables = [piece for piece in pieces if isinstance(piece, TableSegment)]
        coded = (
            piece.as_kept() if isinstance(piece, TableSegment) else piece
            for piece in pieces[1:]
            if not isinstance(piece, _IccPart)
        )
        said = self.statements.resolved()
        return ReadJpeg(
            stream=b"".join((START, icc, adobe, *coded, _END)),
            process=self.process,
            is_baseline=self.process == SOF0 and all(one.is_baseline for one in tables),
            rows=self.rows,
            columns=self.columns,
            components=len(self.quantization),
            is_rgb=not grey and self._is_rgb(),
            profile=profile,
            color_space="" if self.icc or grey else said.color_space,
            said=said,
            _color_segments=icc + adobe,
        )

    def _is_rgb(self) -> bool:
        """Whether the components are red, green and blue, as every usual decoder decides it.

        Decoders believe JFIF before Adobe before the component ids. JFIF is cut, so a picture in
        which it contradicts the others would change its colours: it is refused.
        """
        without_jfif = (
            self.transform == 0
            if self.transform is not None
            else bytes(self.quantization) == b"RGB"
        )
        if self.is_jfif and without_jfif:
            raise ImageError(_two_colors())
        return without_jfif


def _has_hole(coded: bytes) -> bool:
    """Whether there is one that coded data follows; what a camera fills up with ends the scan."""
    at = coded.find(_HOLE)
    return at >= 0 and bool(coded[at:].strip(b"\x00"))


def _restarts_are_in_order(scan: memoryview) -> bool:
    """Restart markers count from 0 to 7 and round again (T.81 B.1.1.3). Where a part between two of
    them is gone, decoders draw what follows in its place, and say nothing.
    """
    found = _RESTART.finditer(scan)
    return all(marker[1][0] & 7 == number % 8 for number, marker in enumerate(found))


# ---------------------------------------------------------------------------------------- words


def _two_colors() -> str:
    return tr("This picture says two different things about its colours, so it cannot be kept.")


def _two_fields() -> str:
    return tr(
        "This picture comes as two half pictures (interlaced), so it cannot be kept. "
        "Set its camera to whole pictures (progressive)."
    )
