import tomllib
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import pytest

from capture_app.model.coding import Code
from capture_app.model.device import DeviceKind
from capture_app.model.procedure import ImageKind
from capture_app.model.ultrasound import TransducerType
from capture_app.settings.consoles import ConsoleSettings, GrabberSettings, PresetSettings
from capture_app.settings.describe import (
    schema_markdown,
    settings_shown,
    settings_toml,
)
from capture_app.settings.feeds import AdtFeed, Worklist
from capture_app.settings.keys import keys_of
from capture_app.settings.load import load
from capture_app.settings.schema import (
    ArchiveDestination,
    Capture,
    Device,
    Institution,
    Settings,
    Station,
    StationPlace,
)

PAGE = Path(__file__).parents[3] / "docs" / "settings.md"

FULL = Settings(
    data_dir=Path("/srv/data"),
    station=Station(
        name='A "quoted" name',
        places=(StationPlace("OR 2", Code("2", "99X", "Theatre")), StationPlace("Burns")),
    ),
    institution=Institution(name="Hôpital 病院", department_code=Code("1", "99X", "X")),
    adt=AdtFeed(wards=("4B", "5C")),
    worklists=(Worklist("ris", "ris", 104, "RIS"),),
    archives=(
        ArchiveDestination("a", host="h", port=104, ae_title="A"),
        ArchiveDestination("b", host="h", port=105, ae_title="B", url="https://h/x", tls=True),
    ),
    devices=(
        Device(
            "us",
            "Scanner",
            DeviceKind.STREAM,
            "rtsp://us/1",
            image_kind=ImageKind.ULTRASOUND,
            grabber=GrabberSettings("Grabbit"),
            console=ConsoleSettings("1920x1080"),
            presets=(
                PresetSettings(
                    "Linear, 4 cm",
                    TransducerType.LINEAR,
                    modes=("2D", "COLOR"),
                    depth_mm=40,
                    scan_area="240,96,1440x800",
                    mm_per_pixel=0.05,
                ),
                PresetSettings("Curved"),
            ),
        ),
    ),
    capture=Capture(favourites=("A", "B")),
)


def test_reference_page_is_what_the_schema_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == schema_markdown(), (
        "write docs/settings.md anew from capture_app.settings.describe.schema_markdown()"
    )


def test_every_key_is_described() -> None:
    tables: list[type] = [Settings]
    seen = 0
    while tables:
        table = tables.pop()
        for key in keys_of(table):
            assert key.help.endswith((".", "...")), f"{table.__name__}.{key.name}"
            seen += 1
            if key.is_table:
                tables.append(key.kind)
        named = {field.name for field in fields(table)}
        assert named - {key.name for key in keys_of(table)} <= {"source_files"}
        assert is_dataclass(table)
    assert seen > 70


@pytest.mark.parametrize("settings", [FULL, Settings(data_dir=Path("/srv/data"))])
def test_settings_in_force_load_to_the_same(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "shown.toml"
    path.write_text(settings_toml(settings), encoding="utf-8")
    again = load(settings_file=path, data_dir=None, environ={"HOME": "/home/x"})
    assert again.source_files == (path,)
    shown = settings_shown(again, {})
    del shown["source_files"]
    expected = settings_shown(settings, {})
    del expected["source_files"]
    assert shown == expected
    assert tomllib.loads(settings_toml(again)) == tomllib.loads(settings_toml(settings))


def test_a_password_in_the_query_of_a_camera_is_not_shown() -> None:
    address = "http://cam/video?user=nurse&Password=geheim77&size=1#a"
    camera = Device("c", "Camera", DeviceKind.STREAM, address)
    shown = replace(FULL, devices=(camera,))
    for text in (settings_toml(shown), str(settings_shown(shown, {}))):
        assert "geheim77" not in text
        assert "http://cam/video?user=nurse&Password=***&size=1#a" in text


@pytest.mark.parametrize(
    "address",
    [
        "http://cam/video?loginuse=admin&loginpas=geheim&size=1",
        "rtsp://cam/user=admin_password=geheim_channel=1_stream=0.sdp",
        "rtsp://cam/user=admin&password=ge_heim&channel=1.sdp",
        "http://cam/?u=a&p=geheim",
        "http://cam/?code=geheim&channel=1",
        "http://cam/snap;password=geheim",
        "http://cam/?pin=77441199",
        "http://cam/?psw=77&heim=1",
        "http://cam/?x#pwd=geheim",
    ],
)
def test_nor_is_it_under_another_name_or_in_the_path(address: str) -> None:
    shown = replace(FULL, devices=(Device("c", "Camera", DeviceKind.STREAM, address),))
    for text in (settings_toml(shown), str(settings_shown(shown, {}))):
        assert "geheim" not in text
        assert "ge_heim" not in text
        assert "=77" not in text
        assert "***" in text


@pytest.mark.parametrize(
    "address",
    [
        "0",
        "http://cam/cgi-bin/mjpg/video.cgi?channel=1&subtype=main",
        "rtsp://cam/axis-media/media.amp?videocodec=h264&resolution=1280x720&fps=25",
    ],
)
def test_what_is_no_secret_is_shown(address: str) -> None:
    shown = replace(FULL, devices=(Device("c", "Camera", DeviceKind.STREAM, address),))
    assert address in settings_toml(shown)
