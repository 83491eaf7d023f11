"""The devices of the machine: plugged in, set, fed and unplugged by a test."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

from capture_app.clock import SystemClock
from capture_app.devices.capture import Live, LiveState
from capture_app.devices.chosen import ChosenDevice
from capture_app.model.device import DeviceKind
from capture_app.model.frame import Frame
from capture_app.settings.schema import Device
from tests.waiting import eventually

SELECTED: Final = 4
"""Of vivid's dv_timings_signal_mode: the source sends what dv_timings says."""
CHECKOUT: Final = Path(__file__).resolve().parents[2]
CLOCK: Final = SystemClock()
PATIENCE_S: Final = 240.0
"""The machine is emulated, and several times slower than any station."""


def call(*command: str) -> str:
    """Runs a command that must succeed; what it printed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not done.returncode, f"{command} failed: {done.stderr}"
    return done.stdout


@dataclass(frozen=True, slots=True)
class Vivid:
    """vivid, the kernel's own test device."""

    node: str

    @classmethod
    @contextmanager
    def plugged_in(cls, *parameters: str) -> Iterator[Self]:
        """Loads the driver, and unloads it again."""
        cls.load(*parameters)
        try:
            yield cls(f"/dev/video{_number_of('vivid-000-vid-cap')}")
        finally:
            cls.unload()

    @staticmethod
    def load(*parameters: str) -> None:
        """Plugs it in."""
        call("modprobe", "vivid", *parameters)

    @staticmethod
    def unload() -> None:
        """Takes it out, once whoever had it open has closed it."""
        _unload("vivid")

    def set(self, **controls: int) -> None:
        """Sets controls of the driver by their names in v4l2-ctl."""
        for name, value in controls.items():
            call("v4l2-ctl", "-d", self.node, "-c", f"{name}={value}")

    def become_grabber(self, source: str = "640x480p") -> None:
        """From now on its picture is that of an HDMI plug, behind which there is such a source."""
        call("v4l2-ctl", "-d", self.node, "-i", "3")
        self.change_source(source)
        call("v4l2-ctl", "-d", self.node, "--set-dv-bt-timings", "query")

    def change_source(self, source: str) -> None:
        """The source sends another size: the first that begins so of those that vivid knows."""
        menu = call("v4l2-ctl", "-d", self.node, "-L").partition(" dv_timings ")[2]
        found = next(line for line in menu.splitlines() if f": {source}" in line)
        self.set(dv_timings=int(found.split(":")[0]), dv_timings_signal_mode=SELECTED)


@dataclass(frozen=True, slots=True)
class Loopback:
    """v4l2loopback: what one program writes to it, another reads as a camera's pictures."""

    node: str

    @classmethod
    @contextmanager
    def plugged_in(cls, module: Path, label: str = "Wound") -> Iterator[Self]:
        """Loads the driver, and unloads it again."""
        call("insmod", str(module), "video_nr=10", f"card_label={label}", "exclusive_caps=0")
        try:
            yield cls("/dev/video10")
        finally:
            _unload("v4l2loopback")

    @contextmanager
    def fed(
        self, folder: Path, pictures: Sequence[bytes], rate: int = 5
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Feeds these JPEG files to it, over and over, as they are.

        Small ones: unlike a camera, the driver writes over what a slow reader has not copied yet.
        """
        for number, jpeg in enumerate(pictures):
            (folder / f"{number}.jpg").write_bytes(jpeg)
        feeding = subprocess.Popen(
            [
                *("ffmpeg", "-loglevel", "error", "-re", "-stream_loop", "-1", "-framerate"),
                *(str(rate), "-i", str(folder / "%d.jpg"), "-c", "copy", "-f", "v4l2", self.node),
            ],
            stdin=subprocess.DEVNULL,
        )
        try:
            yield feeding
        finally:
            feeding.kill()
            feeding.wait()


def camera(address: str, **settings: object) -> Device:
    """A camera as the settings name it."""
    return replace(Device("cam", "Camera", DeviceKind.CAMERA, address), **settings)  # type: ignore[arg-type]


@contextmanager
def live(*devices: Device) -> Iterator[ChosenDevice]:
    """The application's own service of cameras, with the first one of these live."""
    with chosen(*devices) as service:
        wait_for(service, Live.LIVE)
        yield service


@contextmanager
def chosen(*devices: Device) -> Iterator[ChosenDevice]:
    """The application's own service of cameras, as it begins with the first one of these."""
    service = ChosenDevice(devices, CLOCK)
    service.start()
    try:
        yield service
    finally:
        service.stop(within=10.0)


def seen(service: ChosenDevice) -> Frame:
    """What it shows; waited for, should the machine stand still for a moment."""
    return eventually(service.latest, timeout=PATIENCE_S)  # type: ignore[return-value]


@contextmanager
def heard(service: ChosenDevice) -> Iterator[list[LiveState]]:
    """Every state that it tells meanwhile, however short."""
    states: list[LiveState] = []
    end = service.on_state(states.append)
    try:
        yield states
    finally:
        end()


def wait_for(service: ChosenDevice, state: Live, words: str = "") -> None:
    """Until its state is this one, with these words in its reason."""
    eventually(
        lambda: service.state.live is state and words in service.state.reason, timeout=PATIENCE_S
    )


def _number_of(name: str) -> str:
    for node in Path("/sys/class/video4linux").glob("video*"):
        if (node / "name").read_text().strip() == name:
            return node.name.removeprefix("video")
    raise AssertionError(name)


def _unload(module: str) -> None:
    eventually(
        lambda: not subprocess.run(["rmmod", module], capture_output=True, check=False).returncode,
        timeout=PATIENCE_S,
    )
