"""What the settings lock of a camera, and what a child may say of that."""

from pathlib import Path

import pytest

from capture_app.clock import SystemClock
from capture_app.devices.child_source import ChildSource, _opened_mode
from capture_app.devices.controls import LOCKABLE, locks_of
from capture_app.devices.opening import device_info, wish_of
from capture_app.devices.trouble import DeviceTroubleError
from capture_app.errors import SettingsError
from capture_app.model.camera import CameraMode, OpenedMode
from capture_app.model.device import DeviceKind
from capture_app.settings.load import load
from capture_app.settings.schema import Device

CAMERA = Device(
    "cam",
    "Camera",
    DeviceKind.CAMERA,
    "usb:046d:0825:1",
    largest_size="1920x1080",
    least_rate=5.0,
    locked=("exposure=156", "power_line=50"),
)
MODE = {"format": "MJPG", "columns": 1920, "rows": 1080, "rate": 30.0}


def test_what_the_settings_say_is_what_is_asked_for() -> None:
    wish = wish_of(CAMERA)
    assert wish.largest == (1920, 1080)
    assert wish.least_rate == 5.0
    assert dict(wish.locked) == {"exposure": 156, "power_line": 50}
    source = ChildSource(device_info(CAMERA), CAMERA, SystemClock())
    asked = source._question("/dev/video0")
    source.close()
    assert asked["locked"] == ["exposure=156", "power_line=50"]
    assert asked["largest_size"] == "1920x1080"


def test_every_lock_has_a_control_of_its_own() -> None:
    numbers = [known.control for known in LOCKABLE.values()]
    assert len(set(numbers)) == len(numbers)
    assert locks_of(("focus=3",)) == {"focus": 3}


@pytest.mark.parametrize(
    "line", ['locked = ["contrast=3"]', 'locked = ["exposure"]', 'largest_size = "big"']
)
def test_settings_that_cannot_be_meant_are_refused(tmp_path: Path, line: str) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(
        'schema_version = 1\n[[devices]]\nid = "a"\nname = "A"\nkind = "camera"\n'
        f'address = "0"\n{line}\n'
    )
    with pytest.raises(SettingsError, match="devices"):
        load(settings_file=file, data_dir=tmp_path, environ={})


def test_what_a_child_says_of_the_mode_is_taken_where_it_can_be() -> None:
    said = {"wanted": MODE, "got": {**MODE, "columns": 640}, "not_locked": ["zoom", "../x"]}
    wanted, got = CameraMode("MJPG", 1920, 1080, 30.0), CameraMode("MJPG", 640, 1080, 30.0)
    assert _opened_mode(said) == OpenedMode(wanted, got, ("zoom",))
    assert _opened_mode(None) is None


@pytest.mark.parametrize(
    "wrong",
    [
        *("1920x1080", [], {"wanted": MODE}, {"wanted": MODE, "got": [], "not_locked": []}),
        *(
            {"wanted": MODE, "got": {**MODE, **one}, "not_locked": []}
            for one in (
                {"format": "MJPG;rm"},
                {"format": ""},
                {"columns": 0},
                {"rows": 1 << 20},
                {"rate": "x"},
            )
        ),
    ],
    ids=str,
)
def test_what_no_camera_can_be_is_not_believed(wrong: object) -> None:
    with pytest.raises(DeviceTroubleError, match="not expected"):
        _opened_mode(wrong)
