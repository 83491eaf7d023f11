"""Pictures from files, shown as if a camera took them: each keeps its own JPEG."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Final

from capture_app.clock import Clock
from capture_app.devices.decode import shown_pixels
from capture_app.devices.source import FrameStamp
from capture_app.devices.trouble import DeviceTroubleError, Trouble
from capture_app.dicom.jpeg_stream import EOI
from capture_app.model.device import DeviceInfo
from capture_app.model.frame import Frame

_INTERVAL_S: Final = 0.1
_END: Final = bytes((0xFF, EOI))
_MOST_PICTURES: Final = 256
JPEG_ENDINGS: Final = frozenset({".jpg", ".jpeg"})


class PictureFileSource:
    """One JPEG file, or all JPEG files of a folder by name, ten a second and over again."""

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

    def frames(self) -> Iterator[Frame]:
        for path in cycle(self._paths()):
            try:
                jpeg = path.read_bytes()
            except OSError as error:
                raise DeviceTroubleError(Trouble.FILE_NOT_FOUND) from error
            # A missing end mark is no damage, but OpenCV shows nothing without it.
            yield self._stamp.frame(shown_pixels(jpeg + _END), jpeg)
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
            if paths := [path for path in inside if path.suffix.lower() in JPEG_ENDINGS]:
                return paths[:_MOST_PICTURES]
        raise DeviceTroubleError(Trouble.FILE_NOT_FOUND)
