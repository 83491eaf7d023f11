"""libjpeg-turbo by its own name: coded pictures are checked and turned as they are coded.

The library is Debian's libturbojpeg0, or a turbojpeg.dll that is shipped beside the application.
Nothing is decoded to pixels for a check or a turn: only the Huffman or arithmetic code is read, and
written anew (TurboJPEG API 2.1 and later).
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, ClassVar, Final

from capture_app.settings.resources import resource

_DLL: Final = "libraries/turbojpeg.dll"
_NAMES: Final = (_DLL,) if sys.platform == "win32" else ("libturbojpeg.so.0",)
_OPERATIONS: Final = {1: 0, 2: 1, 3: 6, 4: 2, 5: 3, 6: 5, 7: 4, 8: 7}
"""By EXIF orientation: what puts such a picture upright (TJXOP_*)."""
_PERFECT: Final = 1
_CROP: Final = 4
_NO_OUTPUT: Final = 16
_COPY_NO_MARKERS: Final = 64
_STOP_ON_WARNING: Final = 8192
_LIMIT_SCANS: Final = 32768
"""At most 500 scans: more are made only to keep a reader busy."""


class _Transform(ctypes.Structure):
    _fields_: ClassVar[Any] = (
        *((name, ctypes.c_int) for name in ("x", "y", "width", "height", "op", "options")),
        ("data", ctypes.c_void_p),
        ("filter", ctypes.c_void_p),
    )


def is_had() -> bool:
    """Whether the library is there."""
    return _library() is not None


def has_no_fault(jpeg: bytes) -> bool:
    """Whether the decoder reads all coded data to the end without an error or a warning.

    Raises RuntimeError where the library is not there.
    """
    return _transformed(jpeg, 0, _NO_OUTPUT) is not None


def upright(jpeg: bytes, orientation: int) -> bytes | None:
    """The picture as a sequential Huffman coded one, turned as its EXIF orientation asks for; None
    where that cannot be done without changing or losing a pixel, or the coded data has a fault.

    No marker segment of the original is copied. Raises RuntimeError as `has_no_fault`.
    """
    return _transformed(jpeg, _OPERATIONS[orientation], _PERFECT | _COPY_NO_MARKERS)


def cut(jpeg: bytes, left: int, top: int, width: int, height: int) -> bytes | None:
    """A part of the picture, not turned, whose upper left corner begins a block; None where it
    does not, or the coded data has a fault. Otherwise as `upright`.
    """
    where = {"x": left, "y": top, "width": width, "height": height}
    return _transformed(jpeg, 0, _CROP | _COPY_NO_MARKERS, where=where)


def as_far_as_it_goes(jpeg: bytes) -> bytes | None:
    """As `upright`, not turned, of what can be read: a warning does not end it."""
    return _transformed(jpeg, 0, _COPY_NO_MARKERS, stop_on_warning=False)


def _transformed(
    jpeg: bytes,
    operation: int,
    options: int,
    *,
    stop_on_warning: bool = True,
    where: Mapping[str, int] = MappingProxyType({}),
) -> bytes | None:
    library = _library()
    if library is None:
        message = "libturbojpeg is not there"
        raise RuntimeError(message)
    handle = library.tjInitTransform()
    if not handle:
        raise MemoryError
    made, length = ctypes.c_void_p(None), ctypes.c_ulong(0)
    asked = _Transform(op=operation, options=options, **where)
    try:
        failed = library.tjTransform(
            handle,
            jpeg,
            len(jpeg),
            1,
            ctypes.byref(made),
            ctypes.byref(length),
            ctypes.byref(asked),
            _LIMIT_SCANS | (_STOP_ON_WARNING if stop_on_warning else 0),
        )
        if failed and (stop_on_warning or not made.value):
            return None
        return ctypes.string_at(made, length.value) if made.value else b""
    finally:
        if made.value:
            library.tjFree(made)
        library.tjDestroy(handle)


@cache
def _library() -> Any:
    """The library with its functions declared; None where it is not there."""
    for name in _NAMES:
        try:
            library = ctypes.CDLL(str(resource(_DLL)) if name == _DLL else name)
        except OSError:  # also where no such file ships
            continue
        library.tjInitTransform.restype = ctypes.c_void_p
        library.tjDestroy.argtypes = (ctypes.c_void_p,)
        library.tjFree.argtypes = (ctypes.c_void_p,)
        library.tjFree.restype = None
        library.tjTransform.argtypes = (
            ctypes.c_void_p,
            ctypes.c_char_p,
            ctypes.c_ulong,
            ctypes.c_int,
            ctypes.POINTER(ctypes.c_void_p),
            ctypes.POINTER(ctypes.c_ulong),
            ctypes.POINTER(_Transform),
            ctypes.c_int,
        )
        return library
    return None
