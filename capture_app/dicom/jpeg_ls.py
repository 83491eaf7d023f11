"""JPEG-LS lossless (ITU-T T.87; DICOM PS3.5 8.2.3, A.4.3) by CharLS, which pyjpegls brings along.

Its Python functions hold the interpreter's lock while they work, for half a second where a picture
is large: the window would stand still. So the library's C interface is called where it is exported;
where it is not (another platform's wheel), through those functions. Both give the same bytes.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any, ClassVar, Final

import numpy as np

from capture_app.errors import ConformanceError

_BY_SAMPLE: Final = 2  # interleave mode: R G B of a pixel together, as DICOM wants it (PS3.5 8.2.3)
_MESSAGE_BYTES: Final = 256
_HEADROOM_BYTES: Final = 1024
_START: Final = bytes.fromhex("ffd8fff7")  # SOI, SOF55
_END: Final = bytes.fromhex("ffd9")  # EOI
_SOS: Final = 0xDA
_FRAME_HEADER_BYTES: Final = 12


class _Parameters(ctypes.Structure):
    """JlsParameters of CharLS 2, charls/public_types.h. What has no name here stays zero."""

    _fields_: ClassVar[Any] = [
        ("width", ctypes.c_int32),
        ("height", ctypes.c_int32),
        ("bits_per_sample", ctypes.c_int32),
        ("stride", ctypes.c_int32),
        ("components", ctypes.c_int32),
        ("allowed_lossy_error", ctypes.c_int32),
        ("interleave_mode", ctypes.c_int32),
        ("color_transformation", ctypes.c_int32),
        ("output_bgr", ctypes.c_char),
        ("preset_coding_parameters", ctypes.c_int32 * 5),
        ("jfif", ctypes.c_int32 * 6),
        ("jfif_thumbnail", ctypes.c_void_p),
    ]


def encode(pixels: bytes, rows: int, columns: int, samples: int) -> bytes:
    """A code stream of 8-bit pixels, rows * columns * samples bytes, interleaved by pixel.

    The same pixels always make the same stream. Raises ConformanceError for another number of
    bytes.
    """
    if len(pixels) != rows * columns * samples or not pixels:
        message = "the pixels are not as many as rows and columns say"
        raise ConformanceError(message)
    if (library := _library()) is None:
        return _encode_in_python(pixels, rows, columns, samples)
    # Noise grows when it is coded, by a few percent; never to twice its size.
    stream = np.empty(2 * len(pixels) + _HEADROOM_BYTES, np.uint8)
    written = ctypes.c_size_t()
    message_of = ctypes.create_string_buffer(_MESSAGE_BYTES)
    parameters = _Parameters(
        width=columns,
        height=rows,
        bits_per_sample=8,
        components=samples,
        interleave_mode=_BY_SAMPLE if samples > 1 else 0,
    )
    failed = library.JpegLsEncode(
        stream.ctypes.data_as(ctypes.c_void_p),
        ctypes.c_size_t(stream.size),
        ctypes.byref(written),
        pixels,
        ctypes.c_size_t(len(pixels)),
        ctypes.byref(parameters),
        message_of,
    )
    if failed:
        raise _uncoded()
    return stream[: written.value].tobytes()


def decode(stream: bytes | memoryview, rows: int, columns: int, samples: int) -> bytes:
    """The pixels of a code stream of so many rows and columns, interleaved by pixel, whoever coded
    them and in whatever order.

    Raises ConformanceError for any other: its size is compared before memory is given to it.
    """
    stream = bytes(stream)
    # CharLS goes on for seconds behind the end of a stream that was cut.
    if size_in(stream) != (rows, columns, samples) or not stream.rstrip(b"\0").endswith(_END):
        raise _unreadable()
    is_by_plane = samples > 1 and _components_of_first_scan(stream) == 1
    pixels = _decoded(stream, rows, columns, samples)
    if not is_by_plane:
        return pixels
    planes = np.frombuffer(pixels, np.uint8).reshape(samples, rows, columns)
    return planes.transpose(1, 2, 0).tobytes()


def _decoded(stream: bytes, rows: int, columns: int, samples: int) -> bytes:
    if (library := _library()) is None:
        return _decode_in_python(stream)
    pixels = np.zeros(rows * columns * samples, np.uint8)
    message_of = ctypes.create_string_buffer(_MESSAGE_BYTES)
    failed = library.JpegLsDecode(
        pixels.ctypes.data_as(ctypes.c_void_p),
        ctypes.c_size_t(pixels.size),
        stream,
        ctypes.c_size_t(len(stream)),
        None,
        message_of,
    )
    if failed:
        raise _unreadable()
    return pixels.tobytes()


def size_in(stream: bytes) -> tuple[int, int, int]:
    """Rows, columns and samples of 8 bits that a frame header says (T.87 C.2.2); zeros for none."""
    if stream[: len(_START)] != _START:
        return (0, 0, 0)
    header = stream[len(_START) : len(_START) + _FRAME_HEADER_BYTES]
    if len(header) < _FRAME_HEADER_BYTES or header[2] != 8:
        return (0, 0, 0)
    rows, columns = int.from_bytes(header[3:5], "big"), int.from_bytes(header[5:7], "big")
    return (rows, columns, header[7])


def _components_of_first_scan(stream: bytes) -> int:
    """How many samples a pixel are coded together (T.87 C.2.3); 0 where there is no scan."""
    at = len(_START) - 2
    while stream[at : at + 1] == b"\xff" and at + 4 < len(stream):
        if stream[at + 1] == _SOS:
            return stream[at + 4]
        at += 2 + max(2, int.from_bytes(stream[at + 2 : at + 4], "big"))
    return 0


def _uncoded() -> ConformanceError:
    return ConformanceError("the pixels cannot be coded losslessly")


def _unreadable() -> ConformanceError:
    return ConformanceError("these bytes are not the JPEG-LS stream that was expected")


@cache
def _library() -> ctypes.CDLL | None:
    """The library's C interface; None where it is not exported. A call lets other threads run."""
    import _CharLS  # noqa: PLC0415 - only pictures without a JPEG need it

    library = ctypes.CDLL(_CharLS.__file__)
    return library if hasattr(library, "JpegLsEncode") else None


def _encode_in_python(pixels: bytes, rows: int, columns: int, samples: int) -> bytes:
    from jpeg_ls import encode_buffer  # noqa: PLC0415 - where there is no other way

    mode = _BY_SAMPLE if samples > 1 else 0
    try:
        return bytes(encode_buffer(pixels, rows, columns, samples, 8, 0, mode))
    except RuntimeError:
        raise _uncoded() from None


def _decode_in_python(stream: bytes) -> bytes:
    from jpeg_ls import decode_buffer  # noqa: PLC0415 - where there is no other way

    try:
        return bytes(decode_buffer(stream)[0])
    except RuntimeError:
        raise _unreadable() from None
