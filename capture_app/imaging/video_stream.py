"""What a coded video says of itself in its parameter sets: profile, level, size, sampling.

H.264 by its sequence parameter set (ITU-T H.264 7.3.2.1.1), HEVC by its decoder configuration
record (ISO/IEC 14496-15 8.3.3.1). The slices are not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from capture_app.errors import ImageError
from capture_app.model.words import tr

AVC_HIGH_41: Final = "1.2.840.10008.1.2.4.102"
AVC_HIGH_42: Final = "1.2.840.10008.1.2.4.104"
HEVC_MAIN_51: Final = "1.2.840.10008.1.2.4.107"
HEVC_MAIN10_51: Final = "1.2.840.10008.1.2.4.108"

_HIGH: Final = 100
_AVC_NAMES: Final = {
    66: "Baseline",
    77: "Main",
    88: "Extended",
    100: "High",
    110: "High 10",
    122: "High 4:2:2",
    244: "High 4:4:4",
}
_HEVC_NAMES: Final = {1: "Main", 2: "Main 10", 3: "Main Still Picture", 4: "Range Extensions"}


@dataclass(frozen=True, slots=True)
class VideoStream:
    """A stream that one of DICOM's transfer syntaxes holds."""

    transfer_syntax_uid: str
    method: str
    """As Lossy Image Compression Method (0028,2114) names it."""
    rows: int
    columns: int
    bits: int
    """Of a sample: 8 or 10."""


class _Bits:
    """Reads a bit string with Exp-Golomb numbers (H.264 9.1). Raises IndexError at its end."""

    def __init__(self, data: bytes) -> None:
        unescaped = data.replace(b"\x00\x00\x03", b"\x00\x00")
        self._bits = "".join(f"{byte:08b}" for byte in unescaped[:512])
        self._at = 0

    def take(self, count: int) -> int:
        if self._at + count > len(self._bits):
            raise IndexError
        self._at += count
        return int(self._bits[self._at - count : self._at] or "0", 2)

    def unsigned(self) -> int:
        zeros = 0
        while not self.take(1):
            zeros += 1
        return (1 << zeros) - 1 + self.take(zeros)

    def signed(self) -> int:
        code = self.unsigned()
        return (code + 1) // 2 if code % 2 else -(code // 2)


def avc_stream(configuration: bytes, *, rows: int, columns: int) -> VideoStream:
    """Of an AVCDecoderConfigurationRecord (14496-15 5.3.3.1). `rows` and `columns`: as the sample
    entry says. Raises ImageError in words for what no transfer syntax of DICOM holds.
    """
    try:
        count, length = configuration[5] & 31, int.from_bytes(configuration[6:8], "big")
        sps = configuration[8 : 8 + length]
        is_damaged = count != 1 or sps[0] & 31 != 7 or len(sps) != length
        profile, level = sps[1], sps[3]
        name = f"H.264 {_AVC_NAMES.get(profile, profile)}, {level / 10:g}"
        if profile != _HIGH:
            raise ImageError(_not_held(name))
        found = _avc_size(_Bits(sps[4:]))
    except IndexError:
        raise ImageError(_damaged()) from None
    if is_damaged:
        raise ImageError(_damaged())
    is_whole = found.is_progressive and found.chroma == 1 and found.bits == 8
    if not is_whole:
        raise ImageError(_interlaced() if not found.is_progressive else _not_held(name))
    if (found.rows, found.columns) != (rows, columns):
        raise ImageError(_damaged())
    if level <= 41:
        syntax = AVC_HIGH_41
    elif level == 42:
        syntax = AVC_HIGH_42
    else:
        raise ImageError(_not_held(name))
    return VideoStream(syntax, "ISO_14496_10", rows, columns, 8)


@dataclass(frozen=True, slots=True)
class _Size:
    rows: int
    columns: int
    chroma: int
    bits: int
    is_progressive: bool


def _avc_size(bits: _Bits) -> _Size:
    """The rest of a sequence parameter set of profile High, as far as the size of its frames."""
    bits.unsigned()  # seq_parameter_set_id
    chroma = bits.unsigned()
    if chroma == 3:
        bits.take(1)
    depth = 8 + max(bits.unsigned(), bits.unsigned())
    bits.take(1)
    if bits.take(1):  # scaling lists
        for number in range(12 if chroma == 3 else 8):
            if bits.take(1):
                _skip_scaling_list(bits, 16 if number < 6 else 64)
    bits.unsigned()
    order = bits.unsigned()
    if order == 0:
        bits.unsigned()
    elif order == 1:
        bits.take(1)
        bits.signed()
        bits.signed()
        for _ in range(bits.unsigned()):
            bits.signed()
    bits.unsigned()
    bits.take(1)
    columns = 16 * (bits.unsigned() + 1)
    rows = 16 * (bits.unsigned() + 1)
    is_progressive = bool(bits.take(1))
    if not is_progressive:
        rows *= 2
        bits.take(1)
    bits.take(1)
    if bits.take(1):  # cropping, in units of two where the colours are halved
        left, right, top, bottom = (bits.unsigned() for _ in range(4))
        columns -= 2 * (left + right)
        rows -= (2 if is_progressive else 4) * (top + bottom)
    return _Size(rows, columns, chroma, depth, is_progressive)


def _skip_scaling_list(bits: _Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.signed() + 256) % 256
        last = following or last


def hevc_stream(configuration: bytes, *, rows: int, columns: int) -> VideoStream:
    """Of an HEVCDecoderConfigurationRecord. As `avc_stream`."""
    if len(configuration) < 23:
        raise ImageError(_damaged())
    is_high_tier, profile = bool(configuration[1] & 0x20), configuration[1] & 31
    flags, level = configuration[6], configuration[12]
    chroma, bits = configuration[16] & 3, 8 + (configuration[17] & 7)
    tier = " (high tier)" if is_high_tier else ""
    name = f"HEVC {_HEVC_NAMES.get(profile, profile)}, {level / 30:g}{tier}"
    if not flags & 0x80 or flags & 0x40:  # progressive, and not interlaced
        raise ImageError(_interlaced())
    syntax = {(1, 8): HEVC_MAIN_51, (2, 8): HEVC_MAIN10_51, (2, 10): HEVC_MAIN10_51}.get(
        (profile, bits)
    )
    if syntax is None or level > 153 or is_high_tier or chroma != 1:
        raise ImageError(_not_held(name))
    return VideoStream(syntax, "ISO_23008_2", rows, columns, bits)


def _not_held(name: str) -> str:
    return tr(
        "This film is coded as {name}: DICOM has no form for it. Save it as H.264 High, level 4.2 "
        "at most, or HEVC Main, level 5.1 at most.",
        name=name,
    )


def _interlaced() -> str:
    return tr("This film comes in half pictures (interlaced), so it cannot be kept.")


def _damaged() -> str:
    return tr("This film is damaged and cannot be read. Copy it again from its source.")
