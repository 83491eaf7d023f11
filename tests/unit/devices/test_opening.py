from pathlib import Path

import pytest

from capture_app.clock import FixedClock
from capture_app.devices.child_source import ChildSource
from capture_app.devices.opening import device_info, open_here, open_source
from capture_app.devices.pictures import PictureFileSource
from capture_app.devices.synthetic import SyntheticSource
from capture_app.devices.v4l2_source import V4l2Source
from capture_app.devices.video import StreamSource, VideoFileSource
from capture_app.errors import DeviceError
from capture_app.model.device import DeviceKind
from capture_app.model.procedure import ImageKind
from capture_app.settings.schema import Device


@pytest.mark.parametrize(
    ("kind", "address", "source"),
    [
        (DeviceKind.CAMERA, "0", V4l2Source),
        (DeviceKind.STREAM, "http://127.0.0.1:9/live.mjpg", StreamSource),
        (DeviceKind.FILE, "/films/a.mp4", VideoFileSource),
        (DeviceKind.FILE, "/pictures/a.JPG", PictureFileSource),
        (DeviceKind.SYNTHETIC, "", SyntheticSource),
    ],
)
def test_every_kind_has_its_source(
    kind: DeviceKind, address: str, source: type, clock: FixedClock
) -> None:
    device = Device("d", "Device", kind, address)
    assert type(open_here(device, clock)) is source
    is_drawn = kind is DeviceKind.SYNTHETIC
    assert type(open_source(device, clock)) is (SyntheticSource if is_drawn else ChildSource)


def test_a_folder_is_a_source_of_pictures(tmp_path: Path, clock: FixedClock) -> None:
    device = Device("d", "Device", DeviceKind.FILE, str(tmp_path))
    source = open_here(device, clock)
    assert isinstance(source, PictureFileSource)
    with pytest.raises(DeviceError, match="not found"):
        next(source.frames())


def test_the_profile_is_what_images_say() -> None:
    device = Device(
        "us", "Ultrasound", DeviceKind.STREAM, "rtsp://x", ImageKind.ULTRASOUND, serial_number="7"
    )
    info = device_info(device)
    assert (info.device_id, info.image_kind, info.serial_number) == (
        "us",
        ImageKind.ULTRASOUND,
        "7",
    )


def test_a_missing_camera_is_told_in_words(clock: FixedClock) -> None:
    source = open_here(Device("cam", "USB camera", DeviceKind.CAMERA, "97"), clock)
    with pytest.raises(DeviceError, match="Camera not found"):
        next(source.frames())


def test_a_missing_film_is_told_in_words(tmp_path: Path, clock: FixedClock) -> None:
    film = tmp_path / "a.avi"
    source = open_here(Device("film", "Film", DeviceKind.FILE, str(film)), clock)
    with pytest.raises(DeviceError, match="not found"):
        next(source.frames())
    film.write_bytes(b"no film at all")
    with pytest.raises(DeviceError, match="cannot be read as a film"):
        next(source.frames())
