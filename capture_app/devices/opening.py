"""From a device of the settings to the source that reads it."""

from __future__ import annotations

import sys
from pathlib import Path

from capture_app.clock import Clock
from capture_app.devices.child_source import ChildSource
from capture_app.devices.controls import locks_of
from capture_app.devices.modes import Wish
from capture_app.devices.network_camera import Password, no_password
from capture_app.devices.source import FrameSource, OpenedSource
from capture_app.model.device import OFTEN_BURNED_IN, DeviceInfo, DeviceKind, Grabber
from capture_app.model.ultrasound import Mode, Preset, Scale
from capture_app.settings.consoles import (
    ConsoleSettings,
    PresetSettings,
    area_of,
    layout_of,
    whole_picture,
)
from capture_app.settings.schema import Device


def device_info(device: Device) -> DeviceInfo:
    """What images say of a configured device.

    Scanners and endoscopy towers often write the name into the picture; other cameras do not know
    it. Where the settings say whether they do, that holds. Where names are cut away and the
    settings say nothing, it is told of each picture by itself.
    """
    burned_in, console = device.burned_in_annotation, device.console
    layout = None if console is None else layout_of(console)
    if burned_in is None and (layout is None or layout.kept is None):
        burned_in = device.image_kind in OFTEN_BURNED_IN
    return DeviceInfo(
        device_id=device.id,
        name=device.name,
        kind=device.kind,
        image_kind=device.image_kind,
        manufacturer=device.manufacturer,
        model_name=device.model_name,
        serial_number=device.serial_number,
        software_versions=device.software_versions,
        burned_in_annotation=burned_in,
        grabber=_grabber(device),
        console=layout,
    )


def presets_of(device: Device) -> tuple[Preset, ...]:
    """What its console may be set to, as the settings say."""
    return tuple(_preset(one, device.console) for one in device.presets)


def _grabber(device: Device) -> Grabber | None:
    if (said := device.grabber) is None:
        return None
    return Grabber(said.manufacturer, said.model_name, said.serial_number, said.software_versions)


def _preset(said: PresetSettings, console: ConsoleSettings | None) -> Preset:
    scale = None
    if console is not None and said.scan_area and said.mm_per_pixel is not None:
        whole = whole_picture(console)
        scale = Scale(whole.width, whole.height, area_of(said.scan_area), said.mm_per_pixel)
    return Preset(
        said.name,
        said.transducer_type,
        said.transducer,
        tuple(Mode(mode) for mode in said.modes),
        said.depth_mm,
        scale,
    )


def open_source(device: Device, clock: Clock, password: Password = no_password) -> FrameSource:
    """The source of a device: in a child of its own, but for one that is only drawn.

    `password` gives what `password_key` of a network camera names.

    The device itself is opened by `frames`, and there it may fail. Raises DeviceError for an
    address that cannot be one of its kind.
    """
    if device.kind is DeviceKind.SYNTHETIC:
        return open_here(device, clock)
    return ChildSource(device_info(device), device, clock, password)


def open_here(device: Device, clock: Clock, *, pace: float | None = None) -> OpenedSource:
    """The source of a device within this process. `pace`: what was learnt of it before.

    Raises as `open_source`.
    """
    # Only here: OpenCV and numpy take a quarter of a second, and a list of devices needs neither.
    from capture_app.devices.pictures import PICTURE_ENDINGS, PictureFileSource  # noqa: PLC0415
    from capture_app.devices.synthetic import SyntheticSource, size_and_quality  # noqa: PLC0415
    from capture_app.devices.video import StreamSource, VideoFileSource  # noqa: PLC0415

    info, latency = device_info(device), device.latency_ms / 1000
    match device.kind:
        case DeviceKind.CAMERA:
            return _camera(info, device, clock, pace)
        case DeviceKind.STREAM:
            return StreamSource(info, device.address, clock, latency=latency, pace=pace)
        case DeviceKind.FILE:
            path = Path(device.address)
            if path.is_dir() or path.suffix.lower() in PICTURE_ENDINGS:
                return PictureFileSource(info, path, clock)
            return VideoFileSource(info, path, clock)
        case DeviceKind.SYNTHETIC:
            size, quality = size_and_quality(device.address)
            return SyntheticSource(info, clock, size=size, jpeg_quality=quality)


def wish_of(device: Device) -> Wish:
    """What the settings ask of a camera of this computer."""
    columns, _, rows = device.largest_size.partition("x")
    largest = (int(columns), int(rows)) if rows else None
    return Wish(largest, device.least_rate, tuple(locks_of(device.locked).items()))


def _camera(info: DeviceInfo, device: Device, clock: Clock, pace: float | None) -> OpenedSource:
    """`device.address` is where it is today: see `attached.place_of`."""
    latency, wish = device.latency_ms / 1000, wish_of(device)
    if sys.platform == "linux":
        # As above.
        from capture_app.devices.v4l2_source import V4l2Source  # noqa: PLC0415

        return V4l2Source(info, device.address, clock, wish=wish, latency=latency, pace=pace)
    from capture_app.devices.opencv_camera import OpenCvCamera  # noqa: PLC0415

    return OpenCvCamera(info, device.address, clock, wish=wish, latency=latency, pace=pace)
