"""Pictures from files, shown as if a camera took them: each keeps its own bytes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Final

from capture_app.clock import Clock
from capture_app.devices.decode import shown_other, shown_pixels
from capture_app.devices.source import FrameStamp
from capture_app.devices.trouble import DeviceTroubleError, Trouble
from capture_app.dicom.jpeg_stream import EOI, START
from capture_app.model.camera import OpenedMode
from capture_app.model.device import DeviceInfo
from capture_app.model.frame import Frame

_INTERVAL_S: Final = 0.1
_END: Final = bytes((0xFF, EOI))
_MOST_PICTURES: Final = 256
PICTURE_ENDINGS: Final = frozenset(
    {
        *(".jpg", ".jpeg", ".png", ".apng", ".tif", ".tiff"),
        *(".webp", ".bmp", ".gif", ".heic", ".heif", ".avif"),
    }
)


class PictureFileSource:
    """One picture file, or all those of a folder by name, ten a second and over again."""

    def __init__(self, info: DeviceInfo, path: Path, clock: Clock) -> None:
        self._info = info
        self._path = path
        self._stamp = FrameStamp(info.device_id, clock)
        self._closed = threading.Event()

    @property
    def info(self) -> DeviceInfo:
        return self._info

    @property
    def pace(self) -> float | None:
        return None

    @property
    def opened(self) -> OpenedMode | None:
        return None

    def frames(self) -> Iterator[Frame]:
        for path in cycle(self._paths()):
            try:
                data = path.read_bytes()
            except OSError as error:
                raise DeviceTroubleError(Trouble.FILE_NOT_FOUND) from error
            # A missing end mark is no damage, but OpenCV shows nothing without it.
            is_jpeg = data.startswith(START)
            yield self._stamp.frame(
                shown_pixels(data + _END) if is_jpeg else shown_other(data), data
            )
            if self._closed.wait(_INTERVAL_S):
                return

    def renew(self) -> None:
        """Nothing: its pictures are made as they are asked for."""

    def close(self) -> None:
        self._closed.set()

    def _paths(self) -> list[Path]:
        if self._path.is_file():
            return [self._path]
        if self._path.is_dir():
            inside = sorted(self._path.iterdir())
            if paths := [path for path in inside if path.suffix.lower() in PICTURE_ENDINGS]:
                return paths[:_MOST_PICTURES]
        raise DeviceTroubleError(Trouble.FILE_NOT_FOUND)
