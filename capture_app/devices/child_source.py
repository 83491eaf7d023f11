"""A device that is opened, read and decoded in a child of its own: a driver that crashes or hangs,
and a stream that was made to, end that child alone.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import structlog

from capture_app.clock import Clock
from capture_app.devices.attached import place_of
from capture_app.devices.controls import LOCKABLE
from capture_app.devices.network_camera import Password, no_password
from capture_app.devices.trouble import DeviceTroubleError, Trouble, trouble_of
from capture_app.errors import ChildEndedError, DeviceError, TaskRefusedError
from capture_app.model.camera import CameraMode, OpenedMode
from capture_app.model.device import DeviceInfo, DeviceKind
from capture_app.model.frame import Frame
from capture_app.sandbox.child import Child
from capture_app.sandbox.task import BlockRule, ChildAnswer, ChildEnd, ChildTask
from capture_app.settings.schema import Device

if TYPE_CHECKING:
    from capture_app.devices.relay import CameraRelay

_MOST_PIXEL_BYTES: Final = 100_000_000
_MOST_JPEG_BYTES: Final = 60_000_000
_SLOTS: Final = 3
_MOST_ASPECT: Final = 65_535
_CLOCKS_DIFFER_BY_S: Final = 0.05
"""Both processes read one clock; what is beyond it in the future was not read from it."""


_log = structlog.get_logger(__name__)


class ChildSource:
    """A `FrameSource` whose device lives in one warm child.

    A frame's times are the child's own: of the reading, not of its way here. Only a frame that no
    slot is free for is dropped: the next one is newer.
    """

    def __init__(
        self, info: DeviceInfo, device: Device, clock: Clock, password: Password = no_password
    ) -> None:
        self._info = info
        self._device = device
        self._password = password
        self._clock = clock
        self._child = Child(device_task(device), clock)
        self._node: _Node | None = None
        self._lock = threading.Lock()
        self._is_reading = False
        self._is_closed = False
        self._sequence = 0
        self._port = 0
        """Of the relay: kept over its openings, for it is all that the child can connect to."""
        self._opened: OpenedMode | None = None
        self._pace: float | None = None
        """What a child that is begun anew may believe: see `ExposureClock`."""

    @property
    def info(self) -> DeviceInfo:
        return self._info

    @property
    def opened(self) -> OpenedMode | None:
        return self._opened

    def frames(self) -> Iterator[Frame]:
        address = self._device.address
        if self._device.kind is DeviceKind.CAMERA:
            address = place_of(address)
        with self._lock:
            if self._is_closed:
                return
            if self._device.kind is DeviceKind.CAMERA:
                self._settle_at(address)
            self._is_reading = True
        try:
            if self._device.kind is DeviceKind.STREAM:
                # Not read before the list of patients is shown: it needs requests.
                from capture_app.devices.relay import CameraRelay  # noqa: PLC0415 - as above

                relay = CameraRelay(self._device, self._clock, self._password, port=self._port)
                yield from self._relayed(relay)
            else:
                yield from self._answered(address)
        except ChildEndedError as error:
            if error.why == ChildEnd.CLOSED:
                return
            if error.why == ChildEnd.NOT_STARTED:
                raise DeviceError(str(error)) from error
            raise DeviceTroubleError(Trouble.UNEXPECTED) from error
        finally:
            with self._lock:
                self._is_reading = False
                is_closed = self._is_closed
            if is_closed:
                self._child.close()
            elif self._device.kind is DeviceKind.FILE:
                self._child.rest()  # Landlock let it have the file that was there

    def _settle_at(self, place: str) -> None:
        """Landlock lets a child have the device that was there as it began: one that is plugged in
        again is another, and needs another child.
        """
        if (node := _node_at(place)) != self._node:
            self._child.rest()
            self._node = node
        self._child.turn_to(device_task(replace(self._device, address=place)))

    def _relayed(self, relay: CameraRelay) -> Iterator[Frame]:
        """What went wrong beyond the relay, only the relay knows: the child lost a loopback."""
        with relay.listening():
            self._port = relay.port
            self._child.turn_to(device_task(self._device, relay.port))
            try:
                yield from self._answered(relay.address)
            except DeviceTroubleError as error:
                raise relay.trouble or error from None

    def _answered(self, address: str) -> Iterator[Frame]:
        try:
            with closing(self._child.answers(self._question(address))) as answers:
                for answer in answers:
                    yield self._frame(answer)
        except TaskRefusedError as refusal:
            raise DeviceTroubleError(trouble_of(refusal.code)) from None

    def _note_opened(self, said: object) -> None:
        opened = _opened_mode(said)
        if opened is None or opened == self._opened:
            return
        self._opened = opened
        _log.info(
            "device-opened",
            device_id=self._info.device_id,
            asked=str(opened.wanted),
            got=str(opened.got),
        )
        for name in opened.not_locked:
            _log.warning("device-not-locked", device_id=self._info.device_id, kind=name)

    def renew(self) -> None:
        self._child.note({"renew": 1})

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            is_reading = self._is_reading
        if is_reading:
            self._child.finish()
        else:
            self._child.close()

    def _question(self, address: str) -> dict[str, Any]:
        device = self._device
        return {
            "id": device.id,
            "kind": device.kind.value,
            "address": str(Path(address).absolute()) if device.kind is _FILE else address,
            "latency_ms": device.latency_ms,
            "largest_size": device.largest_size,
            "least_rate": device.least_rate,
            "locked": list(device.locked),
            "pace": self._pace,
        }

    def _frame(self, answer: ChildAnswer) -> Frame:
        """The frame, once what is said of its times can be. Raises DeviceTroubleError."""
        import numpy as np  # noqa: PLC0415 - a list of devices need not wait for it

        pixels, jpeg = answer.block("pixels"), answer.block("jpeg")
        now = self._clock.monotonic()
        names = ("exposed_at", "not_before", "late", "sent_at")
        exposed_at, not_before, late, sent_at = (_number(answer, name) for name in names)
        is_of_the_past = max(exposed_at, not_before, sent_at) <= now + _CLOCKS_DIFFER_BY_S
        if pixels is None or pixels.shape[2] != 3 or late < 0 or not is_of_the_past:
            raise DeviceTroubleError(Trouble.UNEXPECTED)
        self._pace = _number(answer, "pace") if answer.facts.get("pace") is not None else None
        self._note_opened(answer.facts.get("opened"))
        self._sequence += 1
        return Frame(
            device_id=self._info.device_id,
            sequence=self._sequence,
            taken_at=self._clock.now() - timedelta(seconds=now - exposed_at),
            not_before=not_before,
            late=late + max(0.0, now - sent_at),
            pixels=np.frombuffer(pixels.data, np.uint8).reshape(pixels.shape),
            jpeg=None if jpeg is None else bytes(jpeg.data),
            pixel_aspect=_pixel_aspect(answer),
        )


def _node_at(place: str) -> _Node | None:
    try:
        said = Path(place).stat()
    except OSError:
        return None
    return said.st_dev, said.st_ino, said.st_ctime_ns


_Node = tuple[int, int, int]
"""Which file is at a path now: file system, inode, and since when (numbers are used again)."""
_FILE: Final = DeviceKind.FILE
_OF_FFMPEG: Final = (
    "rtsp_transport;tcp|max_redirects;0|protocol_whitelist;http,tcp"
    # No playlist (hls, dash, concat, sdp), which would send FFmpeg elsewhere.
    "|format_whitelist;mpjpeg,mjpeg,rtsp,mpegts,h264,hevc,m4v,flv,matroska,webm"
)
"""What a stream may be and where FFmpeg may go for it: to the relay, and nowhere from there."""


def device_task(device: Device, port: int | None = None) -> ChildTask:
    """What the child of a device may have: its own device or file, or the port of its relay.

    The address of a camera is where it is now: see `attached.place_of`.
    """
    address = device.address.strip()
    is_stream = device.kind is DeviceKind.STREAM
    return ChildTask(
        "camera",
        memory=1 << 30,
        most_in=0,
        blocks=(
            BlockRule("pixels", _MOST_PIXEL_BYTES, dimensions=3),
            BlockRule("jpeg", _MOST_JPEG_BYTES),
        ),
        slots=_SLOTS,
        cpu_seconds=None,
        readable=(str(Path(address).absolute()),) if device.kind is _FILE else (),
        devices=(address,) if device.kind is DeviceKind.CAMERA else (),
        port=port,
        environment={
            "OPENCV_FFMPEG_LOGLEVEL": "-8",
            **({"OPENCV_FFMPEG_CAPTURE_OPTIONS": _OF_FFMPEG} if is_stream else {}),
        },
    )


def _opened_mode(said: object) -> OpenedMode | None:
    """What a child says of the mode; None where it says nothing. Raises DeviceTroubleError."""
    match said:
        case None:
            return None
        case {"wanted": dict(wanted), "got": dict(got), "not_locked": list(not_locked)}:
            names = tuple(name for name in not_locked if name in LOCKABLE)
            return OpenedMode(_mode(wanted), _mode(got), names)
        case _:
            raise DeviceTroubleError(Trouble.UNEXPECTED)


def _mode(said: dict[str, Any]) -> CameraMode:
    match said:
        case {"format": str(code), "columns": int(columns), "rows": int(rows), "rate": float(rate)}:
            is_code = 0 < len(code) <= 4 and code.isascii() and code.isalnum()
            if is_code and 0 < columns <= _MOST_ASPECT and 0 < rows <= _MOST_ASPECT:
                return CameraMode(code, columns, rows, rate)
        case _:
            pass
    raise DeviceTroubleError(Trouble.UNEXPECTED)


def _pixel_aspect(answer: ChildAnswer) -> tuple[int, int]:
    match answer.facts.get("pixel_aspect"):
        case [int(height), int(width)] if 0 < height <= _MOST_ASPECT and 0 < width <= _MOST_ASPECT:
            return height, width
        case _:
            raise DeviceTroubleError(Trouble.UNEXPECTED)


def _number(answer: ChildAnswer, name: str) -> float:
    said = answer.facts.get(name)
    if isinstance(said, bool) or not isinstance(said, int | float) or not isfinite(said):
        raise DeviceTroubleError(Trouble.UNEXPECTED)
    return float(said)
