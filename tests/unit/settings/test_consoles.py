"""The console of a scanner in the settings: what would measure wrongly, or say nothing, is told."""

import pytest

from capture_app.devices.opening import device_info, presets_of
from capture_app.model.console import Area, ConsoleLayout
from capture_app.model.device import Grabber
from capture_app.model.ultrasound import Mode, Preset, Scale, TransducerType
from tests.unit.settings.test_load import Write, faults_of, settings_of, write

__all__ = ["write"]

SCANNER = """
[[devices]]
id = 'us'
name = 'Ultrasound'
kind = 'camera'
address = '0'
image_kind = 'US'
manufacturer = 'Lumina'
[devices.grabber]
manufacturer = 'Grabbit'
serial_number = 'G-77'
"""
CONSOLE = "[devices.console]\npicture_size = '1920x1080'\n"
LAYOUT = CONSOLE + "kept_area = '0,90,1920x990'\nbanner_area = '0,0,1920x90'\n"
LINEAR = """
[[devices.presets]]
name = 'Linear, 4 cm'
transducer_type = 'LINEAR'
transducer = 'L12-3'
modes = ['2D', 'COLOR']
depth_mm = 40
scan_area = '240,96,1440x800'
mm_per_pixel = 0.05
"""


def test_a_console_is_read_as_it_is_written(write: Write) -> None:
    (device,) = settings_of(write(SCANNER + CONSOLE + LINEAR)).devices
    info = device_info(device)
    assert info.manufacturer == "Lumina"
    assert info.grabber == Grabber("Grabbit", serial_number="G-77")
    assert info.preset is None  # before somebody chose it
    assert presets_of(device) == (
        Preset(
            "Linear, 4 cm",
            TransducerType.LINEAR,
            "L12-3",
            (Mode.B, Mode.COLOR_DOPPLER),
            40,
            Scale(1920, 1080, Area(240, 96, 1440, 800), 0.05),
        ),
    )


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (SCANNER + CONSOLE + LINEAR.replace("mm_per_pixel = 0.05", ""), "presets[0].mm_per_pixel"),
        (
            SCANNER + CONSOLE + LINEAR.replace("scan_area = '240,96,1440x800'", ""),
            "presets[0].scan_area",
        ),
        (SCANNER + LINEAR, "presets[0].scan_area"),
        (SCANNER + CONSOLE.replace("1920x", "1280x") + LINEAR, "presets[0].scan_area"),
        (SCANNER + CONSOLE + LINEAR.replace("240,96", "240;96"), "presets[0].scan_area"),
        (SCANNER + CONSOLE + LINEAR.replace("0.05", "0.5"), "presets[0].mm_per_pixel"),
        (SCANNER + CONSOLE + LINEAR.replace("0.05", "0.005"), "presets[0].mm_per_pixel"),
        (SCANNER + CONSOLE + LINEAR.replace("'COLOR'", "'M'"), "presets[0].mm_per_pixel"),
        (SCANNER + CONSOLE + LINEAR.replace("'COLOR'", "'FLOW'"), "presets[0].modes"),
        (SCANNER + CONSOLE + LINEAR.replace("'LINEAR'", "'FLAT'"), "presets[0].transducer_type"),
        (SCANNER + CONSOLE + LINEAR + LINEAR, "presets[1].name"),
        (SCANNER.replace("'US'", "'XC'") + CONSOLE + LINEAR, "presets"),
        (SCANNER.replace("manufacturer = 'Grabbit'", ""), "grabber.manufacturer"),
        (SCANNER + "[devices.console]\n", "console.picture_size"),
        (SCANNER + CONSOLE + "kept_area = '0,90,1921x990'", "console.kept_area"),
        (SCANNER + CONSOLE + "banner_area = '0,1000,1920x90'", "console.banner_area"),
        (SCANNER + LAYOUT.replace("0,90", "0,89"), "console.kept_area"),
        (SCANNER + LAYOUT.replace("0,90,1920", "0,90,1600") + LINEAR, "presets[0].scan_area"),
    ],
)
def test_what_does_not_go_together_is_told(write: Write, text: str, key: str) -> None:
    assert list(faults_of(write(text))) == [f"devices[0].{key}"]


@pytest.mark.parametrize(("said", "burned_in"), [("", None), ("true", True), ("false", False)])
def test_a_layout_is_read_and_leaves_burned_in_to_each_picture(
    write: Write, said: str, burned_in: bool | None
) -> None:
    line = f"burned_in_annotation = {said}\n" if said else ""
    text = SCANNER.replace("[devices.grabber]", f"{line}[devices.grabber]")
    (device,) = settings_of(write(text + LAYOUT)).devices
    info = device_info(device)
    assert info.console == ConsoleLayout(1920, 1080, Area(0, 90, 1920, 990), Area(0, 0, 1920, 90))
    assert info.burned_in_annotation is burned_in
    (bare,) = settings_of(write(SCANNER + CONSOLE)).devices
    assert device_info(bare).burned_in_annotation is True
