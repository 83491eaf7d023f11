"""`devices`: what is plugged in, and what the devices of the settings do."""

from dataclasses import replace

from capture_app.demo.hospital import Hospital
from capture_app.devices.attached import attached_cameras
from capture_app.model.device import DeviceKind
from capture_app.settings.describe import settings_toml
from capture_app.settings.schema import Device
from tests.e2e.commands import CaptureApp


def test_devices_are_opened_measured_and_named(hospital: Hospital, capture_app: CaptureApp) -> None:
    drawn = Device("drawn", "Drawn", DeviceKind.SYNTHETIC, "320x240")
    gone = Device("gone", "Gone", DeviceKind.CAMERA, "usb:046d:0825:A1B2")
    settings = replace(hospital.settings, devices=(drawn, gone))
    capture_app.settings.write_text(settings_toml(settings), encoding="utf-8")
    done = capture_app.run("devices", "test", "--json")
    assert done.code == 1, done.out
    works, fails = done.json["devices"]
    assert works["device"] == "drawn"
    assert works["works"]
    assert (works["width"], works["height"]) == (320, 240)
    assert works["milliseconds"] >= 0
    assert fails == {
        "device": "gone",
        "works": False,
        "reason": "Camera not found. Check the cable.",
    }
    one = capture_app.run("devices", "test", "drawn")
    assert one.code == 0, one.out
    assert "It works." in one.out
    wrong = capture_app.run("devices", "test", "dawn")
    assert wrong.code == 2
    assert "There is no such device." in wrong.err


def test_the_cameras_that_are_plugged_in_are_listed(capture_app: CaptureApp) -> None:
    done = capture_app.run("devices", "list", "--json")
    assert not done.err
    plugged = {camera.identity for camera in attached_cameras()}
    assert {one["identity"] for one in done.json["cameras"]} <= plugged
    if not plugged:
        assert done.code == 0, done.err
        assert "No camera is plugged in." in capture_app.run("devices", "list").out
