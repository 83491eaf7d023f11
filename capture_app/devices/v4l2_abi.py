"""The kernel's interface to cameras, as far as we use it: see linux/videodev2.h.

Sizes and alignments are those of 64-bit systems. No behaviour: `v4l2` has that.
"""

from __future__ import annotations

import ctypes
from ctypes import c_char, c_int32, c_int64, c_uint8, c_uint32, c_uint64
from typing import Any, ClassVar, Final

CAPTURE: Final = 1
"""V4L2_BUF_TYPE_VIDEO_CAPTURE"""
MEMORY_MMAP: Final = 1
CAN_CAPTURE: Final = 0x1
CAN_STREAM: Final = 0x0400_0000
HAS_DEVICE_CAPS: Final = 0x8000_0000
CAN_SET_RATE: Final = 0x1000
"""V4L2_CAP_TIMEPERFRAME"""
DISCRETE: Final = 1
"""Of sizes and intervals: one alone. 2 and 3 are ranges."""
HAS_DV_TIMINGS: Final = 0x2
NO_PICTURE: Final = 0x0001 | 0x0002 | 0x0100 | 0x0001_0000
"""Of the status of an input: no power, no signal, no horizontal lock, no sync."""
BUFFER_IS_BAD: Final = 0x40
CONTROL_IS_OFF: Final = 0x0001
"""V4L2_CTRL_FLAG_DISABLED"""
EVENT_SOURCE_CHANGE: Final = 5
PIX_PRIV_MAGIC: Final = 0xFEED_CAFE

FIELD_ANY, FIELD_INTERLACED = 0, 4
SPLIT_FIELDS: Final = frozenset({2, 3, 5, 6, 7})
"""One field alone, one after the other in a picture, or in pictures by turns."""
COLORSPACE_REC709, COLORSPACE_JPEG, COLORSPACE_BT2020 = 3, 7, 10
YCBCR_601, YCBCR_709, YCBCR_XV601, YCBCR_XV709, YCBCR_2020 = 1, 2, 3, 4, 6
FULL_RANGE, LIMITED_RANGE = 1, 2


class Fraction(ctypes.Structure):
    _fields_: ClassVar[Any] = (("numerator", c_uint32), ("denominator", c_uint32))


class Capability(ctypes.Structure):
    _fields_: ClassVar[Any] = (
        ("driver", c_char * 16),
        ("card", c_char * 32),
        ("bus_info", c_char * 32),
        ("version", c_uint32),
        ("capabilities", c_uint32),
        ("device_caps", c_uint32),
        ("reserved", c_uint32 * 3),
    )


class FormatDescription(ctypes.Structure):
    _fields_: ClassVar[Any] = (
        ("index", c_uint32),
        ("type", c_uint32),
        ("flags", c_uint32),
        ("description", c_char * 32),
        ("pixelformat", c_uint32),
        ("mbus_code", c_uint32),
        ("reserved", c_uint32 * 3),
    )


class FrameSize(ctypes.Structure):
    """`sizes`: width and height; of a range min, max and step of the width, then of the height."""

    _fields_: ClassVar[Any] = (
        ("index", c_uint32),
        ("pixel_format", c_uint32),
        ("type", c_uint32),
        ("sizes", c_uint32 * 6),
        ("reserved", c_uint32 * 2),
    )


class FrameInterval(ctypes.Structure):
    """`intervals`: one; of a range the shortest, the longest and the step."""

    _fields_: ClassVar[Any] = (
        ("index", c_uint32),
        ("pixel_format", c_uint32),
        ("width", c_uint32),
        ("height", c_uint32),
        ("type", c_uint32),
        ("intervals", Fraction * 3),
        ("reserved", c_uint32 * 2),
    )


class PixFormat(ctypes.Structure):
    _fields_: ClassVar[Any] = tuple(
        (name, c_uint32)
        for name in (
            *("width", "height", "pixelformat", "field", "bytesperline", "sizeimage"),
            *("colorspace", "priv", "flags", "ycbcr_enc", "quantization", "xfer_func"),
        )
    )


class _FormatOf(ctypes.Union):
    _fields_: ClassVar[Any] = (("pix", PixFormat), ("raw", c_uint8 * 200), ("aligned", c_uint64))


class Format(ctypes.Structure):
    _fields_: ClassVar[Any] = (("type", c_uint32), ("of", _FormatOf))


class _CaptureParameters(ctypes.Structure):
    _fields_: ClassVar[Any] = (
        ("capability", c_uint32),
        ("capturemode", c_uint32),
        ("timeperframe", Fraction),
        ("extendedmode", c_uint32),
        ("readbuffers", c_uint32),
        ("reserved", c_uint32 * 4),
    )


class _ParametersOf(ctypes.Union):
    _fields_: ClassVar[Any] = (("capture", _CaptureParameters), ("raw", c_uint8 * 200))


class StreamParameters(ctypes.Structure):
    _fields_: ClassVar[Any] = (("type", c_uint32), ("of", _ParametersOf))


class Input(ctypes.Structure):
    _fields_: ClassVar[Any] = (
        ("index", c_uint32),
        ("name", c_char * 32),
        ("type", c_uint32),
        ("audioset", c_uint32),
        ("tuner", c_uint32),
        ("std", c_uint64),
        ("status", c_uint32),
        ("capabilities", c_uint32),
        ("reserved", c_uint32 * 3),
    )


class DvTimings(ctypes.Structure):
    """`type` 0 is BT.656/1120; the rest of it is handed back as it came."""

    _pack_ = 1
    _fields_: ClassVar[Any] = (("type", c_uint32), ("bt", c_uint32 * 32))


class BufferRequest(ctypes.Structure):
    _fields_: ClassVar[Any] = (
        ("count", c_uint32),
        ("type", c_uint32),
        ("memory", c_uint32),
        ("capabilities", c_uint32),
        ("flags", c_uint32),
    )


class Buffer(ctypes.Structure):
    _fields_: ClassVar[Any] = (
        ("index", c_uint32),
        ("type", c_uint32),
        ("bytesused", c_uint32),
        ("flags", c_uint32),
        ("field", c_uint32),
        ("seconds", c_int64),
        ("microseconds", c_int64),
        ("timecode", c_uint32 * 4),
        ("sequence", c_uint32),
        ("memory", c_uint32),
        ("offset", c_uint64),
        ("length", c_uint32),
        ("reserved2", c_uint32),
        ("request_fd", c_int32),
    )


class Rectangle(ctypes.Structure):
    _fields_: ClassVar[Any] = (
        ("left", c_int32),
        ("top", c_int32),
        ("width", c_uint32),
        ("height", c_uint32),
    )


class CropCapability(ctypes.Structure):
    _fields_: ClassVar[Any] = (
        ("type", c_uint32),
        ("bounds", Rectangle),
        ("default", Rectangle),
        ("pixelaspect", Fraction),
    )


class EventSubscription(ctypes.Structure):
    _fields_: ClassVar[Any] = (
        ("type", c_uint32),
        ("id", c_uint32),
        ("flags", c_uint32),
        ("reserved", c_uint32 * 5),
    )


class Event(ctypes.Structure):
    _fields_: ClassVar[Any] = (
        ("type", c_uint32),
        ("of", c_uint64 * 8),
        ("pending", c_uint32),
        ("sequence", c_uint32),
        ("timestamp", c_int64 * 2),
        ("id", c_uint32),
        ("reserved", c_uint32 * 8),
    )


class ControlQuery(ctypes.Structure):
    _fields_: ClassVar[Any] = (
        ("id", c_uint32),
        ("type", c_uint32),
        ("name", c_char * 32),
        ("minimum", c_int32),
        ("maximum", c_int32),
        ("step", c_int32),
        ("default", c_int32),
        ("flags", c_uint32),
        ("reserved", c_uint32 * 2),
    )


class Control(ctypes.Structure):
    _fields_: ClassVar[Any] = (("id", c_uint32), ("value", c_int32))


_WRITES, _READS = 1, 2


def _request(direction: int, number: int, kind: type[Any]) -> int:
    return direction << 30 | ctypes.sizeof(kind) << 16 | ord("V") << 8 | number


QUERYCAP: Final = _request(_READS, 0, Capability)
ENUM_FMT: Final = _request(_READS | _WRITES, 2, FormatDescription)
G_FMT: Final = _request(_READS | _WRITES, 4, Format)
S_FMT: Final = _request(_READS | _WRITES, 5, Format)
REQBUFS: Final = _request(_READS | _WRITES, 8, BufferRequest)
QUERYBUF: Final = _request(_READS | _WRITES, 9, Buffer)
QBUF: Final = _request(_READS | _WRITES, 15, Buffer)
DQBUF: Final = _request(_READS | _WRITES, 17, Buffer)
STREAMON: Final = _request(_WRITES, 18, c_int32)
STREAMOFF: Final = _request(_WRITES, 19, c_int32)
G_PARM: Final = _request(_READS | _WRITES, 21, StreamParameters)
S_PARM: Final = _request(_READS | _WRITES, 22, StreamParameters)
ENUMINPUT: Final = _request(_READS | _WRITES, 26, Input)
G_CTRL: Final = _request(_READS | _WRITES, 27, Control)
S_CTRL: Final = _request(_READS | _WRITES, 28, Control)
QUERYCTRL: Final = _request(_READS | _WRITES, 36, ControlQuery)
G_INPUT: Final = _request(_READS, 38, c_int32)
CROPCAP: Final = _request(_READS | _WRITES, 58, CropCapability)
ENUM_FRAMESIZES: Final = _request(_READS | _WRITES, 74, FrameSize)
ENUM_FRAMEINTERVALS: Final = _request(_READS | _WRITES, 75, FrameInterval)
S_DV_TIMINGS: Final = _request(_READS | _WRITES, 87, DvTimings)
DQEVENT: Final = _request(_READS, 89, Event)
SUBSCRIBE_EVENT: Final = _request(_WRITES, 90, EventSubscription)
QUERY_DV_TIMINGS: Final = _request(_READS, 99, DvTimings)
