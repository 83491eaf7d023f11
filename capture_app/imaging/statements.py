"""What the metadata of a JPEG states of its picture. Two statements about one fact must agree."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Final

from capture_app.errors import ImageError
from capture_app.imaging.exif import ExifFacts, aspect_of, read_exif
from capture_app.imaging.xmp import XmpFacts, read_xmp
from capture_app.model.words import tr

_EXIF: Final = re.compile(rb".{0,4}Exif\x00.", re.DOTALL | re.IGNORECASE)
"""As ExifTool knows it: some writers put it wrongly, and their readers forgive them."""
_TIFF: Final = (b"II*\x00", b"MM\x00*")
_XMP: Final = (b"http://ns.adobe.com/xap/1.0/\x00", b"http://ns.adobe.com/xmp/extension/\x00")
_OF_EXTENSION: Final = 32 + 4 + 4
"""Digest, length and offset before each part of an extended packet."""
_PHOTOSHOP: Final = b"Photoshop 3.0\x00"
_EXIF_IN_PHOTOSHOP, _XMP_IN_PHOTOSHOP = b"8BIM\x04\x22", b"8BIM\x04\x24"


@dataclass(slots=True)
class Statements:
    """Collects the metadata segments in the order in which they come."""

    _exif: list[bytearray] = field(default_factory=list)
    _xmp: list[bytes] = field(default_factory=list)
    _extension: bytearray = field(default_factory=bytearray)
    _aspects: list[Fraction] = field(default_factory=list)

    def add_jfif(self, payload: bytes) -> None:
        """A JFIF header: the density of its pixels (ISO/IEC 10918-5)."""
        across, down = payload[8:10], payload[10:12]
        aspect = aspect_of(*(Fraction(int.from_bytes(n, "big")) for n in (across, down)))
        if aspect is not None:
            self._aspects.append(aspect)

    def add_app1(self, payload: bytes) -> None:
        """EXIF, whose blocks may go on in the next segment, or XMP; anything else is not ours."""
        if found := _EXIF.match(payload):
            body = payload[found.end() :]
            if self._exif and not body.startswith(_TIFF):
                self._exif[-1] += body
            else:
                self._exif.append(bytearray(body))
        elif payload.startswith(_XMP[0]):
            self._xmp.append(payload[len(_XMP[0]) :])
        elif payload.startswith(_XMP[1]):
            self._extension += payload[len(_XMP[1]) + _OF_EXTENSION :]

    def add_app13(self, payload: bytes) -> None:
        """Photoshop's resources, which may hold an EXIF block and a packet of their own."""
        if not payload.startswith(_PHOTOSHOP):
            return
        for name, add in (
            (_EXIF_IN_PHOTOSHOP, lambda body: self._exif.append(bytearray(body))),
            (_XMP_IN_PHOTOSHOP, self._xmp.append),
        ):
            if (body := _resource(payload, name)) is not None:
                add(body)

    def resolved(self) -> Resolved:
        """What all of them say together.

        Raises ImageError where they do not agree, or cannot be read, on how the picture is turned.
        """
        exif = [read_exif(bytes(block)) for block in self._exif]
        xmp = [read_xmp(packet) for packet in (*self._xmp, bytes(self._extension))]
        said: list[ExifFacts | XmpFacts] = [*exif, *xmp]
        orientations = {value for facts in said for value in facts.orientations}
        if len(orientations) > 1:
            raise ImageError(
                tr("This picture says two different things about how it is turned. Save it again.")
            )
        if not orientations and not all(facts.is_readable for facts in said):
            raise ImageError(
                tr("How this picture is turned cannot be read from it. Save it again.")
            )
        aspects = {*self._aspects, *(f.pixel_aspect for f in exif if f.pixel_aspect is not None)}
        if len(aspects) > 1:
            raise ImageError(
                tr("This picture says two different things about its shape. Save it again.")
            )
        moments = {facts.taken_at for facts in exif if facts.taken_at is not None}
        shown = {facts.camera_time for facts in exif if facts.camera_time is not None}
        return Resolved(
            orientation=orientations.pop() if orientations else 1,
            color_space=_color_space(exif, xmp),
            taken_at=moments.pop() if len(moments) == 1 else None,
            camera_time=shown.pop() if len(shown) == 1 else None,
            camera=next((facts.camera for facts in exif if facts.camera), ""),
            pixel_aspect=aspects.pop() if aspects else Fraction(1),
        )


@dataclass(frozen=True, slots=True)
class Resolved:
    """What the metadata says of the picture as it is stored."""

    orientation: int
    """EXIF 2.32, 4.6.4: 1, as it is shown, to 8."""
    color_space: str
    """SRGB, ADOBERGB, or empty: another one, or they do not agree."""
    taken_at: datetime | None
    camera_time: datetime | None
    """What the clock of the camera showed, without a zone."""
    camera: str
    """Its make, model and serial number, as far as they are said."""
    pixel_aspect: Fraction
    """Height by width of a pixel."""


def _color_space(exif: list[ExifFacts], xmp: list[XmpFacts]) -> str:
    """SRGB where nothing is said: what cameras mean that say nothing."""
    said = {facts.color_space for facts in exif if facts.color_space}
    if len(said) > 1:
        return ""
    meant = said.pop() if said else "SRGB"
    if meant == "SRGB" and any(facts.is_other_color for facts in xmp):
        return ""
    return "" if meant == "OTHER" else meant


def _resource(payload: bytes, name: bytes) -> bytes | None:
    """The data of an image resource: a name of even length with its own, a length, the data."""
    at = payload.find(name)
    if at < 0:
        return None
    at += len(name)
    at += (payload[at : at + 1] or b"\x00")[0] // 2 * 2 + 2
    length = int.from_bytes(payload[at : at + 4], "big")
    return payload[at + 4 : at + 4 + length]
