"""How many elements an encoded dataset would become, counted before any of them is made.

A decoder makes an object of some hundred bytes from each eight that a peer sends, so a limit on
bytes alone is none on memory.
"""

from __future__ import annotations

import struct
from typing import Final

from pydicom.datadict import dictionary_has_tag, dictionary_VR

MOST_ELEMENTS: Final = 10_000
"""Elements, items and fragments of one dataset; an image or a match has some hundred."""

MOST_VALUES: Final = 10_000
"""Values of all the texts of a message; a match has some ten."""

_SMALLEST_ELEMENT: Final = 8
_UNDEFINED: Final = 0xFFFFFFFF
_ITEMS: Final = 0xFFFE
_ITEM: Final = 0xFFFEE000
_SEQUENCE_DELIMITATION: Final = 0xFFFEE0DD
_PIXEL_DATA: Final = 0x7FE00010
# The VRs with a length of four bytes, and those with two (PS3.5 7.1.2).
_LONG: Final = {"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"}
_SHORT: Final = {
    *("AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO"),
    *("LT", "PN", "SH", "SL", "SS", "ST", "TM", "UI", "UL", "US"),
}


def refuse_too_many_elements(encoded: bytes | memoryview, *, is_implicit_vr: bool) -> None:
    """Raises ValueError for more than MOST_ELEMENTS, and for a VR that there is not (PS3.5 7.1).

    Little endian only. What else is wrong with it is for the decoder to say.
    """
    if len(encoded) > MOST_ELEMENTS * _SMALLEST_ELEMENT:
        _Count(memoryview(encoded), is_implicit_vr=is_implicit_vr).run()


def refuse_too_many_values(encoded: bytes) -> None:
    """Raises ValueError for a message whose texts could have more than MOST_VALUES values.

    Each backslash may begin one (PS3.5 6.4), of which a decoder makes an object: a megabyte of them
    takes seconds and a hundred megabytes.
    """
    if encoded.count(b"\\") > MOST_VALUES:
        message = "too many values"
        raise ValueError(message)


class _Count:
    def __init__(self, encoded: memoryview, *, is_implicit_vr: bool) -> None:
        self._encoded = encoded
        self._at = 0
        self._count = 0
        # How elements are written within each sequence of undefined length, the outermost first.
        self._implicit = [is_implicit_vr]

    def run(self) -> None:
        while self._at + _SMALLEST_ELEMENT <= len(self._encoded):
            self._count += 1
            if self._count > MOST_ELEMENTS:
                message = "too many elements"
                raise ValueError(message)
            group, element = struct.unpack_from("<HH", self._encoded, self._at)
            if group == _ITEMS:
                self._pass_item(group << 16 | element)
            elif self._implicit[-1]:
                self._pass_implicit(group << 16 | element)
            else:
                self._pass_explicit(group << 16 | element)

    def _pass_item(self, tag: int) -> None:
        """Items are entered: what is in them is counted as if it stood outside."""
        self._at += 8
        if tag == _SEQUENCE_DELIMITATION and len(self._implicit) > 1:
            self._implicit.pop()

    def _pass_implicit(self, tag: int) -> None:
        (length,) = struct.unpack_from("<L", self._encoded, self._at + 4)
        is_sequence = dictionary_has_tag(tag) and dictionary_VR(tag) == "SQ"
        self._pass(tag, 8, length, is_sequence=is_sequence, within_is_implicit=True)

    def _pass_explicit(self, tag: int) -> None:
        vr = bytes(self._encoded[self._at + 4 : self._at + 6]).decode("latin-1")
        if vr in _SHORT:
            (length,) = struct.unpack_from("<H", self._encoded, self._at + 6)
            self._at += 8 + length
            return
        if vr not in _LONG:
            message = "a VR that is none"
            raise ValueError(message)
        if self._at + 12 > len(self._encoded):
            self._at = len(self._encoded)
            return
        (length,) = struct.unpack_from("<L", self._encoded, self._at + 8)
        # Within an unknown element of undefined length all is implicit (PS3.5 6.2.2 note 2).
        self._pass(tag, 12, length, is_sequence=vr == "SQ", within_is_implicit=vr == "UN")

    def _pass(
        self, tag: int, header: int, length: int, *, is_sequence: bool, within_is_implicit: bool
    ) -> None:
        self._at += header
        if length == _UNDEFINED and tag == _PIXEL_DATA:
            self._pass_fragments()
        elif length == _UNDEFINED:
            self._implicit.append(within_is_implicit)
        elif not is_sequence:
            self._at += length

    def _pass_fragments(self) -> None:
        while self._at + 8 <= len(self._encoded) and self._count <= MOST_ELEMENTS:
            group, element, length = struct.unpack_from("<HHL", self._encoded, self._at)
            if group << 16 | element != _ITEM:
                return
            self._count += 1
            self._at += 8 + length
