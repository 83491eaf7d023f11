"""The spine without a window: a feed, a picture, a code, an archive that proves that it has it."""

from __future__ import annotations

import json
import os
import signal
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import TextIO

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread

from capture_app.audit.trail import read_trail
from capture_app.bootstrap import open_data_folder
from capture_app.clock import FixedClock, SystemClock
from capture_app.demo.hospital import Hospital
from capture_app.model.audit_event import AuditAction
from capture_app.outbox.counted_time import count
from capture_app.settings.resources import resource
from capture_app.store.sealed import SUFFIX
from tests.e2e.commands import CaptureApp
from tests.faults.small_disk import small_disk
from tests.jpeg_parts import entropy_coded

PICTURE = resource("demo") / "camera-1.jpg"
WOUND = ("--procedure", "WND-PRESSURE", "--region", "SCT:84607009", "--side", "L")
MAI = ("--patient-id", "0012345678", "--birth-date", "1956-07-14")


def _admitted(capture_app: CaptureApp, hospital: Hospital) -> None:
    with capture_app.serving():
        assert hospital.admissions.acknowledged.wait(60)


def test_the_main_job_from_feed_to_proof(capture_app: CaptureApp, hospital: Hospital) -> None:
    with capture_app.serving():
        assert hospital.admissions.acknowledged.wait(60)
        found = capture_app.run("patients", "nguyen mai", "--json")
        assert [row["number"] for row in found.json] == ["0012345678"]

        done = capture_app.run("import", PICTURE, PICTURE, *MAI, *WOUND, "--wait")
        assert (done.code, done.err) == (0, "")
        safe = [line.split()[1] for line in done.out.splitlines() if line.startswith("SAFE ")]
        assert len(safe) == 2
        assert done.out.count("confirmed pixel-hash") == 2

    for uid in safe:
        held = hospital.shelf.get(uid)
        assert held is not None
        ds = dcmread(BytesIO(held.read()))
        assert (ds.PatientID, ds.IssuerOfPatientID) == ("0012345678", "ST ANNE")
        assert str(ds.PatientName) == "Nguyễn^Thị Mai=阮^氏梅"
        assert ds.ImageLaterality == "L"
        assert entropy_coded(PICTURE.read_bytes()) in ds.PixelData

    checked = capture_app.run("outbox", "--check", "--json")
    assert checked.code == 0
    assert checked.json["trail_whole"]
    listed = capture_app.run("outbox", "--all", "--json")
    assert {row["state"] for row in listed.json} == {"confirmed"}
    assert "has no row" not in listed.err
    with open_data_folder(hospital.settings, SystemClock()) as folder:
        (folder.outbox.spool.captures / f"lost{SUFFIX}").write_bytes(b"not a sealed file")
    assert "1 file on disk has no row: see --check." in capture_app.run("outbox").err


def test_commands_leave_a_running_log_alone_and_print_on_any_console(
    capture_app: CaptureApp,
    hospital: Hospital,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    logs = hospital.settings.data_dir / "logs"
    with capture_app.serving() as serve:
        assert hospital.admissions.acknowledged.wait(60)
        log = logs / f"serve-{serve.pid}.jsonl"
        os.utime(log, (0, 0))
        for number in range(100):
            (logs / f"import-{number}.jsonl").touch()
        monkeypatch.setenv("PYTHONIOENCODING", "ascii")
        listed = capture_app.run("patients", "nguyen mai")
        as_json = capture_app.run("patients", "nguyen mai", "--json")
        assert (listed.code, as_json.code) == (0, 0)
        assert r"NGUY\u1ec4N" in listed.out
        assert [row["number"] for row in as_json.json] == ["0012345678"]
        assert log.exists()
        assert len(list(logs.glob("import-*"))) < 100
    assert not list(logs.glob("*.lock"))


def test_import_without_serve_delivers_by_itself(
    capture_app: CaptureApp, hospital: Hospital
) -> None:
    _admitted(capture_app, hospital)
    done = capture_app.run("import", PICTURE, *MAI, *WOUND, "--wait", "--json")
    assert (done.code, [row["state"] for row in done.json]) == (0, ["confirmed"])
    with open_data_folder(hospital.settings, SystemClock()) as folder:
        events = [row.event for row in read_trail(folder.database.read())]
    programs = [
        (event.action, event.details["program"]) for event in events if event.details.get("program")
    ]
    assert programs == [
        (AuditAction.APPLICATION_STARTED, "serve"),
        (AuditAction.APPLICATION_STOPPED, "serve"),
        (AuditAction.APPLICATION_STARTED, "import"),
        (AuditAction.APPLICATION_STOPPED, "import"),
    ]
    came = {AuditAction.IMPORTED, AuditAction.CAPTURED}
    assert [event.action for event in events if event.action in came] == [AuditAction.IMPORTED]


def test_import_says_by_how_much_the_clock_is_behind(
    capture_app: CaptureApp, hospital: Hospital
) -> None:
    """An empty battery: what this computer has said before is more than a year ahead of now."""
    _admitted(capture_app, hospital)
    clock = SystemClock()
    with open_data_folder(hospital.settings, clock) as folder:
        ahead = FixedClock(clock.now() + timedelta(days=400.5), elapsed=clock.monotonic())
        spool = replace(folder.outbox.spool, clock=ahead)
        with folder.database.transaction() as connection:
            count(connection, spool)
    done = capture_app.run("import", PICTURE, *MAI, *WOUND, "--json")
    assert (done.code, len(done.json)) == (0, 1)  # a word, and no stop
    said = "The clock of this computer is 400 days behind what it has said before, at least."
    assert said in done.err


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"--patient-id": "0099999999"}, "The census has no patient with this number."),
        ({"--birth-date": "1956-07-15"}, "The number and the birth date are not of one patient."),
        ({"--birth-date": "yesterday"}, "The birth date cannot be read. Allowed: YYYY-MM-DD."),
        ({"--procedure": "WND-NONE"}, "There is no procedure WND-NONE. Allowed:"),
        ({"--region": "SCT:1"}, "There is no region SCT:1. Allowed:"),
        ({"--side": None}, "needs a side. Allowed: --side R, L, B"),
        ({"--side": "M"}, "needs a side. Allowed: --side R, L, B"),
        ({"--purpose": "fun"}, "There is no purpose fun. Allowed: documentation"),
        ({"--purpose": "teaching"}, "needs a keeping. Allowed: --keep record, record-30."),
        ({"--keep": "for-ever"}, "There is no keeping for-ever. Allowed: record, record-30."),
        ({"--device": "none"}, "There is no device none. Allowed: ward-camera, ultrasound."),
        ({"--procedure": "RH-US-KNEE", "--region": "72696002"}, "needs an ultrasound source."),
    ],
    ids=lambda value: (
        next(iter(value)) + f"={next(iter(value.values()))}" if isinstance(value, dict) else ""
    ),
)
def test_what_import_refuses(
    admitted: CaptureApp,
    changed: dict[str, str | None],
    said: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    from capture_app.cli.main import main  # noqa: PLC0415 - the command, within this process

    options: dict[str, str | None] = {
        **dict(zip(MAI[::2], MAI[1::2], strict=True)),
        **dict(zip(WOUND[::2], WOUND[1::2], strict=True)),
        **changed,
    }
    argv = ["import", "--settings", str(admitted.settings), str(PICTURE)]
    argv += [part for key, value in options.items() if value is not None for part in (key, value)]
    assert main(argv) == 3
    heard = capfd.readouterr()
    assert said in heard.err
    assert "Nothing was queued." in heard.err
    assert "Traceback" not in heard.err
    assert heard.out == ""
    assert main(["outbox", "--settings", str(admitted.settings), "--all", "--json"]) == 0
    assert capfd.readouterr().out.strip() == "[]"


def test_what_names_nothing_identifies_nobody(
    admitted: CaptureApp, capfd: pytest.CaptureFixture[str]
) -> None:
    from capture_app.cli.main import main  # noqa: PLC0415 - the command, within this process

    argv = ["import", "--settings", str(admitted.settings), str(PICTURE), *MAI[:2], *WOUND]
    for second in ("--visit=", "--visit= ", "--birth-date="):
        assert main([*argv, second]) == 3
        assert "Nothing was queued." in capfd.readouterr().err
    for option in ("--purpose=", "--keep=", "--device="):
        assert main([*argv, *MAI[2:], option]) == 3
        assert "Allowed: " in capfd.readouterr().err


@pytest.mark.parametrize(
    "options",
    [
        ("import", *MAI, *WOUND, str(PICTURE), "--timeout=nan"),
        ("import", *MAI, *WOUND, str(PICTURE), "--timeout=inf"),
        ("import", *MAI, *WOUND, str(PICTURE), "--timeout=-1"),
        ("outbox", "--limit=0"),
        ("outbox", "--limit=99999999999999999999"),
        ("patients", "--limit=many"),
        ("patients", "--data="),
        ("patients", "--settings="),
    ],
    ids=lambda options: f"{options[0]} {options[-1]}",
)
def test_an_option_that_makes_no_sense_is_told(
    admitted: CaptureApp, options: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    from capture_app.cli.main import main  # noqa: PLC0415 - the command, within this process

    command, *rest = options
    with pytest.raises(SystemExit) as ended:
        main([command, "--settings", str(admitted.settings), *rest])
    assert ended.value.code == 2
    assert options[-1].partition("=")[0] in capfd.readouterr().err


def test_bytes_that_are_no_text_find_nobody(
    admitted: CaptureApp, capfd: pytest.CaptureFixture[str]
) -> None:
    from capture_app.cli.main import main  # noqa: PLC0415 - the command, within this process

    assert main(["patients", "--settings", str(admitted.settings), "--json", "\udcff1"]) == 0
    assert capfd.readouterr().out.strip() == "[]"


def test_a_worklist_that_is_down_is_told(
    admitted: CaptureApp, capfd: pytest.CaptureFixture[str]
) -> None:
    from capture_app.cli.main import main  # noqa: PLC0415 - the command, within this process

    assert main(["patients", "--settings", str(admitted.settings)]) == 0
    heard = capfd.readouterr()
    assert "0012345678" in heard.out
    assert "does not listen" in heard.err


def test_the_report_is_in_the_order_of_the_files(
    capture_app: CaptureApp, hospital: Hospital
) -> None:
    _admitted(capture_app, hospital)
    names = [f"camera-{n}.jpg" for n in (3, 1, 2)]
    files = [resource("demo") / name for name in names]
    done = capture_app.run("import", *files, *MAI, *WOUND, "--wait", "--json")
    assert done.code == 0
    assert [Path(row["file"]).name for row in done.json] == names
    safe = [line.split()[1] for line in done.err.splitlines() if line.startswith("SAFE ")]
    assert [row["sop_instance_uid"] for row in done.json] == safe
    for name, uid in zip(names, safe, strict=True):
        held = hospital.shelf.get(uid)
        assert held is not None
        assert entropy_coded((resource("demo") / name).read_bytes()) in held.read()


@pytest.mark.usefixtures("hospital")
def test_a_patient_of_the_worklist_alone(capture_app: CaptureApp) -> None:
    found = capture_app.run("patients", "hansen", "--json")
    assert [(row["number"], row["source"]) for row in found.json] == [("0009812204", "worklist")]
    who = ("--patient-id", "0009812204", "--birth-date", "1961-02-03")
    assert capture_app.run("import", PICTURE, *who, *WOUND).code == 0


def test_what_was_kept_and_could_not_be_sent_is_told(
    capture_app: CaptureApp,
    hospital: Hospital,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The disk takes the picture, and not the larger file that is sealed for the archive."""
    from capture_app.cli import import_pictures, main  # noqa: PLC0415 - within this process

    _admitted(capture_app, hospital)
    picture = tmp_path / "larger-than-the-database.jpg"
    noise = np.random.default_rng(1).integers(0, 256, (700, 900, 3), np.uint8)
    Image.fromarray(noise).save(picture, quality=90)
    tell_safe = import_pictures._tell_safe
    with ExitStack() as full:

        def tell_and_fill(told: TextIO, uid: str) -> None:
            tell_safe(told, uid)
            kept = (path.stat().st_size for path in (tmp_path / "data").rglob(f"*{SUFFIX}"))
            most = max(kept) + 200
            full.enter_context(small_disk("file-size-limit", tmp_path / "data", most))

        monkeypatch.setattr(import_pictures, "_tell_safe", tell_and_fill)
        settings = ("--settings", str(capture_app.settings))
        assert main.main(["import", *settings, str(picture), *MAI, *WOUND]) == 1
    heard = capfd.readouterr()
    assert heard.out.startswith("SAFE ")
    assert "1 picture is kept as a draft and was not sent." in heard.err
    assert "There is no room on the disk" in heard.err
    states = [row["state"] for row in capture_app.run("outbox", "--json").json]
    assert states == ["draft"]


def test_what_is_no_picture_is_refused_and_nothing_is_queued(
    admitted: CaptureApp, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from capture_app.cli.main import main  # noqa: PLC0415 - the command, within this process

    text = tmp_path / "notes.jpg"
    text.write_text("not a picture")
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(PICTURE.read_bytes()[:-5000])
    pipe = tmp_path / "pipe.jpg"
    os.mkfifo(pipe)
    for bad in (text, cut, tmp_path / "not-there.jpg", pipe, Path("/dev/zero"), tmp_path):
        files = [str(PICTURE), str(bad)]
        assert main(["import", "--settings", str(admitted.settings), *files, *MAI, *WOUND]) == 3
        heard = capfd.readouterr()
        assert str(bad) in heard.err
        assert heard.out == ""
    assert main(["outbox", "--settings", str(admitted.settings), "--all", "--json"]) == 0
    assert capfd.readouterr().out.strip() == "[]"


def test_no_trace_of_the_patient_in_the_logs(
    capture_app: CaptureApp, hospital: Hospital, tmp_path: Path
) -> None:
    _admitted(capture_app, hospital)
    done = capture_app.run("import", PICTURE, *MAI, *WOUND, "--wait", "--log-level", "debug")
    assert done.code == 0
    refused = capture_app.run("import", PICTURE, *MAI[:3], "1956-07-15", *WOUND)
    assert refused.code == 3
    logs = list((tmp_path / "data" / "logs").iterdir())
    assert logs
    said = "".join(path.read_text(encoding="utf-8") for path in logs) + done.err + refused.err
    for trace in ("Nguy", "阮", "0012345678", "V9921", "1956", "19560714"):
        assert trace not in said


def test_wrong_settings_are_told_all_at_once(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from capture_app.cli.main import main  # noqa: PLC0415 - the command, within this process

    path = tmp_path / "settings.toml"
    path.write_text('[adt]\nport = 99999\n[station]\nae_titel = "X"\n', encoding="utf-8")
    for command in ("serve", "patients", "outbox"):
        assert main([command, "--settings", str(path)]) == 2
        heard = capfd.readouterr().err
        assert "adt.port" in heard
        assert "station.ae_titel" in heard
        assert "Traceback" not in heard
    assert main(["settings", "check", "--settings", str(path), "--json"]) == 2
    assert '"usable": false' in capfd.readouterr().out


def test_serve_ends_on_sigterm(capture_app: CaptureApp) -> None:
    with capture_app.serving() as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def test_the_feed_is_told_and_the_list_made_anew(
    admitted: CaptureApp, capfd: pytest.CaptureFixture[str]
) -> None:
    from capture_app.cli.main import main  # noqa: PLC0415 - the command, within this process

    settings = ["--settings", str(admitted.settings)]
    assert main(["patients", *settings, "--feed", "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert told["feeds"][0]["name"] == "adt"
    assert told["feeds"][0]["count"] > 0
    assert told["without_effect"] == []
    assert main(["patients", *settings, "--rebuild"]) == 0
    assert "made from stored messages" in capfd.readouterr().out


def test_one_damaged_row_ends_neither_serve_nor_import(
    capture_app: CaptureApp, hospital: Hospital
) -> None:
    _admitted(capture_app, hospital)
    done = capture_app.run("import", PICTURE, *MAI, *WOUND)
    (uid,) = [line.split()[1] for line in done.out.splitlines() if line.startswith("SAFE ")]
    with (
        open_data_folder(hospital.settings, SystemClock()) as folder,
        folder.database.transaction() as connection,
    ):
        connection.execute("UPDATE exam SET sealed = x'00'")
        connection.execute("UPDATE capture SET description = x'00'")
        connection.execute("UPDATE instance SET sealed = x'00'")
    checked = capture_app.run("outbox", "--check", "--json")
    assert checked.code == 1
    found = {(cell["table"], cell["cell"]) for cell in checked.json["damaged"]}
    assert found == {("exam", "sealed"), ("capture", "description"), ("instance", "sealed")}
    said = capture_app.run("outbox", "--check").out
    assert f"Damaged: description of capture {uid}. Open the patient and choose" in said
    assert [row["state"] for row in capture_app.run("outbox", "--json").json] == ["queued"]
    done = capture_app.run("import", PICTURE, *MAI, *WOUND, "--wait", "--json")
    assert [row["state"] for row in done.json] == ["confirmed"]
    listed = capture_app.run("outbox", "--all", "--json")
    assert {row["state"] for row in listed.json} == {"confirmed"}
    assert "has no row" not in listed.err
    with open_data_folder(hospital.settings, SystemClock()) as folder:
        (folder.outbox.spool.captures / f"lost{SUFFIX}").write_bytes(b"not a sealed file")
    assert "1 file on disk has no row: see --check." in capture_app.run("outbox").err
