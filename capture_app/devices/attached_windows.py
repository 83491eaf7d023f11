r"""Which cameras are plugged in, by Media Foundation. Checked for types; not yet run on Windows.

The order is the one in which OpenCV counts them. An identity is the middle of a symbolic link:
`usb:046d:0825:...` of `\\?\usb#vid_046d&pid_0825&mi_00#7&2a5b...#{...}`.
"""

from __future__ import annotations

import ctypes
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import POINTER, byref, c_void_p, c_wchar_p
from typing import Any, Final

from capture_app.devices.trouble import DeviceTroubleError, Trouble
from capture_app.model.camera import AttachedCamera

_MF_VERSION: Final = 0x0002_0070
_USB: Final = re.compile(
    r"usb#vid_([0-9a-f]{4})&pid_([0-9a-f]{4})(?:&mi_(\d+))?#([^#]+)#", re.IGNORECASE
)
_NOT_OF_AN_IDENTITY: Final = re.compile(r"[^A-Za-z0-9._-]+")
# mfidl.h
_SOURCE_TYPE: Final = "c60ac5fe-252a-478f-a0ef-bc8fa5f7cad3"
_OF_VIDEO: Final = "8ac3587a-4ae7-42d8-99e0-0a6013eef90f"
_SYMBOLIC_LINK: Final = "58f0aad8-22bf-4f8a-bb3d-d2c4978c6e2f"
_FRIENDLY_NAME: Final = "60d0e559-52f8-4fa2-bbce-acdb34a8ec01"
# Places in the tables of IUnknown and IMFAttributes (mfobjects.h)
_RELEASE: Final = 2
_GET_ALLOCATED_STRING: Final = 13
_SET_GUID: Final = 24


def identity_of(link: str) -> str:
    """What does not change of a symbolic link."""
    if match := _USB.search(link):
        vendor, product, interface, instance = match.groups()
        part = f"#{int(interface)}" if interface and int(interface) else ""
        instance = _NOT_OF_AN_IDENTITY.sub("-", instance)
        return f"usb:{vendor.lower()}:{product.lower()}:{instance}{part}"
    return f"windows:{_NOT_OF_AN_IDENTITY.sub('-', link).strip('-')[:64]}"


if sys.platform != "win32":

    def attached_by_windows() -> tuple[AttachedCamera, ...]:
        """None: this is not Windows."""
        return ()

else:

    def attached_by_windows() -> tuple[AttachedCamera, ...]:
        """Every camera that Media Foundation knows. Raises DeviceTroubleError where it does not
        say.
        """
        try:
            with _started():
                return tuple(
                    AttachedCamera(identity_of(link), name, str(number))
                    for number, (name, link) in enumerate(_sources())
                )
        except OSError as error:
            raise DeviceTroubleError(Trouble.UNEXPECTED) from error

    @contextmanager
    def _started() -> Iterator[None]:
        ole, plat = ctypes.OleDLL("ole32"), ctypes.OleDLL("mfplat")
        ole.CoInitializeEx(None, 0)
        try:
            plat.MFStartup(_MF_VERSION, 0)
            try:
                yield
            finally:
                plat.MFShutdown()
        finally:
            ole.CoUninitialize()

    def _sources() -> Iterator[tuple[str, str]]:
        """Name and symbolic link of each."""
        attributes = c_void_p()
        ctypes.OleDLL("mfplat").MFCreateAttributes(byref(attributes), 1)
        found, count = POINTER(c_void_p)(), ctypes.c_uint32()
        try:
            _method(attributes, _SET_GUID, c_void_p, c_void_p)(
                attributes, _guid(_SOURCE_TYPE), _guid(_OF_VIDEO)
            )
            ctypes.OleDLL("mf").MFEnumDeviceSources(attributes, byref(found), byref(count))
            for number in range(count.value):
                source = c_void_p(found[number])
                try:
                    yield _text(source, _FRIENDLY_NAME), _text(source, _SYMBOLIC_LINK)
                finally:
                    _release(source)
        finally:
            if count.value:
                ctypes.windll.ole32.CoTaskMemFree(found)
            _release(attributes)

    def _text(source: c_void_p, key: str) -> str:
        said, length = c_wchar_p(), ctypes.c_uint32()
        _method(source, _GET_ALLOCATED_STRING, c_void_p, c_void_p, c_void_p)(
            source, _guid(key), byref(said), byref(length)
        )
        text = said.value or ""
        ctypes.windll.ole32.CoTaskMemFree(said)
        return text

    def _method(of: c_void_p, place: int, *takes: Any) -> Any:
        table = ctypes.cast(of, POINTER(POINTER(c_void_p))).contents
        return ctypes.WINFUNCTYPE(ctypes.HRESULT, c_void_p, *takes)(table[place] or 0)

    def _release(of: c_void_p) -> None:
        table = ctypes.cast(of, POINTER(POINTER(c_void_p))).contents
        ctypes.WINFUNCTYPE(ctypes.c_ulong, c_void_p)(table[_RELEASE] or 0)(of)

    def _guid(text: str) -> Any:
        value = ctypes.create_string_buffer(16)
        ctypes.OleDLL("ole32").CLSIDFromString(c_wchar_p(f"{{{text}}}"), value)
        return value
