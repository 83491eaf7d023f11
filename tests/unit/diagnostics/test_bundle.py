"""Nothing of a patient leaves in a support bundle, wherever it was put."""

from __future__ import annotations

import io
import json
import re
import sqlite3
import zipfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture_app.demo.people import ADMISSIONS
from capture_app.diagnostics.bundle import contents, zipped
from capture_app.diagnostics.finding import Finding, Grade
from capture_app.diagnostics.scrubbing import Scrubber
from capture_app.errors import SettingsFault
from capture_app.model.device import DeviceKind
from capture_app.settings.log import ALLOWED_KEYS, LOG_FOLDER
from capture_app.settings.schema import ArchiveDestination, Device, KeyStore, Security, Settings

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
PATIENT = (
    "Gárcia-Planted",
    "GARCIA^PLANTED",
    "garcia-planted",
    "0099887766",
    "1956-07-14",
    "V-4771-Q",
)
SCRUBBER = Scrubber(frozenset({"pacs"}))

texts = st.sampled_from(PATIENT) | st.text(st.sampled_from("XQZxqz0123456789^-"), min_size=10)


def test_what_is_ours_stays() -> None:
    entry = {
        "at": "2026-11-28T11:00:00.000+00:00",
        "level": "warning",
        "event": "port-not-had",
        "logger": "capture_app.bootstrap",
        "destination": "pacs",
        "count": 3,
        "exception": [
            {
                "type": "capture_app.errors.StoreError",
                "message": "planted",
                "frames": ["capture_app/bootstrap.py:12 Background._run", "planted.py:1 planted"],
            }
        ],
    }
    kept = SCRUBBER.entry(entry)
    assert {key: kept[key] for key in entry if key != "exception"} == {
        key: value for key, value in entry.items() if key != "exception"
    }
    assert kept["exception"] == [
        {
            "type": "capture_app.errors.StoreError",
            "frames": ["capture_app/bootstrap.py:12 Background._run", "?"],
        }
    ]


def test_people_of_the_simulated_hospital_are_no_words_of_ours() -> None:
    for patient in (admission.patient for admission in ADMISSIONS):
        for text in (patient.patient_id.value, patient.name.alphabetic.family):
            assert SCRUBBER.text(text) != text
    assert SCRUBBER.text("1.2.840.10008.1.2.4.50") == "1.2.840.10008.1.2.4.50"


def test_the_same_text_has_the_same_hash_in_one_bundle_and_another_in_the_next() -> None:
    first = SCRUBBER.text("2.25.1")
    assert re.fullmatch(r"#[0-9a-f]{8}", first)
    assert (SCRUBBER.text("2.25.1"), SCRUBBER.text("2.25.2") == first) == (first, False)
    assert Scrubber(frozenset()).text("2.25.1") != first


@given(st.sampled_from(sorted(ALLOWED_KEYS)), texts, st.booleans())
def test_no_key_lets_a_text_of_a_patient_through(key: str, text: str, is_listed: bool) -> None:
    planted = [text] if is_listed else text
    described = [{"type": text, "message": text, "frames": [text, f"{text}.py:1 {text}"]}]
    entry = {key: planted, "exception": described, text: text, "peer": {text: text}}
    assert text not in json.dumps(SCRUBBER.entry(entry), ensure_ascii=False)


def plant(folder: Path) -> Settings:
    """A data folder with a patient everywhere: logs, databases, file names."""
    logs = folder / LOG_FOLDER
    logs.mkdir()
    for number, text in enumerate(PATIENT):
        lines = [json.dumps({key: text}) for key in sorted(ALLOWED_KEYS)]
        log = logs / f"{text}-{number}.jsonl"
        log.write_text("\n".join([text, *lines, f'{{"event": "{text}']), "utf-8")
        (folder / f"{text}.txt").write_text(text, "utf-8")
    for name in ("outbox.db", "census.db"):
        with closing(sqlite3.connect(folder / name)) as connection, connection:
            connection.execute("CREATE TABLE task (kind, state, error_code, words)")
            connection.execute("CREATE TABLE garcia_planted (words)")
            rows = [(text, text, text, text) for text in PATIENT]
            connection.executemany("INSERT INTO task VALUES (?, ?, ?, ?)", rows)
    address = "rtsp://ward:s3cret@10.0.0.9:554/live?patient=0099887766#V-4771-Q"
    pacs = ArchiveDestination("pacs", host="pacs.example.org", user="u53r", password_key="k")
    camera = Device("cam", f"Camera of {PATIENT[0]}", DeviceKind.STREAM, address)
    return Settings(folder, archives=(pacs,), devices=(camera,))


def test_a_patient_that_was_planted_everywhere_is_nowhere_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    settings = plant(folder)
    faults = [SettingsFault("/etc/x.toml", f"archives[0].{one}", "Wrong.", "") for one in PATIENT]
    finding = Finding("port", "adt", "port-free", Grade.GOOD, "Port 1 can be listened on.")
    bundle = zipped(contents(settings, faults, [finding], NOW), NOW)
    with zipfile.ZipFile(io.BytesIO(bundle)) as opened:
        together = "\n".join(
            [*opened.namelist(), *(opened.read(n).decode() for n in opened.namelist())]
        )
        counts = json.loads(opened.read("counts.json"))
        assert "rtsp://10.0.0.9:554/live" in opened.read("settings.toml").decode()
    for text in (*PATIENT, "s3cret", "u53r", "garcia_planted"):
        assert text not in together, text
        assert text not in json.dumps(together, ensure_ascii=True), text
    assert counts["outbox.db"]["task"] == len(PATIENT)
    assert "port-free" in together
    assert "lines-left-out" in together


def test_it_is_made_where_nothing_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "outbox.db").write_bytes(b"no database at all" * 100)
    (tmp_path / LOG_FOLDER).write_bytes(b"no folder at all")
    files = contents(Settings(tmp_path), [], [], NOW)
    counts = json.loads(files["counts.json"])
    assert counts == {"outbox.db": "unreadable: StoreError", "census.db": "absent"}


def test_whoever_may_not_look_into_the_folder_gets_all_but_what_is_in_it(tmp_path: Path) -> None:
    """As a person of the IT department beside the service's own user."""
    settings = Settings(tmp_path / ("long" * 100))  # which the system refuses, root or not
    files = contents(settings, [], [], NOW)
    assert json.loads(files["counts.json"]) == dict.fromkeys(
        ("outbox.db", "census.db"), "unreadable: OSError, File name too long"
    )
    assert b"OSError" in files["logs/unreadable.txt"]
    assert json.loads(files["versions.json"])["capture-app"]


@pytest.mark.expects_log("bundle-part-failed")
def test_one_log_that_cannot_be_read_keeps_nothing_else_from_it(tmp_path: Path) -> None:
    (tmp_path / LOG_FOLDER / "serve-1.jsonl").mkdir(parents=True)
    (tmp_path / LOG_FOLDER / "desktop-2.jsonl").write_text('{"event": "serving"}\n')
    files = contents(Settings(tmp_path), [], [], NOW)
    logs = sorted(text for name, text in files.items() if name.startswith("logs/"))
    assert logs[0].startswith(b"unreadable: IsADirectoryError")
    assert b'"serving"' in logs[1]


@pytest.mark.parametrize(
    ("folder", "told"),
    [
        ("{home}/data", "~/data"),
        ("/{word}/garcia/data", "~/data"),
        ("/Users/Maria Garcia/data", "~/data"),
        (r"C:\Users\Maria Garcia\data", r"~\\data"),
        (r"c:/Users/garcia", "~"),
        ("{home}elsewhere/data", "{home}elsewhere/data"),
        ("/srv/home/data", "/srv/home/data"),
    ],
)
def test_no_home_folder_names_a_user(tmp_path: Path, folder: str, told: str) -> None:
    folder, told = (text.format(home=Path.home(), word="home") for text in (folder, told))
    security = Security(key_store=KeyStore.FILE, key_file=folder)
    camera = Device("cam", "Of Garcia", DeviceKind.FILE, folder)
    finding = Finding("key", "file", "key-bad", Grade.FAULT, f"There is no '{folder}'.", "")
    files = contents(Settings(tmp_path, security=security, devices=(camera,)), [], [finding], NOW)
    for name in ("settings.toml", "doctor.json"):
        text = files[name].decode()
        assert told in text
        assert "Garcia" not in text
        assert "garcia" not in text


def test_wrong_settings_are_told_without_what_nobody_foresaw() -> None:
    place = str(Path.home() / "settings.toml")
    keys = ("archives[1].port", "adt.prot", "GARCIA", "zzz[0].port")
    faults = [SettingsFault(place, key, "It is wrong.", "1-65535") for key in keys]
    files = contents(Settings(Path("/nowhere/data")), faults, [], NOW)
    told = json.loads(files["faults.json"])
    assert told[0]["key"] == "archives[1].port"
    assert all(re.fullmatch(r"#[0-9a-f]{8}", one["key"]) for one in told[1:])
    assert {one["file"] for one in told} == {"~/settings.toml"}
    assert {one["problem"] for one in told} == {"It is wrong."}
