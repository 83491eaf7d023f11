"""What the kernel's refusals mean, and the sizes of its structures on 64-bit systems."""

import ctypes
import errno
from contextlib import closing
from pathlib import Path

import pytest

from capture_app.clock import SystemClock
from capture_app.devices import v4l2_abi as abi
from capture_app.devices.child_source import ChildSource
from capture_app.devices.opening import device_info
from capture_app.devices.trouble import DeviceTroubleError, Trouble
from capture_app.devices.v4l2 import V4l2Camera, _code, _number, _trouble_of
from capture_app.model.device import DeviceKind
from capture_app.settings.schema import Device


@pytest.mark.parametrize(
    ("number", "trouble"),
    [
        (errno.ENOENT, Trouble.NOT_FOUND),
        (errno.ENODEV, Trouble.UNPLUGGED),
        (errno.EBUSY, Trouble.IN_USE),
        (errno.EACCES, Trouble.NOT_ALLOWED),
        (errno.ENOLINK, Trouble.NO_SIGNAL),
        (errno.ERANGE, Trouble.SIGNAL_NOT_SUPPORTED),
        (errno.EIO, Trouble.DRIVER_ERROR),
        (errno.EINVAL, Trouble.DRIVER_ERROR),
    ],
)
def test_every_refusal_of_a_driver_has_words_of_its_own(number: int, trouble: Trouble) -> None:
    assert _trouble_of(OSError(number, "")) is trouble
    assert str(DeviceTroubleError(trouble))


@pytest.mark.parametrize(
    ("structure", "size"),
    [
        (abi.Capability, 104),
        (abi.FormatDescription, 64),
        (abi.FrameSize, 44),
        (abi.FrameInterval, 52),
        (abi.Format, 208),
        (abi.StreamParameters, 204),
        (abi.Input, 80),
        (abi.DvTimings, 132),
        (abi.BufferRequest, 20),
        (abi.Buffer, 88),
        (abi.CropCapability, 44),
        (abi.EventSubscription, 32),
        (abi.Event, 136),
        (abi.ControlQuery, 68),
        (abi.Control, 8),
    ],
)
def test_structures_are_as_long_as_the_kernel_has_them(
    structure: type[ctypes.Structure], size: int
) -> None:
    assert ctypes.sizeof(structure) == size


def test_requests_are_the_kernels_own() -> None:
    assert abi.QUERYCAP == 0x8068_5600
    assert abi.S_FMT == 0xC0D0_5605
    assert abi.DQBUF == 0xC058_5611
    assert abi.STREAMON == 0x4004_5612
    assert abi.QUERY_DV_TIMINGS == 0x8084_5663
    assert abi.DQEVENT == 0x8088_5659


def test_a_file_that_is_no_device_is_no_camera(tmp_path: Path) -> None:
    file = tmp_path / "video0"
    with pytest.raises(DeviceTroubleError, match="not found"):
        V4l2Camera(str(file))
    file.touch()
    with pytest.raises(DeviceTroubleError, match="gives no pictures"):
        V4l2Camera(str(file))


def test_codes_are_four_characters() -> None:
    assert _code(_number("MJPG")) == "MJPG"
    assert _code(_number("Y16")) == "Y16"


def test_a_child_is_kept_while_its_device_is_the_same_file(tmp_path: Path) -> None:
    node = tmp_path / "video0"
    node.touch()
    device = Device("cam", "Camera", DeviceKind.CAMERA, str(node))
    with closing(ChildSource(device_info(device), device, SystemClock())) as source:
        with pytest.raises(DeviceTroubleError, match="gives no pictures"):
            next(source.frames())
        first = source._child._process
        assert first is not None
        with pytest.raises(DeviceTroubleError, match="gives no pictures"):
            next(source.frames())
        assert source._child._process is first, "asking again costs no child"
        node.unlink()
        with pytest.raises(DeviceTroubleError, match="not found"):
            next(source.frames())
        (tmp_path / "other").touch()
        (tmp_path / "other").rename(node)
        with pytest.raises(DeviceTroubleError, match="gives no pictures"):
            next(source.frames())
        assert source._child._process is not first, "another file needs another child"
