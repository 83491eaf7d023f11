"""A camera of this computer as Linux's drivers show it: what it can deliver, and its pictures.

Every failure of the driver has a trouble of its own; nothing waits longer than it is told to.
See the kernel's "Video for Linux API" for the ioctls that are named here.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from capture_app.devices import v4l2_abi as abi
from capture_app.devices.controls import LOCKABLE, POWER_LINE_HZ, Lockable
from capture_app.devices.device_file import control, map_device, open_device, wait_for_device
from capture_app.devices.modes import READABLE
from capture_app.devices.raw_format import RawFormat, RawPicture
from capture_app.devices.trouble import DeviceTroubleError, Trouble
from capture_app.model.camera import CameraControl, CameraMode

_BUFFERS: Final = 4
_MOST_LISTED: Final = 512
"""No camera has so many formats, sizes or rates: a driver that goes on has lost its way."""
_RANGES_TRIED: Final = ((3840, 2160), (1920, 1080), (1280, 720), (640, 480))
"""Of a camera that takes any size in a range, those that people know; and its largest."""
_BY_ERRNO: Final = {
    errno.ENOENT: Trouble.NOT_FOUND,
    errno.ENODEV: Trouble.UNPLUGGED,
    errno.ENXIO: Trouble.UNPLUGGED,
    errno.EBUSY: Trouble.IN_USE,
    errno.EACCES: Trouble.NOT_ALLOWED,
    errno.EPERM: Trouble.NOT_ALLOWED,
    errno.ENOLINK: Trouble.NO_SIGNAL,
    errno.ENOLCK: Trouble.NO_SIGNAL,
    errno.ERANGE: Trouble.SIGNAL_NOT_SUPPORTED,
}


class V4l2Camera:
    """An opened camera. Raises DeviceTroubleError from everything; `close` it."""

    def __init__(self, path: str) -> None:
        with _told():
            self._fd = open_device(path)
        self._maps: list[memoryview] = []
        self._is_on = False
        try:
            self.name = self._name_if_camera()
            self._dv = self._has_dv_timings()
            self._has_events = self._subscribed()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Ends the stream, and gives the device back."""
        fd, self._fd = self._fd, -1
        if fd < 0:
            return
        if self._is_on:
            with suppress(OSError):
                control(fd, abi.STREAMOFF, ctypes.c_int32(abi.CAPTURE))
        for shared in self._maps:
            shared.release()
        os.close(fd)

    # -------------------------------------------------------------------------------- what it can

    def modes(self) -> tuple[CameraMode, ...]:
        """Every coding and size, each with its highest rate, in the driver's order."""
        return tuple(
            CameraMode(code, columns, rows, self._highest_rate(number, columns, rows))
            for number, code in self._formats()
            for columns, rows in self._sizes(number)
        )

    def controls(self) -> tuple[CameraControl, ...]:
        """Those of `LOCKABLE` that it has, as they stand."""
        found = ((name, self._control(name, known)) for name, known in LOCKABLE.items())
        return tuple(control for _, control in found if control is not None)

    def lock(self, name: str, value: int) -> bool:
        """Sets a control of `LOCKABLE`, and has the camera leave it alone. Whether it is so now."""
        known, now = LOCKABLE[name], None
        if known.automatic:
            self._answered(abi.S_CTRL, abi.Control(known.automatic, known.off))
        wanted = value
        if name == "power_line":
            wanted = next((n for n, hz in POWER_LINE_HZ.items() if hz == value), -1)
        if self._answered(abi.S_CTRL, abi.Control(known.control, wanted)) is not None:
            now = self._answered(abi.G_CTRL, abi.Control(known.control))
        return now is not None and now.value == wanted

    def _control(self, name: str, known: Lockable) -> CameraControl | None:
        said = self._answered(abi.QUERYCTRL, abi.ControlQuery(id=known.control))
        now = self._answered(abi.G_CTRL, abi.Control(known.control))
        if said is None or now is None or said.flags & abi.CONTROL_IS_OFF:
            return None
        automatic = self._answered(abi.G_CTRL, abi.Control(known.automatic))
        is_automatic = None
        if known.automatic and automatic is not None:
            is_automatic = automatic.value != known.off
        if name == "power_line":
            is_automatic = now.value not in POWER_LINE_HZ
            return CameraControl(name, 0, 60, POWER_LINE_HZ.get(now.value, 0), is_automatic)
        return CameraControl(name, said.minimum, said.maximum, now.value, is_automatic)

    def require_signal(self) -> None:
        """Raises DeviceTroubleError where nothing that gives a picture is connected to it."""
        status = self._input().status
        if status & abi.NO_PICTURE:
            raise DeviceTroubleError(Trouble.NO_SIGNAL)

    def follow_signal(self) -> None:
        """Sets a grabber to what its source sends: size and rate are the source's.

        Raises as `require_signal`, and where the source sends what it does not take.
        """
        if self._dv:  # first: it says more than the status of the input
            timings = abi.DvTimings()
            self._call(abi.QUERY_DV_TIMINGS, timings)
            self._call(abi.S_DV_TIMINGS, timings)
        self.require_signal()

    @property
    def is_grabber(self) -> bool:
        """Whether another device sends it the pictures, and says their size."""
        return self._dv

    # ------------------------------------------------------------------------------- the pictures

    def begin(self, mode: CameraMode) -> RawFormat:
        """Asks for the mode, and begins the stream. What it says is what the driver gives."""
        wanted = abi.Format(type=abi.CAPTURE)
        wanted.of.pix.width, wanted.of.pix.height = mode.columns, mode.rows
        wanted.of.pix.pixelformat = _number(mode.format)
        wanted.of.pix.field = abi.FIELD_ANY
        wanted.of.pix.priv = abi.PIX_PRIV_MAGIC
        self._call(abi.S_FMT, wanted)
        if wanted.of.pix.field in abi.SPLIT_FIELDS:  # half pictures: as one, or not at all
            wanted.of.pix.field = abi.FIELD_INTERLACED
            self._call(abi.S_FMT, wanted)
            if wanted.of.pix.field in abi.SPLIT_FIELDS:
                raise DeviceTroubleError(Trouble.UNKNOWN_FORMAT)
        rate = self._set_rate(mode.rate)
        pix = wanted.of.pix
        got = CameraMode(_code(pix.pixelformat), pix.width, pix.height, rate)
        if got.format not in READABLE:
            raise DeviceTroubleError(Trouble.UNKNOWN_FORMAT)
        self._map_buffers()
        self._call(abi.STREAMON, ctypes.c_int32(abi.CAPTURE))
        self._is_on = True
        return RawFormat(
            got,
            pix.bytesperline,
            pix.colorspace,
            pix.ycbcr_enc,
            pix.quantization,
            self._pixel_aspect(),
        )

    def next(self, within: float) -> RawPicture | None:
        """The next picture; None where none came within so many seconds.

        Raises DeviceTroubleError (`SIGNAL_CHANGED`: `follow_signal` and `begin` anew).
        """
        has_picture, has_event = wait_for_device(self._fd, within)
        if has_event and self._source_changed():
            raise DeviceTroubleError(Trouble.SIGNAL_CHANGED)
        if not has_picture:
            return None
        buffer = abi.Buffer(type=abi.CAPTURE, memory=abi.MEMORY_MMAP)
        try:
            control(self._fd, abi.DQBUF, buffer)
        except OSError as error:
            if error.errno == errno.EAGAIN:
                return None
            # A stream that the driver has ended for good says EINVAL or EPIPE.
            raise DeviceTroubleError(_trouble_of(error)) from error
        shared = self._maps[buffer.index]
        data = bytes(shared[: buffer.bytesused])
        stamp = buffer.seconds + buffer.microseconds / 1e6
        self._call(abi.QBUF, buffer)
        return RawPicture(
            data, stamp if stamp > 0 else None, bool(buffer.flags & abi.BUFFER_IS_BAD)
        )

    # ------------------------------------------------------------------------------------- inside

    def _call(self, request: int, value: Any) -> Any:
        with _told():
            control(self._fd, request, value)
        return value

    def _answered(self, request: int, value: Any) -> Any | None:
        """The answer; None where the driver has none. What is gone raises all the same."""
        try:
            control(self._fd, request, value)
        except OSError as error:
            if _trouble_of(error) is Trouble.UNPLUGGED:
                raise DeviceTroubleError(Trouble.UNPLUGGED) from error
            return None
        return value

    def _name_if_camera(self) -> str:
        said = self._answered(abi.QUERYCAP, abi.Capability())
        if said is None:
            raise DeviceTroubleError(Trouble.NOT_A_CAMERA)
        own = said.device_caps if said.capabilities & abi.HAS_DEVICE_CAPS else said.capabilities
        if not (own & abi.CAN_CAPTURE and own & abi.CAN_STREAM):
            raise DeviceTroubleError(Trouble.NOT_A_CAMERA)
        return str(said.card.decode("utf-8", "replace"))

    def _input(self) -> abi.Input:
        number = ctypes.c_int32()
        if self._answered(abi.G_INPUT, number) is None:
            return abi.Input()
        return self._answered(abi.ENUMINPUT, abi.Input(index=number.value)) or abi.Input()

    def _has_dv_timings(self) -> bool:
        return bool(self._input().capabilities & abi.HAS_DV_TIMINGS)

    def _subscribed(self) -> bool:
        wish = abi.EventSubscription(type=abi.EVENT_SOURCE_CHANGE)
        return self._answered(abi.SUBSCRIBE_EVENT, wish) is not None

    def _source_changed(self) -> bool:
        is_changed = False
        while (event := self._answered(abi.DQEVENT, abi.Event())) is not None:
            is_changed |= event.type == abi.EVENT_SOURCE_CHANGE
        return is_changed

    def _formats(self) -> Iterator[tuple[int, str]]:
        for said in self._listed(abi.ENUM_FMT, lambda n: abi.FormatDescription(n, abi.CAPTURE)):
            yield said.pixelformat, _code(said.pixelformat)

    def _sizes(self, number: int) -> Iterator[tuple[int, int]]:
        any_told = False
        for said in self._listed(abi.ENUM_FRAMESIZES, lambda n: abi.FrameSize(n, number)):
            any_told = True
            if said.type == abi.DISCRETE:
                yield said.sizes[0], said.sizes[1]
                continue
            least, most = (said.sizes[0], said.sizes[3]), (said.sizes[1], said.sizes[4])
            if self._dv:
                break  # the source says it
            yield from self._of_range(least, most)
            return
        if self._dv or not any_told:
            now = self._call(abi.G_FMT, abi.Format(type=abi.CAPTURE)).of.pix
            yield now.width, now.height

    def _of_range(self, least: tuple[int, int], most: tuple[int, int]) -> Iterator[tuple[int, int]]:
        """The camera's own size, where it says one: what is larger its scaler makes up. Then those
        that people know.
        """
        said = self._answered(abi.CROPCAP, abi.CropCapability(type=abi.CAPTURE))
        own = (0, 0) if said is None else (said.default.width, said.default.height)
        if own[0] * own[1]:
            most = min(most[0], own[0]), min(most[1], own[1])
            yield most
        known = [size for size in _RANGES_TRIED if size[0] <= most[0] and size[1] <= most[1]]
        yield from (size for size in known if least[0] <= size[0] and least[1] <= size[1])
        if not known and not own[0]:
            yield most

    def _highest_rate(self, number: int, columns: int, rows: int) -> float:
        rates = [
            _rate(said.intervals[0])
            for said in self._listed(
                abi.ENUM_FRAMEINTERVALS, lambda n: abi.FrameInterval(n, number, columns, rows)
            )
        ]
        return max(rates, default=0.0)

    def _listed(self, request: int, entry: Callable[[int], Any]) -> Iterator[Any]:
        for number in range(_MOST_LISTED):
            said = self._answered(request, entry(number))
            if said is None:
                return
            yield said

    def _set_rate(self, rate: float) -> float:
        """The rate that the driver gives; 0 where it does not say."""
        now = self._answered(abi.G_PARM, abi.StreamParameters(type=abi.CAPTURE))
        if now is None:
            return 0.0
        if rate and now.of.capture.capability & abi.CAN_SET_RATE:
            wish = abi.StreamParameters(type=abi.CAPTURE)
            wish.of.capture.timeperframe = abi.Fraction(1000, round(rate * 1000))
            now = self._answered(abi.S_PARM, wish) or now
        return _rate(now.of.capture.timeperframe)

    def _pixel_aspect(self) -> tuple[int, int]:
        """Height and width of a pixel. Square where the driver does not say."""
        said = self._answered(abi.CROPCAP, abi.CropCapability(type=abi.CAPTURE))
        if said is None or not (said.pixelaspect.numerator and said.pixelaspect.denominator):
            return 1, 1
        return said.pixelaspect.numerator, said.pixelaspect.denominator

    def _map_buffers(self) -> None:
        wish = abi.BufferRequest(count=_BUFFERS, type=abi.CAPTURE, memory=abi.MEMORY_MMAP)
        for number in range(self._call(abi.REQBUFS, wish).count):
            buffer = abi.Buffer(index=number, type=abi.CAPTURE, memory=abi.MEMORY_MMAP)
            self._call(abi.QUERYBUF, buffer)
            with _told():
                self._maps.append(map_device(self._fd, buffer.length, buffer.offset))
            self._call(abi.QBUF, buffer)
        if not self._maps:
            raise DeviceTroubleError(Trouble.DRIVER_ERROR)


@contextmanager
def _told() -> Iterator[None]:
    """Turns what the system refuses into a trouble."""
    try:
        yield
    except OSError as error:
        raise DeviceTroubleError(_trouble_of(error)) from error


def _trouble_of(error: OSError) -> Trouble:
    return _BY_ERRNO.get(error.errno or 0, Trouble.DRIVER_ERROR)


def _code(number: int) -> str:
    """MJPG, YUYV: the four characters of a format."""
    return number.to_bytes(4, "little").decode("ascii", "replace").strip()


def _number(code: str) -> int:
    return int.from_bytes(code.ljust(4).encode("ascii")[:4], "little")


def _rate(interval: abi.Fraction) -> float:
    if not interval.numerator:
        return 0.0
    return round(float(interval.denominator / interval.numerator), 2)
