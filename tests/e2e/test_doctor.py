"""`doctor` and `support-bundle` in a simulated hospital, good and bad."""

from __future__ import annotations

import json
import socket
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from capture_app.demo.hospital import Hospital
from capture_app.demo.people import ADMISSIONS
from capture_app.settings.describe import settings_toml
from capture_app.settings.schema import ProofChoice, Settings
from tests.e2e.commands import CaptureApp, Finished
from tests.peers import free_port


def write(capture_app: CaptureApp, settings: Settings) -> None:
    capture_app.settings.write_text(settings_toml(settings), encoding="utf-8")


def codes(done: Finished) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for one in done.json["findings"]:
        found.setdefault((one["area"], one["name"]), []).append(one["code"])
    return found


def facts(done: Finished, area: str, name: str) -> Any:
    return next(
        one["facts"] for one in done.json["findings"] if (one["area"], one["name"]) == (area, name)
    )


def test_all_is_well_while_somebody_delivers(hospital: Hospital, capture_app: CaptureApp) -> None:
    with capture_app.serving():
        assert hospital.admissions.acknowledged.wait(60)
        done = capture_app.run("doctor", "--json")
    assert done.code == 0, done.out
    found = codes(done)
    assert found["delivery", "engine"] == ["delivers"]
    assert found["port", "adt"] == ["port-in-use"]
    assert found["archive", "practice"] == ["c-echo-good", "dicomweb-good"]
    assert found["worklist", "practice"] == ["c-echo-good", "c-find-good"]
    assert set(found["contexts", "practice"]) == {"class-taken"}
    assert found["device", "ward-camera"] == found["device", "ultrasound"] == ["device-good"]
    camera = facts(done, "device", "ward-camera")
    assert camera["width"] > 100
    assert camera["rate"] > 0
    for area, name in (("folder", "data_dir"), ("disk", "data_dir"), ("key", "file")):
        assert found[area, name] == [f"{area}-good"]
    assert all(one["remedy"] for one in done.json["findings"] if one["grade"] != "good")
    for patient in (admission.patient for admission in ADMISSIONS):
        assert patient.patient_id.value not in done.out
        assert patient.name.alphabetic.family not in done.out


def test_what_does_not_work_has_its_code_and_a_remedy(
    hospital: Hospital, capture_app: CaptureApp
) -> None:
    settings = hospital.settings
    feed = settings.adt
    assert feed is not None
    archive = replace(
        settings.archives[0],
        ae_title="NOBODY",
        url="",
        proof=ProofChoice.STORAGE_COMMITMENT,
        commitment_port=free_port(),
    )
    address = f"http://127.0.0.1:{free_port()}/"
    camera = replace(settings.devices[0], name="Of Garcia", address=address)
    with socket.socket() as another:
        another.bind(("127.0.0.1", feed.port))
        another.listen()
        write(capture_app, replace(settings, archives=(archive,), devices=(camera,)))
        done = capture_app.run("doctor", "--json")
    assert done.code == 1
    found = codes(done)
    assert found["delivery", "engine"] == ["nobody-delivers"]
    assert found["port", "adt"] == ["port-taken"]
    assert found["port", "practice"] == ["port-free"]
    assert found["device", "ward-camera"] == ["device-failed"]
    assert "Garcia" not in done.out, "what people call a camera may be anything"
    assert "c-echo-failed" in found["archive", "practice"]
    assert all(one["remedy"] for one in done.json["findings"] if one["grade"] != "good")
    assert not settings.data_dir.exists(), "who looks makes nothing"
    told = capture_app.run("doctor")
    assert (told.code, "device-failed" in told.out) == (1, True)


NOT_USABLE = (
    "nonsense = 1\n",
    "[station]\nname = 3\n[[archives]]\nname = 'pacs'\nhost = '127.0.0.1'\nport = {port}\n",
    "this is no TOML",
)


@pytest.mark.parametrize("text", NOT_USABLE)
def test_settings_that_cannot_be_used_end_it_with_two_and_the_rest_is_looked_at(
    text: str, tmp_path: Path
) -> None:
    command = CaptureApp(tmp_path / "settings.toml")
    with socket.create_server(("127.0.0.1", 0)) as archive:
        archive.setblocking(False)
        lines = text.format(port=archive.getsockname()[1])
        command.settings.write_text(f"schema_version = 1\n{lines}")
        done = command.run("doctor", "--json", "--data", tmp_path / "data")
        with pytest.raises(BlockingIOError):
            archive.accept()
    assert done.code == 2
    assert not done.json["usable"]
    assert done.json["faults"]
    found = codes(done)
    assert found["settings", "file"] == ["settings-not-usable"]
    assert found["settings", "peers"] == ["peers-not-tried"]
    assert found["disk", "data_dir"] == ["disk-good"]
    assert {"clock", "delivery", "library"} <= {area for area, _ in found}
    told = command.run("doctor", "--data", tmp_path / "data")
    assert told.code == 2
    assert "settings-not-usable" in told.out
    assert done.json["faults"][0]["key"] in told.err


def test_a_bundle_is_written_where_the_settings_cannot_be_used(
    hospital: Hospital, capture_app: CaptureApp, tmp_path: Path
) -> None:
    with capture_app.serving():
        assert hospital.admissions.acknowledged.wait(60)
    capture_app.settings.write_text("schema_version = 1\nthis is no TOML")
    out = tmp_path / "bundle.zip"
    folder = hospital.settings.data_dir
    done = capture_app.run("support-bundle", "--out", out, "--yes", "--data", folder)
    assert done.code == 0, done.err
    assert str(folder) in done.err
    with zipfile.ZipFile(out) as bundle:
        assert read(bundle, "faults.json")
        assert read(bundle, "counts.json")["census.db"]["events"] >= len(ADMISSIONS)
        assert any(one["code"] == "settings-not-usable" for one in read(bundle, "doctor.json"))
        assert any(name.startswith("logs/") for name in bundle.namelist())


def read(bundle: zipfile.ZipFile, name: str) -> Any:
    return json.loads(bundle.read(name))


def test_a_bundle_is_shown_before_it_is_written_and_holds_nobody(
    hospital: Hospital, capture_app: CaptureApp, tmp_path: Path
) -> None:
    out = tmp_path / "bundle.zip"
    with capture_app.serving():
        assert hospital.admissions.acknowledged.wait(60)
        shown = capture_app.run(
            "support-bundle", "--out", out
        )  # standard input ends: nobody said yes
        assert (shown.code, out.exists()) == (1, False)
        assert "settings.toml" in shown.out
        done = capture_app.run("support-bundle", "--out", out, "--yes")
        assert done.code == 0, done.err
    again = capture_app.run("support-bundle", "--out", out, "--yes")
    assert again.code == 1
    assert out.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(out) as bundle:
        names = bundle.namelist()
        together = "".join(bundle.read(name).decode() for name in names)
        assert json.loads(bundle.read("counts.json"))["census.db"]["events"] >= len(ADMISSIONS)
        assert json.loads(bundle.read("versions.json"))["libraries"]["pydicom"]
    assert any(name.startswith("logs/") for name in names)
    assert '"serving"' in together
    for patient in (admission.patient for admission in ADMISSIONS):
        assert patient.patient_id.value not in together
        assert patient.name.alphabetic.family not in together
