"""Who runs a command: a user who signs in for it, or a service account of the OS account."""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread

from capture_app.audit.trail import read_trail
from capture_app.bootstrap import open_data_folder
from capture_app.clock import SystemClock
from capture_app.demo.hospital import Hospital
from capture_app.model.audit_event import AuditAction, AuditEvent
from capture_app.model.operator import Role
from capture_app.model.patient import NameGroup, PersonName
from capture_app.security.users import FIRST_ROLES
from capture_app.settings.describe import settings_toml
from capture_app.settings.resources import resource
from capture_app.settings.schema import KeyStore, Security, Settings
from tests.e2e.commands import CaptureApp, Finished

PICTURE = resource("demo") / "camera-1.jpg"
IMPORT = (
    "import", PICTURE, "--patient-id", "0012345678", "--birth-date", "1956-07-14",
    "--procedure", "WND-PRESSURE", "--region", "SCT:84607009", "--side", "L",
)  # fmt: skip
PIN = "274913"


class Station:
    """A station for patients, whose feed and archive happen to be those of practice."""

    def __init__(self, hospital: Hospital, folder: Path) -> None:
        self.hospital = hospital
        security = Security(key_store=KeyStore.FILE, key_file=str(folder / "key"))
        self.settings: Settings = replace(
            hospital.settings,
            data_dir=folder / "real",
            security=security,
            practice=False,
            practice_ports=(),
        )
        path = folder / "real.toml"
        path.write_text(settings_toml(self.settings), encoding="utf-8")
        self.command = CaptureApp(path)

    def run(self, *arguments: object, pin: str = "", **environment: str) -> Finished:
        done = subprocess.run(
            self.command.argv(str(arguments[0]), *arguments[1:]),
            input=f"{pin}\n",
            env={**os.environ, **environment},
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    def events(self, action: AuditAction) -> list[AuditEvent]:
        with open_data_folder(self.settings, SystemClock()) as folder:
            rows = [*read_trail(folder.database.read())]
        return [row.event for row in rows if row.event.action is action]

    def operators_name(self, done: Finished) -> str | None:
        held = self.hospital.shelf.get(done.json[0]["sop_instance_uid"])
        assert held is not None
        ds = dcmread(BytesIO(held.read()))
        return str(ds.OperatorsName) if "OperatorsName" in ds else None


@pytest.fixture
def station(hospital: Hospital, tmp_path: Path) -> Station:
    station = Station(hospital, tmp_path)
    with station.command.serving():
        assert hospital.admissions.acknowledged.wait(60)
    name = PersonName(NameGroup("Berg", "Anna"))
    with open_data_folder(station.settings, SystemClock()) as folder:
        anna = folder.users.add("anna", "Anna Berg", FIRST_ROLES, PIN, None, name=name)
        folder.users.add("aud", "Aud", (Role.AUDIT,), PIN, anna)
    return station


def test_import_is_of_a_user_or_a_service_account_and_of_no_environment(station: Station) -> None:
    account = pwd.getpwuid(os.geteuid()).pw_name
    nobody = station.run(*IMPORT, USER="anna", LOGNAME="anna", LNAME="anna", USERNAME="anna")
    assert (nobody.code, nobody.out) == (3, "")
    assert f"users add importer --service {account}" in nobody.err
    assert "Nothing was queued." in nobody.err
    for by, pin, said in (("anna", "830527", "wrong"), ("aud", PIN, "no role")):
        refused = station.run(*IMPORT, "--by", by, "--pin-stdin", pin=pin)
        assert (refused.code, refused.out) == (1, "")
        assert said in refused.err

    mine = station.run(*IMPORT, "--by", "anna", "--pin-stdin", "--wait", "--json", pin=PIN)
    assert mine.code == 0
    assert station.operators_name(mine) == "Berg^Anna"
    made = station.run(
        "users", "add", "importer", "--service", account, "--by", "anna", "--pin-stdin", pin=PIN
    )
    assert (made.code, made.out) == (0, f"Commands of the account {account} act as importer.\n")
    service = station.run(*IMPORT, "--wait", "--json", USER="anna")
    assert service.code == 0
    assert station.operators_name(service) is None
    importers = [event.user_id for event in station.events(AuditAction.IMPORTED)]
    assert importers == ["anna", "importer"]


def test_reading_patients_by_command_is_in_the_trail(station: Station) -> None:
    account = pwd.getpwuid(os.geteuid()).pw_name
    found = station.run("patients", "nguyen mai", "--json", USER="anna")
    assert len(found.json) == 1
    signed = station.run("patients", "--by", "anna", "--pin-stdin", "--json", pin=PIN)
    refused = station.run("patients", "--by", "aud", "--pin-stdin", "--json", pin=PIN)
    assert (refused.code, refused.out) == (1, "")
    station.run("patients", "--feed")  # no patient data
    read = station.events(AuditAction.PATIENTS_LISTED)
    assert [(event.user_id, event.details["count"]) for event in read] == [
        (f"command:{account}", "1"),
        ("anna", str(len(signed.json))),
    ]
    assert "guyen" not in str(read)
