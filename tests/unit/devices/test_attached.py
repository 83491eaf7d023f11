"""Cameras by their identity, from a copy of what Linux shows under /sys."""

from pathlib import Path

import pytest

from capture_app.devices.attached import attached_cameras, is_identity, place_of
from capture_app.devices.trouble import DeviceTroubleError, Trouble


class System:
    """A tree like /sys, with cameras that a test plugs in."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def plug_usb(
        self,
        number: int,
        kind: str,
        port: str,
        *,
        serial: str = "",
        name: str = "Camera",
        index: int = 0,
        interface: int = 0,
    ) -> None:
        usb = self.root / "devices/pci0000:00/usb1" / port
        device = usb / f"{port}:1.{interface}"
        device.mkdir(parents=True, exist_ok=True)
        vendor, product = kind.split(":")
        for file, text in (("idVendor", vendor), ("idProduct", product), ("serial", serial)):
            if text:
                (usb / file).write_text(f"{text}\n")
        (device / "bInterfaceNumber").write_text(f"{interface:02x}\n")
        self._node(number, name, index, device)

    def plug_card(
        self, number: int, bus: str, place: str, *, index: int = 0, name: str = "Grabber"
    ) -> None:
        device = self.root / "devices" / bus / place
        device.mkdir(parents=True, exist_ok=True)
        (self.root / "bus" / bus).mkdir(parents=True, exist_ok=True)
        if not (device / "subsystem").is_symlink():
            (device / "subsystem").symlink_to(self.root / "bus" / bus)
        self._node(number, name, index, device)

    def plug_virtual(self, number: int, name: str) -> None:
        self._node(number, name, 0, None)

    def _node(self, number: int, name: str, index: int, device: Path | None) -> None:
        node = self.root / f"class/video4linux/video{number}"
        node.mkdir(parents=True)
        (node / "name").write_text(f"{name}\n")
        (node / "index").write_text(f"{index}\n")
        if device is not None:
            (node / "device").symlink_to(device)


@pytest.fixture
def system(tmp_path: Path) -> System:
    return System(tmp_path)


def identities(system: System) -> list[str]:
    return [one.identity for one in attached_cameras(system.root)]


def test_a_usb_camera_is_known_by_what_it_is(system: System) -> None:
    system.plug_usb(3, "046D:0825", "1-2", serial="A1B2", name="Webcam C270")
    (camera,) = attached_cameras(system.root)
    assert camera.identity == "usb:046d:0825:A1B2"
    assert (camera.name, camera.place) == ("Webcam C270", "/dev/video3")


def test_one_without_a_serial_number_is_known_by_its_port(system: System) -> None:
    system.plug_usb(0, "046d:0825", "1-2.4")
    assert identities(system) == ["usb:046d:0825@1-2.4"]


def test_its_number_may_be_another_one_tomorrow(system: System) -> None:
    system.plug_usb(7, "046d:0825", "1-3", serial="A1B2")
    assert place_of("usb:046d:0825:A1B2", system.root) == "/dev/video7"


def test_two_with_one_serial_number_are_told_apart_by_their_ports(system: System) -> None:
    system.plug_usb(0, "046d:0825", "1-1", serial="200901010001")
    system.plug_usb(2, "046d:0825", "1-2", serial="200901010001")
    assert identities(system) == [
        "usb:046d:0825:200901010001@1-1",
        "usb:046d:0825:200901010001@1-2",
    ]
    assert place_of("usb:046d:0825:200901010001@1-2", system.root) == "/dev/video2"


def test_which_of_two_alike_is_meant_is_never_guessed(system: System) -> None:
    system.plug_usb(0, "046d:0825", "1-1", serial="1")
    system.plug_usb(2, "046d:0825", "1-2", serial="1")
    with pytest.raises(DeviceTroubleError) as refused:
        place_of("usb:046d:0825:1", system.root)
    assert refused.value.trouble is Trouble.ALIKE


def test_a_camera_with_a_port_in_the_settings_is_not_another_at_that_port(system: System) -> None:
    system.plug_usb(0, "046d:0825", "1-1", serial="other")
    with pytest.raises(DeviceTroubleError) as refused:
        place_of("usb:046d:0825:mine@1-1", system.root)
    assert refused.value.trouble is Trouble.NOT_FOUND


def test_the_pictures_of_one_device_are_numbered(system: System) -> None:
    system.plug_usb(0, "046d:0825", "1-1", serial="1")
    system.plug_usb(1, "046d:0825", "1-1", serial="1", index=1)
    system.plug_usb(2, "046d:0825", "1-1", serial="1", interface=2)
    assert identities(system) == [
        "usb:046d:0825:1",
        "usb:046d:0825:1#1",
        "usb:046d:0825:1#2.0",
    ]
    assert place_of("usb:046d:0825:1", system.root) == "/dev/video0"
    assert place_of("usb:046d:0825:1#2.0", system.root) == "/dev/video2"


def test_a_card_is_known_by_its_place_and_a_virtual_camera_by_its_name(system: System) -> None:
    system.plug_card(0, "pci", "0000:03:00.0")
    system.plug_card(1, "pci", "0000:03:00.0", index=1)
    system.plug_virtual(10, "Wound / 2")
    assert identities(system) == [
        "pci:0000:03:00.0",
        "pci:0000:03:00.0#1",
        "virtual:Wound-2",
    ]
    assert place_of("virtual:Wound-2", system.root) == "/dev/video10"


def test_channels_of_a_card_that_are_at_one_place_are_told_apart_by_their_names(
    system: System,
) -> None:
    system.plug_card(0, "pci", "0000:03:00.0", name="Input 1")
    system.plug_card(1, "pci", "0000:03:00.0", name="Input 2")
    assert identities(system) == ["pci:0000:03:00.0@Input-1", "pci:0000:03:00.0@Input-2"]
    assert place_of("pci:0000:03:00.0@Input-2", system.root) == "/dev/video1"
    with pytest.raises(DeviceTroubleError) as refused:
        place_of("pci:0000:03:00.0", system.root)
    assert refused.value.trouble is Trouble.ALIKE


def test_what_a_camera_says_of_itself_is_no_path_and_no_line(system: System) -> None:
    system.plug_usb(0, "046d:0825", "1-1", serial="../a@b#c\x1b[2J", name="Cam\x1b[2J\nera")
    (camera,) = attached_cameras(system.root)
    assert is_identity(camera.identity)
    assert camera.identity == "usb:046d:0825:..-a-b-c-2J"
    assert camera.name == "Cam[2Jera"
    assert place_of(camera.identity, system.root) == "/dev/video0"


def test_where_nothing_is_plugged_in_nothing_is_found(system: System) -> None:
    assert attached_cameras(system.root) == ()
    with pytest.raises(DeviceTroubleError) as refused:
        place_of("usb:046d:0825:A1B2", system.root)
    assert refused.value.trouble is Trouble.NOT_FOUND


def test_numbers_and_paths_of_older_settings_go_on_working(tmp_path: Path) -> None:
    device = tmp_path / "video0"
    device.touch()
    assert place_of(f" {device} ") == str(device)
    with pytest.raises(DeviceTroubleError) as refused:
        place_of(str(tmp_path / "video1"))
    assert refused.value.trouble is Trouble.NOT_FOUND


@pytest.mark.parametrize("address", ["0", "12", "/dev/video0", "/dev/v4l/by-id/usb-046d", ""])
def test_a_number_or_a_path_is_no_identity(address: str) -> None:
    assert not is_identity(address)
